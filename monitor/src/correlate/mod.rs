//! Events become connections: which names a connection asked for, in order, and how each turned out.
//!
//! Pure: no file, no socket, no clock. Time comes with each event and with [`Correlator::expire`]. The table is bounded;
//! a connection that finds no room in it is still reported, without what would have had to be remembered.

mod connection;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

pub use connection::{Connection, ConnectionId};
use monitor_common::event::{Body, Event, Header, Origin};
use monitor_common::policy::Verdict;
use monitor_common::wire::NameSource;

use crate::hostname::Host;
use crate::process::Process;

/// Connections remembered at once, until they close; about 500 bytes each. Beyond it: [`Correlator::table_full`].
pub const CONNECTIONS_MAX: usize = 65_536;

/// How long the record of a direct connection waits for the name, in nanoseconds: a client that speaks first does so at
/// once. A name that comes later has a record of its own.
pub const NAME_WAIT_NS: u64 = 200_000_000;

/// Port of `http` (RFC 9110 section 4.2.1): what an absolute-form target without a port means.
const HTTP_PORT: u16 = 80;

/// A host and port that a program asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which host.
    pub host: Host,
    /// Which port.
    pub port: u16,
    /// Where the host was named.
    pub source: NameSource,
    /// Whether the connection goes to a proxy that is to reach the target.
    pub proxied: bool,
}

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
    /// The TCP connection stands. For a direct connection the target is what it asked for, when that is known by now.
    Connected(Option<Target>),
    /// The proxy opened the way to the target, or was sent a request for it.
    Reached(Target),
    /// The proxy refused, with this status, or went away without an answer.
    Refused(Target, Option<u16>),
    /// The proxy wants the request again, with credentials (407).
    Challenged(Target, u16),
    /// A TLS server name was asked for inside a tunnel; a direct one is part of [`Connected`](Self::Connected).
    ServerName(Target),
    /// A rule matches a name; the kernel has decided.
    Judged {
        /// What was asked for.
        target: Target,
        /// What the kernel did.
        verdict: Verdict,
        /// The number of the rule.
        rule: u32,
    },
}

struct State {
    connection: Arc<Connection>,
    /// When the connection was established, while its record still waits for a name.
    waiting_since_ns: Option<u64>,
    /// The tunnel that was asked for last.
    tunnel: Option<(Target, Answer)>,
    /// The name that was seen last: a kept-alive connection repeats it with each request.
    last: Option<Target>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Awaited,
    Given,
}

/// The connections that are open.
pub struct Correlator {
    boot: u64,
    open: HashMap<u64, State>,
    /// Cookies in the order in which their wait ends.
    waits: VecDeque<(u64, u64)>,
    table_full: u64,
    malformed_names: u64,
}

impl Correlator {
    /// `boot` tells this boot of the host from others.
    pub fn new(boot: u64) -> Self {
        Self { boot, open: HashMap::new(), waits: VecDeque::new(), table_full: 0, malformed_names: 0 }
    }

    /// Connections that found no room in the table.
    pub fn table_full(&self) -> u64 {
        self.table_full
    }

    /// What was sent where a name belongs and is none. Only a verdict on it is recorded.
    pub fn malformed_names(&self) -> u64 {
        self.malformed_names
    }

    /// Takes an event; adds what it means to `changes`. `process` is the owner that the event names, if it names one.
    pub fn ingest(&mut self, event: &Event<'_>, process: Arc<Process>, changes: &mut Vec<Change>) {
        let Header { time_ns, cookie, .. } = *event.header;
        match event.body {
            Body::Established { origin } => {
                self.waits.push_back((time_ns.saturating_add(NAME_WAIT_NS), cookie));
                let since = |state: &mut State, _: &mut Vec<Change>| state.waiting_since_ns = Some(time_ns);
                self.with(event.header, origin, process, changes, since);
            }
            Body::Named { origin, source, port, in_tunnel, verdict, rule, name } => {
                let host = Host::parse(name);
                self.malformed_names += u64::from(host.is_err());
                self.with(event.header, origin, process, changes, |state, changes| match host {
                    Ok(host) => {
                        let target = state.target(host, port, source, in_tunnel);
                        state.named(time_ns, target, verdict, rule, changes);
                    }
                    Err(reason) if verdict != Verdict::Unlisted => {
                        let target = state.target(Host::malformed(name, reason), port, source, in_tunnel);
                        state.connected(changes);
                        changes.push(state.change(time_ns, What::Judged { target, verdict, rule }));
                    }
                    Err(_) => {}
                });
            }
            Body::Replied { status } => {
                // Unknown: the request was lost with its event, and an answer alone says nothing.
                if let Some(state) = self.open.get_mut(&cookie) {
                    state.replied(time_ns, status, changes);
                }
            }
            Body::Closed => {
                if let Some(state) = self.open.remove(&cookie) {
                    state.close(time_ns, changes);
                }
            }
            // Not a record: work for the destroyer.
            Body::Doomed { .. } => {}
        }
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
        let mut state = State::new(Connection::new(header, origin, self.boot, process));
        act(&mut state, changes);
        if self.open.len() >= CONNECTIONS_MAX {
            self.table_full += 1;
            return state.connected(changes);
        }
        if let Some(before) = self.open.insert(header.cookie, state) {
            // The socket was connected again and the end of its first connection was lost.
            before.close(header.time_ns, changes);
        }
    }

    /// Reports the connections whose wait for a name is over.
    pub fn expire(&mut self, now_ns: u64, changes: &mut Vec<Change>) {
        while let Some((_, cookie)) = self.waits.pop_front_if(|(until_ns, _)| *until_ns <= now_ns) {
            if let Some(state) = self.open.get_mut(&cookie) {
                state.connected(changes);
            }
        }
    }

    /// Whether [`expire`](Self::expire) has something to wait for.
    pub fn is_waiting(&self) -> bool {
        !self.waits.is_empty()
    }
}

impl State {
    fn new(connection: Connection) -> Self {
        Self { connection: Arc::new(connection), waiting_since_ns: None, tunnel: None, last: None }
    }

    fn change(&self, time_ns: u64, what: What) -> Change {
        Change { time_ns, connection: self.connection.clone(), what }
    }

    /// Reports the TCP connection without a name, unless that is done.
    fn connected(&mut self, changes: &mut Vec<Change>) {
        if let Some(since_ns) = self.waiting_since_ns.take() {
            changes.push(self.change(since_ns, What::Connected(None)));
        }
    }

    fn target(&self, host: Host, port: u16, source: NameSource, in_tunnel: bool) -> Target {
        let tunnel_port = self.tunnel.as_ref().map(|(target, _)| target.port);
        let proxied = in_tunnel || matches!(source, NameSource::ConnectAuthority | NameSource::AbsoluteUri);
        let port = match (port, source) {
            (0, NameSource::AbsoluteUri) => HTTP_PORT,
            (0, NameSource::HttpHost | NameSource::TlsSni) if in_tunnel => tunnel_port.unwrap_or(0),
            (0, NameSource::HttpHost | NameSource::TlsSni) => self.connection.remote.port(),
            (0, NameSource::ConnectAuthority) => 0,
            (port, _) => port,
        };
        Target { host, port, source, proxied }
    }

    fn named(&mut self, time_ns: u64, target: Target, verdict: Verdict, rule: u32, changes: &mut Vec<Change>) {
        let repeated = self.last.as_ref() == Some(&target) && target.source != NameSource::ConnectAuthority;
        if repeated && verdict != Verdict::Blocked {
            return;
        }
        if verdict == Verdict::Blocked || target.proxied {
            self.connected(changes);
        }
        if verdict != Verdict::Blocked {
            self.passed(time_ns, &target, changes);
        }
        self.last = Some(target.clone());
        if verdict != Verdict::Unlisted {
            changes.push(self.change(time_ns, What::Judged { target, verdict, rule }));
        }
    }

    /// A name that left the host.
    fn passed(&mut self, time_ns: u64, target: &Target, changes: &mut Vec<Change>) {
        let what = match (target.source, target.proxied) {
            (NameSource::ConnectAuthority, _) => {
                self.tunnel = Some((target.clone(), Answer::Awaited));
                return;
            }
            (NameSource::AbsoluteUri, _) | (NameSource::HttpHost, true) => What::Reached(target.clone()),
            (NameSource::TlsSni, true) => What::ServerName(target.clone()),
            (NameSource::HttpHost | NameSource::TlsSni, false) => {
                let since_ns = self.waiting_since_ns.take().unwrap_or(time_ns);
                changes.push(self.change(since_ns, What::Connected(Some(target.clone()))));
                return;
            }
        };
        changes.push(self.change(time_ns, what));
    }

    fn replied(&mut self, time_ns: u64, status: u16, changes: &mut Vec<Change>) {
        let Some((target, answer @ Answer::Awaited)) = &mut self.tunnel else {
            return;
        };
        *answer = Answer::Given;
        let what = match status {
            200..=299 => What::Reached(target.clone()),
            407 => What::Challenged(target.clone(), status),
            _ => What::Refused(target.clone(), Some(status)),
        };
        changes.push(self.change(time_ns, what));
    }

    fn close(mut self, time_ns: u64, changes: &mut Vec<Change>) {
        self.connected(changes);
        if let Some((target, Answer::Awaited)) = self.tunnel.take() {
            changes.push(self.change(time_ns, What::Refused(target, None)));
        }
    }
}

#[cfg(test)]
mod tests;
