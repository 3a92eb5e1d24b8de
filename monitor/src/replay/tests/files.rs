//! File formats, and files that are damaged.

use super::build::{CLIENT, ETHERNET, Pcap, RAW, SERVER, block};
use super::*;
use crate::replay::capture::Problem;

const NAMED: [&str; 3] = ["established 40000 > 443", "TlsSni a.example:0", "closed"];

fn packets() -> Vec<Vec<u8>> {
    ip_packets(CLIENT, SERVER, "a.example")
}

#[test]
fn pcap_in_either_byte_order_and_resolution_is_read() {
    for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
        for put in [u32::to_le_bytes, u32::to_be_bytes] {
            let got = replay(&Pcap { magic, put }.file(RAW, &packets()));
            assert_eq!(got.events, NAMED);
            assert_eq!((got.report.packets, got.report.names), (7, 1));
        }
    }
}

/// The time of the last packet of a file, in nanoseconds.
fn time_of(file: &[u8]) -> u64 {
    let mut time_ns = 0;
    Capture::new(Cursor::new(file.to_vec()))
        .unwrap()
        .each(|packet| {
            time_ns = packet.time_ns;
            ControlFlow::Continue(())
        })
        .unwrap();
    time_ns
}

#[test]
fn times_are_nanoseconds_since_1970() {
    let packets = [Vec::new(), vec![0]];
    for (magic, time_ns) in [(0xa1b2_c3d4, 1_700_000_000_001_000_000), (0xa1b2_3c4d, 1_700_000_000_000_001_000)] {
        assert_eq!(time_of(&Pcap { magic, put: u32::to_be_bytes }.file(RAW, &packets)), time_ns);
    }
}

type Put = fn(u32) -> [u8; 4];

fn section(put: Put) -> Vec<u8> {
    // Byte-order magic, version 1.0, length unknown.
    let version = if put(1)[0] == 0 { 0x0001_0000 } else { 0x0000_0001 };
    block(put, 0x0a0d_0d0a, &[0x1a2b_3c4d, version, u32::MAX, u32::MAX], b"", b"")
}

fn half(put: Put, high: u16, low: u16) -> u32 {
    // Two halves of a word, in the order of the file.
    if put(1)[0] == 0 { u32::from(high) << 16 | u32::from(low) } else { u32::from(low) << 16 | u32::from(high) }
}

fn interface(put: Put, link_type: u32, options: &[u8]) -> Vec<u8> {
    block(put, 1, &[half(put, link_type as u16, 0), 0], b"", options)
}

fn enhanced(put: Put, interface: u32, units: u64, bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u32;
    block(put, 6, &[interface, (units >> 32) as u32, units as u32, len, len], bytes, b"")
}

/// A pcapng file with one interface and options in every block.
pub(super) fn pcapng(link_type: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let put = u32::to_be_bytes;
    let mut file = section(put);
    file.extend(interface(put, link_type, &[0, 9, 0, 1, 9, 0, 0, 0, 0, 2, 0, 2, b'l', b'o', 0, 0, 0, 0, 0, 0]));
    for (packet, units) in packets.iter().zip(0..) {
        file.extend(enhanced(put, 0, units, packet));
    }
    file.extend(block(put, 5, &[0, 0, 0], b"", &[0, 4, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]));
    file
}

#[test]
fn pcapng_with_several_interfaces_and_sections_is_read() {
    for put in [u32::to_le_bytes as Put, u32::to_be_bytes] {
        let mut file = section(put);
        file.extend(interface(put, ETHERNET, b""));
        // A block of a kind that nobody knows is passed over.
        file.extend(block(put, 0x0bad_cafe, &[1, 2, 3], b"xyz", b""));
        file.extend(interface(put, RAW, b""));
        let packets = packets();
        for packet in &packets[..3] {
            file.extend(enhanced(put, 1, 0, packet));
        }
        file.extend(enhanced(put, 7, 0, b"of no interface"));
        // Another section numbers its interfaces anew.
        file.extend(section(put));
        file.extend(interface(put, RAW, b""));
        file.extend(block(put, 3, &[packets[3].len() as u32], &packets[3], b""));
        for packet in &packets[4..] {
            file.extend(enhanced(put, 0, 0, packet));
        }
        let got = replay(&file);
        assert!(got.error.is_none(), "{:?}", got.error);
        assert_eq!(got.events, NAMED);
        assert_eq!(got.report.counts.of(Reason::UnknownInterface), 1);
    }
}

#[test]
fn pcapng_tells_its_resolution_and_offset() {
    let put = u32::to_le_bytes;
    let ns: &[u8] = &[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let hour: &[u8] = &[14, 0, 8, 0, 0x10, 0x0e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (options, units, time_ns) in
        [(b"" as &[u8], 1_500_000, 1_500_000_000), (ns, 1_500_000_007, 1_500_000_007), (hour, 1, 3_600_000_001_000)]
    {
        let file = [section(put), interface(put, RAW, options), enhanced(put, 0, units, b"x")].concat();
        assert_eq!(time_of(&file), time_ns, "{options:?}");
    }
}

#[test]
fn a_file_that_ends_in_the_middle_gives_what_is_before() {
    let packets = packets();
    let file = pcap(RAW, &packets);
    let last = packets[6].len();
    let got = replay(&file[..file.len() - 1]);
    assert_eq!(got.events, NAMED[..2]);
    let error = got.error.unwrap();
    assert!(matches!(error.problem, Problem::Truncated), "{error}");
    assert_eq!((error.packet, error.offset), (7, (file.len() - last - 16) as u64));
    let text = format!("byte {}, packet 7: the file ends in the middle of a packet or block", error.offset);
    assert_eq!(error.to_string(), text);
    // Wherever it ends: never more than what is there.
    for len in 0..file.len() {
        let got = replay(&file[..len]);
        assert_eq!(got.report.packets as usize, packets_within(&packets, len));
        assert_eq!(got.error.is_none(), got.report.packets == 7 || is_between_packets(&packets, len), "{len}");
    }
}

fn ends(packets: &[Vec<u8>]) -> impl Iterator<Item = usize> {
    packets.iter().scan(24, |end, packet| {
        *end += 16 + packet.len();
        Some(*end)
    })
}

fn packets_within(packets: &[Vec<u8>], len: usize) -> usize {
    ends(packets).filter(|end| *end <= len).count()
}

fn is_between_packets(packets: &[Vec<u8>], len: usize) -> bool {
    len == 24 || ends(packets).any(|end| end == len)
}

#[test]
fn what_is_no_capture_says_so() {
    assert!(matches!(replay(b"").error.unwrap().problem, Problem::Empty));
    assert!(matches!(replay(&[b'x'; 100]).error.unwrap().problem, Problem::NotACapture));
    let mut file = pcap(RAW, &packets());
    // The first packet says that it has four gigabytes.
    file[32..36].fill(0xff);
    assert!(matches!(replay(&file).error.unwrap().problem, Problem::Truncated));
    file.extend(vec![0; 17 << 20]);
    assert!(matches!(replay(&file).error.unwrap().problem, Problem::TooLarge));
    let put = u32::to_le_bytes;
    let mut file = [section(put), interface(put, RAW, b""), enhanced(put, 0, 0, b"abcd")].concat();
    // The length at the end of a block differs from the one in front.
    let at = file.len() - 4;
    file[at] ^= 4;
    let error = replay(&file).error.unwrap();
    assert!(matches!(error.problem, Problem::Malformed) && error.packet == 1, "{error}");
    // A block that says that it is shorter than its own lengths.
    for (put, len) in [(u32::to_le_bytes as Put, 4), (u32::to_be_bytes, 11)] {
        let file = [section(put), [put(0x8000_0001), put(len), [0; 4], [0; 4]].concat()].concat();
        let error = replay(&file).error.unwrap();
        assert!(matches!(error.problem, Problem::Malformed), "{len}: {error}");
    }
}
