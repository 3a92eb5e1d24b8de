//! `cargo xtask bench connections`: new connections a second with the daemon and without, in alternating pairs.
//!
//! The machine's pace drifts, so a round is a pair, the order inside it alternates, and only the ratio inside a pair
//! counts. Each request is a connection of its own: the dearest case for a monitor of connections. Kernel programs run
//! on the time of the programs that connect: their cost is in the ratio, not in the daemon's CPU share.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use super::{daemon::Daemon, server::Server};
use crate::{
    build, cargo,
    machine::{self, Root},
    packages,
    step::{Step, Steps},
};

/// Connections that wrk keeps in flight, enough that neither its thread nor the one of nginx waits for the other.
const IN_FLIGHT: &str = "-c64";

/// New connections a second, with the daemon and without (needs root)
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask bench connections --rounds 16 --seconds 2")]
pub(crate) struct Arguments {
    /// Pairs of measurements
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of load in each measurement
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Measure this program and build nothing
    #[arg(long, value_name = "PATH")]
    daemon: Option<PathBuf>,
}

pub(super) fn main(Arguments { rounds, seconds, daemon }: Arguments) -> Result<()> {
    if machine::root()? != Root::Already {
        bail!(
            "attaching kernel programs needs root\n  next: `cargo xtask build`, then \
             `sudo target/release/xtask bench connections --daemon target/release/proxysight`"
        );
    }
    let root = cargo::root();
    let mut steps = Steps::default();
    packages::provide(&[packages::NEEDS], &mut steps)?;
    let program = match daemon {
        Some(program) => program,
        None => build::build(&root, &mut steps)?,
    };
    let directory = Directory::make(root.join("target/bench"))?;
    let next = "see that no other proxysight runs (`pgrep proxysight`), then run this again";
    steps.run("connections", next, |step| {
        let load = Load { server: Server::start(&directory.0)?, seconds };
        // The first round warms caches and is thrown away.
        load.measure()?;
        step.print("round  order    without/s     with/s  ratio   cpu%  peak MiB      rows  account");
        let mut ratios = Vec::new();
        for round in 1..=rounds {
            let pair = load.pair(round, &program, &directory.0.join("rows.ndjson"), step)?;
            step.print(&pair.row(round));
            ratios.push(pair.ratio());
        }
        step.print(&spread(&mut ratios)?);
        Ok(())
    })
}

/// The directory of one bench, removed with this value.
struct Directory(PathBuf);

impl Directory {
    fn make(path: PathBuf) -> Result<Self> {
        if path.exists() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("remove what an interrupted run left: {}", path.display()))?;
        }
        fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(failure) = fs::remove_dir_all(&self.0) {
            eprintln!("xtask: {} stays behind: {failure}", self.0.display());
        }
    }
}

struct Load {
    server: Server,
    seconds: u32,
}

/// One pair of measurements.
struct Pair {
    without: f64,
    with: With,
}

struct With {
    per_second: f64,
    cpu_percent: f64,
    peak_mib: f64,
    rows: usize,
    account: String,
}

impl Load {
    /// Odd rounds measure without the daemon first, even rounds with it.
    fn pair(&self, round: u32, program: &Path, rows: &Path, step: &Step) -> Result<Pair> {
        step.at(format!("round {round}"));
        if is_without_first(round) {
            let without = self.measure()?;
            Ok(Pair { without, with: self.with(program, rows)? })
        } else {
            let with = self.with(program, rows)?;
            Ok(Pair { without: self.measure()?, with })
        }
    }

    fn with(&self, program: &Path, rows: &Path) -> Result<With> {
        let daemon = Daemon::start(program, rows)?;
        let (begun, cpu) = (Instant::now(), daemon.cpu_seconds()?);
        let per_second = self.measure()?;
        let cpu_percent = 100.0 * (daemon.cpu_seconds()? - cpu) / begun.elapsed().as_secs_f64();
        let peak_mib = daemon.peak_resident_mib()?;
        let account = daemon.stop()?;
        let file = fs::File::open(rows).with_context(|| format!("open {}", rows.display()))?;
        let rows = BufReader::new(file).split(b'\n').count();
        Ok(With { per_second, cpu_percent, peak_mib, rows, account })
    }

    /// Connections a second that wrk gets done.
    fn measure(&self) -> Result<f64> {
        let mut wrk = Command::new(machine::find("wrk").context("wrk is not here")?);
        wrk.args(["-t1", IN_FLIGHT, &format!("-d{}s", self.seconds), "-H", "Connection: close", &self.server.url()]);
        let answer = wrk.output().context("start wrk")?;
        let text = String::from_utf8_lossy(&answer.stdout);
        let trouble = text.lines().find(|line| line.contains("Socket errors") || line.contains("Non-2xx"));
        if let Some(trouble) = trouble.filter(|_| has_errors(&text)) {
            bail!("wrk could not make every connection: {}", trouble.trim());
        }
        per_second(&text).with_context(|| format!("wrk did not say how many requests it made: {text}"))
    }
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.with.per_second / self.without
    }

    fn row(&self, round: u32) -> String {
        let order = if is_without_first(round) { "off,on" } else { "on,off" };
        let With { per_second, cpu_percent, peak_mib, rows, account } = &self.with;
        format!(
            "{round:>5}  {order}  {:>10.1}  {per_second:>9.1}  {:>5.3}  {cpu_percent:>5.1}  {peak_mib:>8.1}  {rows:>8}  {account}",
            self.without,
            self.ratio()
        )
    }
}

fn is_without_first(round: u32) -> bool {
    !round.is_multiple_of(2)
}

/// The number after `Requests/sec:`.
fn per_second(text: &str) -> Option<f64> {
    text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"))?.trim().parse().ok()
}

/// A server that closes first makes wrk count some closes as read errors; only other kinds are failures.
fn has_errors(text: &str) -> bool {
    let counts = |kind: &str| {
        let behind = text.split_once(&format!("{kind} ")).map(|(_, rest)| rest);
        behind.and_then(|rest| rest.split([',', '\n']).next()).is_some_and(|count| count.trim() != "0")
    };
    text.contains("Non-2xx") || (text.contains("Socket errors") && (counts("connect") || counts("timeout")))
}

fn spread(ratios: &mut [f64]) -> Result<String> {
    ratios.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (ratios.first(), ratios.last()) else { bail!("no round was measured") };
    let upper = ratios.get(ratios.len() / 2).unwrap_or(most);
    let lower = ratios.get((ratios.len() - 1) / 2).unwrap_or(least);
    let median = f64::midpoint(*lower, *upper);
    Ok(format!("with/without: median {median:.3}, min {least:.3}, max {most:.3} of {} pairs", ratios.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        let text = spread(&mut [0.9, 1.0, 0.7, 0.8]).unwrap();
        assert_eq!(text, "with/without: median 0.850, min 0.700, max 1.000 of 4 pairs");
        assert!(spread(&mut []).is_err());
    }

    #[test]
    fn wrk_is_read() {
        let text =
            "  10 requests in 1s\n  Socket errors: connect 0, read 7, write 0, timeout 0\nRequests/sec:   123.45\n";
        assert_eq!(per_second(text), Some(123.45));
        assert!(!has_errors(text) && has_errors(&text.replace("connect 0", "connect 3")));
        assert!(has_errors("  Non-2xx or 3xx responses: 4\n"));
    }
}
