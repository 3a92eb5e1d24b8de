//! `cargo xtask bench`: what the daemon costs the programs it watches, and what it uses itself.

mod connections;
mod daemon;
mod process;
mod server;

use anyhow::Result;
use clap::Subcommand;

/// Measure what the daemon costs (needs root)
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask bench connections --rounds 16 --seconds 2")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    Connections(connections::Arguments),
}

pub(crate) fn main(Arguments { bench }: Arguments) -> Result<()> {
    match bench {
        Bench::Connections(arguments) => connections::main(arguments),
    }
}
