//! The head of an HTTP/1.x request behind its target (RFC 9112 sections 5 and 6): where the Host field is, where the head
//! ends, and where the body does.

use core::hint::black_box;

use super::{Prefix, Work, forget, forget_word, word};
use crate::limits::{HEAD_BYTES_MAX, HEAD_STEP_BYTES};

/// What a step of [`scan`] came to, at `work.scan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Scan {
    /// Nothing in this step: take another one.
    On = 0,
    /// The value of the Host field starts.
    Host = 1,
    /// The head ends.
    End = 2,
    /// The value of a field starts that may say how long the body is: call [`body_field`], then take another step.
    Field = 3,
    /// The head goes on in bytes that were not sent yet.
    NeedMore = 4,
    /// The head is longer than [`HEAD_BYTES_MAX`].
    TooLong = 5,
}

/// Starts at `at`, behind the method.
#[inline(always)]
pub fn start(work: &mut Work, at: usize) {
    (work.scan, work.wants_host, work.body, work.is_coded, work.window) = (at as u32, 0, 0, 0, 0);
}

/// Reads on, at most [`HEAD_STEP_BYTES`]: with a sliding window of eight bytes instead of a state machine, which is one
/// unknown number to the verifier on every path.
#[inline(always)]
pub fn scan(p: &Prefix<'_>, mut work: &mut Work) -> Scan {
    let from = work.scan as usize;
    if from >= HEAD_BYTES_MAX {
        return Scan::TooLong;
    }
    let mut window = work.window;
    let mut len = HEAD_STEP_BYTES;
    work.found = Scan::On as u32;
    for i in 0..HEAD_STEP_BYTES {
        let Some(byte) = p.u8_at(from + i) else {
            (len, work.found) = (i, Scan::NeedMore as u32);
            break;
        };
        window = window << 8 | byte as u64;
        if window & 0xff_ffff == word(b"\n\r\n") || window & 0xffff == word(b"\n\n") {
            (len, work.found) = (i + 1, Scan::End as u32);
            break;
        }
        if (window & 0xffff_ffff_ffff) | word(b"\0    \0") == word(b"\nhost:") {
            (len, work.found) = (i + 1, Scan::Host as u32);
            break;
        }
        if window | word(b"\0      \0") == word(b"-length:") || window | word(b"       \0") == word(b"ncoding:") {
            (len, work.found) = (i + 1, Scan::Field as u32);
            break;
        }
    }
    // All that the loop tested goes through memory.
    let at = forget(work, from + len);
    work.window = window;
    work = black_box(work);
    work.scan = at as u32;
    match work.found {
        1 if work.wants_host != 0 => {
            work.wants_host = 0;
            Scan::Host
        }
        2 => Scan::End,
        3 => Scan::Field,
        4 => Scan::NeedMore,
        _ => Scan::On,
    }
}

/// Bytes of the whole message when its head ends at `work.scan`: the head and what Content-Length says. None: that cannot
/// be told, or is more than sequence numbers can tell apart.
#[inline(always)]
pub fn message_len(work: &Work) -> Option<u32> {
    let len = work.scan as u64 + work.body;
    if work.is_coded != 0 || len >= 1 << 31 { None } else { Some(len as u32) }
}

/// Reads the field whose value starts at `work.scan`: the number of Content-Length into `work.body`, for Transfer-Encoding
/// `work.is_coded`. False: the value was not all sent yet.
#[inline(always)]
pub fn body_field(p: &Prefix<'_>, work: &mut Work) -> bool {
    let mut name = 0u64;
    // The eight bytes in front of those that the window shows.
    for i in 0..8 {
        let Some(byte) = (work.scan as usize).checked_sub(16).and_then(|at| p.u8_at(at + i)) else {
            return true;
        };
        name = name << 8 | byte as u64;
    }
    let name = forget_word(work, name);
    if name | word(b"      \0 ") == word(b"ansfer-e") && work.window | word(b"       \0") == word(b"ncoding:") {
        work.is_coded = 1;
        return true;
    }
    if name | word(b"\0       ") == word(b"\ncontent") && work.window | word(b"\0      \0") == word(b"-length:") {
        return content_length(p, work);
    }
    true
}

/// Steps over the white space in front of a field's value, which starts at `work.scan`. False: it was not sent yet.
#[inline(always)]
pub fn skip_white_space(p: &Prefix<'_>, work: &mut Work) -> bool {
    let mut at = work.scan as usize;
    let mut is_there = false;
    for _ in 0..8 {
        match p.u8_at(at) {
            None => break,
            Some(b' ' | b'\t') => at += 1,
            Some(_) => {
                is_there = true;
                break;
            }
        }
    }
    work.scan = forget(work, at) as u32;
    is_there
}

/// What is not one number makes the length unknown, as `work.is_coded` does.
#[inline(always)]
fn content_length(p: &Prefix<'_>, mut work: &mut Work) -> bool {
    if !skip_white_space(p, work) {
        return false;
    }
    let p = &p.again(work);
    let from = work.scan as usize;
    work.found = 0;
    // Ten digits hold every length that a position can be moved by.
    let mut len = 10;
    let mut body = 0u64;
    for i in 0..10 {
        match p.u8_at(from + i) {
            Some(digit @ b'0'..=b'9') => body = body * 10 + (digit - b'0') as u64,
            Some(_) => {
                len = i;
                break;
            }
            None => {
                work.found = 1;
                break;
            }
        }
    }
    work.body = body;
    work = black_box(work);
    let len = forget(work, len);
    if work.found != 0 {
        return false;
    }
    if len == 0 || len == 10 {
        work.is_coded = 1;
    }
    work.scan = (from + len) as u32;
    true
}
