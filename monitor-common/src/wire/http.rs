//! HTTP/1.x requests (RFC 9112): the request line, and the authority that it or the Host field names.

use core::hint::black_box;

use super::{NameSource, Outcome, Prefix, Work, forget, forget_word, head, word};
use crate::limits::AUTHORITY_BYTES_MAX;

/// Longest method that is read, with the space after it. Longer tokens are another protocol.
const METHOD_BYTES_MAX: usize = 8;

/// Line ends in front of a request that are passed over, in bytes: servers ignore at least one (RFC 9112 section 2.2), and
/// squid and tinyproxy do. More are another protocol.
const LINE_ENDS_BYTES_MAX: usize = 8;

/// Spaces and tabs behind the method that are passed over. One space is right, but recipients may take more for one (RFC 9112
/// section 3), and squid and tinyproxy do. More are another protocol.
const BLANKS_MAX: usize = 32;

/// Reads a request line. On [`Outcome::Name`], `work.start` is where the authority starts; call [`authority`] next (in the
/// kernel that is another program). On [`Outcome::NoName`] the Host field has it; call [`head::scan`](super::head::scan).
/// Either way the rest of the head starts at `work.scan`.
#[inline(always)]
pub fn request(p: &Prefix<'_>, work: &mut Work) -> Outcome {
    let mut line_ends = 0;
    for i in 0..LINE_ENDS_BYTES_MAX {
        match p.u8_at(i) {
            None => return Outcome::NeedMore,
            Some(b'\r' | b'\n') => line_ends = i + 1,
            Some(_) => break,
        }
    }
    let from = forget(work, line_ends);
    let p = &p.again(work);
    let mut method = 0;
    let mut len = 0;
    // The window is an unknown number to the verifier on every path: one state a step.
    for i in 0..METHOD_BYTES_MAX {
        let Some(byte) = p.u8_at(from + i) else {
            return Outcome::NeedMore;
        };
        len = i;
        if is_blank(byte) {
            break;
        }
        if !byte.is_ascii_uppercase() {
            return Outcome::Other;
        }
        method = method << 8 | byte as u64;
    }
    let at = forget(work, from + len + 1);
    let p = &p.again(work);
    if !p.u8_at(at - 1).is_some_and(is_blank) {
        return Outcome::Other;
    }
    let method = forget_word(work, method);
    let mut blanks = 0;
    for i in 0..BLANKS_MAX {
        match p.u8_at(at + i) {
            None => return Outcome::NeedMore,
            Some(byte) if is_blank(byte) => blanks = i + 1,
            Some(_) => break,
        }
    }
    let at = forget(work, at + blanks);
    let p = &p.again(work);
    if p.u8_at(at).is_some_and(is_blank) {
        return Outcome::Other;
    }
    head::start(work, at);
    work.is_address = 0;
    if method == word(b"CONNECT") {
        (work.start, work.source) = (at as u32, NameSource::ConnectAuthority as u32);
        return Outcome::Name;
    }
    match p.u8_at(at) {
        None => return Outcome::NeedMore,
        Some(b'/' | b'*') => {
            (work.source, work.wants_host) = (NameSource::HttpHost as u32, 1);
            return Outcome::NoName;
        }
        Some(_) => {}
    }
    let mut scheme = 0;
    for i in 0..7 {
        let Some(byte) = p.u8_at(at + i) else {
            return Outcome::NeedMore;
        };
        scheme = scheme << 8 | byte as u64;
    }
    let scheme = forget_word(work, scheme);
    // Letters may be capitals (RFC 3986 section 3.1); the other three bytes are compared as they are.
    if scheme | word(b"    \0\0\0") != word(b"http://") {
        return Outcome::Other;
    }
    (work.start, work.source) = (at as u32 + 7, NameSource::AbsoluteUri as u32);
    Outcome::Name
}

#[inline(always)]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Splits the authority at `work.start` into `work.start`, `work.len` (the name, without brackets) and `work.port`.
#[inline(always)]
pub fn authority(p: &Prefix<'_>, mut work: &mut Work) -> Outcome {
    (work.colon, work.close, work.port) = (0, 0, 0);
    let from = work.start as usize;
    let mut len = AUTHORITY_BYTES_MAX;
    // Positions go straight to memory: nothing differs between the paths of one step.
    for i in 0..AUTHORITY_BYTES_MAX {
        let Some(byte) = p.u8_at(from + i) else {
            return Outcome::NeedMore;
        };
        let at = (from + i) as u32;
        match byte {
            b'/' | b' ' | b'\r' | b'\n' | b'?' | b'#' | b'\t' => {
                len = i;
                break;
            }
            b'@' => (work.start, work.colon, work.close) = (at + 1, 0, 0),
            b':' => work.colon = at,
            b']' => (work.close, work.colon) = (at, 0),
            _ => {}
        }
        work = black_box(work);
    }
    let end = forget(work, from + len);
    let p = &p.again(work);
    let start = work.start as usize;
    let colon = work.colon as usize;
    if p.u8_at(start) == Some(b'[') {
        work.start = start as u32 + 1;
        work.len = work.close.saturating_sub(start as u32 + 1);
    } else {
        work.len = (if colon == 0 { end } else { colon }).saturating_sub(start) as u32;
    }
    let mut port = 0u32;
    if colon != 0 {
        for i in 1..6 {
            match p.u8_at(colon + i) {
                Some(byte @ b'0'..=b'9') if colon + i < end => port = port * 10 + (byte - b'0') as u32,
                _ => break,
            }
        }
    }
    work.port = port & 0xffff;
    if work.len == 0 { Outcome::NoName } else { Outcome::Name }
}
