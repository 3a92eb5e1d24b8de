//! Every request whole and cut at each byte, what comes before it, and what is none.

extern crate std;

use std::vec::Vec;

use super::Upgrade::{Continue, NeedMore, No, Requested};
use super::*;
use crate::limits::BUFFER_BYTES;
use crate::random::Random;
use crate::wire::{Outcome, http};

fn run(input: &[u8]) -> Upgrade {
    let mut bytes = [0u8; BUFFER_BYTES];
    bytes[..input.len()].copy_from_slice(input);
    upgrade(&Prefix::new(&bytes, input.len()), &mut Work::new())
}

/// The message says so as a whole, and wherever it is cut that more is needed.
#[track_caller]
fn check(input: &[u8], says: impl Fn(usize) -> Upgrade) {
    assert_eq!(run(input), says(input.len()), "{}", input.escape_ascii());
    for cut in 0..input.len() {
        assert_eq!(run(&input[..cut]), NeedMore, "{} cut at {cut}", input.escape_ascii());
    }
}

/// An LDAP StartTLS request with the given beginning.
fn ldap_request(head: &[u8]) -> Vec<u8> {
    [head, b"1.3.6.1.4.1.1466.20037"].concat()
}

fn mysql_request(capabilities: u8) -> [u8; MYSQL_REQUEST_BYTES] {
    let mut packet = [0; MYSQL_REQUEST_BYTES];
    packet[..13].copy_from_slice(&[32, 0, 0, 1, 0x85, capabilities, 0xbf, 0x19, 0, 0, 0, 1, 45]);
    packet
}

#[test]
fn a_command_asks_for_tls() {
    for line in ["STARTTLS\r\n", "starttls\n", "STLS\r\n", "AUTH TLS\r\n", "AUTH SSL\r\n", "auth tls-c\r\n"] {
        check(line.as_bytes(), Requested);
    }
    for line in ["a001 STARTTLS\r\n", ". STARTTLS\r\n", "0 starttls\r\n", "00000001 StartTLS\r\n", "A.1 STARTTLS\n"] {
        check(line.as_bytes(), Requested);
    }
    check(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", Requested);
}

#[test]
fn a_packet_asks_for_tls() {
    check(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], Requested);
    check(&mysql_request(0xae), Requested);
    check(&ldap_request(&[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16]), Requested);
    check(&ldap_request(&[0x30, 0x81, 0x1e, 2, 2, 1, 1, 0x77, 0x18, 0x80, 0x16]), Requested);
    check(&ldap_request(&[0x30, 0x84, 0, 0, 0, 0x21, 2, 1, 1, 0x77, 0x84, 0, 0, 0, 0x18, 0x80, 0x16]), Requested);
}

#[test]
fn what_comes_before_a_request_leaves_it_open() {
    for line in ["EHLO client.example\r\n", "HELO a\r\n", "LHLO a\r\n", "CAPA\r\n", "CAPABILITIES\r\n", "FEAT\r\n"] {
        check(line.as_bytes(), Continue);
    }
    for line in
        ["MODE READER\r\n", "NOOP\r\n", "USER a\r\n", "a CAPABILITY\r\n", ". noop\r\n", "1 ID (\"name\" \"x\")\r\n"]
    {
        check(line.as_bytes(), Continue);
    }
    check(b"<stream:stream xmlns='jabber:client' to='a.example' version='1.0'>", Continue);
    check(b"<?xml version='1.0'?>", Continue);
    check(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30], Continue);
}

#[test]
fn a_hello_behind_a_request_of_fixed_size_is_not_part_of_it() {
    assert_eq!(run(&[&mysql_request(0xae)[..], &[0x16, 3, 1]].concat()), Requested(36));
    assert_eq!(run(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f, 0x16, 3, 1]), Requested(8));
    let ldap = ldap_request(&[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16]);
    assert_eq!(run(&[&ldap[..], &[0x16, 3, 1]].concat()), Requested(31));
}

#[test]
fn a_line_ends_where_the_next_one_begins() {
    assert_eq!(run(b"EHLO a.example\r\nSTARTTLS\r\n"), Continue(16));
    assert_eq!(run(b"STARTTLS\r\n\x16\x03\x01"), Requested(10));
    assert_eq!(run(b"<?xml version='1.0'?><stream:stream to='a'>"), Continue(21));
}

#[test]
fn a_word_tells_whose_it_is_unless_several_have_it() {
    for (line, service) in [
        ("EHLO a\r\n", Some(Service::Smtp)),
        ("lhlo a\r\n", Some(Service::Lmtp)),
        ("STARTTLS\r\n", None),
        ("noop\r\n", None),
        ("CAPA\r\n", Some(Service::Pop3)),
        ("CAPABILITIES\r\n", Some(Service::Nntp)),
        ("STLS\r\n", Some(Service::Pop3)),
        ("AUTH TLS\r\n", Some(Service::Ftp)),
        ("a STARTTLS\r\n", Some(Service::Imap)),
        ("<starttls/>", Some(Service::Xmpp)),
    ] {
        check_service(line.as_bytes(), service);
    }
    check_service(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], Some(Service::Postgresql));
    check_service(&mysql_request(0xae), Some(Service::Mysql));
    check_service(&ldap_request(&[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16]), Some(Service::Ldap));
}

#[track_caller]
fn check_service(input: &[u8], service: Option<Service>) {
    let mut bytes = [0u8; BUFFER_BYTES];
    bytes[..input.len()].copy_from_slice(input);
    let mut work = Work::new();
    upgrade(&Prefix::new(&bytes, input.len()), &mut work);
    assert_eq!(Service::from_number(work.service), service, "{}", input.escape_ascii());
}

#[test]
fn other_words_are_past_the_point_or_another_protocol() {
    for line in ["a LOGIN user\r\n", "PASS a\r\n", "MAIL FROM:<a@b.example>\r\n", "AUTH PLAIN AGEA\r\n", "PING\r\n"] {
        assert_eq!(run(line.as_bytes()), No, "{line}");
    }
    for line in ["SSH-2.0-OpenSSH_9.2p1\r\n", "SSH-2.0-a b\r\n", "a IDLE\r\n", "(a STARTTLS\r\n", " STARTTLS\r\n"] {
        assert_eq!(run(line.as_bytes()), No, "{line}");
    }
    assert_eq!(run(b"<html>"), No);
    assert_eq!(run(&[0, 0, 0, 9, 0, 3, 0, 0]), No);
    assert_eq!(run(&mysql_request(0xa6)), No);
    assert_eq!(run(&ldap_request(&[0x30, 0x1d, 2, 1, 1, 0x60, 0x18, 0x80, 0x16])), No);
    // A simple bind without a name.
    assert_eq!(run(&[0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0]), No);
    assert_eq!(run(&[0x30, 0x82, 1, 0, 2, 1, 1, 0x63]), No);
    assert_eq!(run(&[0x16, 3, 1, 0, 0xc0, 1]), No);
    let long = [b"EHLO ".as_slice(), &[b'a'; CLEAR_TEXT_LINE_BYTES_MAX], b"\r\n"].concat();
    assert_eq!(run(&long), No);
}

#[test]
fn no_request_of_http_is_taken_for_another_protocol() {
    let words = ["GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "CONNECT a.example:443 HTTP/1.1\r\n\r\n"];
    for word in words.into_iter().chain(["OPTIONS * HTTP/1.1\r\n", "POST http://a.example/ HTTP/1.1\r\n"]) {
        for cut in 0..=word.len() {
            assert!(matches!(run(&word.as_bytes()[..cut]), NeedMore | No), "{word} cut at {cut}");
        }
    }
}

#[test]
fn no_mutation_is_taken_for_http_as_well() {
    let seeds: [&[u8]; 8] = [
        b"STARTTLS\r\n",
        b"a001 STARTTLS\r\n",
        b"AUTH TLS\r\n",
        b"EHLO client.example\r\n",
        b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        &mysql_request(0xae),
        &ldap_request(&[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16]),
    ];
    let mut random = Random::new();
    let mut bytes = [0u8; BUFFER_BYTES];
    for _ in 0..200_000 {
        let mut input = seeds[random.below(seeds.len())].to_vec();
        for _ in 0..random.below(4) {
            let at = random.below(input.len());
            input[at] = random.below(256) as u8;
        }
        input.truncate(1 + random.below(input.len() + 8));
        bytes[..input.len()].copy_from_slice(&input);
        let p = Prefix::new(&bytes, input.len());
        if let Requested(len) | Continue(len) = upgrade(&p, &mut Work::new()) {
            assert!(len <= input.len());
            let as_http = http::request(&p, &mut Work::new());
            assert!(matches!(as_http, Outcome::Other | Outcome::NeedMore), "{}", input.escape_ascii());
        }
    }
}
