//! The daemon under test: started with its arguments, awaited, asked for rows, and stopped with its account.

use std::{
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use crate::{expect::Expected, feed::Feed, row::Row, running::Running};

/// A daemon that has said `proxysight: attached`. Dropped while it runs, it is killed.
#[derive(Debug)]
pub struct Daemon {
    running: Running,
    rows: Feed<Row>,
    talk: Feed<String>,
}

/// What a daemon left behind after an orderly stop.
#[derive(Debug)]
pub struct Account {
    /// Events that the kernel made.
    pub emitted: u64,
    /// Events that became rows, or were found to need none.
    pub recorded: u64,
    /// Events that were lost, and counted.
    pub lost: u64,
    /// Every row of its life.
    pub rows: Vec<Row>,
    /// Every line of its stderr.
    pub talk: Vec<String>,
}

/// Where `cargo xtask build` leaves the daemon.
///
/// # Errors
/// When it is not built.
pub fn binary() -> Result<PathBuf> {
    // The test binary is in TARGET/PROFILE/deps, wherever TARGET is.
    let own = env::current_exe()?;
    let target = own.ancestors().nth(3).context("the test binary is outside a target folder")?;
    let binary = target.join("release/proxysight");
    ensure!(binary.is_file(), "{} is missing; build it with: cargo xtask build", binary.display());
    Ok(binary)
}

/// Runs `proxysight` with arguments to its end, for the calls that end by themselves.
///
/// # Errors
/// When it cannot be started.
pub fn output<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Output> {
    Ok(Command::new(binary()?).args(arguments).stdin(Stdio::null()).output()?)
}

impl Daemon {
    /// Starts `proxysight run --stream --format json` with more arguments and waits until it is attached. What the host's own
    /// configuration says does not count.
    ///
    /// # Errors
    /// When it does not attach; the error has what it said.
    pub fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.args(["run", "--config", "/dev/null", "--stream", "--format", "json"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running::spawn("proxysight", &mut command)?;
        let rows = Feed::read(running.child().stdout.take().context("no stdout")?, Row::parse);
        let talk = Feed::read(running.child().stderr.take().context("no stderr")?, |line| Ok(line.to_owned()));
        let attached = talk.wait_for(|lines| said(lines, "proxysight: attached "))?;
        if attached.is_none() {
            drop(running);
            bail!("proxysight did not attach; it said:\n{}", talk.finish()?.join("\n"));
        }
        Ok(Self { running, rows, talk })
    }

    /// The daemon's own process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Waits for a row.
    ///
    /// # Errors
    /// When none came; the error shows the nearest.
    pub fn row(&self, expected: &Expected) -> Result<Row> {
        // Each row is looked at once, however often the wait wakes up: a busy daemon writes ten thousands.
        let mut seen = 0;
        let found = self.rows.wait_for(|rows| {
            let new = rows.iter().skip(seen);
            seen = rows.len();
            new.into_iter().find(|row| expected.matches(row)).cloned()
        })?;
        if let Some(row) = found {
            return Ok(row);
        }
        let report = self.rows.wait_for(|rows| Some(expected.nearest(rows.iter())))?;
        bail!("{}", report.unwrap_or_else(|| format!("expected a row with\n{expected}")))
    }

    /// Waits until `wanted` rows match.
    ///
    /// # Errors
    /// When fewer came.
    pub fn rows(&self, wanted: usize, expected: &Expected) -> Result<Vec<Row>> {
        let (mut seen, mut matching) = (0, Vec::new());
        let found = self.rows.wait_for(|rows| {
            matching.extend(rows.iter().skip(seen).filter(|row| expected.matches(row)).cloned());
            seen = rows.len();
            (matching.len() >= wanted).then(|| std::mem::take(&mut matching))
        })?;
        found.with_context(|| format!("fewer than {wanted} rows with\n{expected}"))
    }

    /// Stops it by SIGTERM and takes its account.
    ///
    /// # Errors
    /// When it does not end well, or its figures do not add up.
    pub fn stop(self) -> Result<Account> {
        self.stop_by(Signal::TERM)
    }

    /// The same by another signal.
    ///
    /// # Errors
    /// See [`Self::stop`].
    pub fn stop_by(mut self, signal: Signal) -> Result<Account> {
        self.running.signal(signal)?;
        let status = self.running.wait_for_end()?;
        let talk = self.talk.finish()?;
        ensure!(status.code() == Some(0), "proxysight ended with {status}; it said:\n{}", talk.join("\n"));
        let rows = self.rows.finish()?;
        let account = Account::read(rows, talk)?;
        let Account { emitted, recorded, lost, .. } = account;
        ensure!(emitted == recorded + lost, "{emitted} emitted is not {recorded} recorded + {lost} lost");
        Ok(account)
    }

    /// Kills it so that it can clean up nothing, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not go.
    pub fn kill(mut self) -> Result<()> {
        self.running.signal(Signal::KILL)?;
        self.running.wait_for_end()?;
        Ok(())
    }
}

impl Account {
    fn read(rows: Vec<Row>, talk: Vec<String>) -> Result<Self> {
        let Some(line) = said(&talk, "proxysight: detached: events emitted ") else {
            bail!("no account at the end; it said:\n{}", talk.join("\n"));
        };
        let figures: Vec<u64> = line.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
        let [emitted, recorded, lost] = figures.as_slice() else { bail!("not three figures: {line}") };
        let told = format!("proxysight: detached: events emitted {emitted}, recorded {recorded}, lost {lost}");
        ensure!(line == told, "the account is {line:?} and not {told:?}");
        Ok(Self { emitted: *emitted, recorded: *recorded, lost: *lost, rows, talk })
    }

    /// The rows that match.
    #[must_use]
    pub fn matching(&self, expected: &Expected) -> Vec<&Row> {
        self.rows.iter().filter(|row| expected.matches(row)).collect()
    }

    /// Checks how many rows match.
    ///
    /// # Errors
    /// When it is another number; the error lists them, or the nearest.
    pub fn has(&self, wanted: usize, expected: &Expected) -> Result<()> {
        let found = self.matching(expected);
        if found.len() == wanted {
            return Ok(());
        }
        if found.is_empty() {
            bail!("{}", expected.nearest(self.rows.iter()));
        }
        let listed: Vec<String> = found.iter().map(|row| format!("    {row}")).collect();
        bail!("expected {wanted} rows, not {}, with\n{expected}  found\n{}", found.len(), listed.join("\n"))
    }
}

fn said(lines: &[String], beginning: &str) -> Option<String> {
    lines.iter().find(|line| line.starts_with(beginning)).cloned()
}
