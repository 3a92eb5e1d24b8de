//! The wire parsers: from the first bytes that a program sends to the name it asks for.
//!
//! Written so that the verifiers of Linux 5.10 to 7.3 can follow the compiled code, which sets three rules:
//!
//! * bytes are read through [`Prefix`] only (a bounds test, then a constant mask);
//! * loops have constant bounds and keep no *known* number that differs from path to path: what a loop finds goes to
//!   [`Work`], which is map memory in the kernel, and comes back through [`forget`] as an unknown number, so that all
//!   paths meet in one state;
//! * a parser says where the name lies; copying and hashing it comes after, for all parsers in one place.
//!
//! No input makes these functions panic or loop beyond their bounds.

// Every index here is masked, or bounded by the loop around it: that is what the verifier checks.
#![expect(clippy::indexing_slicing, reason = "indices are masked or loop-bounded, as the verifier demands")]

pub mod head;
pub mod http;
pub mod inspect;
pub mod name;
pub mod quic;
pub mod reply;
pub mod socks;
pub mod starttls;
pub mod tls;

use core::hint::black_box;

use crate::limits::{BUFFER_BYTES, LABELS_MAX, MESSAGE_BYTES_MAX};

/// What a parser says about the first bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// [`Work`] tells where the name lies and where it comes from.
    Name,
    /// Valid so far; the name may be in bytes that were not sent yet.
    NeedMore,
    /// The message is complete enough to say that it carries no name itself.
    NoName,
    /// The handshake message goes on in another TLS record.
    Fragmented,
    /// Another protocol.
    Other,
}

/// Where in a conversation a name was found. Zero is reserved for "not set".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum NameSource {
    /// The authority of an HTTP CONNECT request (RFC 9110 section 9.3.6).
    ConnectAuthority = 1,
    /// The absolute-form target of a request to a proxy (RFC 9112 section 3.2.2).
    AbsoluteUri = 2,
    /// The Host field of an origin-form request (RFC 9112 section 3.2).
    HttpHost = 3,
    /// The `server_name` extension of a TLS ClientHello (RFC 6066 section 3).
    TlsSni = 4,
    /// The DST.ADDR of a SOCKS5 request (RFC 1928 section 4).
    Socks5 = 5,
    /// The address of a SOCKS4 request or the name of a SOCKS4a request.
    Socks4 = 6,
    /// The `server_name` extension of the ClientHello in QUIC Initial packets (RFC 9001 section 4). Read in user space.
    QuicSni = 7,
    /// What a name server answered the process. Never in an event: a fallback of user space.
    Dns = 8,
}

impl NameSource {
    /// The source with this number, or none.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::ConnectAuthority),
            2 => Some(Self::AbsoluteUri),
            3 => Some(Self::HttpHost),
            4 => Some(Self::TlsSni),
            5 => Some(Self::Socks5),
            6 => Some(Self::Socks4),
            7 => Some(Self::QuicSni),
            _ => None,
        }
    }
}

/// What the parsers hand to each other, and where loops keep their state. In the kernel it lies in a per-CPU map.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Work {
    /// Offset of the authority or name in the buffer.
    pub start: u32,
    /// Length of the name in bytes.
    pub len: u32,
    /// A [`NameSource`] as a number.
    pub source: u32,
    /// The port that the message names; 0 when it names none.
    pub port: u32,
    /// 1 when the name is an address in network byte order, of 4 or 16 bytes, rather than text.
    pub is_address: u32,
    /// Where the message is read on; in the end, where it ends.
    pub scan: u32,
    /// 1 while the Host field is looked for.
    pub wants_host: u32,
    /// 1 when the length of the body cannot be told from the head: Transfer-Encoding, or a malformed Content-Length.
    pub is_coded: u32,
    /// What a step of a scan found.
    found: u32,
    /// Bytes of the message that lie in this packet and before, as sent: more than the buffer may hold.
    pub total: u32,
    /// Where [`forget`] takes numbers through.
    at: u32,
    /// Offset of the last colon of an authority, 0 for none.
    colon: u32,
    /// Offset of the closing bracket of an IP literal, 0 for none.
    close: u32,
    /// How many suffixes `hashes` holds.
    pub labels: u32,
    /// A copy's source offset.
    pub from: u32,
    /// A copy's destination offset.
    pub to: u32,
    /// Bytes that a copy has left.
    pub left: u32,
    /// Where [`Prefix::again`] takes its length through.
    prefix_len: u32,
    /// The [`Service`](starttls::Service) that a message in clear text belongs to, as a number; 0 when it does not tell.
    pub service: u32,
    /// 1 when HTTP needs more bytes to tell whether the message is its own.
    pub may_be_http: u32,
    /// Not 0 when the name has a letter: it is no IPv4 address then.
    pub letters: u32,
    /// Not 0 when the name has a colon: it is an IPv6 address then.
    pub colons: u32,
    /// 1 when the name is not the one that the proxy was asked for.
    pub differs: u32,
    _pad: u32,
    /// Bytes of the body by Content-Length.
    pub body: u64,
    /// The eight bytes that a scan has seen last.
    window: u64,
    /// A window taken through memory; later the policy entry that matches, 0 for none.
    pub hit: u64,
    /// The last entry found that matches one whole name only, 0 for none.
    pub exact: u64,
    /// The suffix that `exact` was found at.
    pub exact_at: u64,
    /// The keyed hash of each suffix that starts at a label, the rightmost first.
    pub hashes: [u64; LABELS_MAX],
    /// The name as it was sent, followed by whatever lay behind it.
    pub name: [u8; 256],
}

impl Work {
    /// Nothing found yet.
    pub const fn new() -> Self {
        Self {
            start: 0,
            len: 0,
            source: 0,
            port: 0,
            is_address: 0,
            scan: 0,
            wants_host: 0,
            is_coded: 0,
            found: 0,
            total: 0,
            at: 0,
            colon: 0,
            close: 0,
            labels: 0,
            from: 0,
            to: 0,
            left: 0,
            prefix_len: 0,
            service: 0,
            may_be_http: 0,
            letters: 0,
            colons: 0,
            differs: 0,
            _pad: 0,
            body: 0,
            window: 0,
            hit: 0,
            exact: 0,
            exact_at: 0,
            hashes: [0; LABELS_MAX],
            name: [0; 256],
        }
    }

    /// The hash of the whole name, once its suffixes are hashed.
    #[inline(always)]
    pub fn whole_hash(&self) -> u64 {
        self.hashes[self.labels.wrapping_sub(1) as usize & (LABELS_MAX - 1)]
    }
}

impl Default for Work {
    fn default() -> Self {
        Self::new()
    }
}

/// The first bytes of a message, in a buffer of fixed size.
#[derive(Clone, Copy)]
pub struct Prefix<'a> {
    bytes: &'a [u8; BUFFER_BYTES],
    len: usize,
}

impl<'a> Prefix<'a> {
    /// The first `len` bytes of the buffer; at most [`MESSAGE_BYTES_MAX`] of them can be read.
    #[inline(always)]
    pub fn new(bytes: &'a [u8; BUFFER_BYTES], len: usize) -> Self {
        // Hides a proven `len <= MESSAGE_BYTES_MAX` from LLVM, which would drop the mask in `u8_at`; the verifiers of
        // 5.10 and 6.1 need to see the mask.
        Self { bytes, len: black_box(len) }
    }

    /// Bytes that are there.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no byte is there.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The same prefix after a loop that tested its length.
    ///
    /// The range of `len` tells at which step the loop ended. The verifier explores the last step's way out first and
    /// finds each earlier one to be "more" than what it has seen; with the length read back from memory they are equal.
    #[inline(always)]
    pub fn again(&self, work: &mut Work) -> Self {
        work.prefix_len = self.len as u32;
        Self { bytes: self.bytes, len: black_box(&mut *work).prefix_len as usize }
    }

    /// The same bytes, but none from `end` on.
    #[inline(always)]
    pub fn cut(&self, end: usize) -> Self {
        Self { bytes: self.bytes, len: black_box(if end < self.len { end } else { self.len }) }
    }

    /// One byte, or none when it is not there.
    #[inline(always)]
    pub fn u8_at(&self, at: usize) -> Option<u8> {
        if at >= self.len {
            return None;
        }
        // The mask changes nothing; it is the bound in the form that the verifier keeps.
        Some(self.bytes[at & (MESSAGE_BYTES_MAX - 1)])
    }

    /// Two bytes in network order, or none when they are not both there.
    #[inline(always)]
    pub fn u16_at(&self, at: usize) -> Option<usize> {
        Some((self.u8_at(at)? as usize) << 8 | self.u8_at(at + 1)? as usize)
    }
}

/// Takes a number through map memory: the verifier forgets what it knew about it, so that all paths into this point
/// are one state.
#[inline(always)]
pub(crate) fn forget(work: &mut Work, value: usize) -> usize {
    work.at = value as u32;
    black_box(&mut *work).at as usize
}

/// The same for a window of bytes: after a loop its range, too, tells at which step the loop ended.
#[inline(always)]
pub(crate) fn forget_word(work: &mut Work, value: u64) -> u64 {
    work.hit = value;
    black_box(&mut *work).hit
}

/// Up to eight bytes as one number, the first in the highest place.
const fn word(bytes: &[u8]) -> u64 {
    let mut word = 0;
    let mut at = 0;
    while at < bytes.len() {
        word = word << 8 | bytes[at] as u64;
        at += 1;
    }
    word
}
