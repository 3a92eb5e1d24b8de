//! Names without a proxy: Host fields, and hellos in every form that a client may give them.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use monitor_common::wire::NameSource;

use super::world::{Place, World};
use crate::client::Client;
use crate::message::{handshake, hello, origin, records};
use crate::server::ALERT;

pub(super) fn host_field(world: &World) -> Result<()> {
    let mut client = Client::to(world.origin.addresses.v4)?;
    client.send(&origin("host.example:8443"))?;
    let status = client.status()?;
    ensure!(status == "204", "the server answered {status}");
    world.unlisted(&client, "host.example", NameSource::HttpHost, Place::Outside)
}

pub(super) fn hello_v4(world: &World) -> Result<()> {
    one_piece(world, world.origin.addresses.v4)
}

pub(super) fn hello_v6(world: &World) -> Result<()> {
    one_piece(world, world.origin.addresses.v6)
}

fn one_piece(world: &World, server: SocketAddr) -> Result<()> {
    let hello = hello("direct.example", 1_800).context("make a hello")?;
    in_pieces(world, server, &hello, hello.len())
}

/// The endpoint answers when the whole hello is there, so the pieces passed, too.
fn in_pieces(world: &World, server: SocketAddr, hello: &[u8], size: usize) -> Result<()> {
    let mut client = Client::to(server)?;
    client.send_pieces(hello, size)?;
    client.expect(&ALERT)?;
    world.unlisted(&client, "direct.example", NameSource::TlsSni, Place::Outside)?;
    let named = world.named(&client, "direct.example")?;
    ensure!(hello.starts_with(&named.hello) && !named.hello.is_empty(), "the event has another hello");
    Ok(())
}

pub(super) fn hello_in_pieces(world: &World) -> Result<()> {
    for (bytes, size) in [(250, 7), (1_800, 200), (1_800, 501), (8_000, 1_400)] {
        let hello = hello("direct.example", bytes).context("make a hello")?;
        in_pieces(world, world.origin.addresses.v4, &hello, size)
            .with_context(|| format!("{bytes} bytes in pieces of {size}"))?;
    }
    Ok(())
}

pub(super) fn hello_cut_anywhere(world: &World) -> Result<()> {
    let hello = hello("direct.example", 160).context("make a hello")?;
    for cut in 1..hello.len() {
        let (first, second) = hello.split_at(cut);
        let mut client = Client::to(world.origin.addresses.v4)?;
        client.send(first)?;
        client.send(second)?;
        client.expect(&ALERT).with_context(|| format!("cut at {cut}"))?;
        world.unlisted(&client, "direct.example", NameSource::TlsSni, Place::Outside)?;
    }
    Ok(())
}

pub(super) fn large_hello(world: &World) -> Result<()> {
    let hello = hello("direct.example", 16_300).context("make a hello")?;
    in_pieces(world, world.origin.addresses.v4, &hello, hello.len())?;
    in_pieces(world, world.origin.addresses.v4, &hello, 1_400)
}

pub(super) fn hello_in_records(world: &World) -> Result<()> {
    let message = handshake("direct.example", 1_800).context("make a hello")?;
    for size in [100, 900] {
        let hello = records(&message, size).context("make records")?;
        in_pieces(world, world.origin.addresses.v4, &hello, hello.len())?;
        in_pieces(world, world.origin.addresses.v4, &hello, 333)?;
    }
    Ok(())
}
