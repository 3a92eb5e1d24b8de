//! Conversations: what is sent in which order, and what it becomes.

use super::build::{CLIENT, RAW, SERVER};
use super::*;

const OPENED: &str = "established 40000 > 443";
const OK: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

#[test]
fn a_tunnel_has_its_answer_and_its_inner_name() {
    let talk = Talk::opened(CLIENT, SERVER)
        .client(&connect("a.example:443"))
        .server(b"HTTP/1.1 100 Continue\r\n\r\n")
        .server(b"HTTP/1.")
        .server(b"1 200 OK\r\n\r\n")
        .client(&hello("b.example", 0))
        .closed();
    let answers = ["replied HTTP/1.1 100", "replied HTTP/1.", "replied 1 200 OK"];
    let [interim, one, two] = answers;
    let inner = "TlsSni b.example:0 in tunnel";
    check(&talk, &[OPENED, "ConnectAuthority a.example:443", interim, one, two, inner, "closed"]);
}

#[test]
fn a_proxy_that_refuses_is_asked_again() {
    let talk = Talk::opened(CLIENT, SERVER)
        .client(&connect("a.example:443"))
        .server(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        .client(&connect("a.example:443"))
        .server(OK)
        .client(b"GET / HTTP/1.1\r\nHost: c.example\r\n\r\n")
        .closed();
    let asked = "ConnectAuthority a.example:443";
    check(
        &talk,
        &[
            OPENED,
            asked,
            "replied HTTP/1.1 407",
            asked,
            "replied HTTP/1.1 200",
            "HttpHost c.example:0 in tunnel",
            "closed",
        ],
    );
}

#[test]
fn another_name_inside_a_tunnel_is_dropped_where_both_settings_block() {
    let ends = |mode, on_mismatch, outer: &str, inner: &str| {
        let talk = Talk::opened(CLIENT, SERVER).client(&connect(outer)).server(OK);
        let talk = talk.client(&hello(inner, 0)).client(b"more").closed();
        let mut orders = Orders::from(mode);
        orders.on_mismatch = on_mismatch;
        let Got { mut events, mismatches, .. } = replay_in(orders, &pcap(RAW, &talk));
        (events.drain(3..events.len() - 1).collect::<Vec<_>>().join(", "), mismatches)
    };
    let passed = "TlsSni c.example:0 in tunnel".to_owned();
    for (mode, on_mismatch) in [(Mode::Block, OnMismatch::Audit), (Mode::Audit, OnMismatch::Block)] {
        assert_eq!(ends(mode, on_mismatch, "b.example:443", "c.example"), (passed.clone(), 1));
    }
    let blocked = |outer: &str, inner| ends(Mode::Block, OnMismatch::Block, outer, inner);
    assert_eq!(blocked("b.example:443", "c.example"), (format!("{passed} Mismatched"), 1));
    for outer in ["C.example.:443", "192.0.2.1:443", "[2001:db8::1]:443"] {
        assert_eq!(blocked(outer, "c.example"), (passed.clone(), 0), "{outer}");
    }
    // A rule comes first.
    assert_eq!(
        blocked("b.example:443", "evil.example"),
        ("TlsSni evil.example:0 in tunnel Blocked by 1".to_owned(), 1)
    );
}

#[test]
fn a_hello_behind_clear_text_is_named_with_its_protocol() {
    let talk = Talk::opened(CLIENT, SERVER)
        .server(b"220 mail.example\r\n")
        .client(b"EHLO me\r\n")
        .server(b"250 STARTTLS\r\n")
        .client(b"VRFY somebody\r\n")
        .server(b"252 who knows\r\n")
        .client(b"STARTTLS\r\n")
        .server(b"220 go ahead\r\n")
        .client(&hello("mail.example", 0))
        .closed();
    check(&talk, &[OPENED, "TlsSni mail.example:0 in smtp", "closed"]);
}

#[test]
fn requests_of_a_kept_connection_are_all_named() {
    let talk = Talk::opened(CLIENT, SERVER)
        .client(b"GET http://a.example/ HTTP/1.1\r\n\r\n")
        .server(OK)
        .client(b"POST http://b.example:8080/ HTTP/1.1\r\n")
        .client(b"Content-Length: 9\r\n\r\nsomething")
        .client(b"GET http://c.exa")
        .client(b"mple/ HTTP/1.1\r\n\r\n")
        .closed();
    check(
        &talk,
        &[OPENED, "AbsoluteUri a.example:0", "AbsoluteUri b.example:8080", "AbsoluteUri c.example:0", "closed"],
    );
}

#[test]
fn a_hello_is_named_wherever_it_is_cut_and_in_whatever_order_it_comes() {
    let bytes = hello("a.example", 300);
    for cut in 1..bytes.len() {
        let (one, two) = bytes.split_at(cut);
        let mut packets = Talk::opened(CLIENT, SERVER).client(one).client(two).closed();
        check(&packets, &[OPENED, "TlsSni a.example:0", "closed"]);
        packets.swap(3, 4);
        // A copy of either, late.
        packets.insert(5, packets[3].clone());
        packets.insert(6, packets[4].clone());
        check(&packets, &[OPENED, "TlsSni a.example:0", "closed"]);
    }
}

#[test]
fn a_hello_of_16_kib_is_named_and_a_longer_message_given_up() {
    let mut talk = Talk::opened(CLIENT, SERVER);
    for piece in hello("a.example", 16_000).chunks(1400) {
        talk = talk.client(piece);
    }
    check(&talk.closed(), &[OPENED, "TlsSni a.example:0", "closed"]);
    let mut talk = Talk::opened(CLIENT, SERVER);
    for piece in hello("a.example", 20_000).chunks(1400) {
        talk = talk.client(piece);
    }
    let report = check(&talk.closed(), &[OPENED, "closed"]);
    assert_eq!(report.counts.of(Reason::Opaque), 1);
}

#[test]
fn fast_open_data_in_the_syn_is_read_once() {
    let mut talk = Talk::joined(CLIENT, SERVER);
    let (client, server) = (CLIENT.parse().unwrap(), SERVER.parse().unwrap());
    let hello = hello("a.example", 0);
    let syn = build::Flags { syn: true, ..build::Flags::default() };
    talk.packets.push(build::tcp(client, server, talk.sent, syn, &hello));
    talk.sent = talk.sent.wrapping_add(1);
    let answer = build::Flags { syn: true, ack: Some(talk.sent), ..build::Flags::default() };
    talk.packets.push(build::tcp(server, client, talk.received, answer, b""));
    talk.received = talk.received.wrapping_add(1);
    // The server did not take it: it is sent again.
    check(&talk.client(&hello).closed(), &["TlsSni a.example:0", OPENED, "closed"]);
}

#[test]
fn a_message_with_a_hole_is_no_name_and_the_next_one_is() {
    let request = b"GET /a HTTP/1.1\r\nX: y\r\nHost: a.example\r\n\r\n";
    let mut packets = Talk::opened(CLIENT, SERVER)
        .client(b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n")
        .server(OK)
        .client(&request[..20])
        .client(&request[20..])
        .server(OK)
        .client(b"GET / HTTP/1.1\r\nHost: c.example\r\n\r\n")
        .closed();
    packets.remove(5);
    let report = check(&packets, &[OPENED, "HttpHost b.example:0", "HttpHost c.example:0", "closed"]);
    assert_eq!(report.counts.of(Reason::Gap), 1);
}

#[test]
fn a_capture_that_begins_in_the_middle_names_what_comes_whole() {
    let talk = Talk::joined(CLIENT, SERVER)
        .server(b"\x17\x03\x03 the rest of something")
        .client(b"\x17\x03\x03 the rest of something")
        .client(&connect("a.example:443"))
        .server(OK)
        .client(&hello("b.example", 2000)[..1400])
        .client(&hello("b.example", 2000)[1400..])
        .closed();
    check(&talk, &["ConnectAuthority a.example:443", "replied HTTP/1.1 200", "TlsSni b.example:0 in tunnel", "closed"]);
}

#[test]
fn an_answer_that_the_capture_lacks_does_not_hide_the_inner_name() {
    let mut packets = Talk::opened(CLIENT, SERVER)
        .client(&connect("a.example:443"))
        .server(OK)
        .client(&hello("b.example", 0))
        .closed();
    packets.remove(4);
    let events = [OPENED, "ConnectAuthority a.example:443", "TlsSni b.example:0 in tunnel", "closed"];
    let report = check(&packets, &events);
    assert_eq!(report.counts.of(Reason::MissedReply), 1);
    // One direction only.
    let from_client: Vec<Vec<u8>> = packets.into_iter().filter(|packet| packet[15] == 1).collect();
    check(&from_client, &events[..3]);
}

#[test]
fn what_is_sent_before_the_answer_is_named() {
    let talk = Talk::opened(CLIENT, SERVER)
        .client(&connect("a.example:443"))
        .client(&hello("b.example", 0))
        .server(OK)
        .closed();
    check(&talk, &[OPENED, "ConnectAuthority a.example:443", "TlsSni b.example:0 in tunnel", "closed"]);
}

#[test]
fn a_socks_proxy_is_asked_and_answers() {
    let talk = Talk::opened(CLIENT, SERVER)
        .client(b"\x05\x01\0")
        .server(b"\x05\0")
        .client(b"\x05\x01\0\x03\x09a.example\x01\xbb")
        .server(b"\x05\0\0\x01\0\0\0\0\0\0")
        .client(&hello("b.example", 0))
        .closed();
    let got = replay(&pcap(RAW, &talk));
    assert_eq!(got.events[1], "Socks5 a.example:443");
    assert_eq!(got.events[3..], ["TlsSni b.example:0 in tunnel", "closed"]);
}

#[test]
fn a_connection_that_is_refused_or_given_up_has_failed() {
    let syn = |from: &str, to: &str, flags| build::tcp(from.parse().unwrap(), to.parse().unwrap(), 7, flags, b"");
    let opens = build::Flags { syn: true, ..build::Flags::default() };
    let resets = build::Flags { rst: true, ack: Some(8), ..build::Flags::default() };
    check(&[syn(CLIENT, SERVER, opens), syn(SERVER, CLIENT, resets)], &["failed Refused"]);
    check(&[syn(CLIENT, SERVER, opens), syn(CLIENT, SERVER, resets)], &["failed Abandoned"]);
    // The capture ends before it turns out.
    check(&[syn(CLIENT, SERVER, opens), syn(CLIENT, SERVER, opens)], &[]);
}

#[test]
fn a_port_that_is_used_again_is_another_connection() {
    let first = Talk::opened(CLIENT, SERVER).client(&hello("a.example", 0)).packets;
    let mut second = Talk::joined(CLIENT, SERVER);
    second.sent = 77;
    let (client, server) = (CLIENT.parse().unwrap(), SERVER.parse().unwrap());
    let syn = build::Flags { syn: true, ..build::Flags::default() };
    second.packets.push(build::tcp(client, server, second.sent, syn, b""));
    second.sent += 1;
    let second = second.client(&hello("b.example", 0)).packets;
    let report =
        check(&[first, second].concat(), &[OPENED, "TlsSni a.example:0", "closed", OPENED, "TlsSni b.example:0"]);
    assert_eq!(report.connections, 2);
}

#[test]
fn packets_that_are_captured_twice_count_once() {
    let packets: Vec<Vec<u8>> = Talk::opened(CLIENT, SERVER)
        .client(&connect("a.example:443"))
        .server(OK)
        .client(&hello("b.example", 0))
        .closed()
        .into_iter()
        .flat_map(|packet| [packet.clone(), packet])
        .collect();
    let report = check(
        &packets,
        &[OPENED, "ConnectAuthority a.example:443", "replied HTTP/1.1 200", "TlsSni b.example:0 in tunnel", "closed"],
    );
    assert_eq!(report.connections, 1);
}

#[test]
fn what_a_snap_length_cut_off_is_missing() {
    let mut packets = Talk::opened(CLIENT, SERVER).client(&hello("a.example", 300)).closed();
    packets[3].truncate(200);
    let report = check(&packets, &[OPENED, "closed"]);
    assert_eq!(report.counts.of(Reason::Gap), 1);
    // The name comes before the cut.
    let mut packets = Talk::opened(CLIENT, SERVER).client(&connect("a.example:443")).closed();
    packets[3].truncate(75);
    check(&packets, &[OPENED, "ConnectAuthority a.example:443", "closed"]);
}

#[test]
fn rules_are_those_of_the_kernel_table() {
    let named = |mode, name: &str| {
        let talk = Talk::opened(CLIENT, SERVER)
            .client(&connect(&format!("{name}:443")))
            .server(OK)
            .client(&hello("evil.example", 0))
            .closed();
        replay_in(mode, &pcap(RAW, &talk)).events
    };
    let audited = named(Mode::Audit, "WWW.Evil.example");
    assert_eq!(
        audited[1..4],
        [
            "ConnectAuthority WWW.Evil.example:443 Audited by 1",
            "replied HTTP/1.1 200",
            "TlsSni evil.example:0 in tunnel Audited by 1"
        ]
    );
    // Nothing that follows would have been sent.
    let blocked = named(Mode::Block, "www.evil.example");
    assert_eq!(blocked[1..], ["ConnectAuthority www.evil.example:443 Blocked by 1", "closed"]);
    assert_eq!(named(Mode::Block, "only.example")[1], "ConnectAuthority only.example:443 Blocked by 2");
    assert_eq!(named(Mode::Block, "www.only.example")[1], "ConnectAuthority www.only.example:443");
    assert_eq!(named(Mode::Block, "notevil.example")[1], "ConnectAuthority notevil.example:443");
}

#[test]
fn a_name_with_urgent_data_in_it_is_not_guessed() {
    let talk = |mode| {
        let mut talk = Talk::opened(CLIENT, SERVER).client(b"CONNECT www.ev");
        let urgent = build::Flags { ack: Some(talk.received), urgent: true, ..build::Flags::default() };
        talk.push(true, urgent, b"x");
        talk.sent = talk.sent.wrapping_add(1);
        let talk = talk.client(b"il.example:443 HTTP/1.1\r\n\r\n").server(OK).client(&hello("evil.example", 0));
        replay_in(mode, &pcap(RAW, &talk.closed()))
    };
    let (audit, block) = (talk(Mode::Audit), talk(Mode::Block));
    assert_eq!(audit.events, [OPENED, "unreadable Audited", "closed"]);
    assert_eq!(block.events, [OPENED, "unreadable Blocked", "closed"]);
    assert_eq!(audit.report.counts.of(Reason::UrgentData), 1);
}

#[test]
fn many_connections_are_followed_within_bounds() {
    let mut packets = Vec::new();
    for number in 0..70_000u32 {
        let client = format!("10.{}.{}.1:{}", number >> 14, (number >> 6) & 0xff, 1024 + (number & 63));
        packets.push(Talk::opened(&client, SERVER).client(&hello("a.example", 0)[..50]).packets.remove(0));
    }
    let got = replay(&pcap(RAW, &packets));
    assert_eq!((got.report.connections, got.report.counts.of(Reason::Forgotten)), (70_000, 70_000 - 65_536));
}
