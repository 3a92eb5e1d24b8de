//! Events: what the kernel programs tell user space, through the ring buffers.
//!
//! Every event begins with a [`Header`] that says which connection and when. The events that can be the first to tell of a
//! connection also have its [`Origin`], so that no event needs another one to be understood: when one is lost, the next still
//! is. They are as short as they can be: most of what an event costs is moving its cache lines from one CPU to another.
//! [`decode`] is the only way from bytes to an [`Event`].

mod header;
mod named;

pub use header::{Endpoints, Header, Kind, Origin, Owner};
pub use named::{Named, padded_name_len};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::policy::Verdict;
use crate::wire::NameSource;

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
        /// The rule that made the verdict; means nothing when the verdict is [`Verdict::Unlisted`].
        rule: u32,
        /// The name as it was sent, without a final dot. Any bytes.
        name: &'a [u8],
    },
    /// The proxy answered a CONNECT request.
    Replied {
        /// The HTTP status code (RFC 9110 section 15), 0 to 999 as sent.
        status: u16,
    },
    /// The connection is gone.
    Closed,
    /// The socket asked for a blocked name and is to be destroyed. It comes through a ring of its own, so that it does not
    /// wait for records to be made.
    Doomed {
        /// Whose connection, and where it goes.
        origin: &'a Origin,
    },
}

/// The layout of [`Body::Established`] and [`Body::Doomed`].
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
    /// The HTTP status code.
    pub status: u32,
    /// Zero.
    pub _pad: u32,
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
    /// The name is empty or longer than the event.
    NameLength(u32),
    /// A port or status beyond its range.
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
    let (header, rest) = Header::ref_from_prefix(bytes).map_err(|error| match error {
        zerocopy::CastError::Alignment(_) => DecodeError::Misaligned,
        zerocopy::CastError::Size(_) | zerocopy::CastError::Validity(_) => DecodeError::Truncated,
    })?;
    let body = match Kind::from_number(header.kind).ok_or(DecodeError::UnknownKind(header.kind))? {
        Kind::Established => Body::Established { origin: origin(bytes)? },
        Kind::Doomed => Body::Doomed { origin: origin(bytes)? },
        Kind::Closed if rest.is_empty() => Body::Closed,
        Kind::Closed => return Err(DecodeError::WrongLength),
        Kind::Named => {
            let (named, name) = Named::ref_from_prefix(bytes).map_err(|_| DecodeError::WrongLength)?;
            checked(&named.origin)?;
            named.body(name)?
        }
        Kind::Replied => {
            let replied = Replied::ref_from_bytes(bytes).map_err(|_| DecodeError::WrongLength)?;
            match u16::try_from(replied.status) {
                Ok(status) if status <= 999 => Body::Replied { status },
                Ok(_) | Err(_) => return Err(DecodeError::NumberRange(replied.status)),
            }
        }
    };
    Ok(Event { header, body })
}

fn origin(bytes: &[u8]) -> Result<&Origin, DecodeError> {
    checked(&Opened::ref_from_bytes(bytes).map_err(|_| DecodeError::WrongLength)?.origin)
}

fn checked(origin: &Origin) -> Result<&Origin, DecodeError> {
    match origin.endpoints.family {
        4 | 6 => Ok(origin),
        family => Err(DecodeError::UnknownFamily(family)),
    }
}

#[cfg(test)]
mod tests;
