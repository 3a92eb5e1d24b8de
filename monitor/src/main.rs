//! The `proxysight` program: parse, run, exit code.

use clap::Parser as _;
use monitor::cli::Cli;
use monitor::command::{self, Failure};
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::execute(Cli::parse()) {
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
