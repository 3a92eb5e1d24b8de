//! A tunnel in which another name is asked for than the proxy was.

use anyhow::{Context as _, Result, ensure};
use monitor_common::policy::Verdict;

use super::proxied::open_tunnel;
use super::world::World;
use crate::message::{connect, hello, origin};
use crate::server::ALERT;

pub(super) fn blocked(world: &World) -> Result<()> {
    let head = connect("front.example:443");
    for inner in [hello("hidden.example", 1_800).context("make a hello")?, origin("hidden.example")] {
        let mut client = open_tunnel(world, &head)?;
        client.send_and_be_aborted(&inner)?;
        let named = world.named(&client, "hidden.example")?;
        ensure!(named.differs && named.verdict == Verdict::Mismatched, "the event says {named:?}");
        let arrived = world.proxy.received.all_from(client.address)?;
        ensure!(arrived == head, "{} bytes arrived, and {} had to", arrived.len(), head.len());
    }
    Ok(())
}

pub(super) fn ordinary(world: &World) -> Result<()> {
    let hello = hello("front.example", 600).context("make a hello")?;
    for authority in ["FRONT.example:443", "192.0.2.1:443", "[2001:db8::1]:443"] {
        let mut client = open_tunnel(world, &connect(authority))?;
        client.send_pieces(&hello, 301)?;
        client.expect(&ALERT).with_context(|| authority.to_owned())?;
        let named = world.named(&client, "front.example")?;
        ensure!(!named.differs && named.verdict == Verdict::Unlisted, "the event says {named:?}");
    }
    Ok(())
}
