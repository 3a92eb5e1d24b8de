//! Where a conversation in clear text turns into TLS: the client's request for it, in the protocols that have one.
//!
//! The client's words alone are read. A server may refuse, and a client may send its request in one packet with what
//! comes before, so the caller looks for a ClientHello at the start of every message that follows a
//! [`Upgrade::Continue`] or an [`Upgrade::Requested`], and stops looking at the first [`Upgrade::No`]. A message that
//! [`http::request`](super::http::request) takes for its own is never more than [`Upgrade::NeedMore`] here.
//!
//! Letters are folded with `| 0x20`, without a branch: one-to-one for the letters that are compared. Of a command line
//! its first words are read, no more.

mod packet;
#[cfg(test)]
mod tests;
mod word;

use packet::{MYSQL_REQUEST_BYTES, SEQUENCE, ldap, mysql};
use word::{Match, Word};

use super::{Prefix, Work, forget};

/// Longest command line with its end (RFC 5321 section 4.5.3.1.4). A longer message is none.
const LINE_BYTES_MAX: usize = 512;
/// Longest IMAP tag that is read. Clients count with them, and have as many digits.
const TAG_BYTES_MAX: usize = 24;

/// What a client's message says about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// It asks for TLS. It has so many bytes; a ClientHello may follow them.
    Requested(usize),
    /// It does not ask, in a protocol in which the client may do so next. It has so many bytes.
    Continue(usize),
    /// Valid so far; what decides may be in bytes that were not sent yet.
    NeedMore,
    /// Not a protocol with an upgrade, or past the point of it.
    No,
}

/// PostgreSQL's SSLRequest; and its GSSENCRequest, which a client with Kerberos credentials sends first.
const POSTGRES_REQUEST: Word = Word::new(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const POSTGRES_PREAMBLE: Word = Word::new(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);
/// A MySQL packet of 32 bytes that is the second of the connection. A login has more.
const MYSQL_REQUEST: Word = Word::new(&[MYSQL_REQUEST_BYTES as u8 - 4, 0, 0, 1]);
/// XMPP (RFC 6120 section 5.4.2.1), and the beginning of its stream.
const XMPP_REQUEST: Word = Word::new(b"<starttl");
const XMPP_PREAMBLES: [Word; 2] = [Word::new(b"<stream:"), Word::new(b"<?xml ve")];
/// SMTP (RFC 3207) and what borrows from it (LMTP, NNTP, ManageSieve); POP3 (RFC 2595); FTP (RFC 4217).
const LINE_REQUESTS: [Word; 4] =
    [Word::new(b"starttls"), Word::new(b"stls"), Word::new(b"auth tls"), Word::new(b"auth ssl")];
/// How their clients greet, and ask what the server can do.
const LINE_PREAMBLES: [Word; 8] = [
    Word::new(b"ehlo "),
    Word::new(b"helo "),
    Word::new(b"lhlo "),
    Word::new(b"capa"),
    Word::new(b"feat"),
    Word::new(b"mode rea"),
    Word::new(b"noop"),
    Word::new(b"rset"),
];
/// IMAP (RFC 9051 section 6.2.1), behind the tag; CAPABILITY, ID and NOOP may come before.
const IMAP_REQUEST: Word = Word::new(b"starttls");
const IMAP_PREAMBLES: [Word; 3] = [Word::new(b"capabili"), Word::new(b"id "), Word::new(b"noop")];

/// Looks at a client's message from its first byte on.
#[inline(always)]
pub fn upgrade(p: &Prefix<'_>, work: &mut Work) -> Upgrade {
    let word = Word::read(p, work, 0);
    let p = &p.again(work);
    let packet = Match::of(word, &[POSTGRES_REQUEST], &[POSTGRES_PREAMBLE, MYSQL_REQUEST]);
    if packet.request == 0 {
        return Upgrade::Requested(8);
    }
    if packet.preamble == 0 {
        return if word.there == !0 && word.bytes == POSTGRES_PREAMBLE.bytes { Upgrade::Continue(8) } else { mysql(p) };
    }
    if packet.cut == 0 {
        return Upgrade::NeedMore;
    }
    let first = (word.bytes >> 56) as u8;
    if first == b'<' {
        return says(p, Match::of(word.folded(), &[XMPP_REQUEST], &XMPP_PREAMBLES), b'>');
    }
    // The digit 0 may also begin an IMAP tag.
    if first == SEQUENCE
        && let Some(upgrade) = ldap(p, work)
    {
        return upgrade;
    }
    let line = Match::of(word.folded(), &LINE_REQUESTS, &LINE_PREAMBLES);
    if line.request & line.preamble & line.cut == 0 {
        return says(p, line, b'\n');
    }
    let mut len = 0;
    for i in 0..TAG_BYTES_MAX + 1 {
        let Some(byte) = p.u8_at(i) else {
            return Upgrade::NeedMore;
        };
        len = i;
        if !is_in_tag(byte) {
            break;
        }
    }
    let len = forget(work, len);
    let p = &p.again(work);
    if len == 0 || p.u8_at(len) != Some(b' ') {
        return Upgrade::No;
    }
    let word = Word::read(p, work, len + 1).folded();
    let p = &p.again(work);
    says(p, Match::of(word, &[IMAP_REQUEST], &IMAP_PREAMBLES), b'\n')
}

/// What a message says that ends with `end`.
#[inline(always)]
fn says(p: &Prefix<'_>, found: Match, end: u8) -> Upgrade {
    if p.len() > LINE_BYTES_MAX || found.request & found.preamble & found.cut != 0 {
        return Upgrade::No;
    }
    if found.cut == 0 || p.u8_at(p.len().wrapping_sub(1)) != Some(end) {
        return Upgrade::NeedMore;
    }
    if found.request == 0 { Upgrade::Requested(p.len()) } else { Upgrade::Continue(p.len()) }
}

/// Printable, and none of `"%()*+\{` (RFC 9051 section 9, `tag`), as a map of bits: one branch a byte.
#[inline(always)]
fn is_in_tag(byte: u8) -> bool {
    const fn bits(base: u8) -> u64 {
        let mut bits = 0;
        let mut i = 0;
        while i < 64 {
            let byte = base + i;
            if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'%' | b'(' | b')' | b'*' | b'+' | b'\\' | b'{') {
                bits |= 1 << i;
            }
            i += 1;
        }
        bits
    }
    const LOW: u64 = bits(0);
    const HIGH: u64 = bits(64);
    let half = if byte & 0x40 == 0 { LOW } else { HIGH };
    byte & 0x80 == 0 && half >> (byte & 0x3f) & 1 != 0
}
