//! A conversation in clear text that turns into TLS: the name of the hello behind it, and a listed one that does not leave.

use anyhow::{Context as _, Result, ensure};
use monitor_common::wire::NameSource;
use monitor_common::wire::starttls::Service;

use super::block::{Asked, refused};
use super::proxied::open_tunnel;
use super::world::{Place, World};
use crate::client::Client;
use crate::message::{connect, hello};
use crate::server::{ALERT, NOT_DONE};

/// A command that is not known is among them, and the request is refused the first time: the server answers each.
const COMMANDS: [&[u8]; 5] =
    [b"EHLO guest.example\r\n", b"STARTTLS\r\n", b"VRFY somebody\r\n", b"NOOP\r\n", b"STARTTLS\r\n"];

fn upgrade(client: &mut Client) -> Result<()> {
    for command in COMMANDS {
        client.send(command)?;
        client.expect(NOT_DONE)?;
    }
    Ok(())
}

pub(super) fn named(world: &World) -> Result<()> {
    upgraded(world, Client::to(world.origin.addresses.v4)?, Place::Outside)
}

pub(super) fn in_tunnel(world: &World) -> Result<()> {
    upgraded(world, open_tunnel(world, &connect("good.example:25"))?, Place::InTunnel)
}

fn upgraded(world: &World, mut client: Client, place: Place) -> Result<()> {
    upgrade(&mut client)?;
    let hello = hello("mail.example", 600).context("make a hello")?;
    client.send_pieces(&hello, 251)?;
    client.expect(&ALERT)?;
    world.unlisted(&client, "mail.example", NameSource::TlsSni, place)?;
    let named = world.named(&client, "mail.example")?;
    ensure!(named.service == Some(Service::Smtp), "the event says {named:?}");
    Ok(())
}

pub(super) fn blocked(world: &World) -> Result<()> {
    let mut client = Client::to(world.origin.addresses.v4)?;
    upgrade(&mut client)?;
    let hello = hello("evil.example", 600).context("make a hello")?;
    let asked = Asked::evil(NameSource::TlsSni);
    refused(world, &world.origin.received, client, &COMMANDS.concat(), &hello, asked)
}
