//! The harness without a daemon: what the other tests see blocked or named does work, and does fail, by itself.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use monitor_tests::{
    client::{curl, send},
    origin::PAGE,
    proxy::Kind,
    sink::Sink,
    wire::Wire,
};

use crate::{hello, world::World};

#[test]
fn every_proxy_passes_what_nobody_blocks() -> Result<()> {
    let world = World::new()?;
    for kind in [Kind::Tinyproxy, Kind::Squid] {
        let proxy = world.proxy(kind)?;
        for url in ["https://evil.example:8443/", "http://evil.example:8080/", "https://[::1]:8443/"] {
            for address in [proxy.url(), proxy.url_v6()] {
                curl(&world.netns, &["-x", &address, url])?.got(PAGE)?;
            }
        }
        proxy.log_with("evil.example")?;
    }
    let asked = world.origin.requests()?;
    ensure!(asked.matches("evil.example").count() >= 8, "the origin's log does not name its requests:\n{asked}");
    Ok(())
}

#[test]
fn a_name_without_an_address_fails_and_is_not_taken_for_blocked() -> Result<()> {
    let world = World::new()?;
    // Not squid: it asks the name servers that the namespace has not for half a minute.
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let ran = curl(&world.netns, &["-x", &proxy.url(), "https://nowhere.example:8443/"])?;
    ensure!(ran.status != 0 && ran.was_cut_off().is_err(), "a failure of another kind counts as blocked: {ran:#?}");
    Ok(())
}

#[test]
fn the_capture_sees_payload_of_both_address_families() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let wire = Wire::to_port(&world.netns, proxy.port())?;
    for address in [proxy.url(), proxy.url_v6()] {
        curl(&world.netns, &["-x", &address, "https://good.example:8443/"])?.got(PAGE)?;
    }
    let last = world.netns.connect((Ipv4Addr::LOCALHOST, proxy.port()).into())??;
    let last_port = last.local_addr()?.port();
    send(&mut { last }, b"GET / HTTP/1.1\r\n\r\n")?;
    wire.wait_for_payload_from(last_port)?;
    let packets = wire.stop()?;
    ensure!(packets.iter().filter(|packet| packet.syn).count() == 3, "not three connections: {packets:?}");
    // Two requests with a hello each, at least, and the last one's line.
    let with_payload = packets.iter().filter(|packet| packet.payload > 0).count();
    ensure!(with_payload >= 5, "only {with_payload} packets with payload: {packets:?}");
    Ok(())
}

#[test]
fn the_sink_counts_what_arrives_and_sees_the_end() -> Result<()> {
    let world = World::new()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, 0).into())?;
    let mut stream = world.netns.connect(sink.address())??;
    send(&mut stream, b"twelve bytes")?;
    let connection = sink.wait_for(0, "the bytes arrive", |connection| connection.bytes == 12)?;
    ensure!(!connection.ended, "it ended by itself");
    drop(stream);
    let connection = sink.wait_for(0, "the end arrives", |connection| connection.ended)?;
    ensure!(connection.bytes == 12, "{connection:?}");
    Ok(())
}

#[test]
fn a_post_quantum_hello_in_pieces_passes_when_nobody_looks() -> Result<()> {
    let world = World::new()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, 0).into())?;
    for (number, pieces) in [hello::whole()?, hello::cut_in_the_name()?, hello::cut_in_the_header()?].iter().enumerate()
    {
        let stream = hello::send_pieces(&world.netns, &sink, number, pieces)?;
        let all: usize = pieces.iter().map(Vec::len).sum();
        sink.wait_for(number, "every byte arrives", |connection| connection.bytes == all)?;
        drop(stream);
    }
    ensure!(hello::page_of_good(&world)?.contains(PAGE), "the origin does not serve the post-quantum client");
    Ok(())
}
