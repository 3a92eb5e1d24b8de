//! The only program of a virtual machine: it loads the kernel programs of proxysight with the daemon's own loader, drives
//! real sockets past them, and tells on the serial line what it found. `cargo xtask vm` starts it and reads the lines.
//!
//! As `monitor-guest costs` it loads every program on the running kernel, prints what each cost, and attaches nothing:
//! `cargo xtask verify` reads that.
//!
//! Each line is `guest`, a word, and fields with tabs between them:
//!
//! ```text
//! guest  kernel  RELEASE
//! guest  cost    PROGRAM  INSTRUCTIONS  MICROSECONDS
//! guest  pass    CHECK
//! guest  fail    CHECK  REASON
//! guest  done
//! ```

mod check;
mod client;
mod init;
mod kernel;
mod message;
mod proxy;
mod server;
mod watch;

use std::process::ExitCode;

use anyhow::{Result, bail};
use monitor::kernel::program_costs;

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("costs") => costs(),
        None if std::process::id() == 1 => guest(),
        Some(_) | None => usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("monitor-guest: {failure:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> Result<()> {
    bail!("this is the only program of a virtual machine: run `cargo xtask vm`, or `monitor-guest costs` as root")
}

/// Whatever happens, the machine is ended: without process 1 there is nothing left to do in it.
fn guest() -> Result<()> {
    match init::set_up() {
        Ok(release) => {
            println!("guest\tkernel\t{release}");
            tell("every program loads", costs());
            check::run_all();
        }
        Err(failure) => tell("the guest is set up", Err(failure)),
    }
    println!("guest\tdone");
    init::end()
}

fn costs() -> Result<()> {
    for cost in program_costs()? {
        println!("guest\tcost\t{}\t{}\t{}", cost.program, cost.verified_insns, cost.load.as_micros());
    }
    Ok(())
}

/// Reports a check.
fn tell(check: &str, result: Result<()>) {
    match result {
        Ok(()) => println!("guest\tpass\t{check}"),
        // One line, whatever an error says.
        Err(failure) => println!("guest\tfail\t{check}\t{}", format!("{failure:#}").replace(['\n', '\t'], " ")),
    }
}
