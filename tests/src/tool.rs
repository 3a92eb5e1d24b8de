//! The programs that the tests drive. A missing one is an error that says how to get it, never a reason to skip.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// What installs everything that the tests need on Debian and Ubuntu. `cargo xtask test` runs the same.
pub const INSTALL: &str = "apt-get install -y --no-install-recommends \
    curl iproute2 nginx openssl squid tcpdump tinyproxy util-linux";

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
    bail!("`{program}` is not installed and the tests drive it; install all of them with: {INSTALL}")
}
