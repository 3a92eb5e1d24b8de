//! A name and the keyed hash of each of its suffixes.

use core::hint::black_box;

use super::{Outcome, Work, forget};
use crate::limits::{LABELS_MAX, NAME_BYTES_MAX};
use crate::policy::Key;

/// Hashes every suffix of `work.name[..work.len]` that starts at a label, from the right, into
/// `work.hashes[..work.labels]`, and takes a final dot off the name.
///
/// Letters are folded with `| 0x20`, without a branch: one-to-one for all bytes of a host name. (A byte below 0x20 looks
/// like another one; user space compares every hit with the real name.)
#[inline(always)]
pub fn suffixes(mut work: &mut Work, key: Key) -> Outcome {
    let mut len = black_box(work.len as usize);
    if len != 0 && len <= NAME_BYTES_MAX && work.name[black_box(len - 1) & 0xff] == b'.' {
        len -= 1;
    }
    if len == 0 || len > NAME_BYTES_MAX {
        return Outcome::NoName;
    }
    work.len = len as u32;
    work.labels = 0;
    // Or LLVM, knowing that `len` is at most 255, drops the masks below.
    let len = forget(work, len);
    let mut hash = key.seed;
    // Taken together over all bytes, without a branch: bit 6 is set in letters, and in no digit, dot or colon; one less than
    // zero sets the highest bit.
    let (mut bits, mut borrow) = (0u8, 0u64);
    for i in 0..NAME_BYTES_MAX {
        if i >= len {
            break;
        }
        let byte = work.name[(len - 1 - i) & 0xff];
        if byte == b'.' {
            // The count lives in memory: in a register it would be a known number and the verifier would follow every
            // way to place the dots.
            let labels = work.labels as usize;
            if labels < LABELS_MAX - 1 {
                work.hashes[labels & (LABELS_MAX - 1)] = finish(hash);
                work.labels = labels as u32 + 1;
            }
            work = black_box(work);
        }
        hash = step(key, hash, byte);
        bits |= byte;
        borrow |= ((byte ^ b':') as u64).wrapping_sub(1);
    }
    (work.letters, work.colons) = (bits as u32 & 0x40, (borrow >> 63) as u32);
    let labels = work.labels as usize & (LABELS_MAX - 1);
    work.hashes[labels] = finish(hash);
    work.labels = labels as u32 + 1;
    Outcome::Name
}

/// The hash of a whole name, as [`suffixes`] computes it: what the policy table is filled with.
pub fn hash_of(key: Key, name: &[u8]) -> u64 {
    finish(name.iter().rev().fold(key.seed, |hash, byte| step(key, hash, *byte)))
}

#[inline(always)]
fn step(key: Key, hash: u64, byte: u8) -> u64 {
    let hash = (hash ^ (byte | 0x20) as u64).wrapping_mul(key.multiplier | 1);
    hash ^ hash >> 29
}

#[inline(always)]
fn finish(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ hash >> 32
}
