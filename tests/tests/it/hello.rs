//! Hellos that do not fit the simple picture: larger than a segment, or written in pieces cut inside the name.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use anyhow::{Result, ensure};
use monitor_common::limits::MESSAGE_BYTES_MAX;
use monitor_tests::{
    client::{connect_request, cut, position},
    expect::{audited, blocked, network},
    hello::{hello_with_name_at_the_end, post_quantum_client, post_quantum_hello},
    netns::Netns,
    origin::PAGE,
    proxy::Kind,
    sink::Sink,
};

use rustls::{RootCertStore, Stream, pki_types::CertificateDer};

use crate::{probe::Probe, world::World};

const EVIL: &str = "www.evil.example";

/// Has a probe send the pieces, each when the one before has arrived, and the last without waiting.
pub(crate) fn send_pieces(netns: &Netns, sink: &Sink, number: usize, pieces: &[Vec<u8>]) -> Result<Probe> {
    let mut probe = Probe::start(netns, sink.address())?;
    send_by(&mut probe, sink, number, pieces)?;
    Ok(probe)
}

fn send_by(probe: &mut Probe, sink: &Sink, number: usize, pieces: &[Vec<u8>]) -> Result<()> {
    let mut sent = 0;
    for (index, piece) in pieces.iter().enumerate() {
        probe.send(piece)?;
        sent += piece.len();
        if index + 1 < pieces.len() {
            sink.wait_for(number, "a piece arrives", |connection| connection.bytes >= sent)?;
        }
    }
    Ok(())
}

/// What the server may get of the pieces: all but the one that completes the name.
fn harmless(pieces: &[Vec<u8>]) -> usize {
    let all: usize = pieces.iter().map(Vec::len).sum();
    all - pieces.last().map_or(0, Vec::len)
}

/// In audit mode all pieces arrive and the name is reported.
fn check_named(pieces: &[Vec<u8>], source: &str) -> Result<()> {
    let world = World::new()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, 0).into())?;
    let (daemon, line) = world.audits_evil()?;
    let probe = send_pieces(&world.netns, &sink, 0, pieces)?;
    let pid = probe.pid();
    let all: usize = pieces.iter().map(Vec::len).sum();
    sink.wait_for(0, "every byte arrives", |connection| connection.bytes == all)?;
    let named = network("ConnectionSuccess").pid(pid).column("RemoteUrl", EVIL);
    daemon.row(&named.additional("HostnameSource", source))?;
    drop(probe);
    let account = daemon.stop()?;
    account.has(1, &audited(EVIL).pid(pid).additional("IndicatorSource", line.as_str()))
}

/// In block mode the completing piece does not arrive, and the sender is told.
fn check_blocked(pieces: &[Vec<u8>], source: &str, address: IpAddr) -> Result<()> {
    let world = World::new()?;
    let sink = Sink::start(&world.netns, (address, 0).into())?;
    let (daemon, line) = world.blocks_evil()?;
    let probe = send_pieces(&world.netns, &sink, 0, pieces)?;
    let pid = probe.pid();
    let end = probe.end()?;
    ensure!(end == "ConnectionAborted", "the sender was told {end}");
    let arrived = sink.wait_for(0, "the connection ends at the server", |connection| connection.ended)?.bytes;
    ensure!(arrived == harmless(pieces), "{arrived} bytes arrived, not {}", harmless(pieces));
    let account = daemon.stop()?;
    let verdict = blocked(EVIL).pid(pid).additional("HostnameSource", source);
    account.has(1, &verdict.additional("IndicatorSource", line.as_str()))?;
    account.has(0, &network("ConnectionSuccess").pid(pid).column("RemoteUrl", EVIL))?;

    // The same pieces pass when nobody looks: it was the daemon that kept the last one back.
    let probe = send_pieces(&world.netns, &sink, 1, pieces)?;
    let all: usize = pieces.iter().map(Vec::len).sum();
    sink.wait_for(1, "every byte arrives", |connection| connection.bytes == all)?;
    drop(probe);
    Ok(())
}

pub(crate) fn whole() -> Result<Vec<Vec<u8>>> {
    let hello = post_quantum_hello(EVIL)?;
    println!("the hello has {} bytes", hello.len());
    cut(&hello, &[])
}

/// Three pieces: the first ends inside the name, and so does the second.
pub(crate) fn cut_in_the_name() -> Result<Vec<Vec<u8>>> {
    let hello = post_quantum_hello(EVIL)?;
    let name = position(&hello, EVIL)?;
    cut(&hello, &[name + 3, name + 8])
}

/// Three pieces: the first ends inside the header of the record, the second inside the name.
pub(crate) fn cut_in_the_header() -> Result<Vec<Vec<u8>>> {
    let hello = post_quantum_hello(EVIL)?;
    cut(&hello, &[3, position(&hello, EVIL)? + 6])
}

/// Does a whole handshake with the origin and returns its answer to a request.
pub(crate) fn page_of_good(world: &World) -> Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(world.origin.certificate_der()?))?;
    let mut client = post_quantum_client("good.example", roots)?;
    let mut socket = world.netns.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)))??;
    let mut tls = Stream::new(&mut client, &mut socket);
    tls.write_all(b"GET / HTTP/1.1\r\nHost: good.example\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    tls.read_to_string(&mut answer)?;
    Ok(answer)
}

/// About 12 KB in pieces of a segment's size; the last piece ends the name.
fn large_with_name_at_the_end() -> Result<Vec<Vec<u8>>> {
    let hello = hello_with_name_at_the_end(EVIL, 12_000)?;
    let name = position(&hello, EVIL)?;
    let places: Vec<usize> = (1400..name).step_by(1400).chain([name + 6]).collect();
    cut(&hello, &places)
}

/// As much as is put together: 16 KiB, the name at the very end.
fn largest_with_name_at_the_end() -> Result<Vec<u8>> {
    let without_padding = hello_with_name_at_the_end(EVIL, 0)?.len();
    hello_with_name_at_the_end(EVIL, MESSAGE_BYTES_MAX - without_padding)
}

fn request_cut_in_the_name() -> Result<Vec<Vec<u8>>> {
    let request = connect_request(EVIL);
    cut(&request, &[4, position(&request, EVIL)? + 6])
}

#[test]
fn a_post_quantum_hello_is_named() -> Result<()> {
    check_named(&whole()?, "TlsSni")
}

#[test]
fn a_post_quantum_hello_is_blocked() -> Result<()> {
    check_blocked(&whole()?, "TlsSni", Ipv4Addr::LOCALHOST.into())
}

#[test]
fn a_hello_in_three_pieces_is_named() -> Result<()> {
    check_named(&cut_in_the_name()?, "TlsSni")
}

#[test]
fn a_hello_in_three_pieces_is_blocked_by_the_last() -> Result<()> {
    check_blocked(&cut_in_the_name()?, "TlsSni", Ipv4Addr::LOCALHOST.into())
}

#[test]
fn a_hello_in_three_pieces_is_blocked_over_ipv6() -> Result<()> {
    check_blocked(&cut_in_the_name()?, "TlsSni", Ipv6Addr::LOCALHOST.into())
}

#[test]
fn a_hello_cut_in_its_header_is_blocked_by_the_last_piece() -> Result<()> {
    check_blocked(&cut_in_the_header()?, "TlsSni", Ipv4Addr::LOCALHOST.into())
}

#[test]
fn a_large_hello_with_its_name_at_the_end_is_named() -> Result<()> {
    check_named(&large_with_name_at_the_end()?, "TlsSni")
}

#[test]
fn a_large_hello_with_its_name_at_the_end_is_blocked_by_the_last_piece() -> Result<()> {
    check_blocked(&large_with_name_at_the_end()?, "TlsSni", Ipv4Addr::LOCALHOST.into())
}

#[test]
fn a_hello_of_16_kib_with_its_name_at_the_end_is_named() -> Result<()> {
    let hello = largest_with_name_at_the_end()?;
    check_named(&cut(&hello, &[])?, "TlsSni")?;
    let places: Vec<usize> = (1400..hello.len()).step_by(1400).collect();
    check_named(&cut(&hello, &places)?, "TlsSni")
}

#[test]
fn a_hello_of_16_kib_with_its_name_at_the_end_is_blocked_by_the_last_piece() -> Result<()> {
    let hello = largest_with_name_at_the_end()?;
    check_blocked(&cut(&hello, &[])?, "TlsSni", Ipv4Addr::LOCALHOST.into())?;
    check_blocked(&cut(&hello, &[1000, hello.len() - 1])?, "TlsSni", Ipv4Addr::LOCALHOST.into())
}

#[test]
fn a_hello_in_pieces_inside_a_tunnel_is_blocked_by_the_last() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    // Another address than the origin's, at the port that the proxy allows.
    let sink = Sink::start(&world.netns, (Ipv4Addr::new(127, 0, 0, 2), 8443).into())?;
    let (daemon, line) = world.blocks_evil()?;
    let mut probe = Probe::start(&world.netns, (Ipv4Addr::LOCALHOST, proxy.port()).into())?;
    let pid = probe.pid();
    probe.send(&connect_request("127.0.0.2"))?;
    let answer = probe.answer()?;
    ensure!(answer.contains("200"), "the proxy answered {answer}");
    let pieces = cut_in_the_name()?;
    send_by(&mut probe, &sink, 0, &pieces)?;
    let end = probe.end()?;
    ensure!(end == "ConnectionAborted", "the sender was told {end}");
    let arrived = sink.wait_for(0, "the tunnel ends at the server", |connection| connection.ended)?.bytes;
    ensure!(arrived == harmless(&pieces), "{arrived} bytes arrived, not {}", harmless(&pieces));
    let account = daemon.stop()?;
    let verdict = blocked(EVIL).pid(pid).additional("HostnameSource", "TlsSni").additional("ProxyPort", proxy.port());
    account.has(1, &verdict.additional("IndicatorSource", line.as_str()))
}

#[test]
fn a_connect_request_in_three_pieces_is_blocked_by_the_last() -> Result<()> {
    check_blocked(&request_cut_in_the_name()?, "ConnectAuthority", Ipv4Addr::LOCALHOST.into())
}

#[test]
fn a_real_handshake_with_a_post_quantum_hello_is_one_named_row() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    ensure!(page_of_good(&world)?.contains(PAGE), "the server did not answer with its page");
    let own = std::process::id();
    let named = network("ConnectionSuccess").pid(own).column("RemotePort", 8443).column("RemoteIP", "127.0.0.1");
    let named = named.column("RemoteUrl", "good.example").additional("HostnameSource", "TlsSni");
    daemon.row(&named)?;
    let account = daemon.stop()?;
    account.has(1, &named)?;
    account.has(1, &network("ConnectionSuccess").pid(own).column("RemotePort", 8443))
}
