//! A name that a program asked for, and what the kernel did about it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Body, DecodeError, Header, Origin};
use crate::policy::Verdict;
use crate::wire::NameSource;
use crate::wire::starttls::Service;

/// The layout of [`Body::Named`], as far as the name that follows it, and the hello that follows the name; each takes a
/// multiple of 8 bytes. Written by the egress programs when a name is complete.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Named {
    /// Which connection, when.
    pub header: Header,
    /// Whose connection, and where it goes.
    pub origin: Origin,
    /// A [`NameSource`] as a number.
    pub source: u32,
    /// The port that the message names; 0 when it names none.
    pub port: u32,
    /// [`IN_TUNNEL`], [`IS_ADDRESS`] and [`DIFFERS`].
    pub flags: u32,
    /// A [`Verdict`] as a number.
    pub verdict: u32,
    /// The rule that made the verdict.
    pub rule: u32,
    /// Bytes of the name; 0 only for a hello that has none.
    pub name_len: u32,
    /// Bytes of the hello.
    pub hello_len: u32,
    /// The protocol that turned into TLS, a [`Service`] as a number; 0 when there was none, or it did not tell.
    pub service: u32,
}

/// Of [`Named::flags`]: the message is inside a tunnel through a proxy.
pub const IN_TUNNEL: u32 = 1;
/// Of [`Named::flags`]: the name is an address in network byte order.
pub const IS_ADDRESS: u32 = 2;
/// Of [`Named::flags`]: the name, or its absence, is not what the proxy was asked for.
pub const DIFFERS: u32 = 4;

impl Named {
    pub(super) fn body<'a>(&'a self, rest: &'a [u8]) -> Result<Body<'a>, DecodeError> {
        let source = NameSource::from_number(self.source).ok_or(DecodeError::UnknownSource(self.source))?;
        let (name, rest) = text(rest, self.name_len)?;
        let (hello, rest) = text(rest, self.hello_len)?;
        if !rest.is_empty() {
            return Err(DecodeError::WrongLength);
        }
        if name.is_empty() && source != NameSource::TlsSni {
            return Err(DecodeError::NameLength(self.name_len));
        }
        let service = match self.service {
            0 => None,
            number => Some(Service::from_number(number).ok_or(DecodeError::UnknownService(number))?),
        };
        Ok(Body::Named {
            origin: &self.origin,
            source,
            port: u16::try_from(self.port).map_err(|_| DecodeError::NumberRange(self.port))?,
            in_tunnel: self.flags & IN_TUNNEL != 0,
            is_address: self.flags & IS_ADDRESS != 0,
            differs: self.flags & DIFFERS != 0,
            verdict: Verdict::from_number(self.verdict).ok_or(DecodeError::UnknownVerdict(self.verdict))?,
            rule: self.rule,
            name,
            hello,
            service,
        })
    }
}

/// `len` bytes and what follows their padding.
fn text(bytes: &[u8], len: u32) -> Result<(&[u8], &[u8]), DecodeError> {
    let (text, _) = bytes.split_at_checked(len as usize).ok_or(DecodeError::NameLength(len))?;
    let rest = bytes.get((len as usize).next_multiple_of(8)..).ok_or(DecodeError::NameLength(len))?;
    Ok((text, rest))
}
