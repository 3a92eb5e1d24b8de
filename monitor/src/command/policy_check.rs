//! `proxysight policy check`: are these files a policy?

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Failure, policy_files};

pub(super) fn check(paths: &[PathBuf]) -> Result<ExitCode, Failure> {
    let loaded = policy_files::load(paths)?;
    let repeated = loaded.builder.repeated();
    let rules = loaded.builder.build().indicators().len();
    println!("{} files: {rules} rules, {repeated} repeated, {} bad lines", paths.len(), loaded.bad_lines);
    Ok(if loaded.bad_lines == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
