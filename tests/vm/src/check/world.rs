//! What every check has around it: the programs attached, a proxy, an endpoint; and what checks ask of events.

use anyhow::{Result, ensure};
use monitor_common::event::{Endpoints, Origin as Where, Owner};
use monitor_common::policy::{Orders, Verdict};
use monitor_common::wire::NameSource;

use crate::client::Client;
use crate::kernel::Kernel;
use crate::proxy::Proxy;
use crate::server::Origin;
use crate::watch::{Named, Said};

/// A port that messages name, so that it can be told from those that sockets use.
pub(super) const PORT: u16 = 8443;

/// Everything that runs while checks of one mode do.
pub(crate) struct World {
    pub(super) kernel: Kernel,
    pub(super) origin: Origin,
    pub(super) proxy: Proxy,
}

impl World {
    pub(super) fn start(orders: Orders) -> Result<Self> {
        let origin = Origin::start()?;
        let proxy = Proxy::start(origin.addresses.v4)?;
        Ok(Self { kernel: Kernel::start(orders)?, origin, proxy })
    }

    pub(super) fn finish(self) -> Result<()> {
        self.kernel.finish()
    }

    /// Waits for the event that has this name, and checks that it says whose socket it was.
    pub(super) fn named(&self, client: &Client, name: &str) -> Result<Named> {
        let named = self.kernel.watch.wait(client.cookie, name, |said| {
            said.iter().find_map(|said| match said {
                Said::Named(named) if named.name == name => Some(named.clone()),
                _ => None,
            })
        })?;
        belongs_to(&named.origin, client)?;
        Ok(named)
    }

    /// Waits for the event that has this name, which no rule lists, and checks where it was found.
    pub(super) fn unlisted(&self, client: &Client, name: &str, source: NameSource, place: Place) -> Result<()> {
        let named = self.named(client, name)?;
        let expected = (source, place == Place::InTunnel, Verdict::Unlisted);
        ensure!((named.source, named.in_tunnel, named.verdict) == expected, "the event says {named:?}");
        let port = if source == NameSource::TlsSni { 0 } else { PORT };
        ensure!(named.port == port, "the event names port {}", named.port);
        Ok(())
    }

    /// Waits for the answers of the proxy that events tell, by how they begin, in their order.
    pub(super) fn replied(&self, client: &Client, beginnings: &[&[u8]]) -> Result<()> {
        self.kernel.watch.wait(client.cookie, "what the proxy answered", |said| {
            let told: Vec<&[u8]> = said.iter().filter_map(answer).collect();
            let fits = |(told, beginning): (&&[u8], &&[u8])| told.starts_with(beginning);
            (told.len() == beginnings.len() && told.iter().zip(beginnings).all(fits)).then_some(())
        })
    }

    /// Waits for the beginning of a connection.
    pub(super) fn established(&self, client: &Client) -> Result<()> {
        let origin = self.kernel.watch.wait(client.cookie, "that the connection is established", |said| {
            said.iter().find_map(|said| match said {
                Said::Established(origin) => Some(*origin),
                _ => None,
            })
        })?;
        belongs_to(&origin, client)
    }

    /// Ends the client's connection and waits for the event that says so; gives the bytes each way.
    pub(super) fn closed(&self, client: Client) -> Result<(u64, u64)> {
        let cookie = client.cookie;
        drop(client);
        self.kernel.watch.wait(cookie, "that the connection is closed", |said| match said.last() {
            Some(Said::Closed { sent, received }) => Some((*sent, *received)),
            _ => None,
        })
    }
}

/// Where a name was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Outside,
    InTunnel,
}

fn answer(said: &Said) -> Option<&[u8]> {
    match said {
        Said::Replied(bytes) => Some(bytes),
        _ => None,
    }
}

/// The owner is this program.
pub(super) fn is_ours(owner: &Owner) -> Result<()> {
    let Owner { tgid, uid, gid, netns_cookie, comm, .. } = *owner;
    let known = (tgid, uid, gid) == (std::process::id(), 0, 0) && netns_cookie != 0 && comm != [0; 16];
    ensure!(known, "the owner is {owner:?}");
    Ok(())
}

/// The process, the user and both ends are those of the client.
fn belongs_to(origin: &Where, client: &Client) -> Result<()> {
    let Where { owner, endpoints } = origin;
    is_ours(owner)?;
    let Endpoints { family, local_port, remote_port, .. } = *endpoints;
    let expected = (if client.address.is_ipv6() { 6 } else { 4 }, client.address.port(), client.server.port());
    ensure!((family, local_port, remote_port) == expected, "the ends are {endpoints:?}");
    Ok(())
}
