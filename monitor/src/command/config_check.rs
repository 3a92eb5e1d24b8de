//! `proxysight config check`: can this file be followed, and are the policy files that it names good?

use std::path::Path;
use std::process::ExitCode;

use super::{Failure, policy_files, settings};
use crate::config::{DEFAULT_PATH, Error};

pub(super) fn check(file: Option<&Path>) -> Result<ExitCode, Failure> {
    let Some(path) = settings::file(file) else {
        println!("{DEFAULT_PATH} is not there: every setting has its default");
        return Ok(ExitCode::SUCCESS);
    };
    let settings = match settings::read(&path) {
        Ok(settings) => settings,
        Err(error @ (Error::Wrong { .. } | Error::TooLong { .. })) => {
            eprintln!("proxysight: {error}");
            return Ok(ExitCode::from(1));
        }
        Err(error @ Error::Read { .. }) => return Err(Failure::Usage(error.into())),
    };
    let bad_lines = policy_files::load(settings.policy.value())?.bad_lines;
    println!("{}: good; {} policy files, {bad_lines} bad lines", path.display(), settings.policy.value().len());
    Ok(if bad_lines == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
