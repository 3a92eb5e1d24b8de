//! `cargo xtask run`: builds everything as you, then becomes the daemon as root, in the foreground.
//!
//! Nothing is left behind: the daemon detaches on Ctrl-C.

use std::{os::unix::process::CommandExt as _, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{
    build, cargo,
    machine::{self, Root},
    step::{self, Steps},
};

/// Build, then run the daemon in the foreground: audit mode, records on the terminal
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask run -- --mode block --policy my-list.txt")]
pub(crate) struct Arguments {
    /// Flags for `proxysight run`; a flag given here wins over `--mode audit --stream`
    #[arg(last = true)]
    daemon: Vec<String>,
}

pub(crate) fn main(Arguments { daemon }: Arguments) -> Result<()> {
    let program = build::build(&cargo::root(), &mut Steps::default())?;
    let direct = || {
        let mut command = Command::new(&program);
        command.args(["run", "--mode", "audit", "--stream"]).args(&daemon);
        command
    };
    let mut command = match machine::root()? {
        Root::Already => direct(),
        Root::Sudo => {
            let mut command = Command::new("sudo");
            let inner = direct();
            command.arg(inner.get_program()).args(inner.get_args());
            eprintln!("xtask: attaching kernel programs needs root; sudo is asked to run this and nothing else:");
            eprintln!("xtask:   {}", step::shown(&inner));
            command
        }
        Root::Unreachable => {
            bail!(
                "attaching kernel programs needs root and sudo is not here\n  next: as root, run\n    {}",
                step::shown(&direct())
            )
        }
    };
    eprintln!("xtask: Ctrl-C ends it");
    // `exec` only returns when it could not start the program.
    Err(command.exec()).with_context(|| format!("start `{}`", step::shown(&command)))
}
