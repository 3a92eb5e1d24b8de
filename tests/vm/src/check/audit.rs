//! What a rule lists in mode audit: it passes, and the event says which rule it was.

use anyhow::{Context as _, Result, ensure};
use monitor_common::policy::Verdict;

use super::proxied::open_tunnel;
use super::world::World;
use crate::message::{connect, hello};
use crate::server::ALERT;

pub(super) fn listed_names_pass(world: &World) -> Result<()> {
    let mut client = open_tunnel(world, &connect("www.evil.example:443"))?;
    client.send(&hello("exact.example", 1_800).context("make a hello")?)?;
    client.expect(&ALERT)?;
    for (name, rule) in [("www.evil.example", 0), ("exact.example", 1)] {
        let named = world.named(&client, name)?;
        ensure!((named.verdict, named.rule) == (Verdict::Audited, rule), "the event says {named:?}");
    }
    world.closed(client).map(drop)
}
