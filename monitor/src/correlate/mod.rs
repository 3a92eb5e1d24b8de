//! Events become connections: which names a connection asked for, in order, and how each turned out.
//!
//! Pure: no file, no socket, no clock. Time comes with each event and with [`Correlator::expire`]. The table is bounded;
//! a connection that finds no room in it is still reported, without what would have had to be remembered.

mod asker;
mod connection;
mod coverage;
mod families;
mod found;
mod listeners;
mod mismatch;
mod proxies;
mod state;
mod target;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use asker::Asker;
pub use connection::{Connection, ConnectionId, Transport};
pub use coverage::Coverage;
pub use families::Families;
use found::Begun;
pub use found::Found;
use listeners::Listeners;
pub use mismatch::Mismatch;
use monitor_common::event::{Body, Event, Header, Origin, Reason};
use monitor_common::policy::Verdict;
use monitor_common::wire::NameSource;
use monitor_common::wire::starttls::Service;
pub use proxies::ObservedProxy;
use proxies::Proxies;
use state::{Inside, Named, State};
use target::address;
pub use target::{Answer, ProxyProtocol, Target};

use crate::dns::{Carrier, EncryptedDns, Evidence, NameCache, Response};
use crate::hello::{self, ClientHello};
use crate::hostname::Host;
use crate::process::Process;

/// Connections remembered at once, until they close; about 500 bytes each. Beyond it: [`Correlator::table_full`].
pub const CONNECTIONS_MAX: usize = 65_536;

/// How long the record of a direct connection waits for the name, in nanoseconds: a client that speaks first does so at
/// once. A name that comes later has a record of its own.
pub const NAME_WAIT_NS: u64 = 200_000_000;

/// How often names whose time is over are looked for, in nanoseconds. Until then they take room and name nobody.
const NAMES_EXPIRE_EVERY_NS: u64 = 10_000_000_000;

/// Something that is worth a record.
#[derive(Clone, Debug)]
pub struct Change {
    /// When it happened: nanoseconds since boot.
    pub time_ns: u64,
    /// On which connection.
    pub connection: Arc<Connection>,
    /// What happened.
    pub what: What,
}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A connection is on its way.
    Attempted,
    /// The TCP connection stands. For a direct connection the target is what it asked for, when that is known by now.
    Connected(Option<Target>),
    /// The TCP connection came to nothing.
    NotConnected(Reason),
    /// The connection was open when the daemon started.
    Found,
    /// A peer has connected.
    Accepted,
    /// A socket waits for peers.
    Listening,
    /// A program made a raw socket, for this IP protocol: what it sends by it is not seen.
    RawSocket(u16),
    /// The proxy opened the way to the target, or was sent a request for it.
    Reached(Target),
    /// The proxy refused with this answer, or none that could be read.
    Refused(Target, Option<Answer>),
    /// The proxy wants the request again, with credentials (407).
    Challenged(Target, Answer),
    /// A SOCKS proxy answered.
    SocksAnswered(Target, Answer),
    /// A TLS ClientHello was sent. It may name nobody, and may be one that cannot be read.
    ServerName {
        /// What it asks for.
        target: Option<Target>,
        /// The protocol that turned into TLS, if it began in clear text and told.
        service: Option<Service>,
        /// What else it tells.
        hello: Option<Arc<ClientHello>>,
        /// Whether DNS goes on inside.
        dns: Option<(EncryptedDns, Evidence)>,
    },
    /// The same in QUIC.
    QuicServerName(Option<Target>, Arc<ClientHello>, Option<(EncryptedDns, Evidence)>),
    /// A name server answered.
    Resolved(Arc<Response>),
    /// What a proxy was asked for and what was asked for inside the tunnel differ.
    Mismatched(Mismatch),
    /// A rule matches a name; the kernel has decided.
    Judged {
        /// What was asked for.
        target: Target,
        /// What the kernel did.
        verdict: Verdict,
        /// The number of the rule.
        rule: u32,
        /// As in [`What::ServerName`].
        service: Option<Service>,
    },
    /// What was sent can be read in two ways, so its name is not known; the kernel has decided.
    Unreadable(Verdict),
    /// The connection is gone.
    Closed {
        /// What it was for: the tunnel's target, or the last name.
        target: Option<Target>,
        /// Payload bytes that the peer has acknowledged.
        sent: u64,
        /// Payload bytes received.
        received: u64,
        /// Since the handshake, in nanoseconds.
        duration_ns: u64,
    },
}

/// The connections that are open.
pub struct Correlator {
    boot: u64,
    families: Families,
    open: HashMap<u64, State>,
    /// Cookies in the order in which their wait ends.
    waits: VecDeque<(u64, u64)>,
    listeners: Listeners,
    begun: Begun,
    /// Names that each asker was given addresses for.
    names: NameCache<Asker>,
    /// When those that have expired are looked for next: that looks at every name.
    names_expire_ns: u64,
    proxies: Proxies,
    /// Of the connections that are gone.
    coverage: Coverage,
    table_full: u64,
    malformed_names: u64,
}

impl Correlator {
    /// `boot` tells this boot of the host from others; `families` are recorded.
    pub fn new(boot: u64, families: Families) -> Self {
        Self {
            boot,
            families,
            open: HashMap::new(),
            waits: VecDeque::new(),
            listeners: Listeners::default(),
            begun: Begun::default(),
            names: NameCache::new(),
            proxies: Proxies::default(),
            coverage: Coverage::default(),
            names_expire_ns: 0,
            table_full: 0,
            malformed_names: 0,
        }
    }

    /// Connections that found no room in the table.
    pub fn table_full(&self) -> u64 {
        self.table_full
    }

    /// Sockets that wait for peers and found no room in their table: the rows of who connects to them lack a process.
    pub fn listeners_full(&self) -> u64 {
        self.listeners.full()
    }

    /// What was sent where a name belongs and is none. Only a verdict on it is recorded.
    pub fn malformed_names(&self) -> u64 {
        self.malformed_names
    }

    /// The proxies that answered, by address.
    pub fn proxies(&self) -> Vec<ObservedProxy> {
        self.proxies.list()
    }

    /// Proxies that were forgotten for want of room.
    pub fn proxies_forgotten(&self) -> u64 {
        self.proxies.forgotten()
    }

    /// How many connections had a name: those that are gone and those that are open, but for those that found no room in
    /// the table.
    pub fn coverage(&self) -> Coverage {
        let mut coverage = self.coverage.clone();
        self.open.values().for_each(|state| coverage.count(state.name_source));
        coverage
    }

    /// Takes an event; adds what it means to `changes`. `process` is the owner that the event names, if it names one.
    pub fn ingest(&mut self, event: &Event<'_>, process: Arc<Process>, changes: &mut Vec<Change>) {
        let before = changes.len();
        self.begun.saw(event.header.cookie);
        self.take(event, process, changes);
        changes.iter().skip(before).for_each(|change| self.proxies.observe(change));
        let families = self.families;
        changes.retain(|change| families.has(&change.what));
    }

    fn take(&mut self, event: &Event<'_>, process: Arc<Process>, changes: &mut Vec<Change>) {
        let Header { time_ns, cookie, .. } = *event.header;
        match event.body {
            Body::Attempted { origin } => {
                self.with(event.header, origin, process, changes, |state, changes| state.attempted(time_ns, changes));
            }
            Body::Established { origin } => {
                self.waits.push_back((time_ns.saturating_add(NAME_WAIT_NS), cookie));
                self.with(event.header, origin, process, changes, |state, changes| state.established(time_ns, changes));
            }
            Body::Failed { origin, reason } => {
                // Remembered if it was told of when it was on its way.
                let begun = self.open.remove(&cookie);
                let begun = begun.filter(|state| state.connection.id.connect_ns == event.header.connect_ns);
                let mut state = begun.unwrap_or_else(|| self.apart(event.header, origin, process));
                state.failed(time_ns, reason, changes);
            }
            Body::RawSocket { origin, protocol } => {
                let mut connection = Connection::new(event.header, origin, self.boot, process);
                connection.transport = Transport::Raw;
                changes.push(State::new(connection).change(time_ns, What::RawSocket(protocol)));
            }
            Body::Unreadable { origin, verdict } => {
                self.with(event.header, origin, process, changes, |state, changes| {
                    state.connected(changes);
                    changes.push(state.change(time_ns, What::Unreadable(verdict)));
                });
            }
            Body::Accepted { origin } => {
                let mut connection = Connection::new(event.header, origin, self.boot, process);
                connection.process = self.listeners.process_at(connection.local);
                changes.push(State::new(connection).change(time_ns, What::Accepted));
            }
            Body::Listening { origin } => {
                let state = self.apart(event.header, origin, process);
                self.listeners.add(cookie, state.connection.clone());
                changes.push(state.change(time_ns, What::Listening));
            }
            Body::Named { origin, in_tunnel, differs, name: [], hello, service, .. } => {
                let hello = read_hello(hello);
                self.with(event.header, origin, process, changes, |state, changes| {
                    state.nameless(time_ns, Inside { in_tunnel, differs }, service, hello, changes);
                });
            }
            Body::Named {
                origin,
                source,
                port,
                in_tunnel,
                is_address,
                differs,
                verdict,
                rule,
                name,
                hello,
                service,
            } => {
                let host = if is_address { address(name) } else { Host::parse(name) };
                self.malformed_names += u64::from(host.is_err());
                let host = match host {
                    Ok(host) => host,
                    Err(_) if verdict == Verdict::Unlisted => return,
                    Err(reason) => Host::malformed(name, reason),
                };
                let hello = read_hello(hello);
                let named = Named { host, port, source, in_tunnel, differs, verdict, rule, hello, service };
                self.with(event.header, origin, process, changes, |state, changes| {
                    state.named(time_ns, named, changes)
                });
            }
            Body::Replied { socks, bytes } => {
                // Unknown: the request was lost with its event, and an answer alone says nothing.
                if let Some(state) = self.open.get_mut(&cookie) {
                    state.replied(time_ns, socks, bytes, changes);
                }
            }
            Body::Closed { sent, received } => match self.open.remove(&cookie) {
                Some(mut state) => {
                    state.connected_by_name(&self.names, time_ns, changes);
                    self.coverage.count(state.name_source);
                    state.close(time_ns, Some((sent, received)), changes);
                }
                None => self.listeners.remove(cookie),
            },
            // Not records: work for the destroyer, and for those who read datagrams.
            Body::Doomed { .. } | Body::Datagram { .. } => {}
        }
    }

    /// The state of a connection that is not remembered.
    fn apart(&self, header: &Header, origin: &Origin, process: Arc<Process>) -> State {
        State::new(Connection::new(header, origin, self.boot, process))
    }

    /// Does something with the state of a connection, which is made when there is none.
    fn with(
        &mut self,
        header: &Header,
        origin: &Origin,
        process: Arc<Process>,
        changes: &mut Vec<Change>,
        act: impl FnOnce(&mut State, &mut Vec<Change>),
    ) {
        match self.open.get_mut(&header.cookie) {
            Some(state) if state.connection.id.connect_ns == header.connect_ns => return act(state, changes),
            Some(_) | None => {}
        }
        let mut state = self.apart(header, origin, process);
        act(&mut state, changes);
        if self.open.len() >= CONNECTIONS_MAX {
            self.table_full += 1;
            return state.connected(changes);
        }
        if let Some(before) = self.open.insert(header.cookie, state) {
            // The socket was connected again and the end of its first connection was lost.
            self.coverage.count(before.name_source);
            before.close(header.time_ns, None, changes);
        }
    }

    /// Takes what a name server answered, over TCP or UDP.
    pub fn resolved(
        &mut self,
        event: &Event<'_>,
        origin: &Origin,
        transport: Transport,
        process: Arc<Process>,
        response: Response,
        changes: &mut Vec<Change>,
    ) {
        let time_ns = event.header.time_ns;
        let mut connection = Connection::new(event.header, origin, self.boot, process);
        if let (Ok(name), Some(asker)) = (response.host(), Asker::of(&connection)) {
            for (address, ttl_s) in response.addresses() {
                self.names.insert(&asker, name.clone(), address, ttl_s, time_ns);
            }
        }
        if self.families.dns {
            connection.transport = transport;
            changes.push(State::new(connection).change(time_ns, What::Resolved(Arc::new(response))));
        }
    }

    /// Names that processes lost because they, or all together, held too many: their connections may lack one.
    pub fn names_lost(&self) -> u64 {
        self.names.process_full() + self.names.table_full()
    }

    /// Takes the hello of a QUIC connection, which was sent in a datagram; `judged` is what its name comes to.
    pub fn quic(
        &self,
        event: &Event<'_>,
        origin: &Origin,
        process: Arc<Process>,
        hello: Arc<ClientHello>,
        judged: Option<(Verdict, u32)>,
        changes: &mut Vec<Change>,
    ) {
        let mut connection = Connection::new(event.header, origin, self.boot, process);
        connection.transport = Transport::Udp;
        let state = State::new(connection);
        let name = hello.server_name.as_ref().and_then(|name| Host::parse(name.as_bytes()).ok());
        let target = name.map(|host| Target {
            host,
            port: state.connection.remote.port(),
            source: NameSource::QuicSni,
            proxy: None,
        });
        let time_ns = event.header.time_ns;
        let dns = state.encrypted_dns(Carrier::Quic, target.as_ref(), false, Some(&hello));
        changes.push(state.change(time_ns, What::QuicServerName(target.clone(), hello, dns)));
        if let (Some(target), Some((verdict, rule))) = (target, judged) {
            changes.push(state.change(time_ns, What::Judged { target, verdict, rule, service: None }));
        }
    }

    /// Reports the connections whose wait for a name is over.
    pub fn expire(&mut self, now_ns: u64, changes: &mut Vec<Change>) {
        while let Some((_, cookie)) = self.waits.pop_front_if(|(until_ns, _)| *until_ns <= now_ns) {
            if let Some(state) = self.open.get_mut(&cookie) {
                state.connected_by_name(&self.names, now_ns, changes);
            }
        }
        if self.names_expire_ns <= now_ns {
            self.names.expire(now_ns);
            self.names_expire_ns = now_ns.saturating_add(NAMES_EXPIRE_EVERY_NS);
        }
    }

    /// Reports what is still to be told of the connections that are open, in the order in which they began. That they end is
    /// not among it: nobody saw that.
    pub fn finish(&mut self, time_ns: u64, changes: &mut Vec<Change>) {
        let mut open: Vec<State> = self.open.drain().map(|(_, state)| state).collect();
        open.sort_by_key(|state| state.connection.id.cookie);
        for mut state in open {
            state.connected_by_name(&self.names, time_ns, changes);
            state.close(time_ns, None, changes);
        }
        self.waits.clear();
    }

    /// Whether [`expire`](Self::expire) has something to wait for.
    pub fn is_waiting(&self) -> bool {
        !self.waits.is_empty()
    }
}

/// What else a hello tells. None: it is cut where nothing is told yet, or malformed.
fn read_hello(records: &[u8]) -> Option<Arc<ClientHello>> {
    if records.is_empty() {
        return None;
    }
    let unrecorded = hello::unrecord(records).ok()?;
    ClientHello::parse(&unrecorded.message, hello::Transport::Tcp).ok().map(Arc::new)
}

#[cfg(test)]
mod tests;
