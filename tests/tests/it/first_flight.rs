//! What is read out of the hellos of real clients: rustls over TCP, quinn and rustls over QUIC, with a Retry by quinn's
//! server. Needs no root: nothing is sent.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::BytesMut;
use monitor::hello::{ClientHello, Extent, Transport, unrecord};
use monitor::quic::{Initials, Seen, Version, is_client_initial};
use monitor_tests::hello::post_quantum_hello;
use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn_proto::{ClientConfig, Connection, DatagramEvent, Endpoint, EndpointConfig, ServerConfig};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::quic::{self, KeyChange};
use rustls::server::{ClientHello as RustlsHello, ResolvesServerCert};
use rustls::{RootCertStore, Side, sign::CertifiedKey};

const NAME: &str = "first-flight.example";
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 443);

/// Which keys a client offers: a hello with the second kind does not fit into one datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyShare {
    Classic,
    PostQuantum,
}

fn tls(share: KeyShare) -> Result<Arc<rustls::ClientConfig>> {
    let mut provider = default_provider();
    match share {
        KeyShare::Classic => provider.kx_groups = vec![kx_group::X25519],
        KeyShare::PostQuantum => provider.kx_groups.insert(0, kx_group::X25519MLKEM768),
    }
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider));
    let config =
        config.with_protocol_versions(&[&rustls::version::TLS13])?.with_root_certificates(RootCertStore::empty());
    let mut config = config.with_no_client_auth();
    config.alpn_protocols.push(b"h3".to_vec());
    Ok(Arc::new(config))
}

/// A client of quinn that begins a connection.
fn quinn(share: KeyShare, version: u32) -> Result<(Endpoint, Connection)> {
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls(share)?)?));
    config.version(version);
    let mut endpoint = Endpoint::new(Arc::default(), None, true, None);
    let (_, connection) = endpoint.connect(Instant::now(), config, SERVER, NAME)?;
    Ok((endpoint, connection))
}

/// Everything that the client sends now, in datagrams.
fn sent(client: &mut Connection) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    let mut buffer = Vec::new();
    while client.poll_transmit(Instant::now(), 1, &mut buffer).is_some() {
        datagrams.push(std::mem::take(&mut buffer));
    }
    datagrams
}

fn check(seen: Seen, share: KeyShare, expected: Version) -> Result<()> {
    let Seen::Hello { message, version } = seen else { bail!("no hello: {seen:?}") };
    ensure!(version == expected, "version {version}");
    let hello = ClientHello::parse(&message, Transport::Quic)?;
    let name = hello.server_name.as_ref().context("no name")?;
    ensure!(name.as_bytes() == NAME.as_bytes() && name.address().is_none(), "named {name:?}");
    ensure!(hello.protocols.first().as_deref() == Some("h3"), "protocols {:?}", hello.protocols);
    ensure!(hello.offered_version().to_string() == "TLSv13" && hello.extent == Extent::Whole, "{hello:?}");
    ensure!(hello.is_post_quantum() == (share == KeyShare::PostQuantum), "key shares {:?}", hello.key_shares);
    let ja4 = hello.ja4().context("no fingerprint")?;
    ensure!(ja4.starts_with("q13d"), "fingerprint {ja4}");
    Ok(())
}

/// Feeds datagrams and expects the hello of the last, and of no other.
fn check_datagrams(datagrams: &[Vec<u8>], share: KeyShare, version: Version) -> Result<()> {
    let (last, others) = datagrams.split_last().context("nothing was sent")?;
    let mut initials = Initials::default();
    for datagram in others {
        ensure!(is_client_initial(datagram), "not recognised");
        let seen = initials.feed(1_u64, 0, datagram);
        ensure!(seen == Seen::NeedMore, "{seen:?}");
    }
    ensure!(is_client_initial(last), "not recognised");
    check(initials.feed(1, 0, last), share, version)
}

#[test]
fn a_hello_of_quinn_in_one_datagram_is_read() -> Result<()> {
    let versions = [(1, Version::V1), (0xff00_001d, Version::Draft(29)), (0xff00_0020, Version::Draft(32))];
    for (number, version) in versions.into_iter().chain([(0xff00_0022, Version::Draft(34))]) {
        let (_, mut client) = quinn(KeyShare::Classic, number)?;
        let datagrams = sent(&mut client);
        ensure!(datagrams.len() == 1, "{} datagrams", datagrams.len());
        check_datagrams(&datagrams, KeyShare::Classic, version)?;
    }
    Ok(())
}

#[test]
fn a_post_quantum_hello_of_quinn_in_several_datagrams_is_read_in_any_order() -> Result<()> {
    let (_, mut client) = quinn(KeyShare::PostQuantum, 1)?;
    let mut datagrams = sent(&mut client);
    ensure!(datagrams.len() > 1, "one datagram held it all");
    check_datagrams(&datagrams, KeyShare::PostQuantum, Version::V1)?;
    datagrams.reverse();
    check_datagrams(&datagrams, KeyShare::PostQuantum, Version::V1)?;
    // As the kernel sees them when the client sends them at once.
    check_datagrams(&[datagrams.concat()], KeyShare::PostQuantum, Version::V1)
}

/// A server that has no certificate, since it only asks clients to come again.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: RustlsHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// What quinn's server answers to a first datagram: a Retry.
fn retry_of_quinn(datagram: &[u8]) -> Result<Vec<u8>> {
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_protocol_versions(&[&rustls::version::TLS13])?.with_no_client_auth();
    let config = QuicServerConfig::try_from(config.with_cert_resolver(Arc::new(NoCertificate)))?;
    let config = Arc::new(ServerConfig::with_crypto(Arc::new(config)));
    let mut server = Endpoint::new(Arc::new(EndpointConfig::default()), Some(config), true, None);
    let mut answer = Vec::new();
    let client = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    match server.handle(Instant::now(), client, None, None, BytesMut::from(datagram), &mut answer) {
        Some(DatagramEvent::NewConnection(incoming)) => {
            let retry = server.retry(incoming, &mut answer)?;
            ensure!(retry.size == answer.len(), "more than a Retry was written");
        }
        _ => bail!("the server sees no new connection"),
    }
    Ok(answer)
}

#[test]
fn after_a_retry_of_quinn_the_hello_is_read_once() -> Result<()> {
    let (mut endpoint, mut client) = quinn(KeyShare::Classic, 1)?;
    let first = sent(&mut client).concat();
    let retry = retry_of_quinn(&first)?;
    match endpoint.handle(Instant::now(), SERVER, None, None, BytesMut::from(&*retry), &mut Vec::new()) {
        Some(DatagramEvent::ConnectionEvent(_, event)) => client.handle_event(event),
        _ => bail!("the client does not take the Retry"),
    }
    let second = sent(&mut client).concat();
    let destination = |datagram: &[u8]| datagram.get(5..14).map(<[u8]>::to_vec);
    ensure!(destination(&first) != destination(&second), "the client does not address another connection id");

    let mut initials = Initials::default();
    check(initials.feed(1, 0, &first), KeyShare::Classic, Version::V1)?;
    ensure!(initials.feed(1, 0, &retry) == Seen::NotQuic);
    ensure!(initials.feed(1, 0, &second) == Seen::Done, "the hello after the Retry is another one");
    check(Initials::default().feed(1, 0, &second), KeyShare::Classic, Version::V1)
}

/// A hello of rustls in QUIC version 2, which quinn does not speak: rustls' own keys protect two packets of it.
fn version_2(share: KeyShare) -> Result<Vec<Vec<u8>>> {
    let mut client = quic::ClientConnection::new(tls(share)?, quic::Version::V2, NAME.try_into()?, vec![1, 1, 9])?;
    let mut hello = Vec::new();
    let change: Option<KeyChange> = client.write_hs(&mut hello);
    ensure!(change.is_none(), "a client has no keys before the server has answered");
    let suite = cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().and_then(|suite| suite.quic_suite());
    let keys = suite.context("no suite for QUIC")?.keys(&[7; 8], Side::Client, quic::Version::V2).local;
    let (one, two) = hello.split_at(hello.len() / 2);
    let packet = |(number, offset, piece): (u8, usize, &[u8])| {
        let length = |number: usize| anyhow::Ok((u16::try_from(number)? | 0x4000).to_be_bytes());
        let mut content = [&[6][..], &length(offset)?, &length(piece.len())?, piece].concat();
        content.resize(content.len().max(1_150), 0);
        // A packet number of one byte, and no token.
        let start = [&[0xd0, 0x6b, 0x33, 0x43, 0xcf, 8][..], &[7; 8], &[0, 0]].concat();
        let mut header = [&start[..], &length(1 + content.len() + keys.packet.tag_len())?, &[number]].concat();
        let tag = keys.packet.encrypt_in_place(number.into(), &header, &mut content)?;
        let sample = content.get(3..19).context("too short for a sample")?;
        let (first, rest) = header.split_first_mut().context("no header")?;
        let number_at = rest.len() - 1;
        keys.header.encrypt_in_place(sample, first, rest.get_mut(number_at..).context("no number")?)?;
        anyhow::Ok([&header, &content, tag.as_ref()].concat())
    };
    [(0, 0, one), (1, one.len(), two)].into_iter().map(packet).collect()
}

#[test]
fn a_hello_of_rustls_in_version_2_is_read() -> Result<()> {
    for share in [KeyShare::Classic, KeyShare::PostQuantum] {
        check_datagrams(&version_2(share)?, share, Version::V2)?;
    }
    Ok(())
}

#[test]
fn a_hello_of_rustls_over_tcp_is_read() -> Result<()> {
    let bytes = post_quantum_hello(NAME)?;
    let records = unrecord(&bytes)?;
    ensure!(records.version.to_string() == "TLSv10", "the record says {}", records.version);
    let hello = ClientHello::parse(&records.message, Transport::Tcp)?;
    ensure!(hello.server_name.as_ref().is_some_and(|name| name.as_bytes() == NAME.as_bytes()), "{hello:?}");
    ensure!(hello.is_post_quantum() && hello.malformed.is_empty(), "{hello:?}");
    ensure!(
        hello.protocols.first().as_deref() == Some("http/1.1") && hello.protocols.iter().count() == 11,
        "{hello:?}"
    );
    // rustls shuffles its extensions, as browsers do; the fingerprint stays.
    let again = post_quantum_hello(NAME)?;
    let other = ClientHello::parse(&unrecord(&again)?.message, Transport::Tcp)?;
    ensure!(other.extensions != hello.extensions, "the extensions came in the same order twice");
    ensure!(hello.ja4().is_some() && hello.ja4() == other.ja4(), "{:?} {:?}", hello.ja4(), other.ja4());
    Ok(())
}
