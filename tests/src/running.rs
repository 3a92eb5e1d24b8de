//! A child process that cannot outlive its test.

use std::{
    process::{Child, Command, ExitStatus},
    thread,
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// A started program. Dropped while it runs, it is killed and reaped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
}

impl Running {
    /// Starts `command`; `name` is what error messages call it.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child itself, to take its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).with_context(|| format!("send {signal:?} to {}", self.name))
    }

    /// How it ended, when it has.
    ///
    /// # Errors
    /// When the process cannot be asked.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// When it has not ended within the patience of the tests.
    pub fn wait_for_end(&mut self) -> Result<ExitStatus> {
        let what = format!("{} ends", self.name);
        wait::until(&what, || self.ended())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = match self.child.try_wait() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.child.kill().and_then(|()| self.child.wait().map(drop)),
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            let complaint = format!("end {} (pid {}): {error}", self.name, self.child.id());
            if thread::panicking() {
                eprintln!("{complaint}");
            } else {
                panic!("{complaint}");
            }
        }
    }
}
