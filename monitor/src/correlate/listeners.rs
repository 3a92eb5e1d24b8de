//! The sockets that wait for peers: whose an incoming connection is, which the kernel does not say where it happens.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::Connection;
use crate::process::Process;

/// Listening sockets remembered at once. Beyond it: [`Listeners::full`].
const LISTENERS_MAX: usize = 16_384;

#[derive(Default)]
pub(super) struct Listeners {
    by_cookie: HashMap<u64, SocketAddr>,
    processes: HashMap<SocketAddr, Arc<Process>>,
    full: u64,
}

impl Listeners {
    pub(super) fn add(&mut self, cookie: u64, listener: Arc<Connection>) {
        if self.by_cookie.len() >= LISTENERS_MAX {
            self.full += 1;
            return;
        }
        self.by_cookie.insert(cookie, listener.local);
        self.processes.insert(listener.local, listener.process.clone());
    }

    pub(super) fn remove(&mut self, cookie: u64) {
        if let Some(local) = self.by_cookie.remove(&cookie)
            && !self.by_cookie.values().any(|other| *other == local)
        {
            self.processes.remove(&local);
        }
    }

    /// The process that waits at an address, or at its port on all addresses. One that nobody is known to wait at has an
    /// unknown process.
    pub(super) fn process_at(&self, local: SocketAddr) -> Arc<Process> {
        let everywhere = |ip: IpAddr| SocketAddr::new(ip, local.port());
        let of_family = match local {
            SocketAddr::V4(_) => everywhere(IpAddr::from([0; 4])),
            SocketAddr::V6(_) => everywhere(IpAddr::from([0; 16])),
        };
        // A socket for version 6 may take connections of version 4, too.
        [local, of_family, everywhere(IpAddr::from([0; 16]))]
            .iter()
            .find_map(|address| self.processes.get(address))
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn full(&self) -> u64 {
        self.full
    }
}
