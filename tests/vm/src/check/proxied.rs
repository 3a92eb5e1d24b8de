//! Names behind a proxy: authorities of CONNECT, hellos inside tunnels, requests in absolute form.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use monitor_common::wire::NameSource;

use super::world::{PORT, Place, World};
use crate::client::Client;
use crate::message::{absolute, connect, connect_with_credentials, hello};
use crate::proxy::ESTABLISHED;
use crate::server::ALERT;

pub(super) fn tunnel_v4(world: &World) -> Result<()> {
    tunnel(world, world.proxy.addresses.v4)
}

pub(super) fn tunnel_v6(world: &World) -> Result<()> {
    tunnel(world, world.proxy.addresses.v6)
}

/// A whole connection, from its beginning to its end: each thing that happens is told once.
fn tunnel(world: &World, proxy: SocketAddr) -> Result<()> {
    let (head, hello) = (connect("good.example:8443"), hello("inner.example", 600).context("make a hello")?);
    let mut client = Client::to(proxy)?;
    world.established(&client)?;
    client.send(&head)?;
    client.expect(ESTABLISHED)?;
    world.unlisted(&client, "good.example", NameSource::ConnectAuthority, Place::Outside)?;
    world.replied(&client, &[ESTABLISHED])?;
    client.send(&hello)?;
    client.expect(&ALERT)?;
    world.unlisted(&client, "inner.example", NameSource::TlsSni, Place::InTunnel)?;
    let address = client.address;
    let (sent, received) = world.closed(client)?;
    let all = [head, hello].concat();
    let expected = (u64::try_from(all.len())?, u64::try_from(ESTABLISHED.len() + ALERT.len())?);
    ensure!((sent, received) == expected, "the end tells {sent} bytes sent and {received} received, not {expected:?}");
    ensure!(world.proxy.received.all_from(address)? == all, "the proxy got something else");
    Ok(())
}

/// Opens a tunnel, which is tested elsewhere.
pub(super) fn open_tunnel(world: &World, head: &[u8]) -> Result<Client> {
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send(head)?;
    client.expect(ESTABLISHED)?;
    Ok(client)
}

pub(super) fn inner_hello_in_pieces(world: &World) -> Result<()> {
    let hello = hello("inner.example", 2_000).context("make a hello")?;
    for size in [300, 501, 1_400] {
        let mut client = open_tunnel(world, &connect("good.example:8443"))?;
        client.send_pieces(&hello, size)?;
        client.expect(&ALERT)?;
        world.unlisted(&client, "inner.example", NameSource::TlsSni, Place::InTunnel)?;
    }
    Ok(())
}

pub(super) fn address_as_authority(world: &World) -> Result<()> {
    for (authority, name) in [("[2001:db8::1]:8443", "2001:db8::1"), ("192.0.2.1:8443", "192.0.2.1")] {
        let client = open_tunnel(world, &connect(authority))?;
        world.unlisted(&client, name, NameSource::ConnectAuthority, Place::Outside)?;
    }
    Ok(())
}

pub(super) fn connect_byte_by_byte(world: &World) -> Result<()> {
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send_pieces(&connect("bytes.example:8443"), 1)?;
    client.expect(ESTABLISHED)?;
    world.unlisted(&client, "bytes.example", NameSource::ConnectAuthority, Place::Outside)?;
    world.replied(&client, &[ESTABLISHED])
}

pub(super) fn retry_with_credentials(world: &World) -> Result<()> {
    let authority = "locked.example:8443";
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send(&connect(authority))?;
    let status = client.status()?;
    ensure!(status == "407", "the proxy answered {status}");
    client.send(&connect_with_credentials(authority))?;
    client.expect(ESTABLISHED)?;
    world.replied(&client, &[b"HTTP/1.1 407", ESTABLISHED])?;
    world.unlisted(&client, "locked.example", NameSource::ConnectAuthority, Place::Outside)?;
    client.send(&hello("inner.example", 600).context("make a hello")?)?;
    client.expect(&ALERT)?;
    world.unlisted(&client, "inner.example", NameSource::TlsSni, Place::InTunnel)
}

pub(super) fn refused_tunnel(world: &World) -> Result<()> {
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send(&connect("refused.example:8443"))?;
    let status = client.status()?;
    ensure!(status == "503", "the proxy answered {status}");
    world.replied(&client, &[b"HTTP/1.1 503"])?;
    world.unlisted(&client, "refused.example", NameSource::ConnectAuthority, Place::Outside)
}

pub(super) fn absolute_form(world: &World) -> Result<()> {
    let mut client = Client::to(world.proxy.addresses.v4)?;
    for name in ["one.example", "two.example", "three.example"] {
        client.send(&absolute(&format!("{name}:{PORT}")))?;
        let status = client.status()?;
        ensure!(status == "204", "the proxy answered {status}");
        world.unlisted(&client, name, NameSource::AbsoluteUri, Place::Outside)?;
    }
    Ok(())
}
