//! Comparing the beginning of a message with many words at once, on one path.

use core::hint::black_box;

use super::super::{Prefix, Work, forget_word};
use super::Service;

/// The beginning of a message, up to eight bytes, at the top of a number.
#[derive(Clone, Copy)]
pub(super) struct Word {
    pub(super) bytes: u64,
    /// All ones where there is a byte.
    pub(super) there: u64,
    /// Whose word it is: a [`Service`] as a number, 0 for several.
    service: u32,
}

/// A word of one protocol.
pub(super) const fn known(text: &[u8], service: Service) -> Word {
    Word::new(text, service as u32)
}

/// A word of several protocols.
pub(super) const fn shared(text: &[u8]) -> Word {
    Word::new(text, 0)
}

impl Word {
    /// At most eight bytes.
    const fn new(text: &[u8], service: u32) -> Self {
        let mut word = Self { bytes: 0, there: 0, service };
        let mut at = 0;
        while at < text.len() {
            word.bytes |= (text[at] as u64) << (56 - 8 * at);
            word.there |= 0xff << (56 - 8 * at);
            at += 1;
        }
        word
    }

    /// Reads eight bytes, or as many as there are.
    #[inline(always)]
    pub(super) fn read(p: &Prefix<'_>, work: &mut Work, from: usize) -> Self {
        let (mut bytes, mut there) = (0, 0);
        for i in 0..8 {
            let Some(byte) = p.u8_at(from + i) else {
                break;
            };
            bytes |= (byte as u64) << (56 - 8 * i);
            there |= 0xff << (56 - 8 * i);
        }
        Self { bytes: forget_word(work, bytes), there: forget_word(work, there), service: 0 }
    }

    #[inline(always)]
    pub(super) fn folded(self) -> Self {
        Self { bytes: (self.bytes | 0x2020_2020_2020_2020) & self.there, ..self }
    }

    /// Zero when it starts with all of `word`.
    #[inline(always)]
    fn differs(self, word: Self) -> u64 {
        ((self.bytes ^ word.bytes) | !self.there) & word.there
    }

    /// Zero when it is the beginning of `word` and ends before that does.
    #[inline(always)]
    fn is_not_cut_from(self, word: Self) -> u64 {
        ((self.bytes ^ word.bytes) & self.there & word.there) | !ones(word.there & !self.there)
    }
}

/// All ones for all numbers but zero. Without a branch, so that comparing with ten words is one path to the verifier and
/// not eleven; LLVM would make a branch of it when it saw what it is.
#[inline(always)]
fn ones(number: u64) -> u64 {
    ((number | black_box(number.wrapping_neg())) as i64 >> 63) as u64
}

/// How a message compares with the words of a group of protocols.
#[derive(Clone, Copy)]
pub(super) struct Match {
    /// Zero when it starts with a request.
    pub(super) request: u64,
    /// Zero when it starts with what comes before one.
    pub(super) preamble: u64,
    /// Zero when it may become one of these.
    pub(super) cut: u64,
    /// The [`Service`] whose word it starts with, as a number.
    pub(super) service: u32,
}

impl Match {
    #[inline(always)]
    pub(super) fn of(word: Word, requests: &[Word], preambles: &[Word]) -> Self {
        let mut found = Self { request: !0, preamble: !0, cut: !0, service: 0 };
        for request in requests {
            let differs = ones(word.differs(*request));
            found.request &= differs;
            found.cut &= ones(word.is_not_cut_from(*request));
            found.service |= request.service & !differs as u32;
        }
        for preamble in preambles {
            let differs = ones(word.differs(*preamble));
            found.preamble &= differs;
            found.cut &= ones(word.is_not_cut_from(*preamble));
            found.service |= preamble.service & !differs as u32;
        }
        found
    }
}
