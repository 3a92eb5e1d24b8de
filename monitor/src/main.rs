//! The `proxysight` program: parse, run, exit code.

use std::process::ExitCode;

use monitor::cli::Cli;
use monitor::command::{self, Failure};

fn main() -> ExitCode {
    match command::execute(Cli::from_arguments()) {
        Ok(code) => code,
        Err(Failure::Usage(error)) => {
            eprintln!("proxysight: {error:#}");
            ExitCode::from(2)
        }
        Err(Failure::Runtime(error)) => {
            eprintln!("proxysight: {error:#}");
            ExitCode::from(3)
        }
    }
}
