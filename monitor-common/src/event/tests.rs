//! Bytes and the events that they are, or why they are none.

extern crate std;

use std::vec::Vec;

use super::*;

#[repr(align(8))]
struct Aligned([u8; 1024]);

/// Decodes from aligned memory, as the ring buffer gives it.
fn check(bytes: &[u8], expect: Result<&str, DecodeError>) {
    let mut aligned = Aligned([0; 1024]);
    aligned.0[..bytes.len()].copy_from_slice(bytes);
    let got = decode(&aligned.0[..bytes.len()]).map(|event| match event.body {
        Body::Attempted { .. } => "attempted".into(),
        Body::Established { .. } => "established".into(),
        Body::Doomed { .. } => "doomed".into(),
        Body::Accepted { .. } => "accepted".into(),
        Body::Listening { .. } => "listening".into(),
        Body::Closed { sent, received } => std::format!("closed {sent} {received}"),
        Body::Failed { reason, .. } => std::format!("failed {reason:?}"),
        Body::RawSocket { protocol, .. } => std::format!("raw {protocol}"),
        Body::Unreadable { verdict, .. } => std::format!("unreadable {verdict:?}"),
        Body::Replied { socks, bytes } => std::format!("replied {socks} {}", bytes.escape_ascii()),
        Body::Datagram { is_inbound, segment_bytes, payload, .. } => {
            std::format!("datagram {is_inbound} {segment_bytes} {}", payload.escape_ascii())
        }
        Body::Named { source, port, in_tunnel, is_address, verdict, rule, name, hello, service, .. } => std::format!(
            "{source:?} {port} {in_tunnel} {is_address} {verdict:?} {rule} {} {} {service:?}",
            name.escape_ascii(),
            hello.escape_ascii()
        ),
    });
    assert_eq!(got.as_deref().map_err(|error| *error), expect);
}

fn header(kind: Kind) -> Header {
    Header { kind: kind as u32, ..Header::EMPTY }
}

fn origin_of(family: u32) -> Origin {
    Origin { endpoints: Endpoints { family, ..Endpoints::EMPTY }, ..Origin::EMPTY }
}

fn opened(kind: Kind, family: u32) -> Vec<u8> {
    Opened { header: header(kind), origin: origin_of(family) }.as_bytes().to_vec()
}

fn named(change: impl FnOnce(&mut Named)) -> Vec<u8> {
    let (header, origin) = (header(Kind::Named), origin_of(4));
    let mut named = Named {
        header,
        origin,
        source: 4,
        port: 443,
        flags: IN_TUNNEL,
        verdict: 2,
        rule: 7,
        name_len: 4,
        hello_len: 5,
        service: 5,
    };
    change(&mut named);
    [named.as_bytes(), b"a.bc\0\0\0\0hello\0\0\0"].concat()
}

fn replied(len: u32) -> Replied {
    let mut bytes = [0; REPLY_BYTES_MAX];
    bytes[..8].copy_from_slice(b"HTTP/1.1");
    Replied { header: header(Kind::Replied), socks: 0, len, bytes }
}

fn numbered(kind: Kind, number: u32) -> Vec<u8> {
    Numbered { header: header(kind), origin: origin_of(4), number, _pad: 0 }.as_bytes().to_vec()
}

fn datagram(len: u32, segment_bytes: u32) -> Vec<u8> {
    let (header, origin) = (header(Kind::Datagram), origin_of(6));
    let datagram = Datagram { header, origin, is_inbound: 1, segment_bytes, len, is_tcp: 0 };
    [datagram.as_bytes(), b"abcdefgh"].concat()
}

#[test]
fn events_are_decoded() {
    check(&opened(Kind::Attempted, 4), Ok("attempted"));
    check(&opened(Kind::Established, 4), Ok("established"));
    check(&opened(Kind::Doomed, 6), Ok("doomed"));
    check(&opened(Kind::Accepted, 4), Ok("accepted"));
    check(&opened(Kind::Listening, 6), Ok("listening"));
    check(Closed { header: header(Kind::Closed), sent: 1, received: 2 }.as_bytes(), Ok("closed 1 2"));
    check(&numbered(Kind::Failed, 1), Ok("failed Refused"));
    check(&numbered(Kind::Unreadable, 2), Ok("unreadable Blocked"));
    check(&numbered(Kind::RawSocket, 58), Ok("raw 58"));
    check(replied(8).as_bytes(), Ok("replied 0 HTTP/1.1"));
    check(&datagram(3, 0), Ok("datagram true 0 abc"));
    check(&named(|_| {}), Ok("TlsSni 443 true false Blocked 7 a.bc hello Some(Postgresql)"));
}

#[test]
fn what_is_no_event_says_why() {
    check(&[], Err(DecodeError::Truncated));
    check(&header(Kind::Closed).as_bytes()[1..], Err(DecodeError::Truncated));
    check(header(Kind::Named).as_bytes(), Err(DecodeError::WrongLength));
    check(header(Kind::Established).as_bytes(), Err(DecodeError::WrongLength));
    check(header(Kind::Closed).as_bytes(), Err(DecodeError::WrongLength));
    check(Header { kind: 99, ..Header::EMPTY }.as_bytes(), Err(DecodeError::UnknownKind(99)));
    check(&opened(Kind::Established, 0), Err(DecodeError::UnknownFamily(0)));
    check(&named(|named| named.origin = origin_of(5)), Err(DecodeError::UnknownFamily(5)));
    check(&named(|named| named.source = 9), Err(DecodeError::UnknownSource(9)));
    check(&named(|named| named.service = 99), Err(DecodeError::UnknownService(99)));
    check(&named(|named| named.verdict = 9), Err(DecodeError::UnknownVerdict(9)));
    check(&named(|named| (named.source, named.name_len, named.hello_len) = (1, 0, 9)), Err(DecodeError::NameLength(0)));
    check(&named(|named| named.name_len = 17), Err(DecodeError::NameLength(17)));
    check(&named(|named| named.hello_len = 9), Err(DecodeError::NameLength(9)));
    check(&numbered(Kind::Failed, 9), Err(DecodeError::UnknownReason(9)));
    check(&numbered(Kind::Unreadable, 9), Err(DecodeError::UnknownVerdict(9)));
    check(&numbered(Kind::RawSocket, 65536), Err(DecodeError::NumberRange(65536)));
    check(&datagram(9, 0), Err(DecodeError::NumberRange(9)));
    check(&datagram(3, 65536), Err(DecodeError::NumberRange(65536)));
    check(&named(|named| named.name_len = u32::MAX), Err(DecodeError::NameLength(u32::MAX)));
    check(&[&named(|_| {})[..], &[0; 8]].concat(), Err(DecodeError::WrongLength));
    check(&named(|named| named.port = 65536), Err(DecodeError::NumberRange(65536)));
    check(replied(257).as_bytes(), Err(DecodeError::NumberRange(257)));
}

#[test]
fn no_mutation_of_an_event_panics() {
    let seed = named(|_| {});
    for at in 0..seed.len() {
        for byte in [0, 1, 4, 6, 0x7f, 0xff] {
            let mut bytes = seed.clone();
            bytes[at] = byte;
            let mut aligned = Aligned([0; 1024]);
            aligned.0[..bytes.len()].copy_from_slice(&bytes);
            for len in [bytes.len(), at, at + 1] {
                if let Ok(Event { body: Body::Named { name, .. }, .. }) = decode(&aligned.0[..len]) {
                    assert!(name.len() <= 16);
                }
            }
        }
    }
}
