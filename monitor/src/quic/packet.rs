//! The packets of a datagram, as far as their headers go in the clear (RFC 9000 sections 12.2 and 17.2).

use monitor_common::wire::quic::is_initial;

use super::{Failure, Version};
use crate::reader::Reader;

/// Longest connection id of the versions that are known (RFC 9000 section 17.2).
const CONNECTION_ID_BYTES_MAX: usize = 20;

/// Shortest connection id that a client may make up for a server (RFC 9000 section 7.2).
const FIRST_CONNECTION_ID_BYTES_MIN: usize = 8;

/// What a client pads a datagram with an Initial to (RFC 9000 section 14.1), so that it gets through or does not.
const DATAGRAM_BYTES_MIN: usize = 1200;

/// Packet number and sample of the header protection: every protected packet has at least so much behind its header
/// (RFC 9001 section 5.4.2).
const PROTECTED_BYTES_MIN: usize = 20;

/// An Initial packet, still protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Initial<'a> {
    pub(super) version: Version,
    /// The connection id that it is addressed to.
    pub(super) destination: &'a [u8],
    /// The packet from its first byte to its last.
    pub(super) bytes: &'a [u8],
    /// Where the packet number begins.
    pub(super) number_at: usize,
}

/// The Initial packets of a datagram, in order, up to the first header that cannot be read.
pub(super) fn initials(datagram: &[u8]) -> impl Iterator<Item = Result<Initial<'_>, Failure>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let at = datagram.len() - rest.len();
            match next(rest, at) {
                Ok((packet, after)) => {
                    rest = after;
                    if let Some(initial) = packet {
                        return Some(Ok(initial));
                    }
                }
                Err(failure) => {
                    rest = &[];
                    return Some(Err(failure));
                }
            }
        }
        None
    })
}

/// A packet, when it is an Initial, and what follows it.
type Next<'a> = (Option<Initial<'a>>, &'a [u8]);

fn next(rest: &[u8], at: usize) -> Result<Next<'_>, Failure> {
    // What cannot be read further than here takes the rest of the datagram with it.
    let nothing: Next<'_> = (None, &[]);
    let mut reader = Reader::new(rest);
    let (Some(first), Some(number)) = (reader.u8(), reader.u32()) else {
        return Ok(nothing);
    };
    // A packet with a short header goes on to the end of the datagram.
    if first & 0x80 == 0 {
        return Ok(nothing);
    }
    match Version::from_number(number) {
        Some(version) if is_retry(first, version) => Ok(nothing),
        Some(version) => long(rest, version, is_initial(first, number), at),
        None if at == 0 && is_of_another_version(rest, first, number) => {
            Err(Failure::UnknownVersion { version: number })
        }
        None => Ok(nothing),
    }
}

/// Retry is the one packet with a long header that has no length (RFC 9000 section 17.2.5, RFC 9369 section 3.2). Only
/// servers send it.
fn is_retry(first: u8, version: Version) -> bool {
    let retry = match version {
        Version::V1 | Version::Draft(_) => 0x30,
        Version::V2 => 0x00,
    };
    first & 0x30 == retry
}

/// A packet with a long header and a length: Initial, 0-RTT or Handshake.
fn long(rest: &[u8], version: Version, is_initial: bool, at: usize) -> Result<Next<'_>, Failure> {
    let header = Failure::Header { at };
    let mut reader = Reader::new(rest);
    reader.take(5).ok_or(header)?;
    let destination = connection_id(&mut reader).ok_or(header)?;
    connection_id(&mut reader).ok_or(header)?;
    if is_initial {
        let token = reader.varint().ok_or(header)?;
        reader.take(usize::try_from(token).map_err(|_| header)?).ok_or(header)?;
    }
    let length = reader.varint().and_then(|length| usize::try_from(length).ok()).ok_or(header)?;
    let number_at = rest.len() - reader.left();
    if length > reader.left() {
        return Err(Failure::Cut { at, missing: length - reader.left() });
    }
    let (bytes, after) = rest.split_at_checked(number_at + length).ok_or(header)?;
    if !is_initial {
        return Ok((None, after));
    }
    if length < PROTECTED_BYTES_MIN {
        return Err(header);
    }
    Ok((Some(Initial { version, destination, bytes, number_at }), after))
}

fn connection_id<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let mut id = reader.vector8()?;
    (id.left() <= CONNECTION_ID_BYTES_MAX).then(|| id.rest())
}

/// Whether this could be a client's first datagram in a version to come: what RFC 8999 fixes for all of them, and what
/// clients have always done.
fn is_of_another_version(datagram: &[u8], first: u8, version: u32) -> bool {
    let mut reader = Reader::new(datagram);
    let is_first = |id: Reader<'_>| id.left() >= FIRST_CONNECTION_ID_BYTES_MIN;
    // Version 0 is a server's negotiation.
    version != 0
        && first & 0x40 != 0
        && datagram.len() >= DATAGRAM_BYTES_MIN
        && reader.take(5).is_some()
        && reader.vector8().is_some_and(is_first)
        && reader.vector8().is_some()
}
