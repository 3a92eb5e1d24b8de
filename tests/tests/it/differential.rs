//! The parsers in the kernel against the same parsers in user space: 20,000 mutated messages, one by one through the loaded
//! programs by BPF_PROG_TEST_RUN. A compiler, a verifier or a map can make one source mean two things; this shows it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not as expected is to fail")]

use std::{fs, iter, path::PathBuf};

use monitor::kernel::{PolicyTable, TableEntry, Trial};
use monitor_common::counter::Counter;
use monitor_common::event::{Body, decode};
use monitor_common::policy::{Bucket, Key, Mode, Verdict, buckets_for, fill};
use monitor_common::progress::Progress;
use monitor_common::wire::inspect::Room;

const ROUNDS: u32 = 20_000;

/// The rules that both sides know.
const RULES: [(&str, bool); 3] = [("bad.example", false), ("only.example", true), ("example.net", false)];

/// What a side says about a name: source, port, whether it is an address, verdict, the name, and the hello that it is from.
type Saying = (u32, u32, bool, Verdict, Vec<u8>, Vec<u8>);

/// The kernel takes test packets of up to a page.
const MESSAGE_BYTES_MAX: usize = 3_500;

#[test]
fn kernel_and_user_space_read_the_same_name_in_every_message() {
    let entries = RULES.iter().map(|(name, exact)| TableEntry { name, exact: *exact });
    let table = PolicyTable::new(Mode::Block, entries).unwrap();
    let mut trial = Trial::new(&table).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut named, mut several, mut blocked) = (0, 0, 0);
    let policy = table_here(Mode::Block, &RULES);
    let mut room = Box::new(Room::new());
    for round in 0..ROUNDS {
        let message = mutant(round, &mut random);
        let mut kernel = Vec::new();
        trial.run(&message, |event| kernel.push(saying(event))).unwrap();
        let here = host_sayings(&mut room, &message, &policy);
        assert_eq!(kernel, here, "round {round}: {}", String::from_utf8_lossy(&message));
        for (_, _, _, verdict, name, _) in &here {
            assert_eq!(*verdict, plain_verdict(name), "round {round}: {}", name.escape_ascii());
        }
        named += u32::from(!here.is_empty());
        several += u32::from(here.len() > 1);
        blocked += u32::from(here.iter().any(|(_, _, _, verdict, ..)| *verdict == Verdict::Blocked));
    }
    // Mutation must leave enough alive for the agreement to mean something.
    assert!(named > ROUNDS / 3, "only {named} of {ROUNDS} messages had a name");
    assert!(several > ROUNDS / 50, "only {several} of {ROUNDS} messages had several names");
    assert!(blocked > ROUNDS / 20, "only {blocked} of {ROUNDS} messages were blocked");
}

#[test]
fn kernel_and_user_space_read_the_same_name_in_the_inputs_of_the_fuzzer() {
    let table = PolicyTable::new(Mode::Audit, iter::empty()).unwrap();
    let mut trial = Trial::new(&table).unwrap();
    let mut room = Box::new(Room::new());
    let policy = table_here(Mode::Audit, &[]);
    let (mut named, mut crowded, mut failed) = (0, 0, 0);
    for path in inputs() {
        let mut message = fs::read(&path).unwrap();
        message.truncate(MESSAGE_BYTES_MAX);
        let name = |(source, port, _, _, name, _): Saying| (source, port, name);
        let mut kernel = Vec::new();
        trial.run(&message, |event| kernel.push(name(saying(event)))).unwrap();
        let here: Vec<_> = host_sayings(&mut room, &message, &policy).into_iter().map(name).collect();
        let failed_after = trial.counter(Counter::TailCallFailed).unwrap();
        // The kernel goes from program to program 33 times a packet (MAX_TAIL_CALL_CNT, Linux 5.10): of more messages in one
        // packet than that is enough for it reads the first, and counts that.
        let read = if failed_after == failed { here.len() } else { kernel.len() };
        assert_eq!(Some(kernel.as_slice()), here.get(..read), "{}", path.display());
        (crowded, failed) = (crowded + failed_after - failed, failed_after);
        named += u32::from(!kernel.is_empty());
    }
    assert!(named > 5, "only {named} inputs had a name");
    println!("{named} inputs have names, {crowded} have more messages than the kernel reads in a packet");
}

/// What is committed, and what the fuzzer has found on this machine, if it ran.
fn inputs() -> Vec<PathBuf> {
    let committed = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/inspect")).unwrap();
    let found = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/fuzz/corpus/inspect"));
    let inputs: Vec<PathBuf> = committed.chain(found.into_iter().flatten()).map(|file| file.unwrap().path()).collect();
    println!("{} inputs", inputs.len());
    inputs
}

fn saying(event: &[u8]) -> Saying {
    match decode(event).unwrap().body {
        Body::Named { source, port, is_address, verdict, name, hello, .. } => {
            (source as u32, port.into(), is_address, verdict, name.to_vec(), hello.to_vec())
        }
        body => panic!("{body:?} from a message"),
    }
}

/// A table with a key of its own: verdicts must not depend on it.
fn table_here(mode: Mode, rules: &[(&str, bool)]) -> Vec<Bucket> {
    let mut table = vec![Bucket::default(); 1 + buckets_for(rules.len())];
    assert!(fill(&mut table, Key { seed: 1, multiplier: 3 }, mode, rules.iter().copied()));
    table
}

fn host_sayings(room: &mut Room, message: &[u8], policy: &[Bucket]) -> Vec<Saying> {
    let (mut progress, mut sayings) = (Progress::NEW, Vec::new());
    progress.opened(0);
    room.segment(&mut progress, 0, message, policy, |told| {
        sayings.push((told.source, told.port, told.is_address, told.verdict, told.name.to_vec(), told.hello.to_vec()));
    });
    sayings
}

/// The policy without hashes: what a rule means.
fn plain_verdict(name: &[u8]) -> Verdict {
    // The kernel's hash folds case with one bit, so a control character looks like another one; the daemon counts it.
    let fold = |bytes: &[u8]| bytes.iter().map(|byte| byte | 0x20).collect::<Vec<u8>>();
    let matches = |(rule, exact): &(&str, bool)| {
        let Some(start) = name.len().checked_sub(rule.len()) else {
            return false;
        };
        let at_label = start == 0 || (!exact && name[start - 1] == b'.');
        at_label && fold(&name[start..]) == fold(rule.as_bytes())
    };
    if RULES.iter().any(matches) { Verdict::Blocked } else { Verdict::Unlisted }
}

fn mutant(round: u32, random: &mut Random) -> Vec<u8> {
    let mut message = match round % 14 {
        0 => records(&handshake("mutant.bad.example", random.below(600)), 16_384),
        1 => records(&handshake("mutant.example.com", random.below(2_500)), 200 + random.below(1_500)),
        2 => b"\r\nCONNECT  \tmutant.example.net:443 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        3 => b"GET http://user:pw@[2001:db8::1]:8080/a@b HTTP/1.1\r\n\r\n".to_vec(),
        4 => {
            let filler = "b".repeat(random.below(400));
            format!("GET / HTTP/1.1\r\nA: {filler}\r\nHost: \thost.bad.example.:81\r\n\r\n").into_bytes()
        }
        5 => records(&handshake("a.b.c.d.e.f.mutant.example", random.below(3_000)), 16_384),
        7 => {
            let request = b"GET http://a.example/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
            [request.as_slice(), b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"].concat()
        }
        8 => {
            let hello = records(&handshake("inner.example", random.below(900)), 16_384);
            [b"CONNECT outer.example:443 HTTP/1.1\r\nUser-Agent: x\r\n\r\n".as_slice(), &hello].concat()
        }
        9 => b"\x05\x02\0\x02\x01\x02me\x02pw\x05\x01\0\x03\x0fwww.bad.example\x01\xbb".to_vec(),
        10 => b"\x04\x01\0\x50\0\0\0\x01user\0example.net\0GET / HTTP/1.1\r\nHost: in.example\r\n\r\n".to_vec(),
        11 => {
            let hello = records(&handshake("mail.bad.example", random.below(600)), 16_384);
            [b"EHLO a.example\r\nSTARTTLS\r\n".as_slice(), &hello].concat()
        }
        12 => {
            let hello = records(&handshake("base.bad.example", random.below(600)), 16_384);
            [[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f].as_slice(), &hello].concat()
        }
        6 => b"CONNECT Only.Example:8443 HTTP/1.1\r\n\r\n".to_vec(),
        _ => format!("CONNECT {}bad.example:1 HTTP/1.1\r\n\r\n", "x.".repeat(random.below(60))).into_bytes(),
    };
    for _ in 0..random.below(4) {
        let at = random.below(message.len());
        message[at] = random.below(256) as u8;
    }
    if random.below(3) == 0 {
        message.truncate(1 + random.below(message.len()));
    }
    message.truncate(MESSAGE_BYTES_MAX);
    message
}

/// A ClientHello whose last extension is the server name, behind `pad` bytes of another (RFC 8446 section 4.1.2).
fn handshake(name: &str, pad: usize) -> Vec<u8> {
    let mut extensions = vec![0, 0x15, (pad >> 8) as u8, pad as u8];
    extensions.extend(vec![0x41; pad]);
    let len = name.len() as u8;
    extensions.extend([0, 0, 0, len + 5, 0, len + 3, 0, 0, len]);
    extensions.extend(name.bytes());
    let mut body = vec![3, 3];
    body.extend([0x42; 32]);
    body.push(32);
    body.extend([7; 32]);
    body.extend([0, 2, 0x13, 1, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0, (body.len() >> 8) as u8, body.len() as u8];
    message.extend(body);
    message
}

/// A handshake message in TLS records of at most `size` bytes.
fn records(message: &[u8], size: usize) -> Vec<u8> {
    let record = |piece: &[u8]| [&[0x16, 3, 1, (piece.len() >> 8) as u8, piece.len() as u8], piece].concat();
    message.chunks(size).flat_map(record).collect()
}

/// Xorshift: the same messages each time, so that a difference can be found again.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % n
    }
}
