//! TLS ClientHello (RFC 8446 section 4.1.2): the server name, also from a handshake message cut into several records.

use core::hint::black_box;

use super::{NameSource, Outcome, Prefix, Work};
use crate::limits::{BLOCK_BYTES, EXTENSIONS_MAX, MESSAGE_BYTES_MAX};

/// ContentType handshake(22), the first byte of a record that may carry a ClientHello.
pub const HANDSHAKE: u8 = 0x16;
const CLIENT_HELLO: u8 = 1;
const RECORD_HEADER_BYTES: usize = 5;

/// Looks for the server name in the first record. On [`Outcome::Name`], `work.len` is 0 when the hello has none.
#[inline(always)]
pub fn hello(p: &Prefix<'_>, work: &mut Work) -> Outcome {
    let (Some(kind), Some(major)) = (p.u8_at(0), p.u8_at(1)) else {
        return Outcome::NeedMore;
    };
    if kind != HANDSHAKE || major != 3 {
        return Outcome::Other;
    }
    let Some(record) = p.u16_at(3) else {
        return Outcome::NeedMore;
    };
    let end = RECORD_HEADER_BYTES + record;
    match body(&p.cut(end), work) {
        Outcome::NeedMore if p.len() >= end => Outcome::Fragmented,
        outcome => outcome,
    }
}

/// Looks for the server name in a handshake message that starts behind where one record header would be.
#[inline(always)]
pub fn body(p: &Prefix<'_>, work: &mut Work) -> Outcome {
    match p.u8_at(RECORD_HEADER_BYTES) {
        Some(CLIENT_HELLO) => server_name(p, work).unwrap_or(Outcome::NeedMore),
        Some(_) => Outcome::Other,
        None => Outcome::NeedMore,
    }
}

/// None: a byte that it needs is not there.
#[inline(always)]
fn server_name(p: &Prefix<'_>, work: &mut Work) -> Option<Outcome> {
    // Record header 5, handshake header 4, version 2, random 32.
    let mut at = 43;
    at += 1 + p.u8_at(at)? as usize;
    at += 2 + p.u16_at(at)?;
    at += 1 + p.u8_at(at)? as usize;
    let end = at + 2 + p.u16_at(at)?;
    at += 2;
    for _ in 0..EXTENSIONS_MAX {
        if at >= end {
            return Some(nameless(work));
        }
        let kind = p.u16_at(at)?;
        let len = p.u16_at(at + 2)?;
        if kind == 0 {
            // ServerNameList length 2, NameType 1, HostName length 2, then the name.
            let Some(last) = p.u16_at(at + 7)?.checked_sub(1) else {
                return Some(nameless(work));
            };
            p.u8_at(at + 9 + last)?;
            (work.start, work.len) = ((at + 9) as u32, last as u32 + 1);
            (work.source, work.port, work.is_address) = (NameSource::TlsSni as u32, 0, 0);
            return Some(Outcome::Name);
        }
        at += 4 + len;
    }
    Some(nameless(work))
}

/// A hello without a name is told, too.
#[inline(always)]
fn nameless(work: &mut Work) -> Outcome {
    (work.start, work.len, work.source, work.port) = (0, 0, NameSource::TlsSni as u32, 0);
    Outcome::Name
}

/// One step of taking the record headers out of a handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A record header was read.
    Header,
    /// Move these bytes.
    Copy {
        /// Offset in the message as it was sent.
        from: usize,
        /// Offset in the message without record headers.
        to: usize,
        /// How many bytes; at most [`BLOCK_BYTES`].
        len: usize,
    },
    /// Nothing more to move.
    Done,
}

/// Starts a walk over the records of a prefix. The message will lie where it does in a single record.
#[inline(always)]
pub fn start(work: &mut Work) {
    (work.from, work.to, work.left) = (0, RECORD_HEADER_BYTES as u32, 0);
}

/// Takes a step. The caller moves the bytes: the kernel with a helper, user space with a copy. In the end `work.to` is
/// the length of the new prefix.
///
/// The cursor lives in memory: in registers, each way to alternate headers and blocks would be a state of its own.
#[inline(always)]
pub fn step(p: &Prefix<'_>, work: &mut Work) -> Step {
    let work = black_box(work);
    let (from, to, left) = (work.from as usize, work.to as usize, work.left as usize);
    if left == 0 {
        return record_header(p, work, from).unwrap_or(Step::Done);
    }
    let here = p.len().saturating_sub(from).min(left).min(BLOCK_BYTES);
    if here == 0 || to + here > MESSAGE_BYTES_MAX {
        return Step::Done;
    }
    (work.from, work.to, work.left) = ((from + here) as u32, (to + here) as u32, (left - here) as u32);
    Step::Copy { from, to, len: here }
}

#[inline(always)]
fn record_header(p: &Prefix<'_>, work: &mut Work, from: usize) -> Option<Step> {
    if p.u8_at(from)? != HANDSHAKE {
        return None;
    }
    work.left = p.u16_at(from + 3)? as u32;
    work.from = from as u32 + RECORD_HEADER_BYTES as u32;
    Some(Step::Header)
}
