//! The programs that the tests drive. A missing one is an error that says how to get it, never a reason to skip.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

const FOLDERS: [&str; 5] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"];

/// Finds a program by its name.
///
/// # Errors
/// When no folder of programs has it.
pub fn path_of(program: &str) -> Result<PathBuf> {
    for folder in FOLDERS {
        let path = Path::new(folder).join(program);
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!("`{program}` is not installed and the tests drive it; `cargo xtask test` installs all that they need")
}
