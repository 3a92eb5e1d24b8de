//! Events: what the kernel programs tell user space, through the ring buffers.
//!
//! Every event begins with a [`Header`] that says who, which connection and when, so that no event needs another one to
//! be understood: when one is lost, the next still is. [`decode`] is the only way from bytes to an [`Event`].

mod header;
mod named;

pub use header::{Endpoints, Header, Kind, Owner};
pub use named::Named;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::policy::Verdict;
use crate::wire::NameSource;

/// One event, checked.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Who, which connection, when.
    pub header: &'a Header,
    /// What happened.
    pub body: Body<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// The TCP handshake of an outgoing connection is done.
    Established,
    /// The program asked for a name.
    Named {
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
    Doomed,
}

/// The layout of [`Body::Replied`].
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Replied {
    /// Who, which connection, when.
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
    /// The name is empty or longer than its buffer.
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
    if header.endpoints.family != 4 && header.endpoints.family != 6 {
        return Err(DecodeError::UnknownFamily(header.endpoints.family));
    }
    let body = match Kind::from_number(header.kind).ok_or(DecodeError::UnknownKind(header.kind))? {
        Kind::Established | Kind::Closed | Kind::Doomed if !rest.is_empty() => return Err(DecodeError::WrongLength),
        Kind::Established => Body::Established,
        Kind::Closed => Body::Closed,
        Kind::Doomed => Body::Doomed,
        Kind::Named => Named::ref_from_bytes(bytes)
            .map_err(|_| DecodeError::WrongLength)?
            .body()?,
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

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    #[repr(align(8))]
    struct Aligned([u8; 1024]);

    /// Decodes from aligned memory, as the ring buffer gives it.
    fn check(bytes: &[u8], expect: Result<&str, DecodeError>) {
        let mut aligned = Aligned([0; 1024]);
        aligned.0[..bytes.len()].copy_from_slice(bytes);
        let got = decode(&aligned.0[..bytes.len()]).map(|event| std::format!("{:?}", event.body));
        assert_eq!(got.as_deref().map_err(|error| *error), expect);
    }

    fn header(kind: Kind) -> Header {
        Header {
            kind: kind as u32,
            endpoints: Endpoints {
                family: 4,
                ..Endpoints::EMPTY
            },
            ..Header::EMPTY
        }
    }

    fn named() -> Named {
        let mut name = [0; 256];
        name[..4].copy_from_slice(b"a.bc");
        Named {
            header: header(Kind::Named),
            source: 4,
            port: 443,
            in_tunnel: 1,
            verdict: 2,
            rule: 7,
            name_len: 4,
            name,
        }
    }

    #[test]
    fn events_are_decoded() {
        check(header(Kind::Established).as_bytes(), Ok("Established"));
        check(header(Kind::Closed).as_bytes(), Ok("Closed"));
        check(header(Kind::Doomed).as_bytes(), Ok("Doomed"));
        let replied = Replied {
            header: header(Kind::Replied),
            status: 407,
            _pad: 0,
        };
        check(replied.as_bytes(), Ok("Replied { status: 407 }"));
        check(
            named().as_bytes(),
            Ok(
                "Named { source: TlsSni, port: 443, in_tunnel: true, verdict: Blocked, rule: 7, name: [97, 46, 98, 99] }",
            ),
        );
    }

    #[test]
    fn what_is_no_event_says_why() {
        check(&[], Err(DecodeError::Truncated));
        check(&header(Kind::Closed).as_bytes()[1..], Err(DecodeError::Truncated));
        check(header(Kind::Named).as_bytes(), Err(DecodeError::WrongLength));
        check(
            &[header(Kind::Closed).as_bytes(), &[0; 8]].concat(),
            Err(DecodeError::WrongLength),
        );
        check(
            Header {
                kind: 99,
                ..header(Kind::Closed)
            }
            .as_bytes(),
            Err(DecodeError::UnknownKind(99)),
        );
        check(
            Header {
                kind: Kind::Closed as u32,
                ..Header::EMPTY
            }
            .as_bytes(),
            Err(DecodeError::UnknownFamily(0)),
        );
        check(
            Named { source: 9, ..named() }.as_bytes(),
            Err(DecodeError::UnknownSource(9)),
        );
        check(
            Named { verdict: 9, ..named() }.as_bytes(),
            Err(DecodeError::UnknownVerdict(9)),
        );
        check(
            Named { name_len: 0, ..named() }.as_bytes(),
            Err(DecodeError::NameLength(0)),
        );
        check(
            Named {
                name_len: 257,
                ..named()
            }
            .as_bytes(),
            Err(DecodeError::NameLength(257)),
        );
        check(
            Named { port: 65536, ..named() }.as_bytes(),
            Err(DecodeError::NumberRange(65536)),
        );
        let replied = Replied {
            header: header(Kind::Replied),
            status: 1000,
            _pad: 0,
        };
        check(replied.as_bytes(), Err(DecodeError::NumberRange(1000)));
    }

    #[test]
    fn no_mutation_of_an_event_panics() {
        let seed = named().as_bytes().to_vec();
        for at in 0..seed.len() {
            for byte in [0, 1, 4, 6, 0x7f, 0xff] {
                let mut bytes: Vec<u8> = seed.clone();
                bytes[at] = byte;
                let mut aligned = Aligned([0; 1024]);
                aligned.0[..bytes.len()].copy_from_slice(&bytes);
                for len in [bytes.len(), at, at + 1] {
                    if let Ok(Event {
                        body: Body::Named { name, .. },
                        ..
                    }) = decode(&aligned.0[..len])
                    {
                        assert!(!name.is_empty() && name.len() <= 256);
                    }
                }
            }
        }
    }
}
