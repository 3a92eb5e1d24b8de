//! Events: what the kernel programs tell user space, through the ring buffers.
//!
//! Every event begins with a [`Header`] that says which connection and when. The events that can be the first to tell of a
//! connection also have its [`Origin`], so that no event needs another one to be understood: when one is lost, the next still
//! is. They are as short as they can be: most of what an event costs is moving its cache lines from one CPU to another.
//! [`decode`] is the only way from bytes to an [`Event`].

mod header;
mod named;

pub use header::{Endpoints, Header, Kind, Origin, Owner};
pub use named::{DIFFERS, IN_TUNNEL, IS_ADDRESS, Named};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::limits::{DATAGRAM_BYTES_MAX, REPLY_BYTES_MAX};
use crate::policy::Verdict;
use crate::wire::NameSource;
use crate::wire::starttls::Service;

/// One event, checked.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Which connection, when.
    pub header: &'a Header,
    /// What happened.
    pub body: Body<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// The first SYN of an outgoing connection is about to be sent. Only where that is ordered: the others tell of the
    /// connection, too.
    Attempted {
        /// Whose connection, and where it goes.
        origin: &'a Origin,
    },
    /// The TCP handshake of an outgoing connection is done.
    Established {
        /// Whose connection, and where it goes.
        origin: &'a Origin,
    },
    /// The program asked for a name.
    Named {
        /// Whose connection, and where it goes.
        origin: &'a Origin,
        /// Where the name was found.
        source: NameSource,
        /// The port that the message names; 0 when it names none.
        port: u16,
        /// Whether the name was found inside a tunnel through a proxy.
        in_tunnel: bool,
        /// What the kernel did.
        verdict: Verdict,
        /// The rule that made the verdict; means nothing when no rule did.
        rule: u32,
        /// Whether the name is an address of 4 or 16 bytes in network byte order.
        is_address: bool,
        /// Whether it is inside a tunnel and not what the proxy was asked for, by the rule of [`mismatch`](crate::mismatch).
        differs: bool,
        /// The name as it was sent, without a final dot. Any bytes; none for a hello that has no name.
        name: &'a [u8],
        /// The ClientHello that the name is from in its TLS records, as far as it was sent; empty for other sources.
        hello: &'a [u8],
        /// The protocol in clear text that asked for the TLS which the hello begins. None: there was none, or its words are
        /// those of several.
        service: Option<Service>,
    },
    /// The proxy answered.
    Replied {
        /// The version of SOCKS that the request was in; 0 for HTTP.
        socks: u8,
        /// How the answer starts.
        bytes: &'a [u8],
    },
    /// The connection is gone, or the socket that waited for connections.
    Closed {
        /// Payload bytes that the peer has acknowledged.
        sent: u64,
        /// Payload bytes received.
        received: u64,
    },
    /// An outgoing connection came to nothing.
    Failed {
        /// Whose connection, and where it was to go.
        origin: &'a Origin,
        /// Why.
        reason: Reason,
    },
    /// An incoming connection is established.
    Accepted {
        /// Between which ends. The owner is not known where it happens: it is that of the socket that waited.
        origin: &'a Origin,
    },
    /// A socket waits for incoming connections.
    Listening {
        /// Who bound it, and where. Nothing of an owner that never called `bind()`.
        origin: &'a Origin,
    },
    /// A datagram that is read in user space: the start of a QUIC connection, an answer from a name server.
    Datagram {
        /// Whose socket, and between which ends.
        origin: &'a Origin,
        /// Whether it is the payload of a TCP segment: the same protocol over a stream.
        is_tcp: bool,
        /// Whether it was received.
        is_inbound: bool,
        /// Bytes of each datagram when several were sent at once (UDP_SEGMENT); 0 for a single one.
        segment_bytes: u16,
        /// The payload, at most [`DATAGRAM_BYTES_MAX`](crate::limits::DATAGRAM_BYTES_MAX) of it.
        payload: &'a [u8],
    },
    /// What was sent can be read in two ways, and the receiver decides which: a byte among the first is urgent data
    /// (`MSG_OOB`), which stays in the stream or is taken out of it (RFC 6093 section 2). No name is told.
    Unreadable {
        /// Whose connection, and where it goes.
        origin: &'a Origin,
        /// What the kernel did: [`Verdict::Audited`] or [`Verdict::Blocked`].
        verdict: Verdict,
    },
    /// A program made a raw socket (raw(7)), by which it can send packets of its own that no other event tells of.
    RawSocket {
        /// Whose socket, and of which address family; it has no ends.
        origin: &'a Origin,
        /// The IP protocol, as IANA numbers them.
        protocol: u16,
    },
    /// The socket asked for a blocked name and is to be destroyed. It comes through a ring of its own, so that it does not
    /// wait for records to be made.
    Doomed {
        /// Whose connection, and where it goes.
        origin: &'a Origin,
    },
}

/// The layout of [`Body::Attempted`], [`Body::Established`], [`Body::Accepted`], [`Body::Listening`] and [`Body::Doomed`].
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Opened {
    /// Which connection, when.
    pub header: Header,
    /// Whose connection, and where it goes.
    pub origin: Origin,
}

/// The layout of [`Body::Replied`].
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Replied {
    /// Which connection, when.
    pub header: Header,
    /// The version of SOCKS that the request was in; 0 for HTTP.
    pub socks: u32,
    /// How many of `bytes` were sent.
    pub len: u32,
    /// How the answer starts.
    pub bytes: [u8; REPLY_BYTES_MAX],
}

/// The layout of [`Body::Closed`].
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Closed {
    /// Which connection, when.
    pub header: Header,
    /// Payload bytes acknowledged.
    pub sent: u64,
    /// Payload bytes received.
    pub received: u64,
}

/// The layout of [`Body::Failed`], [`Body::Unreadable`] and [`Body::RawSocket`]: an origin and a number.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Numbered {
    /// Which connection, when.
    pub header: Header,
    /// Whose connection, and where it was to go.
    pub origin: Origin,
    /// A [`Reason`], a [`Verdict`] or a protocol, as a number.
    pub number: u32,
    /// Zero.
    pub _pad: u32,
}

/// The layout of [`Body::Datagram`], as far as the payload: `len` bytes and up to a multiple of 8.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Datagram {
    /// Which socket, when.
    pub header: Header,
    /// Whose socket, and between which ends.
    pub origin: Origin,
    /// 1 when it was received.
    pub is_inbound: u32,
    /// Bytes of each datagram when several were sent at once.
    pub segment_bytes: u32,
    /// Bytes of payload.
    pub len: u32,
    /// 1 for the payload of a TCP segment.
    pub is_tcp: u32,
}

/// Why an outgoing connection came to nothing. Zero is reserved for "did not".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// The peer answered with RST (RFC 9293 section 3.10.7.3).
    Refused = 1,
    /// No SYN was answered.
    TimedOut = 2,
    /// There is no way to the peer: no route, or a router said so.
    Unreachable = 3,
    /// The program closed the socket before the connection was established.
    Abandoned = 4,
}

impl Reason {
    /// The reason with this number, or none.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Refused),
            2 => Some(Self::TimedOut),
            3 => Some(Self::Unreachable),
            4 => Some(Self::Abandoned),
            _ => None,
        }
    }
}

/// Why bytes are not an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than the header.
    Truncated,
    /// Not aligned to 8 bytes, as the ring buffer aligns its records.
    Misaligned,
    /// The kind is none that this version knows.
    UnknownKind(u32),
    /// The length is not that of the kind.
    WrongLength,
    /// The address family is neither 4 nor 6.
    UnknownFamily(u32),
    /// A number stands for no name source.
    UnknownSource(u32),
    /// A number stands for no verdict.
    UnknownVerdict(u32),
    /// A number stands for no protocol.
    UnknownService(u32),
    /// A number stands for no reason.
    UnknownReason(u32),
    /// The name is empty or longer than the event.
    NameLength(u32),
    /// A port or length beyond its range.
    NumberRange(u32),
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Truncated => write!(f, "shorter than an event's header"),
            Self::Misaligned => write!(f, "not aligned to 8 bytes"),
            Self::UnknownKind(kind) => write!(f, "unknown kind {kind}"),
            Self::WrongLength => write!(f, "the length is not that of the kind"),
            Self::UnknownFamily(family) => write!(f, "unknown address family {family}"),
            Self::UnknownSource(source) => write!(f, "unknown name source {source}"),
            Self::UnknownVerdict(verdict) => write!(f, "unknown verdict {verdict}"),
            Self::UnknownService(service) => write!(f, "unknown protocol {service}"),
            Self::UnknownReason(reason) => write!(f, "unknown reason {reason}"),
            Self::NameLength(len) => write!(f, "a name of {len} bytes"),
            Self::NumberRange(number) => write!(f, "{number} is out of range"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Reads one record of the ring buffer.
///
/// # Errors
/// A [`DecodeError`] that says what is wrong; nothing is guessed. Never panics, on any bytes.
pub fn decode(bytes: &[u8]) -> Result<Event<'_>, DecodeError> {
    let (header, _) = Header::ref_from_prefix(bytes).map_err(|error| match error {
        zerocopy::CastError::Alignment(_) => DecodeError::Misaligned,
        zerocopy::CastError::Size(_) | zerocopy::CastError::Validity(_) => DecodeError::Truncated,
    })?;
    let body = match Kind::from_number(header.kind).ok_or(DecodeError::UnknownKind(header.kind))? {
        Kind::Attempted => Body::Attempted { origin: origin(bytes)? },
        Kind::Established => Body::Established { origin: origin(bytes)? },
        Kind::Doomed => Body::Doomed { origin: origin(bytes)? },
        Kind::Accepted => Body::Accepted { origin: origin(bytes)? },
        Kind::Listening => Body::Listening { origin: origin(bytes)? },
        Kind::Closed => {
            let closed = Closed::ref_from_bytes(bytes).map_err(|_| DecodeError::WrongLength)?;
            Body::Closed { sent: closed.sent, received: closed.received }
        }
        Kind::Failed => {
            let (origin, number) = numbered(bytes)?;
            Body::Failed { origin, reason: Reason::from_number(number).ok_or(DecodeError::UnknownReason(number))? }
        }
        Kind::Unreadable => {
            let (origin, number) = numbered(bytes)?;
            let verdict = Verdict::from_number(number).ok_or(DecodeError::UnknownVerdict(number))?;
            Body::Unreadable { origin, verdict }
        }
        Kind::RawSocket => {
            let (origin, number) = numbered(bytes)?;
            let protocol = u16::try_from(number).map_err(|_| DecodeError::NumberRange(number))?;
            Body::RawSocket { origin, protocol }
        }
        Kind::Datagram => {
            let (datagram, rest) = Datagram::ref_from_prefix(bytes).map_err(|_| DecodeError::WrongLength)?;
            let segment_bytes = datagram.segment_bytes;
            if datagram.len as usize > DATAGRAM_BYTES_MAX {
                return Err(DecodeError::NumberRange(datagram.len));
            }
            Body::Datagram {
                origin: checked(&datagram.origin)?,
                is_tcp: datagram.is_tcp != 0,
                is_inbound: datagram.is_inbound != 0,
                segment_bytes: u16::try_from(segment_bytes).map_err(|_| DecodeError::NumberRange(segment_bytes))?,
                payload: rest.get(..datagram.len as usize).ok_or(DecodeError::NumberRange(datagram.len))?,
            }
        }
        Kind::Named => {
            let (named, name) = Named::ref_from_prefix(bytes).map_err(|_| DecodeError::WrongLength)?;
            checked(&named.origin)?;
            named.body(name)?
        }
        Kind::Replied => {
            let replied = Replied::ref_from_bytes(bytes).map_err(|_| DecodeError::WrongLength)?;
            let bytes = replied.bytes.get(..replied.len as usize).ok_or(DecodeError::NumberRange(replied.len))?;
            let socks = u8::try_from(replied.socks).map_err(|_| DecodeError::NumberRange(replied.socks))?;
            Body::Replied { socks, bytes }
        }
    };
    Ok(Event { header, body })
}

fn origin(bytes: &[u8]) -> Result<&Origin, DecodeError> {
    checked(&Opened::ref_from_bytes(bytes).map_err(|_| DecodeError::WrongLength)?.origin)
}

fn numbered(bytes: &[u8]) -> Result<(&Origin, u32), DecodeError> {
    let Numbered { origin, number, .. } = Numbered::ref_from_bytes(bytes).map_err(|_| DecodeError::WrongLength)?;
    Ok((checked(origin)?, *number))
}

fn checked(origin: &Origin) -> Result<&Origin, DecodeError> {
    match origin.endpoints.family {
        4 | 6 => Ok(origin),
        family => Err(DecodeError::UnknownFamily(family)),
    }
}

#[cfg(test)]
mod tests;
