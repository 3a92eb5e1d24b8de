//! What a client says to a SOCKS proxy: version 5 (RFC 1928, RFC 1929), version 4 and its extension 4a.
//!
//! Credentials are stepped over and never reported.

use super::{NameSource, Outcome, Prefix, Work, forget, head};
use crate::limits::SOCKS4_TEXT_BYTES_MAX;

/// VER of a SOCKS5 greeting or request.
pub const VERSION_5: u8 = 5;
/// VN of a SOCKS4 request.
pub const VERSION_4: u8 = 4;
/// VER of a username and password message (RFC 1929).
const AUTHENTICATION: u8 = 1;
const ADDRESS_IPV4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_IPV6: u8 = 4;

/// The version that a source of names belongs to; 0 when it is not SOCKS.
#[inline(always)]
pub fn version(source: u32) -> u32 {
    if source == NameSource::Socks4 as u32 {
        VERSION_4 as u32
    } else if source == NameSource::Socks5 as u32 {
        VERSION_5 as u32
    } else {
        0
    }
}

/// Reads the first message of a client.
///
/// [`Outcome::Name`]: `work` has the target, and `work.scan` is where the message ends. [`Outcome::NoName`]: a message that
/// ends at `work.scan` and precedes another.
#[inline(always)]
pub fn first(p: &Prefix<'_>, work: &mut Work) -> Outcome {
    head::start(work, 0);
    match p.u8_at(0) {
        Some(VERSION_5) => greeting(p, work).unwrap_or(Outcome::NeedMore),
        Some(VERSION_4) => request_4(p, work).unwrap_or(Outcome::NeedMore),
        Some(_) => Outcome::Other,
        None => Outcome::NeedMore,
    }
}

/// Reads a message after the greeting of version 5. The outcome is as that of [`first`].
#[inline(always)]
pub fn next(p: &Prefix<'_>, work: &mut Work) -> Outcome {
    head::start(work, 0);
    match p.u8_at(0) {
        Some(VERSION_5) => request_5(p, work).unwrap_or(Outcome::NeedMore),
        Some(AUTHENTICATION) => authentication(p, work).unwrap_or(Outcome::NeedMore),
        Some(_) => Outcome::Other,
        None => Outcome::NeedMore,
    }
}

/// VER, NMETHODS, METHODS. None: a byte that it needs is not there.
#[inline(always)]
fn greeting(p: &Prefix<'_>, work: &mut Work) -> Option<Outcome> {
    let methods = p.u8_at(1)? as usize;
    if methods == 0 {
        return Some(Outcome::Other);
    }
    p.u8_at(1 + methods)?;
    (work.scan, work.source) = (methods as u32 + 2, 0);
    Some(Outcome::NoName)
}

/// VER, ULEN, UNAME, PLEN, PASSWD.
#[inline(always)]
fn authentication(p: &Prefix<'_>, work: &mut Work) -> Option<Outcome> {
    let user = p.u8_at(1)? as usize;
    let password = p.u8_at(2 + user)? as usize;
    let end = 3 + user + password;
    p.u8_at(end - 1)?;
    (work.scan, work.source) = (end as u32, 0);
    Some(Outcome::NoName)
}

/// VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT.
#[inline(always)]
fn request_5(p: &Prefix<'_>, work: &mut Work) -> Option<Outcome> {
    let (command, reserved, kind) = (p.u8_at(1)?, p.u8_at(2)?, p.u8_at(3)?);
    if command == 0 || command > 3 || reserved != 0 {
        return Some(Outcome::Other);
    }
    let (start, len) = match kind {
        ADDRESS_IPV4 => (4, 4),
        ADDRESS_IPV6 => (4, 16),
        ADDRESS_NAME => (5, p.u8_at(4)? as usize),
        _ => return Some(Outcome::Other),
    };
    let port = p.u16_at(start + len)?;
    if len == 0 {
        return Some(Outcome::Other);
    }
    (work.start, work.len, work.port) = (start as u32, len as u32, port as u32);
    (work.source, work.is_address) = (NameSource::Socks5 as u32, (kind != ADDRESS_NAME) as u32);
    work.scan = (start + len + 2) as u32;
    Some(Outcome::Name)
}

/// VN, CD, DSTPORT, DSTIP, USERID, NULL; with a DSTIP of 0.0.0.x (4a) a name and NULL follow.
#[inline(always)]
fn request_4(p: &Prefix<'_>, work: &mut Work) -> Option<Outcome> {
    let command = p.u8_at(1)?;
    if command == 0 || command > 2 {
        return Some(Outcome::Other);
    }
    let port = p.u16_at(2)?;
    let (high, low) = (p.u16_at(4)?, p.u16_at(6)?);
    let user = text_len(p, work, 8);
    let p = &p.again(work);
    if user == SOCKS4_TEXT_BYTES_MAX {
        return Some(too_long_or_more(p, 8));
    }
    let behind_user = 8 + user + 1;
    (work.source, work.port) = (NameSource::Socks4 as u32, port as u32);
    if high != 0 || low >> 8 != 0 || low == 0 {
        (work.start, work.len, work.is_address, work.scan) = (4, 4, 1, behind_user as u32);
        return Some(Outcome::Name);
    }
    let len = text_len(p, work, behind_user);
    let p = &p.again(work);
    if len == SOCKS4_TEXT_BYTES_MAX {
        return Some(too_long_or_more(p, behind_user));
    }
    if len == 0 {
        return Some(Outcome::Other);
    }
    (work.start, work.len) = (behind_user as u32, len as u32);
    (work.is_address, work.scan) = (0, (behind_user + len + 1) as u32);
    Some(Outcome::Name)
}

/// Bytes of a text that a zero ends; [`SOCKS4_TEXT_BYTES_MAX`] when no zero is within reach.
#[inline(always)]
fn text_len(p: &Prefix<'_>, work: &mut Work, from: usize) -> usize {
    let mut len = SOCKS4_TEXT_BYTES_MAX;
    for i in 0..SOCKS4_TEXT_BYTES_MAX {
        match p.u8_at(from + i) {
            Some(0) => {
                len = i;
                break;
            }
            Some(_) => {}
            None => break,
        }
    }
    forget(work, len)
}

#[inline(always)]
fn too_long_or_more(p: &Prefix<'_>, from: usize) -> Outcome {
    if p.len() >= from + SOCKS4_TEXT_BYTES_MAX { Outcome::Other } else { Outcome::NeedMore }
}
