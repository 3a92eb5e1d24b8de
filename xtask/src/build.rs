//! `cargo xtask build`: the kernel object, then the daemon that embeds it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{cargo, ebpf, step::Steps};

/// Build target/release/proxysight, kernel object and all
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask build && target/release/proxysight policy check my-list.txt")]
pub(crate) struct Arguments {}

pub(crate) fn main(Arguments {}: Arguments) -> Result<()> {
    let daemon = build(&cargo::root(), &mut Steps::default())?;
    println!("{}", daemon.display());
    Ok(())
}

/// Builds both and returns where the daemon is.
pub(crate) fn build(root: &Path, steps: &mut Steps) -> Result<PathBuf> {
    ebpf::build(root, steps)?;
    daemon(root, steps)
}

/// Builds the daemon around the kernel object that is there.
pub(crate) fn daemon(root: &Path, steps: &mut Steps) -> Result<PathBuf> {
    steps.run("daemon", "mend what the compiler says above, then `cargo xtask build`", |step| {
        step.capture(cargo::host(root, "build").args(["--release", "--package", "monitor"]))?;
        Ok(root.join("target/release/proxysight"))
    })
}
