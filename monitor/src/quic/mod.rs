//! ClientHellos out of QUIC: a client's Initial packets are opened and its CRYPTO frames put together (RFC 9000, 9001, 9369).
//!
//! Pure: no clock, no I/O, and no datagram makes it panic. The table is bounded in flows, bytes and time. A packet counts
//! only when its authentication tag is right, and pieces that contradict each other make no hello: no name is made up.
//!
//! What it cannot see: a hello whose first datagrams were not fed, and versions whose salt is not known.

mod flow;
mod frame;
mod keys;
mod packet;
#[cfg(test)]
mod samples;
mod stream;
#[cfg(test)]
mod tests;
mod version;

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use flow::Flow;
use monitor_common::wire::quic::is_initial;
use packet::initials;
pub use version::Version;

/// Flows remembered at once, a few hundred bytes each: a minute at 130 new ones a second. Beyond it the oldest goes:
/// [`Losses::evicted`].
pub const FLOWS_MAX: usize = 8_192;

/// Bytes of incomplete hellos kept at once: two thousand with post-quantum key shares. Beyond it the oldest flow goes:
/// [`Losses::evicted`].
pub const HELD_BYTES_MAX: usize = 4 << 20;

/// How long a flow is remembered, in nanoseconds since its first packet. A client that got no answer for so long has given up.
/// An incomplete hello then counts in [`Losses::expired`].
pub const FLOW_NS: u64 = 60_000_000_000;

/// What a datagram led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No Initial in it: another protocol, or a later packet of QUIC.
    NotQuic,
    /// Part of a hello; the rest is to come.
    NeedMore,
    /// It completed a hello.
    Hello {
        /// The handshake message, from its type on.
        message: Vec<u8>,
        /// The version of the packet that completed it.
        version: Version,
    },
    /// An Initial of a connection whose hello was told, or given up, before.
    Done,
    /// Nothing can be learnt from it.
    Failed(Failure),
}

/// Why a datagram, or the connection it belongs to, tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It looks like QUIC in a version whose keys are not known here.
    #[error("QUIC version {version:#010x} is not known")]
    UnknownVersion {
        /// The version's number.
        version: u32,
    },
    /// A header that goes beyond the datagram, or breaks a limit of RFC 9000 section 17.2.
    #[error("the header of the packet at byte {at} is malformed")]
    Header {
        /// Where the packet begins.
        at: usize,
    },
    /// The packet is longer than the datagram.
    #[error("the packet at byte {at} lacks its last {missing} bytes")]
    Cut {
        /// Where the packet begins.
        at: usize,
        /// How many bytes are missing.
        missing: usize,
    },
    /// The tag is wrong with all keys that can be derived: a server's packet, the middle of a connection, or a forgery.
    #[error("the packet does not open with any key that follows from its connection id")]
    Undecryptable,
    /// A frame that does not belong into an Initial packet.
    #[error("frame of type {kind:#x} at byte {at} of the content")]
    Frame {
        /// The frame's type.
        kind: u64,
        /// Where it begins.
        at: usize,
    },
    /// A frame that goes beyond the packet.
    #[error("the frame at byte {at} of the content goes beyond its end")]
    CutFrame {
        /// Where it begins.
        at: usize,
    },
    /// The handshake begins with another message. The connection is given up.
    #[error("the handshake begins with a message of type {kind}, not a ClientHello")]
    OtherMessage {
        /// The message's type.
        kind: u8,
    },
    /// A hello longer than 16 KiB. The connection is given up.
    #[error("a hello of at least {bytes} bytes is too long")]
    TooLong {
        /// How long it is at least.
        bytes: u64,
    },
    /// The same part of the handshake was sent with two contents. The connection is given up.
    #[error("byte {at} and what follows of the handshake was sent twice, and differently")]
    Conflict {
        /// Where they differ, or before.
        at: usize,
    },
    /// A hello in too many pieces at once. The connection is given up.
    #[error("the hello comes in too many pieces")]
    TooManyPieces,
}

/// Hellos that began and were never complete, by why they were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// [`FLOW_NS`] passed.
    pub expired: u64,
    /// [`FLOWS_MAX`] or [`HELD_BYTES_MAX`] was reached.
    pub evicted: u64,
    /// Its flow began too many connections after it.
    pub crowded: u64,
}

/// Whether a datagram begins with an Initial packet that can be opened, if it is whole: the kernel's rule.
pub fn is_client_initial(datagram: &[u8]) -> bool {
    match datagram.first_chunk() {
        Some(&[first, a, b, c, d]) => is_initial(first, u32::from_be_bytes([a, b, c, d])),
        None => false,
    }
}

/// The flows whose first datagrams are looked at, by a key that tells one from another.
pub struct Initials<K> {
    flows: HashMap<K, Flow>,
    /// When each flow began; the oldest first.
    begun: VecDeque<(u64, K)>,
    held: usize,
    losses: Losses,
    room: Vec<u8>,
}

impl<K: Copy + Eq + Hash> Default for Initials<K> {
    fn default() -> Self {
        Self { flows: HashMap::new(), begun: VecDeque::new(), held: 0, losses: Losses::default(), room: Vec::new() }
    }
}

impl<K: Copy + Eq + Hash> Initials<K> {
    /// Takes in a datagram that a client sent on a flow. Time is in nanoseconds and does not go back.
    ///
    /// Feed the payload of one datagram, or of several that the client sent at once (UDP_SEGMENT) back to back. A datagram
    /// has packets of one connection only (RFC 9000 section 12.2), so the first hello in it is the only one, and otherwise
    /// the last Initial in it tells what it led to.
    pub fn feed(&mut self, key: K, now_ns: u64, datagram: &[u8]) -> Seen {
        self.expire(now_ns);
        let mut initials = initials(datagram).peekable();
        if initials.peek().is_none() {
            return Seen::NotQuic;
        }
        let is_new = !self.flows.contains_key(&key);
        let flow = self.flows.entry(key).or_default();
        let held_before = flow.held();
        let mut seen = Seen::NotQuic;
        for initial in initials {
            seen = match initial {
                Ok(initial) => flow.packet(&initial, &mut self.room, &mut self.losses.crowded),
                Err(failure) => Seen::Failed(failure),
            };
            if matches!(seen, Seen::Hello { .. }) {
                break;
            }
        }
        self.held = (self.held + flow.held()).saturating_sub(held_before);
        if flow.is_empty() {
            self.flows.remove(&key);
        } else if is_new {
            self.begun.push_back((now_ns, key));
        }
        while self.flows.len() > FLOWS_MAX || self.held > HELD_BYTES_MAX {
            let Some(lost) = self.forget_oldest() else { break };
            self.losses.evicted += lost;
        }
        seen
    }

    /// Forgets flows that are over.
    pub fn expire(&mut self, now_ns: u64) {
        while self.begun.front().is_some_and(|(begun_ns, _)| begun_ns.saturating_add(FLOW_NS) <= now_ns) {
            self.losses.expired += self.forget_oldest().unwrap_or_default();
        }
    }

    /// What was lost so far.
    pub fn losses(&self) -> Losses {
        self.losses
    }

    /// How many flows are remembered.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// How many incomplete hellos are lost by it; none when there is no flow.
    fn forget_oldest(&mut self) -> Option<u64> {
        let (_, key) = self.begun.pop_front()?;
        let flow = self.flows.remove(&key)?;
        self.held = self.held.saturating_sub(flow.held());
        Some(flow.incomplete() as u64)
    }
}
