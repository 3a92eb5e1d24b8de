//! What connections send, and the names that it tells.

extern crate std;

use std::string::{String, ToString as _};
use std::vec::Vec;
use std::{format, vec};

use super::*;
use crate::limits::{CLEAR_TEXTS_MAX, MESSAGE_BYTES_MAX};
use crate::policy::{Mode, buckets_for, fill};
use crate::random::Random;

const KEY: Key = Key { seed: 1, multiplier: 3 };

/// A policy with these rules, all for domains.
fn policy(rules: &[&str]) -> Vec<Bucket> {
    let mut table = vec![Bucket::default(); 1 + buckets_for(rules.len())];
    assert!(fill(&mut table, KEY, Mode::Block, rules.iter().map(|rule| (*rule, false))));
    table
}

/// Every name and port that a connection tells which sends `pieces`, and where that leaves it.
fn run(pieces: &[&[u8]]) -> (Vec<(String, u32)>, Progress) {
    let (mut room, mut progress, mut names) = (Room::new(), Progress::NEW, Vec::new());
    let (mut seq, mut kept) = (u32::MAX - 20, Vec::new());
    let policy = policy(&[]);
    progress.opened(seq);
    for piece in pieces {
        room.message()[..kept.len()].copy_from_slice(&kept);
        room.segment(&mut progress, seq, piece, &policy, |told| {
            let name = String::from_utf8(told.name.to_ascii_lowercase()).unwrap();
            assert_eq!(told.name.is_empty(), told.source == crate::wire::NameSource::TlsSni as u32 && name.is_empty());
            names.push((name, told.port));
        });
        kept = room.message()[..progress.have as usize].to_vec();
        seq = seq.wrapping_add(piece.len() as u32);
    }
    (names, progress)
}

fn names(input: &[u8]) -> Vec<(String, u32)> {
    run(&[input]).0
}

fn one(name: &str, port: u32) -> Vec<(String, u32)> {
    vec![(name.to_string(), port)]
}

/// Also in two pieces, wherever it is cut.
fn check(input: &[u8], expect: &[(&str, u32)]) {
    let expect: Vec<_> = expect.iter().map(|(name, port)| (name.to_string(), *port)).collect();
    let (found, progress) = run(&[input]);
    assert_eq!(found, expect, "{}", String::from_utf8_lossy(input));
    for cut in 1..input.len() {
        let (one, two) = input.split_at(cut);
        let (found, after) = run(&[one, two]);
        assert_eq!(found, expect, "{} cut at {cut}", String::from_utf8_lossy(input));
        assert_eq!(after, progress, "{} cut at {cut}", String::from_utf8_lossy(input));
    }
}

/// A handshake message whose last extension is the server name, behind `pad` bytes of another.
fn handshake(name: &str, pad: usize) -> Vec<u8> {
    let mut extensions = vec![0, 0x15, (pad >> 8) as u8, pad as u8];
    extensions.extend(vec![0; pad]);
    let len = name.len() as u8;
    extensions.extend([0, 0, 0, len + 5, 0, len + 3, 0, 0, len]);
    extensions.extend(name.bytes());
    let mut body = vec![3, 3];
    body.extend([0u8; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0, (body.len() >> 8) as u8, body.len() as u8];
    message.extend(body);
    message
}

fn records(message: &[u8], size: usize) -> Vec<u8> {
    let record = |piece: &[u8]| [&[0x16, 3, 1, (piece.len() >> 8) as u8, piece.len() as u8], piece].concat();
    message.chunks(size).flat_map(record).collect()
}

#[test]
fn a_request_names_its_authority_wherever_it_is_cut() {
    check(b"CONNECT Example.com:443 HTTP/1.1\r\n\r\n", &[("example.com", 443)]);
    check(b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nA: b\r\n\r\n", &[("2001:db8::1", 8443)]);
    check(b"CONNECT 192.0.2.1:443 HTTP/1.1\n\n", &[("192.0.2.1", 443)]);
    check(b"GET http://example.com/ HTTP/1.1\r\n\r\n", &[("example.com", 0)]);
    check(b"GET HTTP://u:p@example.com:8080/x@y:z HTTP/1.1\r\n\r\n", &[("example.com", 8080)]);
    check(b"GET http://[::1]/ HTTP/1.1\r\n\r\n", &[("::1", 0)]);
    check(b"GET /a:b HTTP/1.1\r\nX: y\r\nhOsT:  a.example.com:81\r\n\r\n", &[("a.example.com", 81)]);
    check(b"OPTIONS * HTTP/1.1\nHost:a.b.\n\n", &[("a.b", 0)]);
}

#[test]
fn what_is_no_request_has_no_name() {
    for input in [
        b"GET / HTTP/1.1\r\nX: y\r\n\r\n".as_slice(),
        b"CONNECT :443 HTTP/1.1\r\n\r\n",
        b"connect example.com:443 HTTP/1.1\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"\0\0\0\0",
        b"\x05\0\x05\x01\0\x01\x01\x02\x03\x04\0\x50",
        b"\x04\x09\0\x50\x01\x02\x03\x04\0",
    ] {
        assert_eq!(names(input), [], "{}", String::from_utf8_lossy(input));
    }
}

#[test]
fn each_request_of_a_kept_alive_connection_has_a_name_also_when_they_are_pipelined() {
    let requests = b"GET http://a.example/ HTTP/1.1\r\nX: y\r\n\r\nPOST http://b.example:81/ HTTP/1.1\r\n\
        Content-Length:  34\r\n\r\nGET http://body.example HTTP/1.1\r\nGET / HTTP/1.0\r\nHost: c.example\r\n\r\n";
    check(requests, &[("a.example", 0), ("b.example", 81), ("c.example", 0)]);
}

/// What a client says before its hello, one message an item; the server answers each.
fn talk(messages: &[&[u8]]) -> (Vec<(String, u32)>, Progress) {
    let (mut room, mut progress, mut names) = (Room::new(), Progress::NEW, Vec::new());
    let (mut seq, policy) = (7, policy(&[]));
    progress.opened(seq);
    for message in messages {
        let mut kept = Vec::new();
        for piece in [&message[..message.len() / 2], &message[message.len() / 2..]] {
            room.message()[..kept.len()].copy_from_slice(&kept);
            room.segment(&mut progress, seq, piece, &policy, |told| {
                names.push((String::from_utf8(told.name.to_vec()).unwrap(), told.service));
            });
            kept = room.message()[..progress.have as usize].to_vec();
            seq = seq.wrapping_add(piece.len() as u32);
        }
        if progress.awaits_reply() {
            progress.reply = progress.reply_of(&[0; 12], 1);
        }
    }
    (names, progress)
}

#[test]
fn a_hello_behind_clear_text_has_its_name_and_the_protocol() {
    use starttls::Service::{Ftp, Imap, Pop3, Postgresql, Smtp};
    let hello = &records(&handshake("mail.example", 40), 16_384)[..];
    let ssl_request = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f][..];
    for (talks, service) in [
        (&[&b"EHLO me\r\n"[..], b"STARTTLS\r\n"][..], Smtp),
        // Refused, and asked for again behind commands that are not known.
        (&[b"EHLO me\r\n", b"STARTTLS\r\n", b"VRFY a\r\n", b"HELP\r\n", b"STARTTLS\r\n"], Smtp),
        (&[b"EHLO me\r\nSTARTTLS\r\n"], Smtp),
        (&[b"a1 CAPABILITY\r\n", b"a2 STARTTLS\r\n"], Imap),
        (&[b"USER me\r\n", b"PASS secret\r\n", b"STLS\r\n"], Pop3),
        (&[b"AUTH TLS\r\n"], Ftp),
        (&[ssl_request], Postgresql),
    ] {
        let (names, progress) = talk(&[talks, &[hello]].concat());
        assert_eq!(names, [("mail.example".to_string(), service as u32)]);
        assert_eq!(progress.stage, Stage::Settled);
        // Without an answer in between, as long as every message is known.
        if talks.len() == 1 {
            assert_eq!(run(&[&[talks[0], hello].concat()]).0, one("mail.example", 0));
        }
    }
}

#[test]
fn clear_text_that_goes_on_and_on_is_given_up() {
    let hello = records(&handshake("mail.example", 40), 16_384);
    for (commands, expect) in [(CLEAR_TEXTS_MAX - 1, 1), (CLEAR_TEXTS_MAX, 0)] {
        let mut messages = vec![&b"NOOP\r\n"[..]; commands as usize];
        messages.push(&hello);
        let (names, progress) = talk(&messages);
        assert_eq!((names.len(), progress.stage), (expect, Stage::Settled), "behind {commands} messages");
    }
}

#[test]
fn clear_text_inside_a_tunnel_leads_to_a_hello_as_well() {
    let connect = b"CONNECT mail.example:25 HTTP/1.1\r\n\r\n";
    let hello = &records(&handshake("inner.example", 40), 16_384)[..];
    let (names, progress) = run(&[connect, b"EHLO me\r\n", b"STARTTLS\r\n", hello]);
    assert_eq!(names, [("mail.example".to_string(), 25), ("inner.example".to_string(), 0)]);
    assert_eq!(progress.in_tunnel, 1);
}

#[test]
fn what_lenient_proxies_take_for_a_request_is_one() {
    for request in [
        "CONNECT  a.example:1 HTTP/1.1\r\n\r\n",
        "CONNECT\ta.example:1 HTTP/1.1\r\n\r\n",
        "\r\nCONNECT \t a.example:1\tHTTP/1.1\r\n\r\n",
        "\n\nGET  http://a.example:1/ HTTP/1.1\n\n",
        "\r\n\r\nGET   / HTTP/1.1\r\nHost: a.example:1\r\n\r\n",
    ] {
        check(request.as_bytes(), &[("a.example", 1)]);
    }
    // An empty line behind a body, as old clients send it.
    let two =
        b"POST http://a.example/ HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\r\nGET http://b.example/ HTTP/1.1\r\n\r\n";
    check(two, &[("a.example", 0), ("b.example", 0)]);
    let request = |ends: usize, blanks: usize| {
        format!("{}CONNECT{}a.example:1 HTTP/1.1\r\n\r\n", "\n".repeat(ends), " ".repeat(blanks))
    };
    for (ends, blanks, found) in [(8, 1, true), (9, 1, false), (0, 33, true), (0, 34, false)] {
        let expect = if found { one("a.example", 1) } else { Vec::new() };
        assert_eq!(names(request(ends, blanks).as_bytes()), expect, "{ends} {blanks}");
    }
}

#[test]
fn a_body_of_unknown_length_is_no_request() {
    let post = b"POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (found, progress) = run(&[post, b"GET http://body.example/ HTTP/1.1\r\n\r\n"]);
    assert_eq!((found, progress.loose, progress.stage), (one("a.example", 0), 1, Stage::Http));
    let (found, progress) = run(&[b"POST http://a.example/ HTTP/1.1\r\nContent-Length: 1x\r\n\r\n"]);
    assert_eq!((found.len(), progress.loose), (1, 0));
    let (_, progress) = run(&[b"POST http://a.example/ HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n"]);
    assert_eq!(progress.loose, 1);
}

#[test]
fn a_host_field_far_behind_is_found_and_one_too_far_is_not() {
    let request = |pad: usize| format!("GET / HTTP/1.1\r\nX: {}\r\nHost: far.example\r\n\r\n", "y".repeat(pad));
    for pad in [0, 1000, 1020, 1022, 1030, 5000, 8000] {
        assert_eq!(names(request(pad).as_bytes()), one("far.example", 0), "{pad}");
    }
    let (found, progress) = run(&[request(9000).as_bytes()]);
    assert_eq!((found.len(), progress.stage), (0, Stage::Settled));
}

#[test]
fn what_follows_a_connect_at_once_is_inside_the_tunnel() {
    let hello = records(&handshake("inner.example", 0), MESSAGE_BYTES_MAX);
    let input = [b"CONNECT a.example:443 HTTP/1.1\r\nA: b\r\n\r\n".as_slice(), &hello].concat();
    check(&input, &[("a.example", 443), ("inner.example", 0)]);
    assert_eq!(run(&[&input]).1.in_tunnel, 1);
}

#[test]
fn a_socks_request_names_its_target_wherever_it_is_cut() {
    let greeting = b"\x05\x02\0\x02".as_slice();
    let credentials = b"\x01\x04user\x06secret".as_slice();
    let request = b"\x05\x01\0\x03\x0cevil.example\x01\xbb".as_slice();
    check(&[greeting, request].concat(), &[("evil.example", 443)]);
    check(&[greeting, credentials, request].concat(), &[("evil.example", 443)]);
    check(b"\x04\x01\0\x50\0\0\0\x01me\0evil.example\0", &[("evil.example", 80)]);
    let (_, progress) = run(&[greeting, credentials, request]);
    assert_eq!((progress.stage, progress.socks), (Stage::AwaitProxyReply, 5));
    let by_address = b"\x05\x01\0\x01AAAA\0\x50".as_slice();
    assert_eq!(run(&[greeting, by_address]).0, one("aaaa", 80));
    assert_eq!(names(b"\x04\x01\0\x50AAAA\0"), one("aaaa", 80));
}

#[test]
fn a_hello_is_named_in_one_record_or_in_many() {
    for pad in [0, 1700, 15900] {
        let message = handshake("deep.example.com", pad);
        let whole = records(&message, MESSAGE_BYTES_MAX);
        assert_eq!(names(&whole), one("deep.example.com", 0));
        assert_eq!(names(&whole[..whole.len() - 1]), []);
        for size in [5, 100, 1000] {
            let many = records(&message, size);
            if many.len() < MESSAGE_BYTES_MAX && message.len() / size < 20 {
                assert_eq!(names(&many), one("deep.example.com", 0), "{pad} {size}");
            }
        }
    }
    check(&records(&handshake("cut.example", 30), MESSAGE_BYTES_MAX), &[("cut.example", 0)]);
}

#[test]
fn a_hello_without_a_name_is_told_without_one() {
    assert_eq!(names(&records(&handshake("", 0), MESSAGE_BYTES_MAX)), one("", 0));
}

#[test]
fn every_suffix_of_a_name_is_hashed() {
    let mut room = Room::new();
    let mut progress = Progress::NEW;
    progress.opened(0);
    room.segment(&mut progress, 0, b"CONNECT a.bc.example:1 HTTP/1.1\r\n\r\n", &policy(&[]), |_| {});
    let hashes = ["example", "bc.example", "a.bc.example"].map(|name| name::hash_of(KEY, name.as_bytes()));
    assert_eq!(&room.work.hashes[..room.work.labels as usize], hashes);
}

#[test]
fn a_listed_name_ends_the_connection_wherever_in_it_it_is_told() {
    let policy = policy(&["evil.example"]);
    let hello = records(&handshake("www.evil.example", 0), MESSAGE_BYTES_MAX);
    let get = b"GET http://evil.example/ HTTP/1.1\r\n\r\n".as_slice();
    for input in [
        b"CONNECT a.evil.example:443 HTTP/1.1\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_vec(),
        b"\x05\x01\0\x05\x01\0\x03\x0cevil.example\x01\xbb".to_vec(),
        hello.clone(),
        [b"CONNECT good.example:443 HTTP/1.1\r\n\r\n".as_slice(), &hello].concat(),
        [b"GET http://good.example/ HTTP/1.1\r\n\r\n".as_slice(), get].concat(),
    ] {
        let (mut room, mut progress, mut verdicts) = (Room::new(), Progress::NEW, Vec::new());
        progress.opened(0);
        assert!(room.segment(&mut progress, 0, &input, &policy, |told| verdicts.push((told.verdict, told.rule))));
        assert_eq!(verdicts.last(), Some(&(Verdict::Blocked, 0)), "{}", input.escape_ascii());
        assert_eq!(progress.stage, Stage::Blocked);
        assert!(room.segment(&mut progress, input.len() as u32, b"more", &policy, |_| {}), "nothing leaves any more");
    }
    let mut progress = Progress::NEW;
    progress.opened(0);
    let passes = b"CONNECT notevil.example:443 HTTP/1.1\r\n\r\n";
    assert!(
        !Room::new().segment(&mut progress, 0, passes, &policy, |told| assert_eq!(told.verdict, Verdict::Unlisted))
    );
}

#[test]
fn no_mutation_of_a_message_panics() {
    let seeds = [
        records(&handshake("mutant.example", 100), 60),
        records(&handshake("mutant.example", 900), MESSAGE_BYTES_MAX),
        b"CONNECT mutant.example.com:443 HTTP/1.1\r\n\r\n".to_vec(),
        b"GET http://user:pw@[2001:db8::1]:8080/a@b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
        format!("GET / HTTP/1.1\r\nA: {}\r\nHost: \thost.example.:81\r\n\r\n", "b".repeat(300)).into_bytes(),
        b"\x05\x01\0\x05\x01\0\x03\x0cevil.example\x01\xbb".to_vec(),
        b"\x04\x01\0\x50\0\0\0\x01me\0evil.example\0".to_vec(),
    ];
    let mut random = Random::new();
    let policy = policy(&["mutant.example"]);
    for _ in 0..20_000 {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..random.below(6) {
            let at = random.below(input.len());
            input[at] = random.below(256) as u8;
        }
        input.truncate(1 + random.below(input.len()));
        let cut = random.below(input.len());
        let mut room = Room::new();
        let mut progress = Progress::NEW;
        progress.opened(7);
        let check = |told: &Told<'_>| {
            assert!(told.name.len() <= crate::limits::NAME_BYTES_MAX);
        };
        room.segment(&mut progress, 7, &input[..cut], &policy, check);
        room.segment(&mut progress, 7 + cut as u32, &input[cut..], &policy, check);
    }
}
