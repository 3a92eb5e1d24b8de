//! The kernel programs' way through the parsers in one function: what they must agree with, byte for byte.

use super::{NameSource, Outcome, Prefix, Work, http, name, tls};
use crate::limits::{BUFFER_BYTES, RECORD_STEPS_MAX};
use crate::policy::Key;

/// Looks at the first `len` bytes of a message. On [`Outcome::Name`], `work` holds the name, its port, its source and the
/// hashes of its suffixes. `unrecorded` is room for a hello without its record headers.
pub fn inspect(
    bytes: &[u8; BUFFER_BYTES],
    len: usize,
    unrecorded: &mut [u8; BUFFER_BYTES],
    work: &mut Work,
    key: Key,
) -> Outcome {
    let first = Prefix::new(bytes, len);
    let mut from = bytes;
    let mut outcome = if bytes[0] == tls::HANDSHAKE { tls::hello(&first, work) } else { http::request(&first, work) };
    if outcome == Outcome::Fragmented {
        tls::start(work);
        for _ in 0..RECORD_STEPS_MAX {
            match tls::step(&first, work) {
                tls::Step::Copy { from, to, len } => unrecorded[to..to + len].copy_from_slice(&bytes[from..from + len]),
                tls::Step::Header => {}
                tls::Step::Done => break,
            }
        }
        outcome = tls::body(&Prefix::new(unrecorded, work.to as usize), work);
        from = unrecorded;
    } else if outcome == Outcome::Name && work.source != NameSource::TlsSni as u32 {
        outcome = http::authority(&first, work);
    }
    if outcome == Outcome::Name {
        let start = work.start as usize;
        work.name.copy_from_slice(&from[start..start + 256]);
        outcome = name::suffixes(work, key);
    }
    outcome
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::{String, ToString as _};
    use std::vec::Vec;
    use std::{format, vec};

    use super::*;
    use crate::limits::MESSAGE_BYTES_MAX;

    const KEY: Key = Key { seed: 1, multiplier: 3 };

    /// Name and port, or why not.
    fn run(input: &[u8]) -> Result<(String, u32), Outcome> {
        let (mut work, mut unrecorded, mut bytes) = (Work::new(), [0u8; BUFFER_BYTES], [0u8; BUFFER_BYTES]);
        bytes[..input.len()].copy_from_slice(input);
        match inspect(&bytes, input.len(), &mut unrecorded, &mut work, KEY) {
            Outcome::Name => {
                let name = String::from_utf8(work.name[..work.len as usize].to_ascii_lowercase()).unwrap();
                let starts = (0..name.len()).rev().filter(|i| *i == 0 || name.as_bytes()[i - 1] == b'.');
                let hashes: Vec<u64> = starts.map(|i| name::hash_of(KEY, &name.as_bytes()[i..])).collect();
                assert_eq!(&work.hashes[..work.labels as usize], hashes);
                Ok((name, work.port))
            }
            outcome => Err(outcome),
        }
    }

    fn check_request(input: &str, name: &str, port: u32) {
        assert_eq!(run(input.as_bytes()), Ok((name.to_string(), port)), "{input}");
        for cut in 0..input.len() {
            let result = run(&input.as_bytes()[..cut]);
            let complete = result == Ok((name.to_string(), port));
            assert!(complete || result == Err(Outcome::NeedMore), "{input} cut at {cut}: {result:?}");
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
        check_request("CONNECT Example.com:443 HTTP/1.1\r\n", "example.com", 443);
        check_request("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n", "2001:db8::1", 8443);
        check_request("CONNECT 192.0.2.1:443 HTTP/1.1\r\n", "192.0.2.1", 443);
        check_request("GET http://example.com/ HTTP/1.1\r\n", "example.com", 0);
        check_request("GET HTTP://u:p@example.com:8080/x@y:z HTTP/1.1\r\n", "example.com", 8080);
        check_request("GET http://[::1]/ HTTP/1.1\r\n", "::1", 0);
        check_request("GET /a:b HTTP/1.1\r\nX: y\r\nhOsT:  a.example.com:81\r\n", "a.example.com", 81);
        check_request("OPTIONS * HTTP/1.1\nHost:a.b.\n\n", "a.b", 0);
    }

    #[test]
    fn what_is_no_request_has_no_name() {
        assert_eq!(run(b"GET / HTTP/1.1\r\nX: y\r\n\r\n"), Err(Outcome::NoName));
        assert_eq!(run(b"CONNECT :443 HTTP/1.1\r\n"), Err(Outcome::NoName));
        assert_eq!(run(b"connect example.com:443 HTTP/1.1\r\n"), Err(Outcome::Other));
        assert_eq!(run(b"SSH-2.0-x\r\n"), Err(Outcome::Other));
        assert_eq!(run(b"\0\0\0\0"), Err(Outcome::Other));
    }

    #[test]
    fn a_hello_is_named_in_one_record_or_in_many() {
        for pad in [0, 1700, 15900] {
            let message = handshake("deep.example.com", pad);
            let one = records(&message, MESSAGE_BYTES_MAX);
            assert_eq!(run(&one), Ok(("deep.example.com".to_string(), 0)));
            assert_eq!(run(&one[..one.len() - 1]), Err(Outcome::NeedMore));
            for size in [5, 100, 1000] {
                let many = records(&message, size);
                if many.len() < MESSAGE_BYTES_MAX && message.len() / size < 20 {
                    assert_eq!(run(&many), Ok(("deep.example.com".to_string(), 0)), "{pad} {size}");
                }
            }
        }
    }

    #[test]
    fn an_empty_server_name_is_no_name() {
        assert_eq!(run(&records(&handshake("", 0), MESSAGE_BYTES_MAX)), Err(Outcome::NoName));
    }

    #[test]
    fn no_mutation_of_a_message_panics() {
        let seeds = [
            records(&handshake("mutant.example", 100), 60),
            records(&handshake("mutant.example", 900), MESSAGE_BYTES_MAX),
            b"CONNECT mutant.example.com:443 HTTP/1.1\r\n\r\n".to_vec(),
            b"GET http://user:pw@[2001:db8::1]:8080/a@b HTTP/1.1\r\n\r\n".to_vec(),
            format!("GET / HTTP/1.1\r\nA: {}\r\nHost: \thost.example.:81\r\n\r\n", "b".repeat(300)).into_bytes(),
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) as usize % below
        };
        let (mut work, mut unrecorded) = (Work::new(), [0u8; BUFFER_BYTES]);
        for _ in 0..20_000 {
            let mut input = seeds[random(seeds.len())].clone();
            for _ in 0..random(6) {
                let at = random(input.len());
                input[at] = random(256) as u8;
            }
            input.truncate(1 + random(input.len()));
            let mut bytes = [0u8; BUFFER_BYTES];
            bytes[..input.len()].copy_from_slice(&input);
            if inspect(&bytes, input.len(), &mut unrecorded, &mut work, KEY) == Outcome::Name {
                assert!(work.len as usize <= crate::limits::NAME_BYTES_MAX && work.labels as usize <= 32);
            }
        }
    }
}
