//! What a rule lists in mode block: the packet that completes its name is dropped, no later byte leaves, and the caller
//! hears ECONNABORTED from the real destroyer.

use anyhow::{Context as _, Result, ensure};
use monitor_common::policy::Verdict;
use monitor_common::wire::NameSource;

use super::proxied::open_tunnel;
use super::world::World;
use crate::client::Client;
use crate::message::{absolute, connect, handshake, hello, origin, records};
use crate::server::Received;
use crate::watch::Said;

/// `rest` asks for a listed name on a connection on which the server has got `before`. Not a byte of it arrives.
pub(super) fn refused(
    world: &World,
    server: &Received,
    mut client: Client,
    before: &[u8],
    rest: &[u8],
    asked: Asked,
) -> Result<()> {
    let Asked { name, source, rule } = asked;
    client.send_and_be_aborted(rest)?;
    let named = world.named(&client, name)?;
    let told = (named.source, named.verdict, named.rule);
    ensure!(told == (source, Verdict::Blocked, rule), "the event says {named:?}");
    let arrived = server.all_from(client.address)?;
    ensure!(arrived == before, "{} bytes arrived, and {} had to", arrived.len(), before.len());
    Ok(())
}

/// What was asked for, and how.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    name: &'static str,
    source: NameSource,
    /// The place of the rule among `RULES`.
    rule: u32,
}

impl Asked {
    pub(super) fn evil(source: NameSource) -> Self {
        Self { name: "evil.example", source, rule: 0 }
    }
}

pub(super) fn connect_v4(world: &World) -> Result<()> {
    let client = Client::to(world.proxy.addresses.v4)?;
    let asked = Asked::evil(NameSource::ConnectAuthority);
    refused(world, &world.proxy.received, client, b"", &connect("evil.example:443"), asked)
}

pub(super) fn connect_v6(world: &World) -> Result<()> {
    let client = Client::to(world.proxy.addresses.v6)?;
    let asked = Asked::evil(NameSource::ConnectAuthority);
    refused(world, &world.proxy.received, client, b"", &connect("evil.example:443"), asked)
}

pub(super) fn connect_in_pieces(world: &World) -> Result<()> {
    let head = connect("evil.example:443");
    for cut in [1, 10, 15] {
        let (first, rest) = head.split_at(cut);
        let mut client = Client::to(world.proxy.addresses.v4)?;
        client.send(first)?;
        let asked = Asked::evil(NameSource::ConnectAuthority);
        refused(world, &world.proxy.received, client, first, rest, asked).with_context(|| format!("cut at {cut}"))?;
    }
    Ok(())
}

pub(super) fn absolute_form(world: &World) -> Result<()> {
    let client = Client::to(world.proxy.addresses.v4)?;
    let asked = Asked::evil(NameSource::AbsoluteUri);
    refused(world, &world.proxy.received, client, b"", &absolute("evil.example"), asked)
}

pub(super) fn later_request(world: &World) -> Result<()> {
    let first = absolute("good.example");
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send(&first)?;
    let status = client.status()?;
    ensure!(status == "204", "the proxy answered {status}");
    let asked = Asked::evil(NameSource::AbsoluteUri);
    refused(world, &world.proxy.received, client, &first, &absolute("evil.example"), asked)
}

pub(super) fn host_field(world: &World) -> Result<()> {
    let client = Client::to(world.origin.addresses.v4)?;
    let asked = Asked::evil(NameSource::HttpHost);
    refused(world, &world.origin.received, client, b"", &origin("evil.example"), asked)
}

pub(super) fn hello_v4(world: &World) -> Result<()> {
    let client = Client::to(world.origin.addresses.v4)?;
    let hello = hello("evil.example", 1_800).context("make a hello")?;
    refused(world, &world.origin.received, client, b"", &hello, Asked::evil(NameSource::TlsSni))
}

pub(super) fn hello_v6(world: &World) -> Result<()> {
    let client = Client::to(world.origin.addresses.v6)?;
    let hello = hello("evil.example", 1_800).context("make a hello")?;
    refused(world, &world.origin.received, client, b"", &hello, Asked::evil(NameSource::TlsSni))
}

/// The name is in the last bytes: everything before the last piece may pass, and does.
pub(super) fn hello_in_pieces(world: &World) -> Result<()> {
    for (bytes, size) in [(250, 9), (1_800, 501), (16_300, 1_400)] {
        let hello = hello("evil.example", bytes).context("make a hello")?;
        let last = hello.len() - (hello.len() - 1) % size - 1;
        let (before, rest) = hello.split_at(last);
        let mut client = Client::to(world.origin.addresses.v4)?;
        client.send_pieces(before, size)?;
        refused(world, &world.origin.received, client, before, rest, Asked::evil(NameSource::TlsSni))
            .with_context(|| format!("{bytes} bytes in pieces of {size}"))?;
    }
    Ok(())
}

pub(super) fn hello_in_records(world: &World) -> Result<()> {
    let message = handshake("evil.example", 1_800).context("make a hello")?;
    let client = Client::to(world.origin.addresses.v4)?;
    let hello = records(&message, 300).context("make records")?;
    refused(world, &world.origin.received, client, b"", &hello, Asked::evil(NameSource::TlsSni))
}

pub(super) fn inner_hello(world: &World) -> Result<()> {
    let head = connect("good.example:443");
    let client = open_tunnel(world, &head)?;
    let hello = hello("evil.example", 1_800).context("make a hello")?;
    refused(world, &world.proxy.received, client, &head, &hello, Asked::evil(NameSource::TlsSni))
}

pub(super) fn urgent_data(world: &World) -> Result<()> {
    let before = b"CONNECT www.ev";
    let mut client = Client::to(world.proxy.addresses.v4)?;
    client.send(before)?;
    client.send_urgent_and_be_aborted(b'x')?;
    world.kernel.watch.wait(client.cookie, "that urgent data was sent", |said| {
        said.iter().any(|said| matches!(said, Said::Unreadable(Verdict::Blocked))).then_some(())
    })?;
    let arrived = world.proxy.received.all_from(client.address)?;
    ensure!(arrived == before, "{} bytes arrived, and {} had to", arrived.len(), before.len());
    Ok(())
}

/// A rule holds for subdomains unless it is exact, in any case, and the longest one counts.
pub(super) fn rules(world: &World) -> Result<()> {
    let source = NameSource::ConnectAuthority;
    for (name, rule) in [
        ("www.evil.example", 0),
        ("EVIL.Example", 0),
        ("exact.example", 1),
        ("deep.evil.example", 2),
        ("x.y.deep.evil.example", 2),
    ] {
        let client = Client::to(world.proxy.addresses.v4)?;
        let asked = Asked { name, source, rule };
        refused(world, &world.proxy.received, client, b"", &connect(&format!("{name}:443")), asked)
            .with_context(|| name.to_owned())?;
    }
    for name in ["www.exact.example", "notevil.example", "evil.example.test"] {
        let client = open_tunnel(world, &connect(&format!("{name}:443")))?;
        let named = world.named(&client, name)?;
        ensure!(named.verdict == Verdict::Unlisted, "the event says {named:?}");
    }
    Ok(())
}

pub(super) fn many(world: &World) -> Result<()> {
    for round in 0..100 {
        connect_v4(world).with_context(|| format!("round {round}"))?;
    }
    Ok(())
}
