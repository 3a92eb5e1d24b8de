//! `cargo xtask vm`: the kernel programs on other kernels than this machine's, each in a virtual machine of its own.
//!
//! What is checked in there is in `tests/vm`; here are the kernels, the machines and the tables.

mod archive;
mod boot;
mod kernel;
mod series;
mod table;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use clap::builder::PossibleValuesParser;

pub(crate) use self::series::{SERIES, Series, ends};
use self::table::Row;
use crate::{
    cargo, ebpf, guest, packages,
    step::{Step, Steps},
    verify::Budget,
};

/// Check names, blocks and verifier cost on other kernels, each in a virtual machine
///
/// Fetches Debian's kernels into target/vm (10 to 30 MB each; remove target/vm to get newer ones) and runs each in QEMU
/// without KVM. Needs no root, except to install QEMU when it is missing.
#[derive(clap::Args)]
#[command(
    after_help = "Example: cargo xtask vm 6.1 6.12\n\nWithout a series the oldest and the newest are taken, as in \
                        `cargo xtask test`. All that a machine said is in target/vm/SERIES/serial.log."
)]
pub(crate) struct Arguments {
    /// Series of kernels
    #[arg(value_parser = PossibleValuesParser::new(SERIES.iter().map(|series| series.name)), conflicts_with = "all")]
    series: Vec<String>,
    /// Every series
    #[arg(long)]
    all: bool,
}

pub(crate) fn main(Arguments { series, all }: Arguments) -> Result<()> {
    let wanted: Vec<&'static Series> = match (all, series.as_slice()) {
        (true, _) => SERIES.iter().collect(),
        (false, []) => ends(),
        (false, names) => SERIES.iter().filter(|series| names.iter().any(|name| name == series.name)).collect(),
    };
    let root = cargo::root();
    let mut steps = Steps::default();
    packages::provide(&[packages::MACHINES], &mut steps)?;
    ebpf::build(&root, &mut steps)?;
    let program = guest::build(&root, &mut steps)?;
    run(&wanted, &program, &root, &mut steps)
}

/// Runs a machine for each series, prints the tables, and fails when a check of one did. All run, whatever one says.
pub(crate) fn run(wanted: &[&'static Series], program: &Path, root: &Path, steps: &mut Steps) -> Result<()> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the kernels are those for x86-64, and the program that runs in them is built for this machine: run this on x86-64"
    );
    let budget = Budget::read(root)?;
    let place = root.join("target/vm");
    fs::create_dir_all(&place).with_context(|| format!("make {}", place.display()))?;
    // Two tasks at once must not fetch into one directory: the second waits.
    let lock = File::create(place.join("lock")).context("create target/vm/lock")?;
    lock.lock().context("lock target/vm/lock")?;
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for series in wanted {
        let next = format!("read what failed above; `cargo xtask vm {}` runs it alone", series.name);
        if let Err(failure) =
            steps.run(series.step, &next, |step| run_one(series, program, &place, &budget, step, &mut rows))
        {
            eprintln!("xtask: {failure:#}");
            failed.push(series.name);
        }
    }
    if !rows.is_empty() {
        let tables = [table::machines(&rows), vec![String::new()], table::costs(&rows)];
        // A reader that has gone wants no more: that is no failure.
        tables.iter().flatten().for_each(|line| writeln!(io::stdout(), "{line}").unwrap_or_default());
    }
    ensure!(failed.is_empty(), "not every kernel passed: {}", failed.join(", "));
    Ok(())
}

fn run_one(
    series: &'static Series,
    program: &Path,
    place: &Path,
    budget: &Budget,
    step: &Step,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let directory = place.join(series.name);
    let kernel = kernel::provide(series, &directory, step)?;
    step.at(format!("start Linux {}", kernel.release));
    let boot::Ran { report, took } = boot::boot(&kernel, program, &directory, step)?;
    let failed = report.failed.len();
    for (check, reason) in &report.failed {
        step.say(&format!("Linux {}: {check}: FAILED: {reason}", kernel.release));
    }
    let offences = if report.costs.is_empty() { Vec::new() } else { budget.offences(&report.costs) };
    for offence in &offences {
        step.say(&format!("Linux {}: {offence}", kernel.release));
    }
    let passed = report.passed.len();
    rows.push(Row { series: series.name, kernel: kernel.release, took, passed, failed, costs: report.costs });
    ensure!(passed > 0 && failed == 0, "{failed} of {} checks failed", passed + failed);
    ensure!(offences.is_empty(), "{} programs do not keep their budget", offences.len());
    Ok(())
}
