//! What is read out of a hello, whole, cut, odd or hostile.

use super::samples::{Random, Sample, named, numbers, protocols, server_name, vector8, vector16};
use super::*;

/// The example of the definition of JA4, with GREASE mixed in.
fn example() -> Sample {
    let suites = [
        0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035,
    ];
    let order = [
        0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
        0x000b, 0x000a, 0x2a2a, 0x0015,
    ];
    let content = |kind| match kind {
        0 => server_name(b"www.example.test"),
        13 => vector16(&numbers(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601])),
        16 => protocols(&[b"h2", b"http/1.1"]),
        43 => vector8(&numbers(&[0x3a3a, 0x0304, 0x0303])),
        51 => vector16(&[&numbers(&[0x4a4a])[..], &[0, 1, 0], &numbers(&[0x11ec]), &[0, 2, 9, 9]].concat()),
        _ => Vec::new(),
    };
    Sample {
        suites: suites.to_vec(),
        extensions: order.map(|kind| (kind, content(kind))).to_vec(),
        ..Sample::default()
    }
}

fn parse(sample: &Sample) -> ClientHello {
    ClientHello::parse(&sample.message(), Transport::Tcp).unwrap()
}

fn name(hello: &ClientHello) -> Option<&[u8]> {
    hello.server_name.as_ref().map(ServerName::as_bytes)
}

#[test]
fn a_hello_tells_what_its_client_offers() {
    let hello = parse(&example());
    assert_eq!(name(&hello), Some(&b"www.example.test"[..]));
    assert_eq!(hello.protocols.iter().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
    assert_eq!(hello.protocols.first().as_deref(), Some("h2"));
    assert_eq!((hello.legacy_version, hello.offered_version()), (Version::TLS_1_2, Version::TLS_1_3));
    assert_eq!((hello.cipher_suites.len(), hello.extensions.len()), (16, 18));
    assert_eq!(hello.key_shares, [0x4a4a, 0x11ec]);
    assert!(hello.is_post_quantum() && !hello.early_data() && !hello.pre_shared_key() && !hello.session_ticket);
    assert_eq!((hello.extent, hello.ech), (Extent::Whole, Ech::None));
    assert!(hello.malformed.is_empty());
}

#[test]
fn resumption_and_early_data_are_told() {
    let hello = parse(&Sample::default().with(35, &[1]).with(42, &[]).with(41, &[0]));
    assert!(hello.session_ticket && hello.early_data() && hello.pre_shared_key());
}

#[test]
fn a_hello_without_extensions_is_whole() {
    let body = [&[3, 1][..], &[7; 32], &[0, 0, 2, 0, 0x2f, 1, 0]].concat();
    let message = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    let hello = ClientHello::parse(&message, Transport::Tcp).unwrap();
    assert_eq!((hello.extent, hello.offered_version().to_string().as_str()), (Extent::Whole, "TLSv10"));
    assert_eq!(hello.ja4().as_deref(), Some("t10i010000_ba72b8082249_000000000000"));
}

#[test]
fn a_cut_hello_tells_what_is_complete() {
    let message = example().message();
    let whole = ClientHello::parse(&message, Transport::Tcp).unwrap();
    for cut in 0..message.len() {
        match ClientHello::parse(&message[..cut], Transport::Tcp) {
            Ok(hello) => {
                assert_eq!((hello.extent, hello.ja4()), (Extent::Cut, None), "{cut}");
                assert!(hello.server_name.is_none() || hello.server_name == whole.server_name, "{cut}");
                assert!(whole.extensions.starts_with(&hello.extensions), "{cut}");
                assert!(hello.cipher_suites.is_empty() || hello.cipher_suites == whole.cipher_suites, "{cut}");
            }
            Err(error) => assert!(error == Error::TooShort { bytes: cut } && cut < 6, "{cut}: {error}"),
        }
    }
}

#[test]
fn parts_that_do_not_fit_are_an_error() {
    let check = |change: fn(&mut Vec<u8>), expect: Error| {
        let mut message = named("a.example", 0);
        change(&mut message);
        assert_eq!(ClientHello::parse(&message, Transport::Tcp), Err(expect));
    };
    check(|message| message[0] = 2, Error::OtherMessage { kind: 2 });
    check(|message| message[38] = 200, Error::Overlong { part: "session id bytes" });
    check(|message| message[39] = 1, Error::Overlong { part: "cipher suites" });
    check(|message| message[40] = 3, Error::HalfSuite);
    check(|message| message[51] = 1, Error::Overlong { part: "extensions" });
    check(|message| message[47] = 9, Error::Overlong { part: "extensions" });
    check(|message| (message[3] += 1, message.push(0)).1, Error::Trailing { bytes: 1 });
}

#[test]
fn an_extension_without_its_form_hides_nothing_else() {
    let sample = Sample::default().with(16, &[0, 9, 1]).with(13, &[0, 1, 4]).with(43, &[2, 3]).with(51, &[0, 2, 0, 1]);
    let hello = parse(&sample.with(0, &server_name(b"here.example")));
    assert_eq!(name(&hello), Some(&b"here.example"[..]));
    assert_eq!(hello.malformed, [16, 13, 43, 51]);
}

#[test]
fn a_name_without_its_form_is_no_name() {
    let two = vector16(&[&[0][..], &vector16(b"a.example"), &[0], &vector16(b"b.example")].concat());
    let other_type = vector16(&[&[1][..], &vector16(b"a.example")].concat());
    let trailing = [server_name(b"a.example"), vec![0]].concat();
    for content in [vec![], server_name(b""), two, other_type, trailing] {
        let hello = parse(&Sample::default().with(0, &content));
        assert_eq!((name(&hello), hello.malformed.as_slice()), (None, &[0][..]), "{content:?}");
        assert!(hello.ja4().unwrap().starts_with("t12d"));
    }
}

#[test]
fn of_two_names_the_first_counts() {
    let sample = Sample::default().with(0, &server_name(b"first.example")).with(0, &server_name(b"second.example"));
    let hello = parse(&sample);
    assert_eq!((name(&hello), hello.malformed.as_slice()), (Some(&b"first.example"[..]), &[0][..]));
}

#[test]
fn an_address_in_place_of_a_name_is_told_apart() {
    let address = |sent: &[u8]| ServerName::new(sent).address();
    assert_eq!(address(b"192.0.2.1"), Some("192.0.2.1".parse().unwrap()));
    assert_eq!(address(b"[2001:db8::1]"), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(address(b"2001:db8::1"), Some("2001:db8::1".parse().unwrap()));
    for sent in [&b"192.0.2.1.example"[..], b"[192.0.2.1]", b"\xff", b"::1]"] {
        assert_eq!(address(sent), None);
    }
}

#[test]
fn an_encrypted_hello_is_offered_unless_it_covers_nothing() {
    let outer = [&[0, 0, 1, 0, 1, 9][..], &vector16(&[5; 32]), &vector16(&[6; 144])].concat();
    let state = |content: &[u8], name: Option<&[u8]>| {
        let sample = Sample::default().with(0xfe0d, content);
        parse(&name.map_or(sample.clone(), |name| sample.with(0, &server_name(name)))).ech
    };
    assert_eq!(state(&outer, Some(b"cover.example")), Ech::Offered);
    assert_eq!(state(&outer, None), Ech::Grease);
    assert_eq!(state(&outer, Some(b"192.0.2.1")), Ech::Grease);
    assert_eq!(state(&[1], Some(b"inner.example")), Ech::None);
    for malformed in [&outer[..outer.len() - 1], &[2], &[]] {
        assert_eq!(parse(&Sample::default().with(0xfe0d, malformed)).malformed, [0xfe0d]);
    }
}

#[test]
fn the_example_of_ja4_has_its_fingerprint() {
    assert_eq!(parse(&example()).ja4().as_deref(), Some("t13d1516h2_8daaf6152771_e5627efa2ab1"));
    let mut shuffled = example();
    shuffled.extensions.reverse();
    shuffled.suites.reverse();
    assert_eq!(parse(&shuffled).ja4(), parse(&example()).ja4());
    let mut unsigned = example();
    unsigned.extensions.iter_mut().filter(|(kind, _)| *kind == 13).for_each(|(_, content)| content.clear());
    assert_eq!(parse(&unsigned).ja4().as_deref(), Some("t13d1516h2_8daaf6152771_6d807ffa2a79"));
}

#[test]
fn a_fingerprint_tells_what_carries_the_hello() {
    let quic = ClientHello::parse(&example().message(), Transport::Quic).unwrap();
    assert_eq!(quic.ja4().as_deref(), Some("q13d1516h2_8daaf6152771_e5627efa2ab1"));
    let sample = Sample { cookie: Some(vec![4; 20]), suites: vec![0x1301], ..Sample::default() };
    let message = sample.with(43, &vector8(&numbers(&[0xfefd, 0xfefc]))).message();
    let datagram = ClientHello::parse(&message, Transport::Datagram).unwrap();
    assert_eq!(
        (datagram.cipher_suites.as_slice(), datagram.offered_version().to_string()),
        (&[0x1301][..], "DTLSv13".into())
    );
    assert!(datagram.ja4().unwrap().starts_with("dd2i010100_"));
    let fragment = [&message[..6], &[0, 0, 9], &message[9..]].concat();
    assert_eq!(ClientHello::parse(&fragment, Transport::Datagram), Err(Error::Fragment { offset: 9 }));
}

#[test]
fn a_fingerprint_has_the_first_protocol_as_defined() {
    let check = |names: &[&[u8]], expect: &str| {
        let fingerprint = parse(&Sample::default().with(16, &protocols(names))).ja4().unwrap();
        assert_eq!(&fingerprint[8..10], expect, "{names:?}");
    };
    check(&[b"http/1.1", b"h2"], "h1");
    check(&[b"q"], "qq");
    check(&[b""], "00");
    check(&[b"\xab"], "ab");
    check(&[b"\xab\xcd"], "ad");
    check(&[b"\x30\xab"], "3b");
    check(&[b"\x30\x31\xab\xcd"], "3d");
    check(&[b"\x30\xab\xcd\x31"], "01");
    check(&[b"\xfa\xfa", b"h3"], "h3");
}

#[test]
fn more_than_two_digits_of_suites_are_ninety_nine() {
    let sample = Sample { suites: (0x1301..0x1301 + 150).collect(), ..Sample::default() };
    assert!(parse(&sample).ja4().unwrap().starts_with("t12i990000_"));
}

#[test]
fn a_protocol_is_written_without_bytes_that_do_not_print() {
    let hello = parse(&Sample::default().with(16, &protocols(&[b"a\x00\n\"\xff"])));
    assert_eq!(hello.protocols.first().as_deref(), Some(r#"a\x00\n\"\xff"#));
}

#[test]
fn no_mutation_of_a_hello_panics_or_makes_up_a_name() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let ech = [&[0, 0, 1, 0, 1, 9][..], &vector16(&[5; 32]), &vector16(&[6; 144])].concat();
    let seeds = [example().message(), example().with(0xfe0d, &ech).message(), named("mutant.example", 300)];
    let mut named = 0;
    for round in 0..100_000 {
        let mut message = seeds[round % seeds.len()].clone();
        random.mutate(&mut message);
        let records = [&[0x16, 3, 1][..], &vector16(&message)].concat();
        for bytes in [&message, &records] {
            let unrecorded = unrecord(bytes).map(|found| found.message.into_owned());
            for transport in [Transport::Tcp, Transport::Quic, Transport::Datagram] {
                let Ok(hello) = ClientHello::parse(unrecorded.as_ref().unwrap_or(bytes), transport) else { continue };
                let _ = (hello.ja4(), hello.offered_version().to_string(), hello.protocols.first());
                let Some(name) = hello.server_name else { continue };
                let sent = name.as_bytes();
                assert!(message.windows(sent.len()).any(|window| window == sent));
                named += 1;
            }
        }
    }
    assert!(named > 100_000, "mutation must leave enough alive: {named}");
}
