//! Where a conversation in clear text turns into TLS: the client's request for it, in the protocols that have one.
//!
//! The client's words alone are read. A server may refuse, so [`message`] is asked about every message that follows one
//! of such a protocol and does not begin as a hello does, up to
//! [`CLEAR_TEXTS_MAX`](crate::limits::CLEAR_TEXTS_MAX). A message that [`http::request`](super::http::request) takes for
//! its own is never more than [`Upgrade::NeedMore`] here.
//!
//! Letters are folded with `| 0x20`, without a branch: one-to-one for the letters that are compared. Of a command line
//! its first words are read, no more, and nothing of them is kept.

mod packet;
mod service;
#[cfg(test)]
mod tests;
mod word;

use core::hint::black_box;

use packet::{LDAP, MYSQL_REQUEST_BYTES, SEQUENCE, ldap, mysql};
pub use service::Service;
use word::{Match, Word, known, shared};

use super::{Outcome, Prefix, Work, forget, head};
use crate::limits::CLEAR_TEXT_LINE_BYTES_MAX;
use crate::progress::CLEAR_TEXT;

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
const POSTGRES_REQUEST: Word = known(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], Service::Postgresql);
const POSTGRES_PREAMBLE: Word = known(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30], Service::Postgresql);
/// A MySQL packet of 32 bytes that is the second of the connection. A login has more.
const MYSQL_REQUEST: Word = known(&[MYSQL_REQUEST_BYTES as u8 - 4, 0, 0, 1], Service::Mysql);
/// XMPP (RFC 6120 section 5.4.2.1), and the beginning of its stream.
const XMPP_REQUEST: Word = known(b"<starttl", Service::Xmpp);
const XMPP_PREAMBLES: [Word; 2] = [known(b"<stream:", Service::Xmpp), known(b"<?xml ve", Service::Xmpp)];
/// SMTP (RFC 3207) and what borrows from it (LMTP, NNTP, ManageSieve); POP3 (RFC 2595); FTP (RFC 4217).
const LINE_REQUESTS: [Word; 4] = [
    shared(b"starttls"),
    known(b"stls", Service::Pop3),
    known(b"auth tls", Service::Ftp),
    known(b"auth ssl", Service::Ftp),
];
/// How their clients greet, ask what the server can do, and begin to log in.
const LINE_PREAMBLES: [Word; 10] = [
    known(b"ehlo ", Service::Smtp),
    known(b"helo ", Service::Smtp),
    known(b"lhlo ", Service::Lmtp),
    known(b"capa", Service::Pop3),
    known(b"capabili", Service::Nntp),
    known(b"feat", Service::Ftp),
    known(b"mode rea", Service::Nntp),
    shared(b"user "),
    shared(b"noop"),
    shared(b"rset"),
];
/// IMAP (RFC 9051 section 6.2.1), behind the tag; CAPABILITY, ID and NOOP may come before.
const IMAP_REQUEST: Word = known(b"starttls", Service::Imap);
const IMAP_PREAMBLES: [Word; 3] =
    [known(b"capabili", Service::Imap), known(b"id ", Service::Imap), known(b"noop", Service::Imap)];

/// Looks at a message that does not begin as a ClientHello does.
///
/// [`Outcome::NoName`]: it ends as [`head::message_len`] says; another one follows. `work.service` is the [`Service`] that
/// it belongs to, as a number, 0 when it does not tell. [`Outcome::Other`]: no protocol with an upgrade.
///
/// `in_clear_text`: such a protocol is spoken on this connection, so that a word which is not known is one more command.
/// `may_be_http`: HTTP needs more bytes to tell whether the message is its own.
#[inline(always)]
pub fn message(p: &Prefix<'_>, work: &mut Work, in_clear_text: bool, may_be_http: bool) -> Outcome {
    let says = upgrade(p, work);
    work.source = CLEAR_TEXT;
    match says {
        Upgrade::Requested(len) | Upgrade::Continue(len) => {
            head::start(work, len);
            Outcome::NoName
        }
        Upgrade::NeedMore => Outcome::NeedMore,
        // Where a message ends that is not known cannot be told: the server answers each.
        Upgrade::No if in_clear_text => {
            head::start(work, 0);
            work.is_coded = 1;
            Outcome::NoName
        }
        Upgrade::No if may_be_http => Outcome::NeedMore,
        Upgrade::No => Outcome::Other,
    }
}

/// Looks at a client's message from its first byte on. `work.service` is what it tells of the protocol.
#[inline(always)]
pub fn upgrade(p: &Prefix<'_>, work: &mut Work) -> Upgrade {
    work.service = 0;
    let word = Word::read(p, work, 0);
    let p = &p.again(work);
    let packet = Match::of(word, &[POSTGRES_REQUEST], &[POSTGRES_PREAMBLE, MYSQL_REQUEST]);
    work.service = packet.service;
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
        return says(p, work, Match::of(word.folded(), &[XMPP_REQUEST], &XMPP_PREAMBLES), b'>');
    }
    // The digit 0 may also begin an IMAP tag.
    if first == SEQUENCE
        && let Some(upgrade) = ldap(p, work)
    {
        work.service = LDAP;
        return upgrade;
    }
    let line = Match::of(word.folded(), &LINE_REQUESTS, &LINE_PREAMBLES);
    if line.request & line.preamble & line.cut == 0 {
        return says(p, work, line, b'\n');
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
    says(p, work, Match::of(word, &[IMAP_REQUEST], &IMAP_PREAMBLES), b'\n')
}

/// What a message says that ends with the first `end`.
#[inline(always)]
fn says(p: &Prefix<'_>, mut work: &mut Work, found: Match, end: u8) -> Upgrade {
    if found.request & found.preamble & found.cut != 0 {
        return Upgrade::No;
    }
    let is_request = forget(work, (found.request == 0) as usize);
    work.service = found.service;
    let mut len = 0;
    for i in 0..CLEAR_TEXT_LINE_BYTES_MAX {
        let Some(byte) = p.u8_at(i) else {
            break;
        };
        if byte == end {
            len = i + 1;
            break;
        }
    }
    work = black_box(work);
    let len = forget(work, len);
    let p = p.again(work);
    if len == 0 {
        return if p.len() >= CLEAR_TEXT_LINE_BYTES_MAX { Upgrade::No } else { Upgrade::NeedMore };
    }
    if is_request == 1 { Upgrade::Requested(len) } else { Upgrade::Continue(len) }
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
