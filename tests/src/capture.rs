//! A capture file of everything on the loopback device of a namespace.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use crate::{feed::Feed, netns::Netns, running::Running, temp::TempDir, wait};

/// What the last packet carries, so that the file shows that it is complete.
const END: &[u8] = b"THE END OF THE CAPTURE\r\n";

/// A running `tcpdump` that writes a file.
#[derive(Debug)]
pub struct Capture {
    // Ends before its file is removed: fields go in this order.
    running: Running,
    talk: Feed<String>,
    dir: TempDir,
}

/// A capture that has ended.
#[derive(Debug)]
pub struct Captured {
    dir: TempDir,
}

impl Capture {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When tcpdump is missing or refuses.
    pub fn start(netns: &Netns) -> Result<Self> {
        let dir = TempDir::new()?;
        let mut command = netns.command("tcpdump")?;
        command.args(["-i", "lo", "-nn", "-U", "--immediate-mode", "-B", "65536", "-s", "0", "-Z", "root", "-w"]);
        command.arg(dir.path().join(FILE)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut running = Running::spawn("tcpdump", &mut command)?;
        let talk = Feed::read(running.child().stderr.take().context("no stderr")?, |line| Ok(line.to_owned()));
        let listening = talk.wait_for(|lines| lines.iter().any(|line| line.contains("listening on")).then_some(()))?;
        ensure!(listening.is_some(), "tcpdump does not listen");
        Ok(Self { running, talk, dir })
    }

    /// Sends a last packet to an open port, waits until the file has it, and ends the capture.
    ///
    /// # Errors
    /// When the packet cannot be sent or does not come, or when the capture lacks packets.
    pub fn stop(mut self, netns: &Netns, open: SocketAddr) -> Result<Captured> {
        let mut last = netns.connect(open)?.with_context(|| format!("connect to {open}"))?;
        last.write_all(END)?;
        let path = self.dir.path().join(FILE);
        wait::until("the capture has the last packet", || {
            let file = fs::read(&path)?;
            Ok(file.windows(END.len()).any(|bytes| bytes == END).then_some(()))
        })?;
        self.running.signal(Signal::INT)?;
        let status = self.running.wait_for_end()?;
        let talk = self.talk.finish()?;
        let whole = talk.iter().any(|line| line == "0 packets dropped by kernel");
        ensure!(status.success() && whole, "tcpdump ended with {status} and said:\n{}", talk.join("\n"));
        Ok(Captured { dir: self.dir })
    }
}

impl Captured {
    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.path().join(FILE)
    }

    /// Another file next to it, for captures made of this one.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(Path::new(name))
    }
}

const FILE: &str = "capture.pcap";
