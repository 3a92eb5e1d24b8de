//! Cache-line buckets of eight 64-bit entries, two buckets for each hash.
//!
//! Two choices instead of a probe sequence: always two cache lines, no loop, no early way out. The verifier has nothing
//! to follow, and the table still fills to 62 % without moving an entry.
//!
//! The array's first element is the [`Head`]: one pointer swap changes entries, key, size and orders together.
//! An entry is: tag (hash bits 63..24) | exact 1 | unused 3 | rule 20. Zero is empty.

use core::hint::black_box;

use super::{DOWNGRADE_PORT, Mode, OnMismatch, Orders, Quic};
use crate::wire::name::hash_of;

/// Entries of a bucket.
pub const SLOTS: usize = 8;
/// Bits of an entry that hold the rule's number.
pub const RULE_BITS: u32 = 20;
const TAG: u64 = !0xff_ffff;
const EXACT_BIT: u32 = 23;

/// One cache line of the table.
pub type Bucket = [u64; SLOTS];

/// The random key of one policy. It is made anew for each load, so that nobody can choose names that collide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Where every hash starts.
    pub seed: u64,
    /// What every step multiplies by; made odd.
    pub multiplier: u64,
}

/// Element 0 of the table's array. Written by user space before the swap, read by the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Buckets that follow.
    pub buckets: u64,
    /// The key of all entries.
    pub key: Key,
    /// What the programs are to do.
    pub orders: Orders,
}

impl Head {
    /// As element 0 of the array.
    pub const fn to_bucket(self) -> Bucket {
        let Orders { mode, on_mismatch, quic, attempts } = self.orders;
        [
            self.buckets,
            self.key.seed,
            self.key.multiplier,
            mode as u64,
            on_mismatch as u64,
            quic as u64,
            attempts as u64,
            0,
        ]
    }

    /// The number of buckets in element 0.
    #[inline(always)]
    pub fn buckets_of(head: &Bucket) -> u64 {
        head[0]
    }

    /// The key in element 0.
    #[inline(always)]
    pub fn key_of(head: &Bucket) -> Key {
        Key { seed: head[1], multiplier: head[2] }
    }

    /// Whether a match is blocked.
    #[inline(always)]
    pub fn blocks(head: &Bucket) -> bool {
        head[3] == Mode::Block as u64
    }

    /// Whether connections that are on their way are told of.
    #[inline(always)]
    pub fn tells_attempts(head: &Bucket) -> bool {
        head[6] != 0
    }

    /// Whether the start of a QUIC connection to this port is dropped.
    #[inline(always)]
    pub fn drops_quic(head: &Bucket, remote_port: u16) -> bool {
        Self::blocks(head) && head[5] == Quic::Downgrade as u64 && remote_port == DOWNGRADE_PORT
    }

    /// Whether a name inside a tunnel is blocked that is not the one which the proxy was asked for.
    #[inline(always)]
    pub fn blocks_mismatch(head: &Bucket) -> bool {
        Self::blocks(head) && head[4] == OnMismatch::Block as u64
    }
}

/// The two buckets where `hash` may lie, counted from 0 behind the head.
#[inline(always)]
pub(super) fn choices(hash: u64, buckets: u64) -> [u64; 2] {
    let other = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    [((hash & 0xffff_ffff) * buckets) >> 32, (other * buckets) >> 32]
}

/// The entry for a name's hash. `exact`: the rule is for the whole name only, not for its subdomains.
#[inline(always)]
pub(super) fn entry(hash: u64, exact: bool, rule: u32) -> u64 {
    (hash & TAG) | (exact as u64) << EXACT_BIT | (rule as u64 & ((1 << RULE_BITS) - 1))
}

/// Whether an entry is for the whole name only.
#[inline(always)]
pub(super) fn is_exact(entry: u64) -> bool {
    entry >> EXACT_BIT & 1 == 1
}

/// The number of an entry's rule.
#[inline(always)]
pub fn rule(entry: u64) -> u32 {
    entry as u32 & ((1 << RULE_BITS) - 1)
}

/// The entry for `hash` in one bucket, or 0. Without a branch: all eight slots are one cache line anyway.
#[inline(always)]
pub(super) fn probe(bucket: &Bucket, hash: u64) -> u64 {
    let mut hit = 0;
    for &slot in bucket {
        let difference = (slot ^ hash) >> 24;
        // All ones when there is no difference (it has 40 bits, so the subtraction borrows only then).
        hit |= slot & black_box(difference.wrapping_sub(1) as i64 >> 63) as u64;
    }
    hit
}

/// Entries per bucket that a table is first tried with: 62 % of its eight slots.
const ENTRIES_PER_BUCKET: usize = 5;

/// How many buckets a table for so many rules is first tried with; its head comes on top.
pub const fn buckets_for(rules: usize) -> usize {
    rules / ENTRIES_PER_BUCKET + 1
}

/// How many it is tried with when two full buckets met by chance: a quarter more makes it unlikely to happen again.
pub const fn larger(buckets: usize) -> usize {
    buckets + buckets / 4 + 1
}

/// Fills a whole table, which is all zeroes: the head, then the rules, each a name and whether it is for the name itself
/// only. False: it needs to be [`larger`].
pub fn fill<'a>(
    elements: &mut [Bucket],
    key: Key,
    orders: impl Into<Orders>,
    rules: impl Iterator<Item = (&'a str, bool)>,
) -> bool {
    let Some((head, table)) = elements.split_first_mut() else {
        return false;
    };
    *head = Head { buckets: table.len() as u64, key, orders: orders.into() }.to_bucket();
    rules.zip(0..).all(|((name, exact), rule)| {
        let hash = hash_of(key, name.as_bytes());
        insert(table, hash, entry(hash, exact, rule))
    })
}

/// Puts an entry into the emptier of its two buckets, or over the entry with the same tag. False: both are full, make the
/// table bigger.
pub(super) fn insert(table: &mut [Bucket], hash: u64, entry: u64) -> bool {
    let both = choices(hash, table.len() as u64).map(|bucket| bucket as usize);
    for at in both {
        for slot in &mut table[at] {
            if *slot != 0 && (*slot ^ entry) & TAG == 0 {
                *slot = entry;
                return true;
            }
        }
    }
    let used = both.map(|at| table[at].iter().filter(|slot| **slot != 0).count());
    let (at, taken) = if used[1] < used[0] { (both[1], used[1]) } else { (both[0], used[0]) };
    if taken == SLOTS {
        return false;
    }
    table[at][taken] = entry;
    true
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{format, vec};

    use super::*;

    const KEY: Key = Key { seed: 0x243f_6a88_85a3_08d3, multiplier: 0x9e37_79b9_7f4a_7c15 };

    fn look_up(table: &[Bucket], name: &str) -> u64 {
        let hash = hash_of(KEY, name.as_bytes());
        choices(hash, table.len() as u64).iter().fold(0, |hit, at| hit | probe(&table[*at as usize], hash))
    }

    #[test]
    fn a_table_at_half_load_finds_every_entry_and_no_other() {
        let mut table = vec![[0u64; SLOTS]; 100_000 / 4];
        for i in 0..100_000u32 {
            let hash = hash_of(KEY, format!("h{i}.example").as_bytes());
            assert!(insert(&mut table, hash, entry(hash, i % 2 == 1, i)));
        }
        for i in 0..100_000u32 {
            let hit = look_up(&table, &format!("h{i}.example"));
            assert_eq!((rule(hit), is_exact(hit)), (i, i % 2 == 1));
            assert_eq!(look_up(&table, &format!("other{i}.example")), 0);
        }
    }

    #[test]
    fn a_full_table_says_so() {
        let mut table = vec![[0u64; SLOTS]; 1];
        let mut put = |i: u32| {
            let hash = hash_of(KEY, format!("h{i}").as_bytes());
            insert(&mut table, hash, entry(hash, false, i))
        };
        assert!((0..8).all(&mut put));
        assert!(!put(8));
    }

    #[test]
    fn quic_is_dropped_in_mode_block_at_one_port_when_that_is_ordered() {
        let drops = |mode: Mode, quic, port| {
            let head = Head { buckets: 1, key: KEY, orders: Orders { quic, ..mode.into() } };
            Head::drops_quic(&head.to_bucket(), port)
        };
        assert!(drops(Mode::Block, Quic::Downgrade, 443));
        assert!(!drops(Mode::Audit, Quic::Downgrade, 443));
        assert!(!drops(Mode::Block, Quic::Inspect, 443));
        assert!(!drops(Mode::Block, Quic::Downgrade, 8443));
    }

    #[test]
    fn letters_are_folded() {
        assert_eq!(hash_of(KEY, b"EVIL.Example"), hash_of(KEY, b"evil.example"));
    }
}
