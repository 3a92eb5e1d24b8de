//! A name that a program asked for, and what the kernel did about it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Body, DecodeError, Header};
use crate::policy::Verdict;
use crate::wire::NameSource;

/// The layout of [`Body::Named`]. Written by the egress programs when a name is complete.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Named {
    /// Who, which connection, when.
    pub header: Header,
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
    /// The name as it was sent; what lies behind it is not part of the event.
    pub name: [u8; 256],
}

impl Named {
    pub(super) fn body(&self) -> Result<Body<'_>, DecodeError> {
        let name = match self.name.get(..self.name_len as usize) {
            Some(name) if !name.is_empty() => name,
            Some(_) | None => return Err(DecodeError::NameLength(self.name_len)),
        };
        Ok(Body::Named {
            source: NameSource::from_number(self.source).ok_or(DecodeError::UnknownSource(self.source))?,
            port: u16::try_from(self.port).map_err(|_| DecodeError::NumberRange(self.port))?,
            in_tunnel: self.in_tunnel != 0,
            verdict: Verdict::from_number(self.verdict).ok_or(DecodeError::UnknownVerdict(self.verdict))?,
            rule: self.rule,
            name,
        })
    }
}
