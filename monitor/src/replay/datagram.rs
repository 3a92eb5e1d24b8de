//! UDP datagrams of a capture: QUIC Initials become events, as they do in the kernel.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

use monitor_common::event::{Datagram, Header, Kind, Origin, Owner};
use monitor_common::limits::DATAGRAM_BYTES_MAX;
use zerocopy::IntoBytes as _;

use super::connection::endpoints;
use super::programs::Programs;
use super::report::Reason;
use crate::quic::is_client_initial;

/// UDP ports of tunnels, which are not unwrapped: GTP-U, L2TP, VXLAN (also as Linux first numbered it), Geneve.
const TUNNEL_PORTS: [u16; 5] = [2152, 1701, 4789, 8472, 6081];

/// One datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Udp<'a> {
    /// When it was captured: nanoseconds since 1970.
    pub(super) time_ns: u64,
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// Whom it is for.
    pub(super) to: SocketAddr,
    /// What was kept of what it carries.
    pub(super) payload: &'a [u8],
}

/// Takes a datagram. Only one that begins with a QUIC Initial is read; the others are counted by what they would have been.
pub(super) fn take(datagram: &Udp<'_>, programs: &mut Programs) {
    let Udp { time_ns, from, to, payload } = *datagram;
    if TUNNEL_PORTS.contains(&to.port()) {
        return programs.counts.add(Reason::Tunnel, 1);
    }
    if !is_client_initial(payload) {
        return programs.counts.add(Reason::Datagram, 1);
    }
    let payload = payload.get(..DATAGRAM_BYTES_MAX).unwrap_or(payload);
    let header = Header { kind: Kind::Datagram as u32, time_ns, cookie: cookie(from, to), ..Header::EMPTY };
    let event = Datagram {
        header,
        origin: Origin { owner: Owner::EMPTY, endpoints: endpoints(from, to) },
        is_inbound: 0,
        segment_bytes: 0,
        len: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        is_tcp: 0,
    };
    programs.events.push(&[event.as_bytes(), payload]);
}

/// What stands for the socket's: the same for all that goes the same way. The top bit keeps it apart from TCP's, which are
/// counted.
fn cookie(from: SocketAddr, to: SocketAddr) -> u64 {
    // Without random keys: two replays of a capture give the same rows.
    let mut hasher = DefaultHasher::new();
    (from, to).hash(&mut hasher);
    hasher.finish() | 1 << 63
}
