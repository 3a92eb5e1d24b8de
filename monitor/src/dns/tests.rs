//! Messages that dnsmasq sent, messages made by hand, and what becomes of them when they are damaged.

use std::net::IpAddr;

use super::*;

/// What dnsmasq 2.90 answered to `Www.Good.example` A, `deep.example` A (two aliases), `https.example` HTTPS (a target,
/// h2 and h3, ECH, a hint of each family), `own.example` HTTPS (the owner itself), a name that is not there, and a TXT.
const ADDRESSES: &str = "1230858000010002000000000357777704476f6f64076578616d706c650000010001c00c000100010000012c0004c000\
    020ac00c000100010000012c0004c000020b";
const ALIASES: &str = "1232858000010004000000000464656570076578616d706c650000010001c00c000500010000001e000f05616c696173076578\
    616d706c6500c02a000500010000003c00120377777704676f6f64076578616d706c6500c045000100010000012c0004c000020bc04500010001\
    0000012c0004c000020a";
const HTTPS: &str = "123385800001000100000000056874747073076578616d706c650000410001c00c004100010000012c003d000103737663076578\
    616d706c65000001000602683202683300040004c000021400050004deadbeef0006001020010db8000000000000000000000020";
const HTTPS_OF_THE_OWNER: &str =
    "123485800001000100000000036f776e076578616d706c650000410001c00c004100010000012c000a00010000010003026832";
const NO_SUCH_NAME: &str = "123581830001000000000000076e6f7468696e67076578616d706c650000010001";
const TEXT: &str = "12368580000100010000000004676f6f64076578616d706c650000100001c00c001000010000012c00060568656c6c6f";

const CAPTURED: [&str; 6] = [ADDRESSES, ALIASES, HTTPS, HTTPS_OF_THE_OWNER, NO_SUCH_NAME, TEXT];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn parse(hex: &str) -> Response {
    Response::parse(&bytes(hex)).unwrap()
}

fn addresses(response: &Response) -> Vec<(String, u32)> {
    response.addresses().into_iter().map(|(address, ttl_s)| (address.to_string(), ttl_s)).collect()
}

/// A response without compression: flags, the question, then answers of owner, type, TTL and data.
fn response(flags: u16, query: &str, qtype: u16, answers: &[(&str, u16, u32, Vec<u8>)]) -> Vec<u8> {
    let count = u16::try_from(answers.len()).unwrap();
    let mut message: Vec<u8> = [7, 0x8000 | flags, 1, count, 0, 0].into_iter().flat_map(u16::to_be_bytes).collect();
    message.extend(name(query));
    message.extend([qtype.to_be_bytes(), [0, 1]].concat());
    for (owner, kind, ttl_s, data) in answers {
        message.extend(name(owner));
        message.extend([kind.to_be_bytes(), [0, 1]].concat());
        message.extend(ttl_s.to_be_bytes());
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(data);
    }
    message
}

fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').flat_map(|label| {
        let length = u8::try_from(label.len()).unwrap();
        [&[length], label.as_bytes()].concat()
    });
    labels.chain([0]).collect()
}

#[test]
fn a_response_tells_what_was_asked_and_answered() {
    let got = parse(ADDRESSES);
    assert_eq!((got.id, got.query.as_str(), &*got.qtype_name), (0x1230, "Www.Good.example", "A"));
    assert_eq!((&*got.rcode_name, got.truncated, got.left_out), ("NOERROR", false, 0));
    assert_eq!(got.host().unwrap().as_str(), "www.good.example");
    assert_eq!(addresses(&got), [("192.0.2.10".to_owned(), 300), ("192.0.2.11".to_owned(), 300)]);
    assert_eq!(got.answers[1].owner.as_str(), "Www.Good.example");
    assert_eq!(got.answers[1].type_name, "A");
}

#[test]
fn addresses_behind_aliases_belong_to_the_name_that_was_asked_for() {
    let got = parse(ALIASES);
    assert_eq!(got.host().unwrap().as_str(), "deep.example");
    // The first alias may be used for 30 seconds only.
    assert_eq!(addresses(&got), [("192.0.2.11".to_owned(), 30), ("192.0.2.10".to_owned(), 30)]);
    let Data::Alias(target) = &got.answers[1].data else { panic!("{:?}", got.answers) };
    assert_eq!(target.as_str(), "www.good.example");
}

#[test]
fn a_service_has_its_target_protocols_hints_and_ech() {
    let got = parse(HTTPS);
    let Data::Service(service) = &got.answers[0].data else { panic!("{:?}", got.answers) };
    assert_eq!((service.priority, service.target.as_str(), service.port), (1, "svc.example", None));
    assert_eq!(service.alpn, [b"h2", b"h3"]);
    assert!(service.ech);
    assert_eq!(addresses(&got), [("192.0.2.20".to_owned(), 300), ("2001:db8::20".to_owned(), 300)]);

    let got = parse(HTTPS_OF_THE_OWNER);
    let Data::Service(service) = &got.answers[0].data else { panic!("{:?}", got.answers) };
    assert_eq!((service.target.as_str(), service.ech), ("own.example", false));
}

#[test]
fn a_failed_query_leads_nowhere() {
    let got = parse(NO_SUCH_NAME);
    assert_eq!((&*got.rcode_name, got.answers.len()), ("NXDOMAIN", 0));
    let address = ("a.example", 1, 60, vec![192, 0, 2, 1]);
    let got = Response::parse(&response(3, "a.example", 1, &[address])).unwrap();
    assert_eq!((got.answers.len(), addresses(&got)), (1, vec![]));
}

#[test]
fn text_is_not_read() {
    let got = parse(TEXT);
    assert_eq!((&*got.answers[0].type_name, &got.answers[0].data), ("TXT", &Data::Other));
}

#[test]
fn records_of_other_names_are_left_out() {
    let got = response(
        0,
        "a.example",
        1,
        &[
            ("other.example", 1, 60, vec![192, 0, 2, 1]),
            ("b.example", 1, 60, vec![192, 0, 2, 2]),
            ("A.EXAMPLE", 5, 90, name("b.example")),
            ("a.example", 1, 60, vec![192, 0, 2, 3]),
        ],
    );
    assert_eq!(addresses(&Response::parse(&got).unwrap()), [("192.0.2.2".to_owned(), 60)]);
}

#[test]
fn aliases_in_a_circle_lead_nowhere() {
    let got = response(
        0,
        "a.example",
        1,
        &[("a.example", 5, 60, name("b.example")), ("b.example", 5, 60, name("a.example"))],
    );
    assert_eq!(addresses(&Response::parse(&got).unwrap()), []);
}

#[test]
fn the_https_record_of_another_port_belongs_to_the_host() {
    let host = |query, qtype| {
        Response::parse(&response(0, query, qtype, &[])).unwrap().host().map(|host| host.as_str().to_owned())
    };
    assert_eq!(host("_8443._https.www.good.example", 65), Ok("www.good.example".to_owned()));
    assert_eq!(host("_8443._https.www.good.example", 1), Ok("_8443._https.www.good.example".to_owned()));
    assert_eq!(host("_dns.resolver.arpa", 64), Ok("_dns.resolver.arpa".to_owned()));
    assert!(host("a b.example", 1).is_err());
}

#[test]
fn what_is_no_response_says_why_and_where() {
    let error = |bytes: &[u8]| Response::parse(bytes).unwrap_err().to_string();
    assert_eq!(error(&[0; 11]), "11 bytes are no DNS message: its header has 12");
    assert_eq!(error(&[0; 12]), "a query, not a response");
    let good = bytes(ADDRESSES);
    let with = |at: usize, byte: u8| {
        let mut damaged = good.clone();
        damaged[at] = byte;
        damaged
    };
    assert_eq!(error(&with(2, 0xa5)), "opcode 4, not a query's");
    assert_eq!(error(&with(5, 0)), "0 questions instead of one");
    assert_eq!(error(&with(5, 2)), "2 questions instead of one");
    assert_eq!(error(&with(12, 0x80)), "question at byte 12: invalid label type");
    // A pointer to itself, a pointer to what follows, a length that is no IPv4 address's, more answers than there are.
    assert_eq!(error(&with(35, 34)), "answer 1 at byte 34: too many compression pointers");
    assert_eq!(error(&with(35, 64)), "answer 1 at byte 34: too many compression pointers");
    assert_eq!(error(&with(45, 3)), "answer 1 at byte 34: unexpected end of input");
    assert_eq!(error(&with(7, 3)), "answer 3 at byte 66: unexpected end of input");
    for cut in 34..good.len() {
        assert!(matches!(Response::parse(&good[..cut]), Err(DnsError::Answer { .. })), "cut at {cut}");
    }
}

#[test]
fn answers_beyond_the_limit_are_counted() {
    let answers: Vec<_> = (0..200).map(|last| ("a.example", 1, 60, vec![192, 0, 2, last])).collect();
    let got = Response::parse(&response(0x200, "a.example", 1, &answers)).unwrap();
    assert_eq!((got.answers.len(), got.left_out, got.truncated), (ANSWERS_MAX, 72, true));
}

#[test]
fn a_service_with_a_thousand_hints_gives_its_first() {
    let service = |params: &[u8]| [&[0, 1, 0], params].concat();
    let hints = [&[0, 4, 0x0f, 0xa0][..], &[192, 0, 2, 1].repeat(1000)].concat();
    let got = response(0, "a.example", 65, &[("a.example", 65, 60, service(&hints))]);
    assert_eq!(Response::parse(&got).unwrap().addresses().len(), 16);
    // Half an address.
    let got = response(0, "a.example", 65, &[("a.example", 65, 60, service(&[0, 4, 0, 6, 192, 0, 2, 1, 192, 0]))]);
    assert!(matches!(Response::parse(&got), Err(DnsError::Answer { number: 1, at: 27, .. })));
}

#[test]
fn a_stream_is_cut_into_its_messages() {
    let (first, second) = (bytes(ADDRESSES), bytes(TEXT));
    let framed = |message: &[u8]| [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat();
    let stream = [framed(&first), framed(&second)].concat();
    assert_eq!(tcp_messages(&stream).collect::<Result<Vec<_>, _>>(), Ok(vec![&first[..], &second[..]]));
    assert_eq!(tcp_messages(&[]).count(), 0);
    for cut in 1..stream.len() {
        let complete = usize::from(cut >= first.len() + 2);
        let items: Vec<_> = tcp_messages(&stream[..cut]).collect();
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), complete, "cut at {cut}");
        let ends_between = cut == first.len() + 2;
        assert_eq!(items.last().is_some_and(Result::is_err), !ends_between, "cut at {cut}");
    }
    let last = tcp_messages(&stream[..80]).last().unwrap().unwrap_err();
    assert_eq!(last.to_string(), "message at byte 68: 10 bytes of 48 are there");
}

#[test]
fn no_mutation_of_a_message_panics_or_grows() {
    let seeds: Vec<Vec<u8>> = CAPTURED.iter().map(|hex| bytes(hex)).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 16).unwrap() % below
    };
    let (mut read, mut refused) = (0, 0);
    for _ in 0..200_000 {
        let mut input = seeds[random(seeds.len())].clone();
        for _ in 0..=random(5) {
            let at = random(input.len());
            input[at] = if random(3) == 0 { 0xc0 } else { u8::try_from(random(256)).unwrap() };
        }
        if random(4) == 0 {
            input.truncate(random(input.len()));
        }
        for message in tcp_messages(&input).flatten() {
            assert!(message.len() < input.len());
        }
        match Response::parse(&input) {
            Ok(response) => {
                read += 1;
                assert!(response.answers.len() <= ANSWERS_MAX && response.query.as_str().len() <= 1020);
                let found: Vec<(IpAddr, u32)> = response.addresses();
                // No address is made up: each lies in the message.
                for (address, _) in found {
                    let octets = match address {
                        IpAddr::V4(v4) => v4.octets().to_vec(),
                        IpAddr::V6(v6) => v6.octets().to_vec(),
                    };
                    assert!(input.windows(octets.len()).any(|window| window == octets));
                }
                drop(response.host());
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 20_000 && refused > 20_000, "{read} were read, {refused} refused");
}
