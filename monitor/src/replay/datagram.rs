//! UDP datagrams of a capture: QUIC Initials and what name servers answer become events, as they do in the kernel.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;

use monitor_common::event::{Header, Kind};

use super::connection::endpoints;
use super::programs::Programs;
use super::report::Reason;
use crate::quic::is_client_initial;

/// Port of `domain` (RFC 1035 section 4.2).
pub(super) const DNS_PORT: u16 = 53;

/// What an event of bytes that user space reads is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// A QUIC Initial, in a datagram that a client sent.
    Initial,
    /// What a name server answered, in a datagram.
    Answer,
    /// The same, in a segment of a TCP connection.
    TcpAnswer,
}

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

/// Takes a datagram. Only answers of name servers are read, and what begins with a QUIC Initial; the others are counted.
pub(super) fn take(datagram: &Udp<'_>, programs: &mut Programs) {
    let Udp { time_ns, from, to, payload } = *datagram;
    let header = |client, server| Header {
        kind: Kind::Datagram as u32,
        time_ns,
        cookie: cookie(client, server),
        ..Header::EMPTY
    };
    if from.port() == DNS_PORT && !payload.is_empty() {
        programs.datagram(header(to, from), endpoints(to, from), Carries::Answer, payload);
    } else if is_client_initial(payload) {
        programs.datagram(header(from, to), endpoints(from, to), Carries::Initial, payload);
    } else {
        programs.counts.add(Reason::Datagram, 1);
    }
}

/// What stands for the socket's: the same for all that goes the same way. The top bit keeps it apart from TCP's, which are
/// counted.
fn cookie(from: SocketAddr, to: SocketAddr) -> u64 {
    // Without random keys: two replays of a capture give the same rows.
    let mut hasher = DefaultHasher::new();
    (from, to).hash(&mut hasher);
    hasher.finish() | 1 << 63
}
