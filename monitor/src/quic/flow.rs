//! The connections that a client begins over one flow, one after the other or side by side.
//!
//! Keys follow from the connection id in a client's first packet. After the server's first answer the client addresses
//! another one and the keys stay; after a Retry it addresses another one and the keys change (RFC 9001 section 5.2). So a
//! packet is tried with the keys that are known, and then with those of its own connection id.

use sha2::{Digest as _, Sha256};

use super::frame::crypto;
use super::keys::Keys;
use super::packet::Initial;
use super::stream::Stream;
use super::{Failure, Seen, Version};

/// Connections of one flow that are followed at once. A client with one socket for all that it does rarely begins two at a
/// time; the oldest gives way, and an incomplete one is counted in [`Losses::crowded`](super::Losses::crowded).
const CONNECTIONS_MAX: usize = 4;

/// What is known of a flow.
#[derive(Default)]
pub(super) struct Flow {
    /// The oldest first.
    connections: Vec<Connection>,
    /// The last hello that was delivered: a Retry has the client send it once more.
    delivered: Option<[u8; 32]>,
}

struct Connection {
    version: Version,
    /// The connection id in the client's first packet.
    destination: Box<[u8]>,
    state: State,
}

enum State {
    Gathering(Box<Gathering>),
    /// The hello was delivered, or there is none that can be.
    Settled,
}

struct Gathering {
    keys: Keys,
    stream: Stream,
    /// The packet number after the largest seen.
    expected: u64,
}

impl Flow {
    /// How many bytes of hellos it keeps.
    pub(super) fn held(&self) -> usize {
        self.gathering().map(|gathering| gathering.stream.held()).sum()
    }

    /// How many hellos are incomplete.
    pub(super) fn incomplete(&self) -> usize {
        self.gathering().count()
    }

    fn gathering(&self) -> impl Iterator<Item = &Gathering> {
        self.connections.iter().filter_map(|connection| match &connection.state {
            State::Gathering(gathering) => Some(&**gathering),
            State::Settled => None,
        })
    }

    /// Whether it is worth keeping: a packet that nothing opens leaves nothing behind.
    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// Takes a packet in. `crowded` counts the incomplete hellos that had to give way to it.
    pub(super) fn packet(&mut self, packet: &Initial<'_>, room: &mut Vec<u8>, crowded: &mut u64) -> Seen {
        for connection in self.connections.iter_mut().filter(|connection| connection.version == packet.version) {
            let State::Gathering(gathering) = &mut connection.state else {
                if *connection.destination == *packet.destination {
                    return Seen::Done;
                }
                continue;
            };
            if let Some((number, content)) = gathering.keys.open(packet, gathering.expected, room) {
                gathering.expected = gathering.expected.max(number + 1);
                return connection.content(content, &mut self.delivered);
            }
            if *connection.destination == *packet.destination {
                return Seen::Failed(Failure::Undecryptable);
            }
        }

        let keys = Keys::of_client(packet.version, packet.destination);
        let Some((number, content)) = keys.open(packet, 0, room) else {
            // Most likely an acknowledgement on a connection whose hello is long complete.
            let is_known = self.connections.iter().any(|connection| matches!(connection.state, State::Settled));
            return if is_known { Seen::Done } else { Seen::Failed(Failure::Undecryptable) };
        };
        if self.connections.len() == CONNECTIONS_MAX {
            let oldest = self.connections.remove(0);
            *crowded += u64::from(matches!(oldest.state, State::Gathering(_)));
        }
        let mut connection = Connection {
            version: packet.version,
            destination: packet.destination.into(),
            state: State::Gathering(Box::new(Gathering { keys, stream: Stream::default(), expected: number + 1 })),
        };
        let seen = connection.content(content, &mut self.delivered);
        self.connections.push(connection);
        seen
    }
}

impl Connection {
    /// Takes in what an opened packet holds.
    fn content(&mut self, content: &[u8], delivered: &mut Option<[u8; 32]>) -> Seen {
        let State::Gathering(gathering) = &mut self.state else {
            return Seen::Done;
        };
        let added = crypto(content).try_for_each(|piece| gathering.stream.add(&piece?));
        // A hello that is complete is told even when something odd follows it: a server that accepts that must not hide it.
        let seen = match (gathering.stream.hello(), added) {
            (Ok(Some(message)), _) => {
                let digest = Sha256::digest(message).into();
                if delivered.replace(digest) == Some(digest) {
                    Seen::Done
                } else {
                    Seen::Hello { message: message.to_vec(), version: self.version }
                }
            }
            (Err(failure), _) => Seen::Failed(failure),
            // The packet is bad, the handshake may go on without it.
            (Ok(None), Err(failure @ (Failure::Frame { .. } | Failure::CutFrame { .. }))) => {
                return Seen::Failed(failure);
            }
            (Ok(None), Err(failure)) => Seen::Failed(failure),
            (Ok(None), Ok(())) => return Seen::NeedMore,
        };
        self.state = State::Settled;
        seen
    }
}
