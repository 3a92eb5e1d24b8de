//! Reads policy files and says what is wrong with them, line by line.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};

use super::Failure;
use crate::decide::{Policy, PolicyBuilder};

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

/// Whether bad lines are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadLines {
    /// They are an error.
    Refused,
    /// The rest is the policy.
    LeftOut,
}

impl From<bool> for BadLines {
    /// From `--lenient`.
    fn from(lenient: bool) -> Self {
        if lenient { Self::LeftOut } else { Self::Refused }
    }
}

/// The policy of these files.
///
/// # Errors
/// A file cannot be read, or has bad lines that are not to be left out.
pub(super) fn read(paths: &[PathBuf], bad_lines: BadLines) -> Result<Policy, Failure> {
    let loaded = load(paths)?;
    let bad = match loaded.bad_lines {
        0 => return Ok(loaded.builder.build()),
        1 => "1 bad policy line".to_owned(),
        more => format!("{more} bad policy lines"),
    };
    match bad_lines {
        BadLines::Refused => Err(Failure::Usage(anyhow!(
            "{bad}; nothing was changed. Mend what is wrong, or give --lenient to load the rest"
        ))),
        BadLines::LeftOut => {
            eprintln!("proxysight: left out {bad}");
            Ok(loaded.builder.build())
        }
    }
}
