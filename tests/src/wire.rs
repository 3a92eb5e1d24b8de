//! A packet capture on the loopback device of a namespace: what really left a socket.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use crate::{feed::Feed, netns::Netns, running::Running};

/// A running `tcpdump` of the packets that go to one TCP port.
#[derive(Debug)]
pub struct Wire {
    running: Running,
    packets: Feed<Option<Packet>>,
    talk: Feed<String>,
}

/// One packet that was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet {
    /// Opens a connection.
    pub syn: bool,
    /// Bytes after the TCP header.
    pub payload: usize,
    /// Sequence number of the first of them, or of the SYN. None: the packet only acknowledges.
    pub seq: Option<u32>,
    /// The sender's port, which tells the connections apart.
    pub from_port: u16,
}

impl Wire {
    /// Starts the capture and waits until it listens.
    ///
    /// # Errors
    /// When tcpdump is missing or refuses.
    pub fn to_port(netns: &Netns, port: u16) -> Result<Self> {
        let mut command = netns.command("tcpdump")?;
        command.args(["-i", "lo", "-nn", "-l", "--immediate-mode", "-B", "16384", "-s", "96", "-Z", "root"]);
        // Text of the first packet lines only: `-t` leaves the time out, `-S` leaves sequence numbers as they are.
        command.args(["-t", "-S", &format!("tcp dst port {port}")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running::spawn("tcpdump", &mut command)?;
        let packets = Feed::read(running.child().stdout.take().context("no stdout")?, Packet::parse);
        let talk = Feed::read(running.child().stderr.take().context("no stderr")?, |line| Ok(line.to_owned()));
        let listens = |lines: &[String]| lines.iter().any(|line| line.starts_with("listening on")).then_some(());
        if talk.wait_for(listens)?.is_none() {
            drop(running);
            bail!("tcpdump does not listen; it said:\n{}", talk.finish()?.join("\n"));
        }
        Ok(Self { running, packets, talk })
    }

    /// Waits until the capture shows a packet with payload from this port. Packets come in order, so every packet that
    /// was sent before is then known too.
    ///
    /// # Errors
    /// When none comes.
    pub fn wait_for_payload_from(&self, port: u16) -> Result<()> {
        let seen = |packet: &Packet| packet.from_port == port && packet.payload > 0;
        let found = self.packets.wait_for(|packets| packets.iter().flatten().any(seen).then_some(()))?;
        found.with_context(|| format!("the capture shows no payload from port {port}"))
    }

    /// Ends the capture and returns all its packets.
    ///
    /// # Errors
    /// When tcpdump ended badly or the kernel dropped packets before it could see them.
    pub fn stop(mut self) -> Result<Vec<Packet>> {
        self.running.signal(Signal::INT)?;
        let status = self.running.wait_for_end()?;
        let talk = self.talk.finish()?;
        let whole = talk.iter().any(|line| line == "0 packets dropped by kernel");
        ensure!(status.success() && whole, "tcpdump ended with {status} and said:\n{}", talk.join("\n"));
        Ok(self.packets.finish()?.into_iter().flatten().collect())
    }
}

impl Packet {
    /// Reads a line such as `IP6 ::1.46310 > ::1.8888: Flags [P.], seq 1:6, ack 1, win 512, options […], length 5`.
    /// An empty line, as tcpdump ends with when it is interrupted, is no packet.
    fn parse(line: &str) -> Result<Option<Self>> {
        if line.is_empty() {
            return Ok(None);
        }
        let read = || {
            let (from, rest) = line.strip_prefix("IP6 ").or_else(|| line.strip_prefix("IP "))?.split_once(" > ")?;
            let (_, from_port) = from.rsplit_once('.')?;
            let (_, flags) = rest.split_once("Flags [")?;
            let (flags, rest) = flags.split_once(']')?;
            // Some ports get the beginning of the payload printed after the length.
            let (_, length) = rest.rsplit_once(" length ")?;
            Some(Self {
                syn: flags.contains('S'),
                payload: digits(length).parse().ok()?,
                seq: sequence(rest),
                from_port: from_port.parse().ok()?,
            })
        };
        read().map(Some).with_context(|| format!("not a line of tcpdump: {line}"))
    }
}

/// `seq 7:12` of a packet with payload, `seq 7` of one without.
fn sequence(rest: &str) -> Option<u32> {
    let (_, numbers) = rest.split_once(" seq ")?;
    digits(numbers).parse().ok()
}

fn digits(text: &str) -> &str {
    text.split(|byte: char| !byte.is_ascii_digit()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Packet;

    fn check(line: &str, expect: Packet) {
        assert_eq!(Packet::parse(line).unwrap(), Some(expect));
    }

    #[test]
    fn a_syn_has_no_payload() {
        let line = "IP 127.0.0.1.46310 > 127.0.0.1.8888: Flags [S], seq 1, win 65495, options [mss 65495], length 0";
        check(line, Packet { syn: true, payload: 0, seq: Some(1), from_port: 46310 });
    }

    #[test]
    fn a_push_has_its_payload() {
        let line = "IP6 ::1.40000 > ::1.3128: Flags [P.], seq 1:6, ack 1, win 512, length 5";
        check(line, Packet { syn: false, payload: 5, seq: Some(1), from_port: 40000 });
    }

    #[test]
    fn a_protocol_named_after_the_length_is_left_out() {
        let line =
            "IP 127.0.0.1.1 > 127.0.0.1.8080: Flags [P.], seq 21:78, ack 1, win 9, length 57: HTTP: GET / HTTP/1.1";
        check(line, Packet { syn: false, payload: 57, seq: Some(21), from_port: 1 });
    }

    #[test]
    fn an_acknowledgement_has_no_sequence_number() {
        let line = "IP 127.0.0.1.2 > 127.0.0.1.9000: Flags [.], ack 7, win 9, length 0";
        check(line, Packet { syn: false, payload: 0, seq: None, from_port: 2 });
        let line =
            "IP 127.0.0.1.10288 > 127.0.0.1.9000: Flags [P.], seq 7:9, ack 1, length 2 BEEP (payload or undecoded)";
        check(line, Packet { syn: false, payload: 2, seq: Some(7), from_port: 10288 });
    }

    #[test]
    fn a_line_of_another_kind_is_an_error() {
        assert!(Packet::parse("ARP, Request who-has 10.0.0.1").is_err());
    }
}
