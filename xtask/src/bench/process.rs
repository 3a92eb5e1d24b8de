//! Children that never outlive us, and what /proc tells about one.

use std::{
    fs,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::step;

/// USER_HZ, the unit of CPU time in /proc/PID/stat: 100 on every Linux that we build for (proc_pid_stat(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// A child that is killed when this value goes.
pub(super) struct Running {
    child: Child,
    name: &'static str,
}

impl Running {
    pub(super) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("start `{}`", step::shown(command)))?;
        Ok(Self { child, name })
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(super) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Asks with SIGTERM and waits; a child that does not go is an error (and is killed as this value goes).
    pub(super) fn terminate(&mut self, patience: Duration) -> Result<()> {
        // std can only send SIGKILL; every shell has a `kill` of its own.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()]);
        if !kill.status().context("start sh")?.success() {
            bail!("SIGTERM could not be sent to {}", self.name);
        }
        let begun = Instant::now();
        while self.is_running()? {
            if begun.elapsed() > patience {
                bail!("{} did not end within {} s of SIGTERM", self.name, patience.as_secs());
            }
            thread::sleep(Duration::from_millis(20));
        }
        let status = self.child.wait()?;
        if !status.success() {
            bail!("{} ended with {status}", self.name);
        }
        Ok(())
    }

    /// Seconds of CPU time used so far, its own and the kernel's on its behalf.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let stat = self.read("stat")?;
        cpu_seconds(&stat).with_context(|| format!("the stat of {} is not as proc_pid_stat(5) says", self.name))
    }

    /// The most memory that was resident at once, in MiB.
    pub(super) fn peak_resident_mib(&self) -> Result<f64> {
        let status = self.read("status")?;
        peak_resident_mib(&status).with_context(|| format!("the status of {} has no VmHWM", self.name))
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("read {path}: did {} end early?", self.name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A child that has ended and was waited for is fine: `kill` then does nothing.
        if let Err(failure) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("xtask: {} could not be killed: {failure}", self.name);
        }
    }
}

/// Fields 14 and 15, counted from behind the name, which may hold spaces and parentheses.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn peak_resident_mib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_hostile_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20";
        assert_eq!(cpu_seconds(stat), Some(2.0));
    }

    #[test]
    fn peak_memory_is_in_mib() {
        assert_eq!(peak_resident_mib("VmRSS:\t 1 kB\nVmHWM:\t 2048 kB\n"), Some(2.0));
    }

    #[test]
    fn a_child_is_gone_when_its_value_is() {
        let mut command = Command::new("sleep");
        let mut running = Running::start("sleep", command.arg("100")).unwrap();
        let pid = running.child().id();
        drop(running);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn a_child_that_is_terminated_by_the_signal_is_an_error() {
        let mut command = Command::new("sleep");
        let mut running = Running::start("sleep", command.arg("100")).unwrap();
        let failure = running.terminate(Duration::from_secs(5)).unwrap_err();
        assert!(failure.to_string().contains("signal"), "{failure}");
    }
}
