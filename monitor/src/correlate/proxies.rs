//! The proxies that were seen at work: an address that answered CONNECT, SOCKS or a request in absolute form is one.
//!
//! Found by what peers answer, never by their port or by what a program is configured to use. A peer that was asked and
//! stayed silent is not listed. Addresses are as the connecting program sees them: one address may be two proxies in two
//! network namespaces, and is one line here.

use std::collections::HashMap;
use std::net::SocketAddr;

use monitor_common::wire::NameSource;

use super::{Change, ProxyProtocol, What};

/// Proxies remembered at once: a host has a handful. Beyond it the one that was silent longest is forgotten:
/// [`Proxies::forgotten`].
const PROXIES_MAX: usize = 1024;

/// A proxy, and what it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObservedProxy {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it speaks.
    pub protocol: ProxyProtocol,
    /// When it first answered: nanoseconds since boot.
    pub first_ns: u64,
    /// When it last answered: nanoseconds since boot.
    pub last_ns: u64,
    /// Requests that it granted: CONNECT with 2xx, SOCKS with success.
    pub granted: u64,
    /// Requests that it refused.
    pub refused: u64,
    /// CONNECT requests that it wants again with credentials (407).
    pub challenged: u64,
    /// Connections on which it answered requests in absolute form; the status of these answers is not read.
    pub answered: u64,
}

/// The table of them.
#[derive(Default)]
pub(super) struct Proxies {
    known: HashMap<(SocketAddr, ProxyProtocol), ObservedProxy>,
    forgotten: u64,
}

#[derive(Clone, Copy)]
enum Outcome {
    Granted,
    Refused,
    Challenged,
    Answered,
}

impl Proxies {
    /// Takes what a change tells of a proxy, if it tells anything.
    pub(super) fn observe(&mut self, change: &Change) {
        let (target, outcome) = match &change.what {
            // In absolute form a target is "reached" when it is asked for; whether somebody answers is known at the end.
            What::Reached(target) if target.source == NameSource::AbsoluteUri => return,
            What::Closed { target: Some(target), received: 1.., .. } if target.source == NameSource::AbsoluteUri => {
                (target, Outcome::Answered)
            }
            What::Reached(target) => (target, Outcome::Granted),
            What::Refused(target, Some(_)) => (target, Outcome::Refused),
            What::Challenged(target, _) => (target, Outcome::Challenged),
            _ => return,
        };
        // Another request inside a tunnel went to a server behind the proxy.
        let Some(protocol) = ProxyProtocol::of(target.source) else {
            return;
        };
        let proxy = self.entry(change.connection.remote, protocol, change.time_ns);
        proxy.last_ns = change.time_ns;
        let count = match outcome {
            Outcome::Granted => &mut proxy.granted,
            Outcome::Refused => &mut proxy.refused,
            Outcome::Challenged => &mut proxy.challenged,
            Outcome::Answered => &mut proxy.answered,
        };
        *count += 1;
    }

    fn entry(&mut self, address: SocketAddr, protocol: ProxyProtocol, now_ns: u64) -> &mut ObservedProxy {
        let key = (address, protocol);
        if self.known.len() >= PROXIES_MAX
            && !self.known.contains_key(&key)
            && let Some(oldest) = self.known.iter().min_by_key(|(_, proxy)| proxy.last_ns).map(|(key, _)| *key)
        {
            self.known.remove(&oldest);
            self.forgotten += 1;
        }
        self.known.entry(key).or_insert(ObservedProxy {
            address,
            protocol,
            first_ns: now_ns,
            last_ns: now_ns,
            granted: 0,
            refused: 0,
            challenged: 0,
            answered: 0,
        })
    }

    /// All of them, by address.
    pub(super) fn list(&self) -> Vec<ObservedProxy> {
        let mut list: Vec<ObservedProxy> = self.known.values().copied().collect();
        list.sort_by_key(|proxy| (proxy.address, proxy.protocol));
        list
    }

    /// Proxies that were forgotten for want of room.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use monitor_common::event::{Endpoints, Header, Origin, Owner};

    use super::*;
    use crate::correlate::{Answer, Connection, Target};
    use crate::hostname::Host;

    fn change(time_ns: u64, port: u16, what: What) -> Change {
        let endpoints = Endpoints { family: 4, remote_port: port, ..Endpoints::EMPTY };
        let origin = Origin { owner: Owner::EMPTY, endpoints };
        let connection = Arc::new(Connection::new(&Header::EMPTY, &origin, 1, Arc::default()));
        Change { time_ns, connection, what }
    }

    fn target(source: NameSource) -> Target {
        let host = Host::parse(b"good.example").unwrap();
        Target { host, port: 443, source, proxy: ProxyProtocol::of(source) }
    }

    fn closed(source: NameSource, received: u64) -> What {
        What::Closed { target: Some(target(source)), sent: 1, received, duration_ns: 1 }
    }

    const HTTP_403: Answer = Answer { protocol: ProxyProtocol::Http, code: 403 };

    #[test]
    fn each_outcome_counts_for_the_proxy_that_answered() {
        use NameSource::{ConnectAuthority, Socks5, TlsSni};
        let mut proxies = Proxies::default();
        for (time_ns, port, what) in [
            (1, 3128, What::Reached(target(ConnectAuthority))),
            (2, 3128, What::Refused(target(ConnectAuthority), Some(HTTP_403))),
            (3, 3128, What::Challenged(target(ConnectAuthority), HTTP_403)),
            (4, 3128, What::Reached(target(ConnectAuthority))),
            (5, 1080, What::Reached(target(Socks5))),
            (6, 1080, What::ServerName { target: Some(target(TlsSni)), service: None, hello: None, dns: None }),
        ] {
            proxies.observe(&change(time_ns, port, what));
        }
        let address = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let proxy = ObservedProxy {
            address: address(3128),
            protocol: ProxyProtocol::Http,
            first_ns: 1,
            last_ns: 4,
            granted: 2,
            refused: 1,
            challenged: 1,
            answered: 0,
        };
        let socks = ObservedProxy {
            address: address(1080),
            protocol: ProxyProtocol::Socks5,
            first_ns: 5,
            last_ns: 5,
            granted: 1,
            refused: 0,
            challenged: 0,
            answered: 0,
        };
        assert_eq!(proxies.list(), [socks, proxy]);
    }

    #[test]
    fn a_peer_that_did_not_answer_is_no_proxy() {
        use NameSource::{AbsoluteUri, ConnectAuthority, HttpHost};
        let mut proxies = Proxies::default();
        for what in [
            What::Refused(target(ConnectAuthority), None),
            What::Reached(target(AbsoluteUri)),
            closed(AbsoluteUri, 0),
            closed(ConnectAuthority, 9),
            closed(HttpHost, 9),
            What::Reached(target(HttpHost)),
        ] {
            proxies.observe(&change(1, 80, what));
        }
        assert_eq!(proxies.list(), []);
        proxies.observe(&change(2, 80, closed(AbsoluteUri, 9)));
        assert_eq!(proxies.list().first().map(|proxy| (proxy.granted, proxy.answered)), Some((0, 1)));
    }

    #[test]
    fn a_full_table_forgets_the_proxy_that_was_silent_longest() {
        let mut proxies = Proxies::default();
        let reached = || What::Reached(target(NameSource::Socks4));
        for number in 0..1024_u16 {
            proxies.observe(&change(u64::from(number), number, reached()));
        }
        proxies.observe(&change(2000, 0, reached()));
        assert_eq!((proxies.list().len(), proxies.forgotten()), (PROXIES_MAX, 0));
        proxies.observe(&change(2001, 5000, reached()));
        let ports: Vec<u16> = proxies.list().iter().map(|proxy| proxy.address.port()).collect();
        assert_eq!((ports.len(), proxies.forgotten()), (PROXIES_MAX, 1));
        assert!(ports.contains(&0) && !ports.contains(&1) && ports.contains(&5000));
    }
}
