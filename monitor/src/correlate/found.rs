//! The connections that were open when the daemon started: which of those that a list of sockets has are not known from events.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Change, Connection, ConnectionId, Correlator, Transport, What};
use crate::process::Process;

/// Sockets of events that are remembered until the list is there; 8 bytes each. Of one beyond it that is open then, two rows tell
/// that it began: [`Correlator::begun_full`].
const BEGUN_MAX: usize = 65_536;

/// A connection of the list.
#[derive(Clone, Debug)]
pub struct Found {
    /// The socket's cookie.
    pub cookie: u64,
    /// Whose it is, as far as that was found out.
    pub process: Arc<Process>,
    /// Its own end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
}

/// The sockets that events have told of since the start.
#[derive(Default)]
pub(super) struct Begun {
    /// None: no list is awaited.
    cookies: Option<HashSet<u64>>,
    full: u64,
}

impl Begun {
    pub(super) fn saw(&mut self, cookie: u64) {
        let Some(cookies) = &mut self.cookies else {
            return;
        };
        if cookies.len() < BEGUN_MAX {
            cookies.insert(cookie);
        } else {
            self.full += u64::from(!cookies.contains(&cookie));
        }
    }
}

impl Correlator {
    /// A list of open connections is going to come: from here on events are remembered, so that a connection which begins
    /// meanwhile is not found as well.
    pub fn expect_found(&mut self) {
        self.begun.cookies = Some(HashSet::new());
    }

    /// Takes the list, which was made at `time_ns` after boot, when all events up to then were taken.
    pub fn found(&mut self, list: Vec<Found>, time_ns: u64, changes: &mut Vec<Change>) {
        let begun = self.begun.cookies.take().unwrap_or_default();
        for Found { cookie, process, local, remote } in list {
            if begun.contains(&cookie) {
                continue;
            }
            // When it was connected nobody saw.
            let id = ConnectionId { boot: self.boot, cookie, connect_ns: 0 };
            let connection = Connection { id, process, transport: Transport::Tcp, local, remote };
            changes.push(Change { time_ns, connection: Arc::new(connection), what: What::Found });
        }
    }

    /// Events that could not be remembered while a list was awaited.
    pub fn begun_full(&self) -> u64 {
        self.begun.full
    }
}
