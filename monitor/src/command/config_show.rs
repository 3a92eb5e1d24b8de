//! `proxysight config show`: what `run` would go by, and where that comes from.

use std::process::ExitCode;

use super::{Failure, settings};
use crate::cli::Settings as Arguments;

pub(super) fn show(args: &Arguments) -> Result<ExitCode, Failure> {
    let (settings, _) = settings::resolve(args)?;
    print!("{}", settings.shown());
    Ok(ExitCode::SUCCESS)
}
