//! The probe, a client program that writes what the test tells it: see tests/src/bin/probe.rs.

use std::{
    io::Write as _,
    net::SocketAddr,
    process::{ChildStdin, Command, Stdio},
};

use anyhow::{Context as _, Result};
use monitor_tests::{client::to_hex, feed::Feed, netns::Netns, running::Running};

/// A probe with one connection. Dropped, it is killed and its connection ends.
pub(crate) struct Probe {
    running: Running,
    stdin: ChildStdin,
    lines: Feed<String>,
}

/// The probe's program inside `netns`, without arguments.
pub(crate) fn command(netns: &Netns) -> Result<Command> {
    let mut command = netns.command_at(env!("CARGO_BIN_EXE_probe").as_ref())?;
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command)
}

impl Probe {
    pub(crate) fn start(netns: &Netns, address: SocketAddr) -> Result<Self> {
        let mut running = Running::spawn("probe", command(netns)?.args(["pieces", &address.to_string()]))?;
        let stdin = running.child().stdin.take().context("no stdin")?;
        let lines = Feed::read(running.child().stdout.take().context("no stdout")?, |line| Ok(line.to_owned()));
        Ok(Self { running, stdin, lines })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Has it send one piece in a packet of its own.
    pub(crate) fn send(&mut self, piece: &[u8]) -> Result<()> {
        Ok(writeln!(self.stdin, "{}", to_hex(piece))?)
    }

    /// Has it read the head of an HTTP answer, and returns the first line.
    pub(crate) fn answer(&mut self) -> Result<String> {
        writeln!(self.stdin, "answer")?;
        let look = |lines: &[String]| lines.iter().find_map(|line| Some(line.strip_prefix("answer ")?.to_owned()));
        self.lines.wait_for(look)?.context("the probe got no answer")
    }

    /// How its connection ended: the kind of the error, or `Answered` with what came.
    pub(crate) fn end(self) -> Result<String> {
        let Self { running, stdin, lines } = self;
        drop(stdin);
        let look = |lines: &[String]| lines.iter().find_map(|line| Some(line.strip_prefix("ended ")?.to_owned()));
        let end = lines.wait_for(look)?.context("the probe does not say how its connection ended")?;
        drop(running);
        Ok(end)
    }
}
