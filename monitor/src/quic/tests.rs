//! From datagrams to hellos: published packets, a browser's, and what a client or an attacker may do with them.

use super::samples::{Client, chromium, crypto, rfc9001, rfc9369};
use super::*;
use crate::hello::samples::{Random, named};
use crate::hello::{ClientHello, Ech, Transport};

const SECOND_NS: u64 = 1_000_000_000;

fn name(seen: &Seen) -> String {
    let Seen::Hello { message, .. } = seen else { panic!("no hello: {seen:?}") };
    let hello = ClientHello::parse(message, Transport::Quic).unwrap();
    String::from_utf8(hello.server_name.unwrap().as_bytes().to_vec()).unwrap()
}

fn client() -> Client {
    Client::new(Version::V1, &[8; 8])
}

fn whole(message: &[u8]) -> Vec<u8> {
    crypto(message, 0..message.len())
}

#[test]
fn the_packets_of_the_definitions_name_their_host() {
    for (datagram, expected) in [(rfc9001(), Version::V1), (rfc9369(), Version::V2)] {
        assert!(is_client_initial(&datagram));
        let seen = Initials::default().feed(1, 0, &datagram);
        assert_eq!(name(&seen), "example.com");
        assert!(matches!(seen, Seen::Hello { version, .. } if version == expected));
    }
}

#[test]
fn a_browsers_shuffled_hello_is_put_together_from_two_datagrams_in_any_order() {
    let [first, second] = chromium().try_into().unwrap();
    for [one, two] in [[&first, &second], [&second, &first]] {
        let mut initials = Initials::default();
        assert_eq!(initials.feed(1, 0, one), Seen::NeedMore);
        assert_eq!(initials.feed(1, 0, one), Seen::NeedMore);
        let seen = initials.feed(1, SECOND_NS, two);
        assert_eq!(name(&seen), "www.shuffled.example");
        let Seen::Hello { message, .. } = seen else { unreachable!() };
        let hello = ClientHello::parse(&message, Transport::Quic).unwrap();
        assert!(hello.is_post_quantum() && hello.ech == Ech::Offered && hello.malformed.is_empty());
        assert_eq!(hello.protocols.first().as_deref(), Some("h3"));
        assert_eq!(initials.feed(1, SECOND_NS, two), Seen::Done);
        assert_eq!((initials.held, initials.losses()), (0, Losses::default()));
    }
    // Both at once, as a kernel sees them before they are cut into datagrams.
    assert_eq!(name(&Initials::default().feed(1, 0, &[first, second].concat())), "www.shuffled.example");
}

#[test]
fn every_version_is_opened() {
    let message = named("version.example", 0);
    for version in [Version::V1, Version::V2].into_iter().chain((23..=34).map(Version::Draft)) {
        let datagram = Client::new(version, &[9; 20]).datagram(0, &whole(&message));
        assert_eq!(Initials::default().feed(1, 0, &datagram), Seen::Hello { message: message.clone(), version });
    }
}

#[test]
fn pieces_in_any_order_over_any_packets_make_the_hello() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..300 {
        let message = named("pieces.example", 200 + random.below(2_000));
        let mut pieces: Vec<_> = (0..message.len()).step_by(1 + random.below(400)).collect();
        pieces.push(message.len());
        let mut frames: Vec<Vec<u8>> = pieces.windows(2).map(|ends| crypto(&message, ends[0]..ends[1])).collect();
        frames.extend(frames.first().cloned());
        let mut datagrams = vec![vec![1]; 1 + random.below(4)];
        while !frames.is_empty() {
            let (frame, into) = (frames.swap_remove(random.below(frames.len())), random.below(datagrams.len()));
            datagrams[into].extend([vec![0, 1], frame].concat());
        }
        let mut initials = Initials::default();
        let fed: Vec<Seen> =
            (0..).zip(&datagrams).map(|(n, frames)| initials.feed(1, 0, &client().datagram(n, frames))).collect();
        let hellos: Vec<_> = fed.iter().filter(|seen| matches!(seen, Seen::Hello { .. })).collect();
        assert_eq!(hellos.len(), 1, "{fed:?}");
        assert_eq!(name(hellos[0]), "pieces.example");
    }
}

#[test]
fn a_retry_changes_the_keys_and_the_hello_is_told_once() {
    let message = named("retry.example", 1_500);
    let after_retry = Client { token: vec![7; 60], ..Client::new(Version::V1, &[5; 4]) };
    // The first flight was complete.
    let mut initials = Initials::default();
    assert_eq!(name(&initials.feed(1, 0, &client().datagram(0, &whole(&message)))), "retry.example");
    assert_eq!(initials.feed(1, 1, &after_retry.datagram(1, &whole(&message))), Seen::Done);
    // Only half of it was sent, or seen, before.
    let mut initials = Initials::default();
    assert_eq!(initials.feed(1, 0, &client().datagram(0, &crypto(&message, 0..900))), Seen::NeedMore);
    assert_eq!(initials.feed(1, 1, &after_retry.datagram(1, &crypto(&message, 900..message.len()))), Seen::NeedMore);
    assert_eq!(name(&initials.feed(1, 2, &after_retry.datagram(2, &crypto(&message, 0..900)))), "retry.example");
}

#[test]
fn the_keys_stay_when_the_client_addresses_the_servers_connection_id() {
    let message = named("stays.example", 1_500);
    let answered = Client { destination: vec![3; 5], ..client() };
    let mut initials = Initials::default();
    assert_eq!(initials.feed(1, 0, &client().datagram(0, &crypto(&message, 0..900))), Seen::NeedMore);
    let rest = [&[2, 0, 0, 0, 0][..], &crypto(&message, 900..message.len())].concat();
    assert_eq!(name(&initials.feed(1, 1, &answered.datagram(1, &rest))), "stays.example");
    assert_eq!(initials.feed(1, 2, &answered.datagram(2, &[2, 1, 0, 0, 0])), Seen::Done);
}

#[test]
fn connections_of_one_socket_are_told_apart() {
    let (one, two) = (named("one.example", 1_500), named("two.example", 1_500));
    let other = Client::new(Version::V2, &[6; 8]);
    let mut initials = Initials::default();
    assert_eq!(initials.feed(1, 0, &client().datagram(0, &crypto(&one, 0..800))), Seen::NeedMore);
    assert_eq!(initials.feed(1, 0, &other.datagram(0, &crypto(&two, 0..800))), Seen::NeedMore);
    assert_eq!(name(&initials.feed(1, 0, &client().datagram(1, &crypto(&one, 800..one.len())))), "one.example");
    assert_eq!(name(&initials.feed(1, 0, &other.datagram(1, &crypto(&two, 800..two.len())))), "two.example");
    // And those of two sockets, of which one knows nothing of the other.
    assert_eq!(initials.feed(2, 0, &client().datagram(1, &crypto(&one, 800..one.len()))), Seen::NeedMore);
}

#[test]
fn packets_around_the_initial_are_stepped_over() {
    let zero_rtt = [&[0xd0, 0, 0, 0, 1, 8][..], &[8; 8], &[0, 5, 1, 2, 3, 4, 5]].concat();
    let short = [0x40, 1, 2, 3];
    let initial = client().datagram(0, &whole(&named("among.example", 0)));
    assert_eq!(name(&Initials::default().feed(1, 0, &[&zero_rtt[..], &initial, &short].concat())), "among.example");
    let seen = Initials::default().feed(1, 0, &[&zero_rtt[..], &short].concat());
    assert_eq!(seen, Seen::NotQuic);
}

#[test]
fn what_is_no_quic_leaves_nothing_behind() {
    let mut initials = Initials::default();
    // A Retry has a token where other packets have a length.
    let retry = |start: [u8; 5]| [&start[..], &[8; 9], &[8; 9], &[0xff; 60]].concat();
    let (retry, retry_2) = (retry([0xf0, 0, 0, 0, 1]), retry([0xc0, 0x6b, 0x33, 0x43, 0xcf]));
    let negotiation = [&[0xc0, 0, 0, 0, 0, 8][..], &[8; 1200]].concat();
    let dns = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01";
    for datagram in [&[][..], &[0xc0], &[0x40; 1200], &retry, &retry_2, &negotiation, dns] {
        assert_eq!(initials.feed(1, 0, datagram), Seen::NotQuic);
    }
    assert!(initials.is_empty() && initials.begun.is_empty());
}

#[test]
fn failures_say_why_and_leave_nothing_behind() {
    let datagram = client().datagram(0, &whole(&named("a.example", 0)));
    let check = |change: fn(&mut Vec<u8>), expect: Failure| {
        let (mut changed, mut initials) = (datagram.clone(), Initials::default());
        change(&mut changed);
        assert_eq!(initials.feed(1, 0, &changed), Seen::Failed(expect));
        assert!(initials.is_empty());
    };
    check(|bytes| bytes[3] = 9, Failure::UnknownVersion { version: 0x0901 });
    check(|bytes| bytes[5] = 21, Failure::Header { at: 0 });
    check(|bytes| bytes.truncate(15), Failure::Header { at: 0 });
    check(|bytes| bytes.truncate(1190), Failure::Cut { at: 0, missing: 10 });
    check(|bytes| bytes[700] ^= 1, Failure::Undecryptable);
    check(|bytes| bytes[8] ^= 1, Failure::Undecryptable);
    // The server's own packets have other keys: here it is as if it were addressed to this connection id.
    let mut initials = Initials::default();
    let server = Client { first_destination: vec![1; 8], ..client() }.datagram(0, &[1]);
    assert_eq!(initials.feed(1, 0, &server), Seen::Failed(Failure::Undecryptable));
}

#[test]
fn a_forged_packet_does_not_disturb_a_hello() {
    let message = named("undisturbed.example", 1_500);
    let mut initials = Initials::default();
    assert_eq!(initials.feed(1, 0, &client().datagram(0, &crypto(&message, 0..900))), Seen::NeedMore);
    let mut forged = client().datagram(1, &crypto(&message, 900..message.len()));
    forged[600] ^= 1;
    assert_eq!(initials.feed(1, 0, &forged), Seen::Failed(Failure::Undecryptable));
    assert_eq!(initials.feed(1, 0, &client().datagram(2, &[1, 8, 8])), Seen::Failed(Failure::Frame { kind: 8, at: 1 }));
    assert_eq!(
        name(&initials.feed(1, 0, &client().datagram(3, &crypto(&message, 900..message.len())))),
        "undisturbed.example"
    );
}

#[test]
fn two_hellos_in_one_place_are_neither() {
    let (one, two) = (named("good.example", 1_500), named("evil.example", 1_500));
    let mut initials = Initials::default();
    assert_eq!(initials.feed(1, 0, &client().datagram(0, &crypto(&one, 1_000..one.len()))), Seen::NeedMore);
    let seen = initials.feed(1, 0, &client().datagram(1, &crypto(&two, 900..two.len())));
    assert!(matches!(seen, Seen::Failed(Failure::Conflict { at: 1_000 })), "{seen:?}");
    assert_eq!(initials.feed(1, 0, &client().datagram(2, &crypto(&one, 0..1_000))), Seen::Done);
    assert_eq!(initials.held, 0);
}

#[test]
fn a_hello_that_is_complete_is_told_whatever_follows_it() {
    let frames = [&whole(&named("told.example", 0))[..], &[8, 8, 8]].concat();
    assert_eq!(name(&Initials::default().feed(1, 0, &client().datagram(0, &frames))), "told.example");
}

#[test]
fn a_handshake_that_is_no_hello_is_given_up() {
    let mut initials = Initials::default();
    let seen = initials.feed(1, 0, &client().datagram(0, &crypto(&[2, 0, 0, 1, 0], 0..5)));
    assert_eq!(seen, Seen::Failed(Failure::OtherMessage { kind: 2 }));
    let long = crypto(&[1, 1, 0, 0], 0..4);
    let seen = initials.feed(2, 0, &client().datagram(0, &long));
    assert_eq!(seen, Seen::Failed(Failure::TooLong { bytes: 0x1_0004 }));
}

#[test]
fn flows_are_forgotten_in_time_and_counted() {
    let message = named("slow.example", 1_500);
    let mut initials = Initials::default();
    let half = client().datagram(0, &crypto(&message, 0..900));
    assert_eq!(initials.feed(1, 0, &half), Seen::NeedMore);
    let complete = Client::new(Version::V1, &[4; 8]).datagram(0, &whole(&message));
    assert_eq!(name(&initials.feed(2, SECOND_NS, &complete)), "slow.example");
    initials.expire(FLOW_NS - 1);
    assert_eq!((initials.len(), initials.losses()), (2, Losses::default()));
    initials.expire(FLOW_NS + SECOND_NS);
    assert_eq!((initials.len(), initials.held), (0, 0));
    assert_eq!(initials.losses(), Losses { expired: 1, ..Losses::default() });
}

#[test]
fn the_table_has_its_limits() {
    let datagram = client().datagram(0, &crypto(&named("many.example", 0), 0..4));
    let mut initials = Initials::default();
    for flow in 0..FLOWS_MAX + 100 {
        assert_eq!(initials.feed(flow, 0, &datagram), Seen::NeedMore);
    }
    assert_eq!((initials.len(), initials.begun.len()), (FLOWS_MAX, FLOWS_MAX));
    assert_eq!((initials.losses().evicted, initials.held), (100, 4 * FLOWS_MAX));
    let far = client().datagram(0, &[6, 0x80, 0, 0x3f, 0xff, 1, 0]);
    let mut initials = Initials::default();
    for flow in 0..HELD_BYTES_MAX / 16_384 + 10 {
        assert_eq!(initials.feed(flow, 0, &far), Seen::NeedMore);
    }
    assert_eq!((initials.held, initials.losses().evicted), (HELD_BYTES_MAX, 10));
    let mut initials = Initials::default();
    for number in 0..6 {
        let client = Client::new(Version::V1, &[number; 8]);
        assert_eq!(initials.feed(1, 0, &client.datagram(0, &crypto(&[1], 0..1))), Seen::NeedMore);
    }
    assert_eq!((initials.held, initials.losses().crowded), (4, 2));
}

#[test]
fn no_mutation_of_a_datagram_panics_or_makes_up_a_hello() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let message = named("mutant.example", 900);
    let seeds = [rfc9001(), rfc9369(), client().datagram(0, &whole(&message)), chromium().concat()];
    let (mut initials, mut told) = (Initials::default(), 0);
    for round in 0..20_000_u64 {
        let mut datagram = seeds[random.below(seeds.len())].clone();
        random.mutate(&mut datagram);
        // An opened packet with mutated frames gets past the tag.
        if round % 2 == 0 {
            let mut frames = whole(&message);
            random.mutate(&mut frames);
            datagram = client().packet(random.below(9) as u32, &[frames, vec![0; 20]].concat());
        }
        match initials.feed(round % 64, round * 1_000_000, &datagram) {
            Seen::Hello { .. } => told += 1,
            Seen::NotQuic | Seen::NeedMore | Seen::Done | Seen::Failed(_) => {}
        }
        assert_eq!(initials.flows.len(), initials.begun.len());
        assert_eq!(initials.held, initials.flows.values().map(Flow::held).sum::<usize>());
    }
    assert!(told > 100, "mutation must leave enough alive: {told}");
}
