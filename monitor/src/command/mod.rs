//! One subcommand a file: each wires modules together and owns no logic.

mod config_check;
mod config_show;
mod found;
mod lock;
mod policy_check;
mod policy_files;
mod replay;
mod report;
mod run;
mod settings;
mod status;
mod stream;

use std::process::ExitCode;

use crate::cli::{Cli, Command, Config, Policy};

/// Why a command failed, by who has to do something about it.
#[derive(Debug)]
pub enum Failure {
    /// The user asked for something that cannot be: exit status 2.
    Usage(anyhow::Error),
    /// The system did not do its part: exit status 3.
    Runtime(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Runtime(error.into())
    }
}

/// Does what was asked for.
///
/// # Errors
/// A [`Failure`] with the whole story, ready to be printed.
pub fn execute(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Stream(args) => stream::stream(&args),
        Command::Status(args) => status::status(&args),
        Command::Policy(Policy::Check { paths }) => policy_check::check(&paths),
        Command::Config(Config::Check { file }) => config_check::check(file.as_deref()),
        Command::Config(Config::Show(args)) => config_show::show(&args),
    }
}
