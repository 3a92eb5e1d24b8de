//! UDP datagrams of a capture: the place where QUIC Initials and DNS answers are handed to their parsers.

use std::net::SocketAddr;

use super::report::{Counts, Reason};

/// UDP ports of tunnels, which are not unwrapped: GTP-U, L2TP, VXLAN (also as Linux first numbered it), Geneve.
const TUNNEL_PORTS: [u16; 5] = [2152, 1701, 4789, 8472, 6081];

/// One datagram.
#[derive(Clone, Copy, Debug)]
pub struct Udp<'a> {
    /// When it was captured: nanoseconds since 1970.
    pub time_ns: u64,
    /// Who sent it.
    pub from: SocketAddr,
    /// Whom it is for.
    pub to: SocketAddr,
    /// What was kept of what it carries.
    pub payload: &'a [u8],
}

/// Takes a datagram. None is looked into; each is counted by what it would have been.
pub fn take(datagram: &Udp<'_>, counts: &mut Counts) {
    let is_tunnel = TUNNEL_PORTS.contains(&datagram.to.port());
    counts.add(if is_tunnel { Reason::Tunnel } else { Reason::Datagram }, 1);
}
