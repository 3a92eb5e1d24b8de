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
        Body::Established { .. } => "established".into(),
        Body::Doomed { .. } => "doomed".into(),
        Body::Closed => "closed".into(),
        Body::Replied { status } => std::format!("replied {status}"),
        Body::Named { source, port, in_tunnel, verdict, rule, name, .. } => {
            std::format!("{source:?} {port} {in_tunnel} {verdict:?} {rule} {}", name.escape_ascii())
        }
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
    let mut named = Named { header, origin, source: 4, port: 443, in_tunnel: 1, verdict: 2, rule: 7, name_len: 4 };
    change(&mut named);
    [named.as_bytes(), b"a.bc\0\0\0\0"].concat()
}

#[test]
fn events_are_decoded() {
    check(&opened(Kind::Established, 4), Ok("established"));
    check(&opened(Kind::Doomed, 6), Ok("doomed"));
    check(header(Kind::Closed).as_bytes(), Ok("closed"));
    check(Replied { header: header(Kind::Replied), status: 407, _pad: 0 }.as_bytes(), Ok("replied 407"));
    check(&named(|_| {}), Ok("TlsSni 443 true Blocked 7 a.bc"));
}

#[test]
fn what_is_no_event_says_why() {
    check(&[], Err(DecodeError::Truncated));
    check(&header(Kind::Closed).as_bytes()[1..], Err(DecodeError::Truncated));
    check(header(Kind::Named).as_bytes(), Err(DecodeError::WrongLength));
    check(header(Kind::Established).as_bytes(), Err(DecodeError::WrongLength));
    check(&[header(Kind::Closed).as_bytes(), &[0; 8]].concat(), Err(DecodeError::WrongLength));
    check(Header { kind: 99, ..Header::EMPTY }.as_bytes(), Err(DecodeError::UnknownKind(99)));
    check(&opened(Kind::Established, 0), Err(DecodeError::UnknownFamily(0)));
    check(&named(|named| named.origin = origin_of(5)), Err(DecodeError::UnknownFamily(5)));
    check(&named(|named| named.source = 9), Err(DecodeError::UnknownSource(9)));
    check(&named(|named| named.verdict = 9), Err(DecodeError::UnknownVerdict(9)));
    check(&named(|named| named.name_len = 0), Err(DecodeError::NameLength(0)));
    check(&named(|named| named.name_len = 9), Err(DecodeError::NameLength(9)));
    check(&named(|named| named.name_len = u32::MAX), Err(DecodeError::NameLength(u32::MAX)));
    check(&[&named(|_| {})[..], &[0; 8]].concat(), Err(DecodeError::WrongLength));
    check(&named(|named| named.port = 65536), Err(DecodeError::NumberRange(65536)));
    let replied = Replied { header: header(Kind::Replied), status: 1000, _pad: 0 };
    check(replied.as_bytes(), Err(DecodeError::NumberRange(1000)));
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
                    assert!(!name.is_empty() && name.len() <= 8);
                }
            }
        }
    }
}
