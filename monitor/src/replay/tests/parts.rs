//! IP fragments: in any order, missing, overlapping.

use super::build::{CLIENT, CLIENT_V6, RAW, SERVER, SERVER_V6};
use super::*;

const NAMED: [&str; 3] = ["established 40000 > 443", "TlsSni a.example:0", "closed"];

/// Cuts an IPv4 packet into fragments of `size` bytes.
fn cut_v4(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let last = payload.len().div_ceil(size) - 1;
    payload
        .chunks(size)
        .enumerate()
        .map(|(place, part)| {
            let mut header = header.to_vec();
            header[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
            let more = if place < last { 0x2000 } else { 0 };
            header[6..8].copy_from_slice(&(more | (place * size / 8) as u16).to_be_bytes());
            [&header, part].concat()
        })
        .collect()
}

/// Cuts an IPv6 packet into fragments of `size` bytes.
fn cut_v6(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(40);
    let last = payload.len().div_ceil(size) - 1;
    payload
        .chunks(size)
        .enumerate()
        .map(|(place, part)| {
            let mut header = header.to_vec();
            header[4..6].copy_from_slice(&(8 + part.len() as u16).to_be_bytes());
            header[6] = 44;
            let place_and_more = (place * size) as u16 | u16::from(place < last);
            let [a, b] = place_and_more.to_be_bytes();
            [&header[..], &[6, 0, a, b, 0, 0, 0, 9], part].concat()
        })
        .collect()
}

type Cut = fn(&[u8], usize) -> Vec<Vec<u8>>;

#[derive(Clone, Copy, Debug)]
enum Version {
    Four,
    Six,
}

/// The handshake, the packet with the hello in fragments, and the end.
fn packets(version: Version, change: fn(&mut Vec<Vec<u8>>)) -> Vec<Vec<u8>> {
    let (client, server, cut): (_, _, Cut) = match version {
        Version::Four => (CLIENT, SERVER, cut_v4),
        Version::Six => (CLIENT_V6, SERVER_V6, cut_v6),
    };
    let mut packets = ip_packets(client, server, "a.example");
    let mut parts = cut(&packets[3], 32);
    change(&mut parts);
    packets.splice(3..4, parts);
    packets
}

#[test]
fn fragments_in_any_order_are_put_together() {
    for version in [Version::Four, Version::Six] {
        check(&packets(version, |_| {}), &NAMED);
        check(&packets(version, |parts| parts.reverse()), &NAMED);
        check(&packets(version, |parts| parts.swap(0, 2)), &NAMED);
        // A copy of a fragment changes nothing.
        check(&packets(version, |parts| parts.insert(1, parts[0].clone())), &NAMED);
    }
}

#[test]
fn a_missing_fragment_leaves_its_datagram_incomplete() {
    for version in [Version::Four, Version::Six] {
        let packets = packets(version, |parts| drop(parts.remove(1)));
        let left = (packets.len() - 6) as u64;
        let report = check(&packets, &["established 40000 > 443", "closed"]);
        assert_eq!(report.counts.of(Reason::Incomplete), left);
    }
}

#[test]
fn overlapping_fragments_end_their_datagram() {
    let overlapping = |parts: &mut Vec<Vec<u8>>| {
        // The third begins eight bytes too early.
        let place = u16::from_be_bytes([parts[2][6], parts[2][7]]) - 1;
        parts[2][6..8].copy_from_slice(&place.to_be_bytes());
    };
    let report = check(&packets(Version::Four, overlapping), &["established 40000 > 443", "closed"]);
    assert!(report.counts.of(Reason::Overlap) >= 3);
}

#[test]
fn fragments_are_waited_for_within_bounds() {
    let mut all = Vec::new();
    for id in 0..2000u16 {
        let mut part = cut_v4(&ip_packets(CLIENT, SERVER, "a.example")[3], 32).remove(0);
        part[4..6].copy_from_slice(&id.to_be_bytes());
        all.push(part);
    }
    let got = replay(&pcap(RAW, &all));
    assert_eq!(got.report.counts.of(Reason::Incomplete), 2000);
}
