//! The protocols that a client offers (ALPN, RFC 7301).

use crate::reader::Reader;

/// A list of protocol names, in the client's order. It keeps the bytes as they were sent: names of one byte each would
/// otherwise take sixteen times the room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protocols(Box<[u8]>);

impl Protocols {
    /// Reads the extension. `None`: it has not the form that RFC 7301 section 3.1 gives it.
    pub(super) fn read(mut content: Reader<'_>) -> Option<Self> {
        let list = content.vector16()?;
        if !content.is_empty() {
            return None;
        }
        let mut names = list;
        while !names.is_empty() {
            names.vector8()?;
        }
        let mut list = list;
        Some(Self(list.rest().into()))
    }

    /// The names, as sent.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut list = Reader::new(&self.0);
        std::iter::from_fn(move || list.vector8().map(|mut name| name.rest()))
    }

    /// The name that the client likes best, as text: bytes that do not print are written as `\x00`.
    pub fn first(&self) -> Option<String> {
        self.iter().next().map(|name| name.escape_ascii().to_string())
    }
}
