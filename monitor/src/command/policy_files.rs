//! Reads policy files and says what is wrong with them, line by line.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use super::Failure;
use crate::decide::PolicyBuilder;

/// The rules of all files, and how many lines were none.
pub(super) struct Loaded {
    pub(super) builder: PolicyBuilder,
    pub(super) bad_lines: usize,
}

/// Bad lines that are shown of one file.
const SHOWN_MAX: usize = 20;

/// Reads all files; bad lines are told on standard error.
///
/// # Errors
/// A file cannot be read.
pub(super) fn load(paths: &[PathBuf]) -> Result<Loaded, Failure> {
    let mut loaded = Loaded { builder: PolicyBuilder::default(), bad_lines: 0 };
    for path in paths {
        let bytes = fs::read(path)
            .with_context(|| format!("read the policy file {}", path.display()))
            .map_err(Failure::Usage)?;
        let errors = loaded.builder.add_list(path, &bytes);
        for error in errors.iter().take(SHOWN_MAX) {
            eprintln!("{}:{error}", path.display());
        }
        if errors.len() > SHOWN_MAX {
            eprintln!("{}: and {} more bad lines", path.display(), errors.len() - SHOWN_MAX);
        }
        loaded.bad_lines += errors.len();
    }
    Ok(loaded)
}
