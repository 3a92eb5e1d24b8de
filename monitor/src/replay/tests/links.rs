//! Link headers, VLAN tags, IP extension headers, and what is not unwrapped.

use super::build::{CLIENT, CLIENT_V6, ETHERNET, RAW, SERVER, SERVER_V6};
use super::*;

fn check_link(link_type: u32, front_v4: &[u8], front_v6: &[u8]) {
    for (client, server, front) in [(CLIENT, SERVER, front_v4), (CLIENT_V6, SERVER_V6, front_v6)] {
        let packets: Vec<Vec<u8>> =
            ip_packets(client, server, "a.example").iter().map(|ip| [front, ip].concat()).collect();
        let got = replay(&pcap(link_type, &packets));
        assert_eq!(got.events, ["established 40000 > 443", "TlsSni a.example:0", "closed"], "{link_type} {front:?}");
        assert_eq!(got.report.counts, super::super::Counts::default());
    }
}

fn with_type(front: &[u8], kind: u16) -> Vec<u8> {
    [front, &kind.to_be_bytes()].concat()
}

#[test]
fn every_link_type_is_unwrapped() {
    check_link(RAW, b"", b"");
    check_link(12, b"", b"");
    check_link(14, b"", b"");
    check_link(ETHERNET, &with_type(&[2; 12], 0x0800), &with_type(&[2; 12], 0x86dd));
    check_link(113, &with_type(&[0; 14], 0x0800), &with_type(&[0; 14], 0x86dd));
    let cooked_2 = |kind: u16| [&kind.to_be_bytes()[..], &[0; 18]].concat();
    check_link(276, &cooked_2(0x0800), &cooked_2(0x86dd));
    // The family of IPv6 has another number on each system.
    check_link(0, &[2, 0, 0, 0], &[24, 0, 0, 0]);
    check_link(108, &[0, 0, 0, 2], &[0, 0, 0, 30]);
    // A checksum behind each packet is told in the upper bits of the link type.
    check_link(0x5400_0001, &with_type(&[2; 12], 0x0800), &with_type(&[2; 12], 0x86dd));
}

#[test]
fn vlan_tags_are_passed_over() {
    let tags: [&[u8]; 4] = [
        &[0x81, 0, 0, 5],
        &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6],
        &[0x81, 0, 0, 5, 0x81, 0, 0, 6],
        &[0x91, 0, 0, 5, 0x81, 0, 0, 6],
    ];
    for tag in tags {
        let front = [&[2; 12], tag].concat();
        check_link(ETHERNET, &with_type(&front, 0x0800), &with_type(&front, 0x86dd));
        let cooked = [&[0; 14], tag].concat();
        check_link(113, &with_type(&cooked, 0x0800), &with_type(&cooked, 0x86dd));
    }
}

#[test]
fn ethernet_padding_is_no_payload() {
    let packets: Vec<Vec<u8>> = Talk::opened(CLIENT, SERVER)
        .client(&hello("a.example", 0))
        .closed()
        .iter()
        .map(|ip| {
            let mut frame = [&with_type(&[2; 12], 0x0800), &ip[..]].concat();
            frame.resize(frame.len().max(60) + 4, 0xee);
            frame
        })
        .collect();
    let got = replay(&pcap(ETHERNET, &packets));
    assert_eq!(got.events, ["established 40000 > 443", "TlsSni a.example:0", "closed"]);
}

#[test]
fn extension_headers_of_ipv6_are_passed_over() {
    let packets: Vec<Vec<u8>> = ip_packets(CLIENT_V6, SERVER_V6, "a.example")
        .iter()
        .map(|ip| {
            let mut packet = ip.clone();
            // Hop-by-hop options and destination options, eight bytes each, before TCP.
            packet[6] = 0;
            let len = u16::from_be_bytes([packet[4], packet[5]]) + 16;
            packet[4..6].copy_from_slice(&len.to_be_bytes());
            packet.splice(40..40, [60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0]);
            packet
        })
        .collect();
    check(&packets, &["established 40000 > 443", "TlsSni a.example:0", "closed"]);
}

#[test]
fn what_is_not_read_is_counted() {
    let ip = ip_packets(CLIENT, SERVER, "a.example").remove(3);
    let ethernet = |kind: u16, rest: &[u8]| [&with_type(&[2; 12], kind)[..], rest].concat();
    let with_protocol = |protocol: u8| {
        let mut packet = ip.clone();
        packet[9] = protocol;
        ethernet(0x0800, &packet)
    };
    let udp = |port: u16| {
        let mut packet = Vec::new();
        etherparse::PacketBuilder::ipv4([1; 4], [2; 4], 9).udp(999, port).write(&mut packet, b"x").unwrap();
        ethernet(0x0800, &packet)
    };
    for (frame, reason) in [
        (ethernet(0x0806, &[0; 28]), Reason::NotIp),
        (ethernet(0x88cc, &[0; 40]), Reason::NotIp),
        (udp(1701), Reason::Tunnel),
        (udp(443), Reason::Datagram),
        (with_protocol(1), Reason::Transport),
        (with_protocol(132), Reason::Transport),
        (ethernet(0x0800, &ip[..10]), Reason::Damaged),
        (ethernet(0x0800, &ip[..30]), Reason::Cut),
        (vec![2; 5], Reason::Damaged),
    ] {
        let got = replay(&pcap(ETHERNET, std::slice::from_ref(&frame)));
        assert_eq!((got.report.counts.of(reason), got.events.len()), (1, 0), "{frame:02x?}: {}", got.report);
    }
    let got = replay(&pcap(147, std::slice::from_ref(&ip)));
    assert_eq!(got.report.counts.of(Reason::LinkType), 1);
}
