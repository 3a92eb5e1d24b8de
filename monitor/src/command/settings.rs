//! The settings of a call: defaults, then the configuration file, then the command line.

use std::path::{Path, PathBuf};

use monitor_common::policy::Mode;

use super::Failure;
use crate::cli::{Format, ModeArg, Settings as Arguments};
use crate::config::{self, DEFAULT_PATH, Error, Settings};
use crate::stream::Form;

/// The settings, and the file that they are from, if there is one.
///
/// # Errors
/// The file cannot be read or not be followed; what is wrong with it is told on standard error.
pub(super) fn resolve(args: &Arguments) -> Result<(Settings, Option<PathBuf>), Failure> {
    let Arguments { config, mode, policy, format } = args;
    let file = file(config.as_deref());
    let mut settings = match &file {
        Some(path) => read(path).map_err(|error| Failure::Usage(error.into()))?,
        None => Settings::default(),
    };
    settings.mode.overrule(mode.map(|mode| match mode {
        ModeArg::Off => Mode::Off,
        ModeArg::Audit => Mode::Audit,
        ModeArg::Block => Mode::Block,
    }));
    settings.policy.overrule((!policy.is_empty()).then(|| policy.clone()));
    settings.records.format.overrule(format.map(|format| match format {
        Format::Text => Form::Text,
        Format::Json => Form::Json,
    }));
    Ok((settings, file))
}

/// The file that was named, or the one that is read when it is there. One that is there and cannot be read is an error later
/// on, not a reason to go on without it.
pub(super) fn file(named: Option<&Path>) -> Option<PathBuf> {
    let default = Path::new(DEFAULT_PATH);
    match named {
        Some(path) => Some(path.to_owned()),
        None => (!matches!(default.try_exists(), Ok(false))).then(|| default.to_owned()),
    }
}

/// The settings of a file; what is wrong with it is told on standard error.
pub(super) fn read(path: &Path) -> Result<Settings, Error> {
    let read = config::load(path);
    if let Err(Error::Wrong { path, problems }) = &read {
        for problem in problems {
            eprintln!("{}:{problem}", path.display());
        }
    }
    read
}
