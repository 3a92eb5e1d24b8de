//! What name servers answer, in datagrams and over TCP.

use super::build::CLIENT;
use super::*;

const NAME_SERVER: &str = "192.0.2.53:53";

/// A datagram from a name server.
fn datagram(to: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    etherparse::PacketBuilder::ipv4([192, 0, 2, 53], to, 9).udp(53, 40_000).write(&mut packet, payload).unwrap();
    packet
}

#[test]
fn an_answer_goes_to_who_asked() {
    let report = check(&[datagram([192, 0, 2, 1], &[7; 30])], &["answer of 30 bytes 40000 > 53"]);
    assert_eq!(report.counts.of(Reason::Datagram), 0);
    // As many as the kernel programs hand over; and nothing for nothing.
    check(&[datagram([192, 0, 2, 1], &[7; 5000])], &["answer of 4096 bytes 40000 > 53"]);
    check(&[datagram([192, 0, 2, 1], b"")], &[]);
}

#[test]
fn answers_over_tcp_come_once_and_in_order() {
    let talk = Talk::opened(CLIENT, NAME_SERVER).client(b"\0\x11query").server(&[1; 20]).server(&[2; 30]);
    let mut packets = talk.closed();
    let events =
        ["established 40000 > 53", "answer of 20 bytes by TCP 40000 > 53", "answer of 30 bytes by TCP 40000 > 53"];
    let events = [&events[..], &["closed"]].concat();
    check(&packets, &events);
    packets.insert(5, packets[4].clone());
    check(&packets, &events);
    packets.swap(4, 6);
    check(&packets, &events);
}

#[test]
fn what_another_port_answers_is_not_read() {
    let talk = Talk::opened(CLIENT, "192.0.2.53:54").client(b"\0\x11query").server(&[1; 20]);
    check(&talk.closed(), &["established 40000 > 54", "closed"]);
}
