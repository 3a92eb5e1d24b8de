//! Packets in tunnels: a direct TLS connection, wrapped in one after the other.

use super::build::{CLIENT, CLIENT_V6, ETHERNET, SERVER, SERVER_V6};
use super::*;

const NAMED: [&str; 3] = ["established 40000 > 443", "TlsSni a.example:0", "closed"];

fn ethernet(kind: u16, rest: &[u8]) -> Vec<u8> {
    [&[2; 12][..], &kind.to_be_bytes(), rest].concat()
}

/// An IPv4 packet between other ends.
fn ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    [&[0x45, 0, high, low, 0, 0, 0, 0, 9, protocol, 0, 0, 203, 0, 113, 1, 203, 0, 113, 2][..], payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    etherparse::PacketBuilder::ipv4([203, 0, 113, 1], [203, 0, 113, 2], 9)
        .udp(999, port)
        .write(&mut packet, payload)
        .unwrap();
    packet
}

/// The events and the report of a connection whose packets are wrapped so.
fn wrapped(link_type: u32, wrap: &dyn Fn(&[u8]) -> Vec<u8>) -> Got {
    let packets: Vec<Vec<u8>> = ip_packets(CLIENT, SERVER, "a.example").iter().map(|packet| wrap(packet)).collect();
    replay(&pcap(link_type, &packets))
}

#[test]
fn names_in_tunnels_are_found() {
    type Wrap = fn(&[u8]) -> Vec<u8>;
    let vxlan = |packet: &[u8]| [&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(0x0800, packet)[..]].concat();
    let wraps: [(&str, Wrap); 11] = [
        ("IP", |packet| ip(4, packet)),
        ("GRE", |packet| ip(47, &[&[0, 0, 8, 0], packet].concat())),
        ("GRE with everything", |packet| ip(47, &[&[0xb0, 0, 8, 0], &[7; 12][..], packet].concat())),
        ("GRE with a frame", |packet| ip(47, &[&[0, 0, 0x65, 0x58], &ethernet(0x0800, packet)[..]].concat())),
        ("PPTP", |packet| {
            ip(47, &[&[0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 7], &[1; 8][..], &[0xff, 3, 0, 0x21], packet].concat())
        }),
        ("GTP", |packet| udp(2152, &[&[0x30, 255, 0, 0, 0, 0, 0, 7], packet].concat())),
        ("GTP with an extension", |packet| {
            udp(2152, &[&[0x36, 255, 0, 0, 0, 0, 0, 7, 0, 1, 0, 0x85], &[1, 0, 0, 0][..], packet].concat())
        }),
        ("Geneve", |packet| udp(6081, &[&[1, 0, 8, 0, 0, 0, 7, 0], &[9; 4][..], packet].concat())),
        ("two", |packet| ip(4, &ip(4, packet))),
        ("four", |packet| ip(4, &ip(4, &ip(4, &ip(4, packet))))),
        ("an extension header", |packet| ip(60, &[&[4, 0, 1, 4, 0, 0, 0, 0], packet].concat())),
    ];
    for (what, wrap) in wraps {
        assert_eq!(wrapped(build::RAW, &wrap).events, NAMED, "{what}");
    }
    for port in [4789, 8472] {
        assert_eq!(wrapped(build::RAW, &|packet| udp(port, &vxlan(packet))).events, NAMED, "{port}");
    }
    let frames: [(&str, Wrap); 3] = [
        ("PPPoE", |packet| ethernet(0x8864, &[&[0x11, 0, 0, 7, 0, 0, 0, 0x21], packet].concat())),
        ("PPPoE, a protocol of one byte", |packet| ethernet(0x8864, &[&[0x11, 0, 0, 7, 0, 0, 0x21], packet].concat())),
        ("MPLS", |packet| ethernet(0x8847, &[&[0, 0, 0x10, 9, 0, 0, 0x21, 9], packet].concat())),
    ];
    for (what, wrap) in frames {
        assert_eq!(wrapped(ETHERNET, &wrap).events, NAMED, "{what}");
    }
    assert_eq!(wrapped(9, &|packet| [&[0xff, 3, 0, 0x21], packet].concat()).events, NAMED);
    // IPv6 in IPv4, and the other way round.
    let six: Vec<Vec<u8>> = ip_packets(CLIENT_V6, SERVER_V6, "a.example").iter().map(|packet| ip(41, packet)).collect();
    assert_eq!(replay(&pcap(build::RAW, &six)).events, NAMED);
    let outer = |packet: &[u8]| {
        let [high, low] = (packet.len() as u16).to_be_bytes();
        [&[0x60, 0, 0, 0, high, low, 4, 9][..], &[7; 32], packet].concat()
    };
    assert_eq!(wrapped(build::RAW, &outer).events, NAMED);
}

#[test]
fn what_is_wrapped_too_often_or_otherwise_is_counted() {
    type Wrap = fn(&[u8]) -> Vec<u8>;
    let wraps: [(Wrap, Reason); 8] = [
        (|packet| ip(4, &ip(4, &ip(4, &ip(4, &ip(4, packet))))), Reason::Tunnel),
        // Routing of GRE, another version of it, GTP of control, L2TP.
        (|packet| ip(47, &[&[0x40, 0, 8, 0], packet].concat()), Reason::Tunnel),
        (|packet| ip(47, &[&[0, 2, 8, 0], packet].concat()), Reason::Tunnel),
        (|packet| udp(2152, &[&[0x30, 1, 0, 0, 0, 0, 0, 7], packet].concat()), Reason::Tunnel),
        (|packet| udp(1701, packet), Reason::Tunnel),
        // An extension header without a length, one without an end, and a header that is cut.
        (
            |packet| udp(2152, &[&[0x34, 255, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0], packet].concat()),
            Reason::Damaged,
        ),
        (|_| udp(2152, &[0x34, 255, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 9]), Reason::Damaged),
        (|_| ip(47, &[0x80, 0, 8, 0, 1]), Reason::Damaged),
    ];
    for (wrap, reason) in wraps {
        let got = wrapped(build::RAW, &wrap);
        assert_eq!((got.events.len(), got.report.counts.of(reason)), (0, got.report.packets), "{}", got.report);
    }
}
