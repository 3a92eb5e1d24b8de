//! How far the inspection of what a connection sends has come: one state machine, in the kernel over a socket's packets
//! and in user space over a capture's.
//!
//! ```text
//! AwaitFirstBytes ─► a hello                 ─► Settled
//!                 ─► CONNECT, SOCKS request  ─► AwaitProxyReply ─► AwaitFirstBytes, inside the tunnel or again
//!                 ─► another HTTP request    ─► Http, for the next request on the connection
//!                 ─► SOCKS greeting          ─► Socks, for the request
//!                 ─► EHLO, SSLRequest, …     ─► ClearText, for a hello, or more in clear text
//!                 ─► none of these           ─► Settled
//! ```
//!
//! Positions are TCP sequence numbers, so a retransmission lands where its bytes were the first time.

use crate::limits::CLEAR_TEXTS_MAX;
use crate::wire::reply::{self, CODE_BYTES};
use crate::wire::{NameSource, socks};

/// In place of a [`NameSource`]: the message carries no name, and is in a protocol that can turn into TLS.
pub const CLEAR_TEXT: u32 = 1 << 16;
/// What [`Progress::reply`] is for an answer that is of no interest but for having come.
const ANSWERED: u32 = 1;

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// `connect()` ran, no SYN seen yet.
    New = 0,
    /// The byte at `base` starts a message of a protocol that is not known yet.
    AwaitFirstBytes = 1,
    /// A proxy was asked for a target and has not answered, as far as the sender shows.
    AwaitProxyReply = 2,
    /// Clear-text HTTP: the byte at `base` starts a request, and each may name another host.
    Http = 3,
    /// Nothing more to learn.
    Settled = 4,
    /// A blocked name was asked for: nothing leaves any more.
    Blocked = 5,
    /// A SOCKS5 greeting was sent: the byte at `base` starts an authentication message or the request.
    Socks = 6,
    /// A protocol that can turn into TLS: the byte at `base` starts a message in clear text or a ClientHello.
    ClearText = 7,
}

/// The state of one connection's sending side. All zeroes is a connection that has sent nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Progress {
    /// What is expected next.
    pub stage: Stage,
    /// Sequence number of the first byte of the message under way.
    pub base: u32,
    /// Sequence number after the highest byte sent.
    pub next: u32,
    /// Bytes of the message that are kept from earlier packets.
    pub have: u32,
    /// 1: the message under way has told its name already; only its end is still looked for.
    pub named: u32,
    /// 1: where the message ends is not known, so the next one starts with the first byte that is sent after an answer.
    pub loose: u32,
    /// What the proxy answered: an HTTP status, for SOCKS 200 or 500, 1 for an answer that cannot be read, 0 for none yet.
    /// The receiving side sets it while it is 0 and an answer is awaited; the sending side clears it with each request.
    pub reply: u32,
    /// 1 inside a tunnel through a proxy.
    pub in_tunnel: u32,
    /// The version of SOCKS that the awaited answer is in; 0 for HTTP.
    pub socks: u32,
    /// Messages in clear text so far, of a protocol that can turn into TLS.
    pub clear_texts: u32,
    /// Which protocol that is: a [`Service`](crate::wire::starttls::Service) as a number, 0 when no message has told.
    pub service: u32,
    /// The name that a proxy was asked for last, as the policy's hash of it; 0 when that was an address, or nobody was asked.
    pub asked: u64,
    /// The seed of that hash.
    pub asked_seed: u64,
}

impl Progress {
    /// A connection that has sent nothing.
    pub const NEW: Self = Self {
        stage: Stage::New,
        base: 0,
        next: 0,
        have: 0,
        named: 0,
        loose: 0,
        reply: 0,
        in_tunnel: 0,
        socks: 0,
        clear_texts: 0,
        service: 0,
        asked: 0,
        asked_seed: 0,
    };

    /// The SYN was sent; `seq` is the sequence number of the first byte after it.
    #[inline(always)]
    pub fn opened(&mut self, seq: u32) {
        (self.stage, self.base, self.next) = (Stage::AwaitFirstBytes, seq, seq);
    }

    /// `len` bytes are sent, the first at `seq`. Whether they are to be inspected.
    #[inline(always)]
    pub fn advance(&mut self, seq: u32, len: u32) -> bool {
        let end = seq.wrapping_add(len);
        let is_new = is_behind(end, self.next);
        if is_new && self.loose != 0 && self.reply != 0 {
            (self.base, self.have, self.loose) = (self.next, 0, 0);
        }
        if is_new {
            self.next = end;
        }
        if self.stage == Stage::AwaitProxyReply && self.loose == 0 && is_behind(end, self.base) {
            // What follows the request is the tunnel's, also when it is sent before the answer, or when the answer cannot be
            // read. After a refusal it is another request: the same with credentials, or one for another host.
            if self.reply < 300 {
                self.in_tunnel = 1;
            }
            (self.stage, self.have, self.named, self.reply) = (Stage::AwaitFirstBytes, 0, 0, 0);
        }
        match self.stage {
            Stage::AwaitFirstBytes | Stage::Http | Stage::Socks | Stage::ClearText => self.loose == 0,
            Stage::New | Stage::AwaitProxyReply | Stage::Settled | Stage::Blocked => false,
        }
    }

    /// Whether an answer is of interest, and none was seen.
    #[inline(always)]
    pub fn awaits_reply(&self) -> bool {
        let is_loose = self.loose != 0 && (self.stage == Stage::Http || self.stage == Stage::ClearText);
        self.reply == 0 && (self.stage == Stage::AwaitProxyReply || is_loose)
    }

    /// What `reply` becomes with an answer of `len` bytes that begins with these.
    #[inline(always)]
    pub fn reply_of(&self, answer: &[u8; CODE_BYTES], len: u32) -> u32 {
        if self.stage == Stage::ClearText { ANSWERED } else { reply::code(answer, len, self.socks) }
    }

    /// A message in clear text belongs to this protocol, a [`Service`](crate::wire::starttls::Service) as a number; 0 when it
    /// does not tell.
    #[inline(always)]
    pub fn speaks(&mut self, service: u32) {
        if service != 0 {
            self.service = service;
        }
    }

    /// The message under way, whose name came from `source` (a [`NameSource`] as a number; 0 for a message that only
    /// precedes a SOCKS request; [`CLEAR_TEXT`]), ends `len` bytes behind its start.
    #[inline(always)]
    pub fn message_ends(&mut self, len: u32, source: u32) {
        self.base = self.base.wrapping_add(len);
        self.expect(source, 0);
    }

    /// Where the message under way ends cannot be told.
    #[inline(always)]
    pub fn message_has_no_end(&mut self, source: u32) {
        self.expect(source, 1);
    }

    #[inline(always)]
    fn expect(&mut self, source: u32, loose: u32) {
        (self.have, self.named, self.reply, self.loose) = (0, 0, 0, loose);
        if source == NameSource::AbsoluteUri as u32 || source == NameSource::HttpHost as u32 {
            self.stage = Stage::Http;
        } else if source == 0 {
            self.stage = Stage::Socks;
        } else if source == CLEAR_TEXT {
            self.clear_texts += 1;
            self.stage = if self.clear_texts < CLEAR_TEXTS_MAX { Stage::ClearText } else { Stage::Settled };
        } else {
            (self.stage, self.socks) = (Stage::AwaitProxyReply, socks::version(source));
        }
    }

    /// The message under way cannot be read on. A connection that spoke HTTP may still do so after the next answer; of
    /// another one nothing more is learned.
    #[inline(always)]
    pub fn lost(&mut self, source: u32) {
        if self.named != 0 {
            self.message_has_no_end(source);
        } else if self.stage == Stage::Http {
            self.message_has_no_end(NameSource::HttpHost as u32);
        } else {
            self.settle();
        }
    }

    /// Nothing more is to be learned.
    #[inline(always)]
    pub fn settle(&mut self) {
        (self.stage, self.have) = (Stage::Settled, 0);
    }

    /// A blocked name was asked for.
    #[inline(always)]
    pub fn block(&mut self) {
        (self.stage, self.have) = (Stage::Blocked, 0);
    }
}

/// Whether sequence number `one` lies behind `other` (RFC 9293 section 3.4: modulo 2^32).
#[inline(always)]
const fn is_behind(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) as i32 > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_connect(reply: u32) -> Progress {
        let mut progress = Progress::NEW;
        progress.opened(u32::MAX - 9);
        assert!(progress.advance(u32::MAX - 9, 40));
        progress.message_ends(40, NameSource::ConnectAuthority as u32);
        assert!(progress.awaits_reply());
        progress.reply = reply;
        progress
    }

    #[test]
    fn what_follows_an_accepted_connect_is_inside_the_tunnel() {
        for reply in [200, 0, 1] {
            let mut progress = after_connect(reply);
            assert!(!progress.advance(u32::MAX - 9, 40), "a retransmission of the request is not its follower");
            assert!(progress.advance(30, 10));
            assert_eq!((progress.stage, progress.in_tunnel, progress.base), (Stage::AwaitFirstBytes, 1, 30));
        }
    }

    #[test]
    fn what_follows_a_refusal_is_another_request() {
        let mut progress = after_connect(407);
        assert!(progress.advance(30, 10));
        assert_eq!((progress.stage, progress.in_tunnel), (Stage::AwaitFirstBytes, 0));
    }

    #[test]
    fn a_request_without_an_end_is_followed_by_what_comes_after_the_answer() {
        let mut progress = Progress::NEW;
        progress.opened(0);
        assert!(progress.advance(0, 100));
        progress.message_has_no_end(NameSource::HttpHost as u32);
        assert!(!progress.advance(100, 50) && progress.awaits_reply());
        progress.reply = 200;
        assert!(!progress.advance(100, 50), "nothing new");
        assert!(progress.advance(150, 20));
        assert_eq!((progress.stage, progress.base), (Stage::Http, 150));
    }
}
