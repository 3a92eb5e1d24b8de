//! The daemon under measurement: started, waited for until it is attached, and stopped so that it gives its account.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::process::Running;

const READY: &str = "proxysight: attached";
const ACCOUNT: &str = "proxysight: detached:";
const PATIENCE: Duration = Duration::from_secs(20);

/// The daemon at work.
pub(super) struct Daemon {
    running: Running,
    talk: Receiver<String>,
}

impl Daemon {
    /// Starts `program` in audit mode with its rows in `rows`, and waits until it is attached.
    pub(super) fn start(program: &Path, rows: &Path) -> Result<Self> {
        let file = File::create(rows).with_context(|| format!("create {}", rows.display()))?;
        let mut command = Command::new(program);
        command.args(["run", "--mode", "audit", "--stream", "--format", "json"]);
        command.stdin(Stdio::null()).stdout(file).stderr(Stdio::piped());
        let mut running = Running::start("proxysight", &mut command)?;
        let stderr = running.child().stderr.take().context("proxysight has no stderr")?;
        let (lines, talk) = mpsc::channel();
        // The thread ends when the pipe closes: with the child, or when nobody listens.
        thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        let daemon = Self { running, talk };
        daemon.wait_for(READY)?;
        Ok(daemon)
    }

    /// Seconds of CPU time used so far.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        self.running.cpu_seconds()
    }

    /// The most memory that was resident at once, in MiB.
    pub(super) fn peak_resident_mib(&self) -> Result<f64> {
        self.running.peak_resident_mib()
    }

    /// Detaches it and returns its account of events.
    pub(super) fn stop(mut self) -> Result<String> {
        self.running.terminate(PATIENCE)?;
        let line = self.wait_for(ACCOUNT)?;
        Ok(line.trim_start_matches(ACCOUNT).trim().to_owned())
    }

    /// The next line of its talk that starts with `start`; everything it said before goes into the error.
    fn wait_for(&self, start: &str) -> Result<String> {
        let end = Instant::now() + PATIENCE;
        let mut said = String::new();
        loop {
            match self.talk.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if line.starts_with(start) => return Ok(line),
                Ok(line) => said = format!("{said}  {line}\n"),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("proxysight did not say `{start}` within {} s; it said:\n{said}", PATIENCE.as_secs())
                }
                Err(RecvTimeoutError::Disconnected) => bail!("proxysight ended without `{start}`; it said:\n{said}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process};

    use super::*;

    /// A shell script that talks as the contract says.
    fn fake(name: &str, script: &str) -> (PathBuf, PathBuf) {
        let program = env::temp_dir().join(format!("xtask-{name}-{}", process::id()));
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let rows = program.with_extension("rows");
        (program, rows)
    }

    #[test]
    fn the_daemon_is_waited_for_and_its_account_is_returned() {
        let script = "trap 'echo proxysight: detached: events emitted 2, recorded 2, lost 0 >&2; exit 0' TERM\n\
                      echo '{}'; echo proxysight: hello >&2; echo proxysight: attached 9 programs >&2\n\
                      while :; do sleep 0.05; done";
        let (program, rows) = fake("daemon", script);
        let daemon = Daemon::start(&program, &rows).unwrap();
        assert!(daemon.peak_resident_mib().unwrap() > 0.0 && daemon.cpu_seconds().unwrap() >= 0.0);
        assert_eq!(daemon.stop().unwrap(), "events emitted 2, recorded 2, lost 0");
        assert_eq!(fs::read_to_string(&rows).unwrap(), "{}\n");
        fs::remove_file(program).unwrap();
        fs::remove_file(rows).unwrap();
    }

    #[test]
    fn a_daemon_that_does_not_attach_is_reported_with_its_words() {
        let (program, rows) = fake("refused", "echo proxysight: no cgroup2 >&2; exit 3");
        let failure = Daemon::start(&program, &rows).map(drop).unwrap_err().to_string();
        assert!(failure.contains("no cgroup2"), "{failure}");
        fs::remove_file(program).unwrap();
        fs::remove_file(rows).unwrap();
    }
}
