//! A name that a program asked for, and what the kernel did about it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Body, DecodeError, Header, Origin};
use crate::policy::Verdict;
use crate::wire::NameSource;

/// The layout of [`Body::Named`], as far as the name that follows it: `name_len` bytes and zeroes up to a multiple of 8.
/// Written by the egress programs when a name is complete.
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
    /// 1 inside a tunnel through a proxy, else 0.
    pub in_tunnel: u32,
    /// A [`Verdict`] as a number.
    pub verdict: u32,
    /// The rule that made the verdict.
    pub rule: u32,
    /// Bytes of the name.
    pub name_len: u32,
}

/// What a name takes in an event.
pub const fn padded_name_len(name_len: usize) -> usize {
    name_len.next_multiple_of(8)
}

impl Named {
    pub(super) fn body<'a>(&'a self, rest: &'a [u8]) -> Result<Body<'a>, DecodeError> {
        let len = self.name_len as usize;
        if len == 0 {
            return Err(DecodeError::NameLength(self.name_len));
        }
        let name = rest.get(..len).ok_or(DecodeError::NameLength(self.name_len))?;
        if rest.len() != padded_name_len(len) {
            return Err(DecodeError::WrongLength);
        }
        Ok(Body::Named {
            origin: &self.origin,
            source: NameSource::from_number(self.source).ok_or(DecodeError::UnknownSource(self.source))?,
            port: u16::try_from(self.port).map_err(|_| DecodeError::NumberRange(self.port))?,
            in_tunnel: self.in_tunnel != 0,
            verdict: Verdict::from_number(self.verdict).ok_or(DecodeError::UnknownVerdict(self.verdict))?,
            rule: self.rule,
            name,
        })
    }
}
