//! Hellos cut wherever they can be cut: each cut gives the same name, and in block mode the piece that completes the name
//! does not leave the socket. What left is read off the wire, packet by packet.

use std::{
    collections::{BTreeSet, HashMap},
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{position, send, to_hex},
    daemon::Account,
    expect::{Expected, audited, blocked, network},
    hello::{KeyShare, hello_of, in_records, place_in_records},
    row::Row,
    sink::Sink,
    wire::{Packet, Wire},
};

use crate::{probe, world::World};

const EVIL: &str = "www.evil.example";

/// Where the sink listens; the probe's own ports begin above.
const SINK_PORT: u16 = 9000;
const FIRST_PORT: u16 = 10_000;

/// How many of the pairs of places are tried: a 600-byte hello has 180,000, a second has about 4,000.
const PAIRS: usize = 2500;

/// A message, the places to cut it, and how many of its bytes give the name away.
struct Cuts {
    message: Vec<u8>,
    named_at: usize,
    places: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Audit,
    Block,
}

impl Cuts {
    fn of(message: Vec<u8>) -> Result<Self> {
        let named_at = position(&message, EVIL)? + EVIL.len();
        Ok(Self { message, named_at, places: Vec::new() })
    }

    fn in_records(message: &[u8], size: u16) -> Result<Self> {
        let last = position(message, EVIL)? + EVIL.len() - 1;
        let message = in_records(message, size)?;
        Ok(Self { message, named_at: place_in_records(last, size) + 1, places: Vec::new() })
    }

    /// Two writes, cut at every place.
    fn everywhere(mut self) -> Self {
        self.places.extend((1..self.message.len()).map(|place| vec![place]));
        self
    }

    /// Three writes, cut at about `count` of all pairs of places, evenly spread over them.
    fn in_pairs(mut self, count: usize) -> Self {
        let len = self.message.len();
        let stride = ((len - 1) * (len - 2) / 2 / count).max(1);
        let pairs = (1..len).flat_map(|first| (first + 1..len).map(move |second| vec![first, second]));
        self.places.extend(pairs.step_by(stride));
        self
    }

    /// Three writes, cut at all pairs of the places that mean something: headers, lengths, and around the name.
    fn in_pairs_of_borders(mut self) -> Self {
        // Record header 5, handshake header 4, version 2, random 32, the length of the session.
        let ahead = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 43, 44];
        // Type and length of the extension 4, length of the list 2, type 1, length of the name 2.
        let name = self.named_at - EVIL.len();
        let around = name - 9..self.named_at + 2;
        let borders: BTreeSet<usize> = ahead.into_iter().chain(around).chain([self.message.len() - 1]).collect();
        let borders: Vec<usize> = borders.into_iter().filter(|place| *place < self.message.len()).collect();
        for (index, first) in borders.iter().enumerate() {
            self.places.extend(borders.iter().skip(index + 1).map(|second| vec![*first, *second]));
        }
        self
    }

    /// The first byte of each piece that has to leave, and the byte after the last.
    fn leaving(&self, places: &[usize], mode: Mode) -> (BTreeSet<usize>, usize) {
        let ends = places.iter().copied().chain([self.message.len()]);
        let (mut starts, mut sent) = (BTreeSet::new(), 0);
        for end in ends {
            if mode == Mode::Block && end >= self.named_at {
                break;
            }
            starts.insert(sent);
            sent = end;
        }
        (starts, sent)
    }

    fn check(&self, mode: Mode) -> Result<()> {
        let world = World::new()?;
        let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, SINK_PORT).into())?;
        let (daemon, _) = if mode == Mode::Block { world.blocks_evil()? } else { world.audits_evil()? };
        let wire = Wire::to_port(&world.netns, SINK_PORT)?;

        let begun = Instant::now();
        let address = sink.address().to_string();
        let mut probe = probe::command(&world.netns)?.args(["cuts", &address, &FIRST_PORT.to_string()]).spawn()?;
        let pid = probe.id();
        let mut stdin = probe.stdin.take().context("no stdin")?;
        writeln!(stdin, "{}", to_hex(&self.message))?;
        for places in &self.places {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            writeln!(stdin, "{}", places.join(" "))?;
        }
        drop(stdin);
        let output = probe.wait_with_output()?;
        println!("{} cuts took {} ms", self.places.len(), begun.elapsed().as_millis());
        let ends = String::from_utf8(output.stdout)?;
        let end = if mode == Mode::Block { "ended ConnectionAborted" } else { "ended Answered " };
        let wrong: Vec<&str> = ends.lines().filter(|line| *line != end).collect();
        ensure!(wrong.is_empty(), "{} connections did not end with {end:?}, first {:?}", wrong.len(), wrong.first());
        ensure!(output.status.success() && ends.lines().count() == self.places.len(), "the probe gave up");

        // Packets and events come in order: when this one's are there, all others are.
        let mut last = world.netns.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, SINK_PORT)))??;
        send(&mut last, b"the last")?;
        wire.wait_for_payload_from(last.local_addr()?.port())?;
        daemon.row(&network("ConnectionSuccess").pid(std::process::id()).column("RemotePort", SINK_PORT))?;
        drop(last);
        self.check_wire(&wire.stop()?, mode)?;
        self.check_rows(&daemon.stop()?, pid, mode)
    }

    fn check_wire(&self, packets: &[Packet], mode: Mode) -> Result<()> {
        let mut left: HashMap<u16, (BTreeSet<usize>, usize)> = HashMap::new();
        let mut opened: HashMap<u16, u32> = HashMap::new();
        opened.extend(
            packets.iter().filter(|packet| packet.syn).filter_map(|packet| Some((packet.from_port, packet.seq?))),
        );
        for packet in packets.iter().filter(|packet| packet.payload > 0) {
            let first = packet.seq.zip(opened.get(&packet.from_port)).map(|(seq, syn)| seq.wrapping_sub(*syn) - 1);
            let at = first.with_context(|| format!("a packet of no connection: {packet:?}"))? as usize;
            let (starts, end) = left.entry(packet.from_port).or_default();
            starts.insert(at);
            *end = (*end).max(at + packet.payload);
        }
        for (places, port) in self.places.iter().zip(FIRST_PORT..) {
            let wanted = self.leaving(places, mode);
            let got = left.remove(&port).unwrap_or_default();
            ensure!(got == wanted, "cut at {places:?}: {got:?} left and not {wanted:?}; {}", self.shown());
        }
        Ok(())
    }

    fn check_rows(&self, account: &Account, pid: u32, mode: Mode) -> Result<()> {
        let mut rows: HashMap<u64, Vec<&Row>> = HashMap::new();
        for row in &account.rows {
            let port = row.column("LocalPort").and_then(serde_json::Value::as_u64);
            rows.entry(port.unwrap_or_default()).or_default().push(row);
        }
        let verdict = if mode == Mode::Block { blocked(EVIL) } else { audited(EVIL) };
        let verdict = verdict.pid(pid).additional("HostnameSource", "TlsSni");
        let named = network("ConnectionSuccess").pid(pid).column("RemoteUrl", EVIL);
        let wanted: [(usize, &Expected); 2] = [(1, &verdict), (usize::from(mode == Mode::Audit), &named)];
        for (places, port) in self.places.iter().zip(FIRST_PORT..) {
            let rows = rows.remove(&u64::from(port)).unwrap_or_default();
            for (count, expected) in wanted {
                let found = rows.iter().filter(|row| expected.matches(row)).count();
                let nearest = || expected.nearest(rows.iter().copied());
                ensure!(
                    found == count,
                    "cut at {places:?}: {found} rows, not {count}: {}\n{}",
                    nearest(),
                    self.shown()
                );
            }
        }
        Ok(())
    }

    fn shown(&self) -> String {
        format!("the name is complete with {} bytes of {}", self.named_at, to_hex(&self.message))
    }
}

fn browser_of_old() -> Result<Vec<u8>> {
    hello_of(EVIL, KeyShare::Classic, 600)
}

fn browser() -> Result<Vec<u8>> {
    hello_of(EVIL, KeyShare::PostQuantum, 2200)
}

#[test]
fn a_600_byte_hello_in_two_or_three_pieces_is_named_wherever_it_is_cut() -> Result<()> {
    Cuts::of(browser_of_old()?)?.everywhere().in_pairs_of_borders().in_pairs(PAIRS).check(Mode::Audit)
}

#[test]
fn a_600_byte_hello_in_two_or_three_pieces_is_blocked_wherever_it_is_cut() -> Result<()> {
    Cuts::of(browser_of_old()?)?.everywhere().in_pairs_of_borders().in_pairs(PAIRS).check(Mode::Block)
}

#[test]
fn a_post_quantum_hello_in_two_or_three_pieces_is_named_wherever_it_is_cut() -> Result<()> {
    Cuts::of(browser()?)?.everywhere().in_pairs_of_borders().in_pairs(PAIRS).check(Mode::Audit)
}

#[test]
fn a_post_quantum_hello_in_two_or_three_pieces_is_blocked_wherever_it_is_cut() -> Result<()> {
    Cuts::of(browser()?)?.everywhere().in_pairs_of_borders().in_pairs(PAIRS).check(Mode::Block)
}

#[test]
fn a_hello_in_several_records_is_named_wherever_it_is_cut() -> Result<()> {
    Cuts::in_records(&browser_of_old()?, 50)?.everywhere().check(Mode::Audit)
}

#[test]
fn a_hello_in_several_records_is_blocked_wherever_it_is_cut() -> Result<()> {
    Cuts::in_records(&browser_of_old()?, 50)?.everywhere().check(Mode::Block)
}
