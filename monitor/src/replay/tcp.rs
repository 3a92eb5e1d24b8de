//! TCP connections of a capture: which segments belong together, who is the client, and when it is over.
//!
//! The client is who sends the SYN. In a capture that begins in the middle of a connection it is who first sends
//! something that starts a message; what comes before that tells nothing. The table is bounded, and so is what all streams
//! hold together.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use monitor_common::event::Reason as Failure;

use super::connection::{Open, Over, Segment, endpoints};
use super::flow::{Flow, Seen, starts_a_message};
use super::programs::Programs;
use super::report::Reason;
use super::stream::Room;

/// Connections remembered at once, about 400 bytes each. Beyond it the one that was idle longest, or nearly so, is forgotten:
/// [`Forgotten`](Reason::Forgotten).
const CONNECTIONS_MAX: usize = 65_536;
/// Bytes that all streams together hold. Beyond it holes are not waited for: [`Gap`](Reason::Gap).
const HELD_BYTES_MAX: usize = 64 << 20;

/// Both ends, the lesser first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ends(SocketAddr, SocketAddr);

impl Ends {
    fn of(segment: &Segment<'_>) -> Self {
        Self(segment.from.min(segment.to), segment.from.max(segment.to))
    }
}

#[derive(Debug)]
struct Connection {
    opened_ns: u64,
    cookie: u64,
    state: State,
    /// Seen since the table last looked for one to forget.
    active: bool,
}

#[derive(Debug)]
enum State {
    /// Seen in its middle, and nothing yet that starts a message.
    Joined,
    Open(Box<Open>),
    /// Over: what still comes are copies.
    Closed {
        /// The client's first sequence number, when its SYN was seen.
        first: Option<u32>,
    },
}

/// The connections.
#[derive(Default)]
pub(super) struct Connections {
    table: HashMap<Ends, Connection>,
    /// In the order in which they are looked at to be forgotten.
    order: VecDeque<Ends>,
    /// Connections so far.
    seen: u64,
    held_bytes: usize,
}

impl Connections {
    /// Connections so far.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes a segment.
    pub(super) fn take(&mut self, segment: &Segment<'_>, programs: &mut Programs) {
        let ends = Ends::of(segment);
        self.open(ends, segment, programs);
        let room = if self.held_bytes < HELD_BYTES_MAX { Room::Left } else { Room::None };
        let Some(connection) = self.table.get_mut(&ends) else {
            return;
        };
        connection.active = true;
        if matches!(connection.state, State::Joined) && starts_a_message(segment.payload) {
            let flow = connection.flow(segment.from, segment.to, Seen::InItsMiddle);
            connection.state = State::Open(Box::new(Open::new(segment.from, None, flow)));
        }
        if let State::Open(open) = &mut connection.state {
            let before = open.held_bytes();
            let over = open.take(segment, room, programs);
            self.held_bytes = self.held_bytes + open.held_bytes() - before;
            if over == Over::Yes {
                connection.state = State::Closed { first: open.first };
            }
        }
    }

    /// Looks at what is still held: the capture has no more.
    pub(super) fn finish(&mut self, time_ns: u64, programs: &mut Programs) {
        for ends in std::mem::take(&mut self.order) {
            if let Some(Connection { state: State::Open(mut open), .. }) = self.table.remove(&ends) {
                open.finish(time_ns, programs);
            }
        }
    }

    /// Makes a connection for a segment that is the first of one.
    fn open(&mut self, ends: Ends, segment: &Segment<'_>, programs: &mut Programs) {
        let asks = segment.syn && segment.ack.is_none();
        let is_new = match self.table.get(&ends).map(|connection| &connection.state) {
            None => segment.syn || !segment.payload.is_empty(),
            Some(State::Joined) => segment.syn,
            Some(State::Open(open)) => asks && open.first != Some(segment.seq),
            Some(State::Closed { first }) => asks && *first != Some(segment.seq),
        };
        if !is_new || segment.rst {
            return;
        }
        if let Some(before) = self.table.remove(&ends) {
            self.end(before, segment.time_ns, programs);
        } else {
            self.make_room(programs);
            self.order.push_back(ends);
        }
        self.seen += 1;
        let mut connection =
            Connection { opened_ns: segment.time_ns, cookie: self.seen, state: State::Joined, active: true };
        if segment.syn {
            let (client, server) = if asks { (segment.from, segment.to) } else { (segment.to, segment.from) };
            let first = match segment.ack {
                None => segment.seq,
                Some(ack) => ack.wrapping_sub(1),
            };
            let flow = connection.flow(client, server, Seen::FromItsStart);
            connection.state = State::Open(Box::new(Open::new(client, Some(first), flow)));
        }
        self.table.insert(ends, connection);
    }

    /// Forgets a connection when there are too many: the first in order that had no segment since it was looked at last.
    fn make_room(&mut self, programs: &mut Programs) {
        while self.table.len() >= CONNECTIONS_MAX {
            let Some(ends) = self.order.pop_front() else {
                return;
            };
            match self.table.get_mut(&ends) {
                Some(connection) if connection.active && !matches!(connection.state, State::Closed { .. }) => {
                    connection.active = false;
                    self.order.push_back(ends);
                }
                Some(_) => {
                    if let Some(connection) = self.table.remove(&ends) {
                        if !matches!(connection.state, State::Closed { .. }) {
                            programs.counts.add(Reason::Forgotten, 1);
                        }
                        self.held_bytes -= connection.held_bytes();
                        if let State::Open(mut open) = connection.state {
                            open.flow.forget(programs);
                        }
                    }
                }
                None => {}
            }
        }
    }

    /// Its ports were given to another one.
    fn end(&mut self, connection: Connection, time_ns: u64, programs: &mut Programs) {
        self.held_bytes -= connection.held_bytes();
        if let State::Open(mut open) = connection.state {
            open.close(time_ns, Failure::Abandoned, programs);
        }
    }
}

impl Connection {
    fn held_bytes(&self) -> usize {
        match &self.state {
            State::Open(open) => open.held_bytes(),
            State::Joined | State::Closed { .. } => 0,
        }
    }

    fn flow(&self, client: SocketAddr, server: SocketAddr, seen: Seen) -> Flow {
        Flow::new(self.cookie, self.opened_ns, endpoints(client, server), seen)
    }
}
