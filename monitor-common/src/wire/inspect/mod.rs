//! The kernel programs' way through the parsers in one function: what they must agree with, byte for byte. Replays of
//! captures run it.

use super::head::{self, Scan};
use super::{Outcome, Prefix, Work, http, name, socks, starttls, tls};
use crate::limits::{BUFFER_BYTES, MESSAGE_BYTES_MAX, RECORD_STEPS_MAX};
use crate::mismatch;
use crate::policy::{Bucket, Head, Key, Verdict, look_up, rule};
use crate::progress::{Progress, Stage};

/// Room for one segment's inspection; it can be used for one connection after the other.
pub struct Room {
    message: [u8; BUFFER_BYTES],
    unrecorded: [u8; BUFFER_BYTES],
    work: Work,
}

/// A name that a message tells, or a hello that tells none.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Where it was found: a [`NameSource`](super::NameSource) as a number.
    pub source: u32,
    /// The port that the message names; 0 when it names none.
    pub port: u32,
    /// Whether the name is an address in network byte order.
    pub is_address: bool,
    /// The name as it was sent, without a final dot; empty for a hello without one.
    pub name: &'a [u8],
    /// The ClientHello in its TLS records, as far as it was sent; empty for other messages.
    pub hello: &'a [u8],
    /// Whether the message is inside a tunnel.
    pub in_tunnel: bool,
    /// Whether it is not what the proxy was asked for, by the rule of [`mismatch`].
    pub differs: bool,
    /// What the policy makes of the name.
    pub verdict: Verdict,
    /// The number of the rule that says so.
    pub rule: u32,
    /// The protocol that turned into TLS: a [`Service`](starttls::Service) as a number, 0 when there was none, or it did not
    /// tell.
    pub service: u32,
}

/// What became of a message.
enum Ending {
    /// It is not complete: this many bytes are kept.
    Kept(u32),
    /// It ended, or nothing more is to be learned: `progress` says which.
    Ended,
    /// Its name is blocked.
    Blocked,
}

impl Room {
    /// Empty.
    pub const fn new() -> Self {
        Self { message: [0; BUFFER_BYTES], unrecorded: [0; BUFFER_BYTES], work: Work::new() }
    }

    /// The bytes of the message under way: fill in what was kept of it before, take what is to be kept after.
    pub const fn message(&mut self) -> &mut [u8; BUFFER_BYTES] {
        &mut self.message
    }

    /// Sends a segment under a policy: a table as [`fill`](crate::policy::fill) makes it. `tell` gets each name. Gives whether
    /// the segment is dropped.
    pub fn segment(
        &mut self,
        progress: &mut Progress,
        seq: u32,
        payload: &[u8],
        policy: &[Bucket],
        mut tell: impl FnMut(&Told<'_>),
    ) -> bool {
        if progress.stage == Stage::Blocked {
            return true;
        }
        let mut inspect = progress.advance(seq, payload.len() as u32);
        while inspect {
            let offset = seq.wrapping_sub(progress.base) as i32;
            let have = progress.have as i32;
            if offset > have {
                progress.settle();
                return false;
            }
            let Some(new) = payload.get(have.wrapping_sub(offset) as usize..).filter(|new| !new.is_empty()) else {
                return false;
            };
            let have = have as usize;
            let len = (have + new.len()).min(MESSAGE_BYTES_MAX);
            self.message[have..len].copy_from_slice(&new[..len - have]);
            self.work.total = (have + new.len()) as u32;
            match self.message_of(progress, len, policy, &mut tell) {
                Ending::Kept(bytes) => {
                    progress.have = bytes;
                    return false;
                }
                Ending::Blocked => {
                    progress.block();
                    return true;
                }
                Ending::Ended => {
                    let end = seq.wrapping_add(payload.len() as u32);
                    let rest = end.wrapping_sub(progress.base);
                    inspect = rest as i32 > 0 && progress.advance(progress.base, rest);
                }
            }
        }
        false
    }

    fn message_of(
        &mut self,
        progress: &mut Progress,
        len: usize,
        policy: &[Bucket],
        tell: &mut impl FnMut(&Told<'_>),
    ) -> Ending {
        let first = self.message[0];
        match progress.stage {
            Stage::Socks => self.socks(progress, len, policy, tell, false),
            Stage::AwaitFirstBytes | Stage::ClearText if first == tls::HANDSHAKE => {
                self.hello(progress, len, policy, tell)
            }
            Stage::AwaitFirstBytes if first == socks::VERSION_5 || first == socks::VERSION_4 => {
                self.socks(progress, len, policy, tell, true)
            }
            Stage::ClearText => self.clear_text(progress, len, false),
            _ => self.request(progress, len, policy, tell),
        }
    }

    fn hello(
        &mut self,
        progress: &mut Progress,
        len: usize,
        policy: &[Bucket],
        tell: &mut impl FnMut(&Told<'_>),
    ) -> Ending {
        let p = Prefix::new(&self.message, len);
        let work = &mut self.work;
        let mut outcome = tls::hello(&p, work);
        if outcome == Outcome::Fragmented {
            tls::start(work);
            for _ in 0..RECORD_STEPS_MAX {
                match tls::step(&p, work) {
                    tls::Step::Copy { from, to, len } => {
                        self.unrecorded[to..to + len].copy_from_slice(&self.message[from..from + len]);
                    }
                    tls::Step::Header => {}
                    tls::Step::Done => break,
                }
            }
            outcome = tls::body(&Prefix::new(&self.unrecorded, work.to as usize), work);
            take_name(&self.unrecorded, work);
        } else {
            take_name(&self.message, work);
        }
        match outcome {
            Outcome::NeedMore | Outcome::Fragmented => return kept(progress, self.work.source, len),
            Outcome::NoName | Outcome::Other => {}
            Outcome::Name => {
                match self.judged(progress, len, policy, tell) {
                    Some(true) => return Ending::Blocked,
                    Some(false) => {}
                    // A hello without a name is told, too.
                    None => {
                        (self.work.len, self.work.hit) = (0, 0);
                        if let Some(head) = policy.first() {
                            mismatch::judge_nameless(progress, &mut self.work, head);
                        }
                        self.tell(progress, len, Verdict::Unlisted, tell);
                    }
                }
            }
        }
        progress.settle();
        Ending::Ended
    }

    fn socks(
        &mut self,
        progress: &mut Progress,
        len: usize,
        policy: &[Bucket],
        tell: &mut impl FnMut(&Told<'_>),
        first: bool,
    ) -> Ending {
        let p = Prefix::new(&self.message, len);
        let outcome = if first { socks::first(&p, &mut self.work) } else { socks::next(&p, &mut self.work) };
        match outcome {
            Outcome::NeedMore => return kept(progress, self.work.source, len),
            Outcome::NoName => progress.message_ends(self.work.scan, self.work.source),
            Outcome::Name => {
                take_name(&self.message, &mut self.work);
                match self.judged(progress, 0, policy, tell) {
                    Some(true) => return Ending::Blocked,
                    Some(false) => progress.message_ends(self.work.scan, self.work.source),
                    None => progress.settle(),
                }
            }
            Outcome::Fragmented | Outcome::Other => progress.settle(),
        }
        Ending::Ended
    }

    /// `may_be_http`: it may become a request.
    fn clear_text(&mut self, progress: &mut Progress, len: usize, may_be_http: bool) -> Ending {
        let in_clear_text = progress.stage == Stage::ClearText;
        let p = Prefix::new(&self.message, len);
        match starttls::message(&p, &mut self.work, in_clear_text, may_be_http) {
            Outcome::NeedMore => return kept(progress, self.work.source, len),
            Outcome::NoName => {
                progress.speaks(self.work.service);
                match head::message_len(&self.work) {
                    Some(len) => progress.message_ends(len, self.work.source),
                    None => progress.message_has_no_end(self.work.source),
                }
            }
            Outcome::Name | Outcome::Fragmented | Outcome::Other => return lost(progress, self.work.source),
        }
        Ending::Ended
    }

    fn request(
        &mut self,
        progress: &mut Progress,
        len: usize,
        policy: &[Bucket],
        tell: &mut impl FnMut(&Told<'_>),
    ) -> Ending {
        let named = progress.named != 0;
        let mut authority = match http::request(&Prefix::new(&self.message, len), &mut self.work) {
            Outcome::Name => !named,
            Outcome::NoName => {
                self.work.wants_host = u32::from(!named);
                false
            }
            outcome @ (Outcome::NeedMore | Outcome::Other) if progress.stage == Stage::AwaitFirstBytes && !named => {
                return self.clear_text(progress, len, outcome == Outcome::NeedMore);
            }
            Outcome::NeedMore => return kept(progress, self.work.source, len),
            Outcome::Fragmented | Outcome::Other => return lost(progress, self.work.source),
        };
        loop {
            if authority {
                match http::authority(&Prefix::new(&self.message, len), &mut self.work) {
                    Outcome::NeedMore => return kept(progress, self.work.source, len),
                    Outcome::Name => {
                        take_name(&self.message, &mut self.work);
                        match self.judged(progress, 0, policy, tell) {
                            Some(true) => return Ending::Blocked,
                            Some(false) => progress.named = 1,
                            None => return lost(progress, self.work.source),
                        }
                    }
                    Outcome::NoName | Outcome::Fragmented | Outcome::Other => return lost(progress, self.work.source),
                }
            }
            authority = false;
            let p = Prefix::new(&self.message, len);
            match head::scan(&p, &mut self.work) {
                Scan::On => {}
                Scan::Host if !head::skip_white_space(&p, &mut self.work) => {
                    return kept(progress, self.work.source, len);
                }
                Scan::Host => (self.work.start, authority) = (self.work.scan, true),
                Scan::Field if !head::body_field(&p, &mut self.work) => {
                    return kept(progress, self.work.source, len);
                }
                Scan::Field => {}
                Scan::NeedMore => return kept(progress, self.work.source, len),
                Scan::TooLong => return lost(progress, self.work.source),
                Scan::End => {
                    match head::message_len(&self.work) {
                        Some(len) => progress.message_ends(len, self.work.source),
                        None => progress.message_has_no_end(self.work.source),
                    }
                    return Ending::Ended;
                }
            }
        }
    }

    /// Looks the name up and tells it; gives whether it is blocked. None: what was sent is too long for a name, or empty.
    fn judged(
        &mut self,
        progress: &mut Progress,
        hello: usize,
        policy: &[Bucket],
        tell: &mut impl FnMut(&Told<'_>),
    ) -> Option<bool> {
        let key = policy.first().map_or(Key::default(), Head::key_of);
        if name::suffixes(&mut self.work, key) != Outcome::Name {
            return None;
        }
        let mut verdict = look_up(&mut self.work, |element| policy.get(element as usize)).unwrap_or(Verdict::Unlisted);
        if let Some(head) = policy.first() {
            verdict = mismatch::judge(progress, &mut self.work, head, verdict);
        }
        self.tell(progress, hello, verdict, tell);
        Some(verdict.drops())
    }

    fn tell(&self, progress: &Progress, hello: usize, verdict: Verdict, tell: &mut impl FnMut(&Told<'_>)) {
        tell(&Told {
            source: self.work.source,
            port: self.work.port,
            is_address: self.work.is_address != 0,
            name: &self.work.name[..self.work.len as usize],
            hello: &self.message[..hello],
            in_tunnel: progress.in_tunnel != 0,
            differs: self.work.differs != 0,
            verdict,
            rule: rule(self.work.hit),
            service: progress.service,
        });
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}

fn take_name(from: &[u8; BUFFER_BYTES], work: &mut Work) {
    let start = work.start as usize;
    if let Some(name) = from.get(start..start + 256) {
        work.name.copy_from_slice(name);
    }
}

/// The message goes on in bytes that were not sent yet.
fn kept(progress: &mut Progress, source: u32, len: usize) -> Ending {
    if len >= MESSAGE_BYTES_MAX {
        return lost(progress, source);
    }
    Ending::Kept(len as u32)
}

/// The message cannot be read on.
fn lost(progress: &mut Progress, source: u32) -> Ending {
    progress.lost(source);
    Ending::Ended
}

#[cfg(test)]
mod tests;
