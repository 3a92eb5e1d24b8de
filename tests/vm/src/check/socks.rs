//! SOCKS5 and SOCKS4a: the name of the request and of the hello inside, and a listed name that does not leave.

use anyhow::{Context as _, Result};
use monitor_common::wire::NameSource;

use super::block::{Asked, refused};
use super::world::{PORT, Place, World};
use crate::client::Client;
use crate::message::{SOCKS5_GREETING, hello, socks4a, socks5};
use crate::proxy::{SOCKS4_GRANTED, SOCKS5_GRANTED, SOCKS5_METHOD};
use crate::server::ALERT;

pub(super) fn version_5(world: &World) -> Result<()> {
    let mut client = greeted(world)?;
    client.send(&socks5("socks.example", PORT).context("make a request")?)?;
    client.expect(&SOCKS5_GRANTED)?;
    world.unlisted(&client, "socks.example", NameSource::Socks5, Place::Outside)?;
    inside(world, &mut client)
}

pub(super) fn version_4a(world: &World) -> Result<()> {
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send(&socks4a("socks.example", PORT))?;
    client.expect(&SOCKS4_GRANTED)?;
    world.unlisted(&client, "socks.example", NameSource::Socks4, Place::Outside)?;
    inside(world, &mut client)
}

fn greeted(world: &World) -> Result<Client> {
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send(&SOCKS5_GREETING)?;
    client.expect(&SOCKS5_METHOD)?;
    Ok(client)
}

fn inside(world: &World, client: &mut Client) -> Result<()> {
    client.send(&hello("inner.example", 600).context("make a hello")?)?;
    client.expect(&ALERT)?;
    world.unlisted(client, "inner.example", NameSource::TlsSni, Place::InTunnel)
}

pub(super) fn blocked(world: &World) -> Result<()> {
    let request = socks5("evil.example", PORT).context("make a request")?;
    let asked = Asked::evil(NameSource::Socks5);
    refused(world, &world.proxy.received, greeted(world)?, &SOCKS5_GREETING, &request, asked)?;
    let client = Client::to(world.proxy.addresses.v4)?;
    let asked = Asked::evil(NameSource::Socks4);
    refused(world, &world.proxy.received, client, b"", &socks4a("evil.example", PORT), asked)
}
