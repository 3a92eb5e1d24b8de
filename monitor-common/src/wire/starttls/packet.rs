//! Requests for TLS that are packets: MySQL's and LDAP's.

use super::super::{Prefix, Work, forget};
use super::{Service, Upgrade};

/// The [`Service`] of [`ldap`].
pub(super) const LDAP: u32 = Service::Ldap as u32;
/// Longest LDAP message that is read: the request for TLS has 31 bytes, or a few more when its lengths are long ones.
const LDAP_BYTES_MAX: usize = 64;
/// The object identifier of LDAP's StartTLS (RFC 4511 section 4.14.1).
const LDAP_START_TLS: [u8; 22] = *b"1.3.6.1.4.1.1466.20037";
/// MySQL's SSLRequest packet: a header of 4 bytes and 32 of payload.
pub(super) const MYSQL_REQUEST_BYTES: usize = 36;
/// CLIENT_PROTOCOL_41 and CLIENT_SSL, in the second byte of MySQL's capabilities.
const MYSQL_CAPABILITIES: u8 = 0x02 | 0x08;

/// A packet whose header is that of a request: whether the rest is, too.
#[inline(always)]
pub(super) fn mysql(p: &Prefix<'_>) -> Upgrade {
    let (Some(capabilities), Some(_)) = (p.u8_at(5), p.u8_at(MYSQL_REQUEST_BYTES - 1)) else {
        return Upgrade::NeedMore;
    };
    // Behind 4 bytes of capabilities, 4 of size and the character set; MariaDB uses the last four.
    let mut filler = 0;
    for i in 13..32 {
        filler |= p.u8_at(i).unwrap_or(1);
    }
    if filler == 0 && capabilities & MYSQL_CAPABILITIES == MYSQL_CAPABILITIES {
        Upgrade::Requested(MYSQL_REQUEST_BYTES)
    } else {
        Upgrade::No
    }
}

/// BER's tags (X.690) as LDAP uses them: the message, its number, an extended request, and the name of that.
pub(super) const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const EXTENDED_REQUEST: u8 = 0x77;
const REQUEST_NAME: u8 = 0x80;

/// None: no LDAP message.
#[inline(always)]
pub(super) fn ldap(p: &Prefix<'_>, work: &mut Work) -> Option<Upgrade> {
    let Some((body, end)) = ldap_frame(p) else {
        return Some(Upgrade::NeedMore);
    };
    let body = forget(work, body);
    let end = forget(work, end);
    match p.u8_at(body) {
        None => return Some(Upgrade::NeedMore),
        Some(INTEGER) if end <= LDAP_BYTES_MAX => {}
        Some(INTEGER) => return Some(Upgrade::No),
        Some(_) => return None,
    }
    if p.len() < end {
        return Some(Upgrade::NeedMore);
    }
    let number_bytes = p.u8_at(body + 1)? as usize & 7;
    // Its range is forgotten: LLVM would make an offset of it that is below zero for a moment, which 5.10 refuses.
    let name = forget(work, end.wrapping_sub(LDAP_START_TLS.len()));
    let mut differs = (p.u8_at(body + 2 + number_bytes)? ^ EXTENDED_REQUEST)
        | (p.u8_at(name.wrapping_sub(2))? ^ REQUEST_NAME)
        | (p.u8_at(name.wrapping_sub(1))? ^ LDAP_START_TLS.len() as u8);
    for (i, byte) in LDAP_START_TLS.iter().enumerate() {
        differs |= p.u8_at(name.wrapping_add(i))? ^ byte;
    }
    Some(if differs == 0 { Upgrade::Requested(end) } else { Upgrade::No })
}

/// Where the content of the outermost element starts and ends. None: its length is not there yet.
#[inline(always)]
fn ldap_frame(p: &Prefix<'_>) -> Option<(usize, usize)> {
    match p.u8_at(1)? {
        len @ ..=0x7f => Some((2, 2 + len as usize)),
        0x81 => Some((3, 3 + p.u8_at(2)? as usize)),
        0x82 => Some((4, 4 + p.u16_at(2)?)),
        // Windows and Active Directory write all lengths with four bytes.
        0x84 if p.u16_at(2)? == 0 => Some((6, 6 + p.u16_at(4)?)),
        _ => Some((2, usize::MAX >> 1)),
    }
}
