//! What a ClientHello tells about who sent it and whom it is for (RFC 8446 section 4.1.2).
//!
//! [`unrecord`] takes the message out of TLS records, [`ClientHello::parse`] reads it, also when it is cut. Pure: no clock, no
//! I/O, and no input makes it panic. What it keeps is bounded by the message. Nothing is guessed: what is not there, or
//! has not the form that its RFC gives it, is absent.

mod ech;
pub mod extension;
mod grease;
mod ja4;
mod protocols;
mod record;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod version;

use std::net::IpAddr;

pub use ech::Ech;
use extension::{EARLY_DATA, PRE_SHARED_KEY};
pub use protocols::Protocols;
pub use record::{RecordError, Unrecorded, unrecord};
pub use version::Version;

use crate::reader::Reader;

/// HandshakeType client_hello (RFC 8446 section 4).
const CLIENT_HELLO: u8 = 1;

/// The group whose key shares stand against quantum computers, as browsers send it (draft-ietf-tls-ecdhe-mlkem).
const X25519_MLKEM768: u16 = 0x11ec;

/// What carries the hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TLS over TCP.
    Tcp,
    /// QUIC: a TLS message in CRYPTO frames (RFC 9001).
    Quic,
    /// DTLS, whose message has a longer header and a cookie (RFC 9147 section 5).
    Datagram,
}

/// How much of the message was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// It ends early. What was complete by then is told; no list is told in part.
    Cut,
}

/// A name as it was sent: any bytes but none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerName(Box<[u8]>);

impl ServerName {
    fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes, as sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The address that stands where RFC 6066 section 3 only permits names; an IPv6 address also in brackets, as some
    /// clients take it out of a URL.
    pub fn address(&self) -> Option<IpAddr> {
        let text = std::str::from_utf8(&self.0).ok()?;
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        match bare {
            Some(bare) => bare.parse().ok().filter(IpAddr::is_ipv6),
            None => text.parse().ok(),
        }
    }
}

/// What a ClientHello tells. Lists are in the client's order and as sent, GREASE (RFC 8701) included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// What carried it.
    pub transport: Transport,
    /// How much of it was there.
    pub extent: Extent,
    /// The version in the message itself; TLS 1.3 says 1.2 here.
    pub legacy_version: Version,
    /// The cipher suites.
    pub cipher_suites: Vec<u16>,
    /// The numbers of all extensions.
    pub extensions: Vec<u16>,
    /// The name of the host that the client wants.
    pub server_name: Option<ServerName>,
    /// The protocols that it offers to speak.
    pub protocols: Protocols,
    /// The versions of its `supported_versions` extension; empty without one.
    pub supported_versions: Vec<u16>,
    /// The signature algorithms.
    pub signature_algorithms: Vec<u16>,
    /// The groups for which it sends a key.
    pub key_shares: Vec<u16>,
    /// Whether it presents a ticket to take up a session of TLS 1.2 (RFC 5077 section 3.2).
    pub session_ticket: bool,
    /// Whether the name may be a cover for another one.
    pub ech: Ech,
    /// The extensions whose content has not the form that its RFC gives it.
    pub malformed: Vec<u16>,
}

/// Why bytes are no ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Cut before its lists begin.
    #[error("cut after {bytes} bytes, before anything is told")]
    TooShort {
        /// How many bytes are there.
        bytes: usize,
    },
    /// Another handshake message.
    #[error("handshake message of type {kind}, not a ClientHello")]
    OtherMessage {
        /// The message's type.
        kind: u8,
    },
    /// A vector goes beyond the end of the message.
    #[error("the {part} go beyond the end of the message")]
    Overlong {
        /// Which part.
        part: &'static str,
    },
    /// Half a cipher suite.
    #[error("the cipher suites end with half a one")]
    HalfSuite,
    /// Bytes behind the extensions.
    #[error("{bytes} bytes follow the extensions")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A fragment of a DTLS message that does not begin it or is not all of it.
    #[error("fragment at {offset} of a DTLS message")]
    Fragment {
        /// Where in the message it begins.
        offset: usize,
    },
}

impl ClientHello {
    /// Reads a handshake message, from its type on. It may be cut; bytes after its end are left alone.
    ///
    /// # Errors
    /// Another message, one that is cut before its lists begin, or one whose parts do not fit into it.
    pub fn parse(message: &[u8], transport: Transport) -> Result<Self, Error> {
        let mut reader = Reader::new(message);
        let too_short = Error::TooShort { bytes: message.len() };
        let kind = reader.u8().ok_or(too_short)?;
        if kind != CLIENT_HELLO {
            return Err(Error::OtherMessage { kind });
        }
        let length = reader.u24().ok_or(too_short)?;
        if transport == Transport::Datagram {
            reader.u16().ok_or(too_short)?;
            let offset = reader.u24().ok_or(too_short)?;
            if offset != 0 || reader.u24().ok_or(too_short)? != length {
                return Err(Error::Fragment { offset });
            }
        }
        let (body, extent) = match reader.take(length) {
            Some(body) => (body, Extent::Whole),
            None => (reader.rest(), Extent::Cut),
        };
        let mut body = Reader::new(body);
        let legacy_version = Version(body.u16().ok_or(too_short)?);
        let mut hello = Self {
            transport,
            extent,
            legacy_version,
            cipher_suites: Vec::new(),
            extensions: Vec::new(),
            server_name: None,
            protocols: Protocols::default(),
            supported_versions: Vec::new(),
            signature_algorithms: Vec::new(),
            key_shares: Vec::new(),
            session_ticket: false,
            ech: Ech::None,
            malformed: Vec::new(),
        };
        match (hello.read(body), extent) {
            (Err(Error::Overlong { .. }), Extent::Cut) | (Ok(()), _) => {}
            (Err(error), _) => return Err(error),
        }
        let names_a_host = hello.server_name.as_ref().is_some_and(|name| name.address().is_none());
        hello.ech = hello.ech.in_hello(names_a_host);
        Ok(hello)
    }

    /// Reads what follows the version, up to the first part that is not all there.
    fn read(&mut self, mut body: Reader<'_>) -> Result<(), Error> {
        let beyond = |part| Error::Overlong { part };
        body.take(32).ok_or(beyond("random bytes"))?;
        body.vector8().ok_or(beyond("session id bytes"))?;
        if self.transport == Transport::Datagram {
            body.vector8().ok_or(beyond("cookie bytes"))?;
        }
        let suites = body.vector16().ok_or(beyond("cipher suites"))?;
        self.cipher_suites = suites.numbers().ok_or(Error::HalfSuite)?;
        body.vector8().ok_or(beyond("compression methods"))?;
        if body.is_empty() {
            // A hello of TLS 1.2 and before need not have extensions (RFC 5246 section 7.4.1.2).
            return Ok(());
        }
        let length = body.u16().ok_or(beyond("extensions"))?;
        let (mut extensions, is_whole) = match body.take(usize::from(length)) {
            Some(extensions) => (Reader::new(extensions), true),
            None => (Reader::new(body.rest()), false),
        };
        while !extensions.is_empty() {
            let kind = extensions.u16().ok_or(beyond("extensions"))?;
            let content = extensions.vector16().ok_or(beyond("extensions"))?;
            if self.extensions.contains(&kind) {
                // RFC 8446 section 4.2 forbids it; the kernel programs, too, take the first.
                self.malformed.push(kind);
            } else {
                extension::read(self, kind, content);
            }
            self.extensions.push(kind);
        }
        match body.left() {
            _ if !is_whole => Err(beyond("extensions")),
            0 => Ok(()),
            bytes => Err(Error::Trailing { bytes }),
        }
    }

    /// The newest version that it offers.
    pub fn offered_version(&self) -> Version {
        Version::newest(&self.supported_versions).unwrap_or(self.legacy_version)
    }

    /// Whether it sends data before the server has answered (0-RTT).
    pub fn early_data(&self) -> bool {
        self.extensions.contains(&EARLY_DATA)
    }

    /// Whether it takes up a session of TLS 1.3, or uses a key agreed upon elsewhere.
    pub fn pre_shared_key(&self) -> bool {
        self.extensions.contains(&PRE_SHARED_KEY)
    }

    /// Whether a key share is post-quantum as browsers send it (X25519MLKEM768).
    pub fn is_post_quantum(&self) -> bool {
        self.key_shares.contains(&X25519_MLKEM768)
    }

    /// The fingerprint of the client, as JA4 defines it. `None`: the hello is cut.
    pub fn ja4(&self) -> Option<String> {
        ja4::fingerprint(self)
    }
}
