//! `cargo xtask verify`: what each kernel program costs the verifier of the running kernel, against its budget.
//!
//! Every program is loaded and none attached, so it may run beside a daemon.

mod budget;

use std::{path::Path, process::Command};

use anyhow::{Result, bail, ensure};

pub(crate) use self::budget::{Budget, FILE};
use crate::{
    cargo, ebpf,
    guest::{self, Cost, Report},
    machine::{self, Root},
    step::{self, Step, Steps},
};

/// Print what each kernel program costs the verifier, and fail when one is over its budget (root)
///
/// The budgets are in monitor-ebpf/budget.toml. `cargo xtask vm` holds other kernels against the same file.
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask verify | sort -k2 -n")]
pub(crate) struct Arguments {}

pub(crate) fn main(Arguments {}: Arguments) -> Result<()> {
    let root = cargo::root();
    let mut steps = Steps::default();
    ebpf::build(&root, &mut steps)?;
    let program = guest::build(&root, &mut steps)?;
    run(&program, &root, &mut steps)
}

/// Loads every program that `monitor-guest` holds, prints the table, and fails when a budget is broken.
pub(crate) fn run(program: &Path, root: &Path, steps: &mut Steps) -> Result<()> {
    let next = "do what each line above says; `cargo xtask verify` runs this alone";
    steps.run("verifier budget", next, |step| {
        let budget = Budget::read(root)?;
        let costs = costs(program, step)?;
        for line in table(&costs, &budget) {
            step.print(&line);
        }
        let offences = budget.offences(&costs);
        for offence in &offences {
            step.say(offence);
        }
        ensure!(offences.is_empty(), "{} of the lines of {FILE} do not hold", offences.len());
        Ok(())
    })
}

fn costs(program: &Path, step: &Step) -> Result<Vec<Cost>> {
    let direct = || {
        let mut command = Command::new(program);
        command.arg("costs");
        command
    };
    let mut command = match machine::root()? {
        Root::Already => direct(),
        Root::Sudo => {
            step.say("loading kernel programs needs root: sudo is asked to run this and nothing else:");
            step.say(&format!("  {}", step::shown(&direct())));
            let mut command = Command::new("sudo");
            command.arg(program).arg("costs");
            command
        }
        Root::Unreachable => bail!(
            "loading kernel programs needs root, and sudo is not here: as root, run `cargo xtask verify` or, for the \
             numbers alone, `{}`",
            step::shown(&direct())
        ),
    };
    Ok(Report::parse(&step.capture(&mut command)?)?.costs)
}

/// A line for each program and a head above them.
fn table(costs: &[Cost], budget: &Budget) -> Vec<String> {
    let head = format!("{:<20} {:>12} {:>10} {:>8} {:>9}", "program", "instructions", "budget", "share", "load ms");
    let lines = costs.iter().map(|Cost { program, insns, load_us }| {
        let (allowed, share) = match budget.of(program) {
            Some(allowed) if allowed > 0 => {
                (allowed.to_string(), format!("{} %", u64::from(*insns) * 100 / u64::from(allowed)))
            }
            Some(_) | None => ("-".to_owned(), "-".to_owned()),
        };
        let ms = format!("{}.{}", load_us / 1_000, load_us % 1_000 / 100);
        format!("{program:<20} {insns:>12} {allowed:>10} {share:>8} {ms:>9}")
    });
    std::iter::once(head).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_has_a_budget_that_needs_no_more_reasons() {
        let budget = Budget::read(&cargo::root()).unwrap();
        let offences = budget.offences(&[]);
        assert!(offences.iter().all(|offence| offence.contains("no such program")), "{offences:?}");
    }
}
