//! One TCP connection of a capture: its segments, in either direction, become what its [`Flow`] is told.

use std::net::{IpAddr, SocketAddr};

use monitor_common::event::{Endpoints, Reason as Failure};

use super::flow::Flow;
use super::programs::Programs;
use super::stream::{Piece, Room, Stream};

/// One segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    /// When it was captured: nanoseconds since 1970.
    pub(super) time_ns: u64,
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// Whom it is for.
    pub(super) to: SocketAddr,
    /// Its sequence number.
    pub(super) seq: u32,
    /// What it acknowledges, if anything.
    pub(super) ack: Option<u32>,
    /// Opens a direction.
    pub(super) syn: bool,
    /// Ends a direction.
    pub(super) fin: bool,
    /// Ends the connection.
    pub(super) rst: bool,
    /// Has urgent data in it or behind it.
    pub(super) urgent: bool,
    /// What was kept of what it carries.
    pub(super) payload: &'a [u8],
    /// How many bytes of that the capture cut off.
    pub(super) cut: u32,
}

/// A connection whose client is known.
#[derive(Debug)]
pub(super) struct Open {
    client: SocketAddr,
    /// The client's first sequence number, when its SYN was seen, or told by the answer.
    pub(super) first: Option<u32>,
    established: bool,
    sent: Stream,
    received: Stream,
    sent_fin: bool,
    received_fin: bool,
    pub(super) flow: Flow,
}

/// Whether a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// It goes on.
    No,
    /// It has.
    Yes,
}

impl Open {
    /// Nothing was sent yet.
    pub(super) fn new(client: SocketAddr, first: Option<u32>, flow: Flow) -> Self {
        let (sent, received) = (Stream::default(), Stream::default());
        Self { client, first, established: false, sent, received, sent_fin: false, received_fin: false, flow }
    }

    /// Bytes that its streams hold.
    pub(super) fn held_bytes(&self) -> usize {
        self.sent.held_bytes() + self.received.held_bytes()
    }

    /// Takes the next segment.
    pub(super) fn take(&mut self, segment: &Segment<'_>, room: Room, programs: &mut Programs) -> Over {
        // A SYN takes a sequence number itself (RFC 9293 section 3.4).
        let seq = segment.seq.wrapping_add(segment.syn.into());
        let len = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).wrapping_add(segment.cut);
        let stream = if segment.from == self.client { &mut self.sent } else { &mut self.received };
        stream.cover(seq, len);
        if segment.from == self.client {
            self.take_sent(seq, segment, room, programs);
            self.sent_fin |= segment.fin;
        } else {
            self.take_received(seq, segment, room, programs);
            self.received_fin |= segment.fin;
        }
        if segment.rst || (self.sent_fin && self.received_fin) {
            // Before the handshake was done, who resets tells why.
            let why = if segment.from == self.client { Failure::Abandoned } else { Failure::Refused };
            self.close(segment.time_ns, why, programs);
            return Over::Yes;
        }
        Over::No
    }

    fn take_sent(&mut self, seq: u32, segment: &Segment<'_>, room: Room, programs: &mut Programs) {
        let Self { sent, received, flow, .. } = self;
        let time_ns = segment.time_ns;
        if segment.syn {
            sent.begin(seq);
        } else if let Some(ack) = segment.ack {
            if !self.established && !segment.rst {
                if self.first.is_some() {
                    flow.established(time_ns, programs);
                }
                self.established = true;
            }
            received.begin(ack);
            if flow.reads_answers() {
                received.acknowledge(ack, &mut |piece| match piece {
                    Piece::Bytes(bytes) => flow.received(time_ns, bytes, programs),
                    Piece::Gap(_) => flow.missed_reply(programs),
                });
            }
            if !segment.payload.is_empty() && flow.awaits_reply() && received.misses(ack) {
                flow.missed_reply(programs);
            }
        }
        if segment.urgent && !segment.payload.is_empty() && !flow.is_over() {
            flow.sent_urgent(time_ns, programs);
        }
        if flow.is_over() {
            sent.forget();
            return;
        }
        if !segment.payload.is_empty() || segment.cut != 0 {
            sent.take(seq, segment.payload, segment.cut, room, &mut |piece| match piece {
                Piece::Bytes(bytes) => flow.sent(time_ns, bytes, programs),
                Piece::Gap(len) => flow.sent_gap(len, programs),
            });
        }
    }

    fn take_received(&mut self, seq: u32, segment: &Segment<'_>, room: Room, programs: &mut Programs) {
        let Self { sent, received, flow, .. } = self;
        let time_ns = segment.time_ns;
        if let Some(ack) = segment.ack {
            if segment.syn && !self.established {
                sent.begin(ack);
                flow.established(time_ns, programs);
                self.established = true;
            }
            if !flow.is_over() {
                sent.acknowledge(ack, &mut |piece| match piece {
                    Piece::Bytes(bytes) => flow.sent(time_ns, bytes, programs),
                    Piece::Gap(len) => flow.sent_gap(len, programs),
                });
            }
        }
        if flow.reads_answers() {
            received.take(seq, segment.payload, segment.cut, room, &mut |piece| match piece {
                Piece::Bytes(bytes) => flow.received(time_ns, bytes, programs),
                Piece::Gap(_) => flow.missed_reply(programs),
            });
        } else {
            let len = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
            received.pass(seq.wrapping_add(len).wrapping_add(segment.cut));
        }
    }

    /// Looks at what is still held: no more segments will come.
    pub(super) fn finish(&mut self, time_ns: u64, programs: &mut Programs) {
        let Self { sent, received, flow, .. } = self;
        received.finish(&mut |piece| match piece {
            Piece::Bytes(bytes) => flow.received(time_ns, bytes, programs),
            Piece::Gap(_) => flow.missed_reply(programs),
        });
        sent.finish(&mut |piece| match piece {
            Piece::Bytes(bytes) => flow.sent(time_ns, bytes, programs),
            Piece::Gap(len) => flow.sent_gap(len, programs),
        });
        flow.forget(programs);
    }

    /// Ends the connection; `why` tells what became of one without a handshake.
    pub(super) fn close(&mut self, time_ns: u64, why: Failure, programs: &mut Programs) {
        self.finish(time_ns, programs);
        match (self.established, self.first) {
            (false, Some(_)) => self.flow.failed(time_ns, why, programs),
            (false, None) | (true, _) => self.flow.closed(time_ns, self.sent.bytes(), self.received.bytes(), programs),
        }
    }
}

/// The ends as events have them.
pub(super) fn endpoints(client: SocketAddr, server: SocketAddr) -> Endpoints {
    Endpoints {
        family: if client.is_ipv4() { 4 } else { 6 },
        local_port: client.port(),
        remote_port: server.port(),
        local: address(client.ip()),
        remote: address(server.ip()),
    }
}

fn address(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}
