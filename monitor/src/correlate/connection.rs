//! A connection: what does not change about it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use monitor_common::event::{Endpoints, Header, Origin};

use crate::process::Process;

/// Names one connection on one host, over reboots: boot, socket, and when the socket was connected (a socket can be
/// connected again).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId {
    /// The first half of the boot id.
    pub boot: u64,
    /// The socket's cookie.
    pub cookie: u64,
    /// When `connect()` was called: nanoseconds since boot.
    pub connect_ns: u64,
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:x}-{:x}", self.boot, self.cookie, self.connect_ns)
    }
}

/// What a connection runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP: one flow of datagrams, which is as much of a connection as QUIC shows.
    Udp,
    /// Neither: whoever holds a raw socket makes its own packets.
    Raw,
}

/// Who connected from where to where.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its name.
    pub id: ConnectionId,
    /// Whose it is.
    pub process: Arc<Process>,
    /// What it runs over.
    pub transport: Transport,
    /// Its own end; an IPv4-mapped address is given as IPv4.
    pub local: SocketAddr,
    /// The other end: the proxy, when there is one.
    pub remote: SocketAddr,
}

impl Connection {
    /// From what the kernel says of a connection.
    pub fn new(header: &Header, origin: &Origin, boot: u64, process: Arc<Process>) -> Self {
        let ends = &origin.endpoints;
        Self {
            id: ConnectionId { boot, cookie: header.cookie, connect_ns: header.connect_ns },
            process,
            transport: Transport::Tcp,
            local: SocketAddr::new(address(ends, &ends.local), ends.local_port),
            remote: SocketAddr::new(address(ends, &ends.remote), ends.remote_port),
        }
    }
}

fn address(ends: &Endpoints, bytes: &[u8; 16]) -> IpAddr {
    if ends.family == 4 {
        let [a, b, c, d, ..] = *bytes;
        Ipv4Addr::new(a, b, c, d).into()
    } else {
        Ipv6Addr::from(*bytes).to_canonical()
    }
}

#[cfg(test)]
mod tests {
    use monitor_common::event::Owner;

    use super::*;

    #[test]
    fn mapped_addresses_are_ipv4() {
        let mut local = [0; 16];
        local[10..].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
        let mut remote = [0; 16];
        remote[0] = 0x20;
        let endpoints = Endpoints { family: 6, local_port: 1, remote_port: 2, local, remote };
        let origin = Origin { owner: Owner::EMPTY, endpoints };
        let connection = Connection::new(&Header::EMPTY, &origin, 7, Arc::default());
        assert_eq!(connection.local, "192.0.2.1:1".parse().unwrap());
        assert_eq!(connection.remote, "[2000::]:2".parse().unwrap());
        assert_eq!(connection.id.to_string(), "0000000000000007-0-0");
    }
}
