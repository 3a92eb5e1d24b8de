//! The policy as the kernel programs have it, in memory of our own: the same table, the same hashes, the same look-up.

use monitor_common::limits::LABELS_MAX;
use monitor_common::policy::{Bucket, Key, Mode, Verdict, choices, entry, insert, is_exact, probe, rule};
use monitor_common::wire::name::hash_of;

use crate::decide::Policy;

/// Entries per bucket that the table is first tried with: 62 % of its eight slots.
const ENTRIES_PER_BUCKET: usize = 5;
/// A capture cannot choose its names after the key of a run, but one that found collisions for a fixed key would only
/// hide from this command, which explains each hit again; so the key is fixed, and two runs give the same rows.
const KEY: Key = Key { seed: 0x243f_6a88_85a3_08d3, multiplier: 0x1319_8a2e_0370_7345 };

/// The table.
pub(super) struct Table {
    buckets: Vec<Bucket>,
    mode: Mode,
}

impl Table {
    /// Of all rules of a policy.
    pub(super) fn new(policy: &Policy, mode: Mode) -> Self {
        let mut count = policy.indicators().len() / ENTRIES_PER_BUCKET + 1;
        loop {
            let mut buckets = vec![Bucket::default(); count];
            let filled = policy.indicators().iter().zip(0..).all(|(each, rule)| {
                let hash = hash_of(KEY, each.name.as_str().as_bytes());
                insert(&mut buckets, hash, entry(hash, each.exact, rule))
            });
            if filled {
                return Self { buckets, mode };
            }
            // Two full buckets met by chance: a quarter more room makes it unlikely to happen again.
            count += count / 4 + 1;
        }
    }

    /// What names are to be hashed with.
    pub(super) fn key(&self) -> Key {
        KEY
    }

    /// What the kernel would do about a name, and the rule that says so.
    pub(super) fn decide(&self, name: &[u8]) -> (Verdict, u32) {
        let hit = self.look_up(name);
        let verdict = match (hit, self.mode) {
            (0, _) => Verdict::Unlisted,
            (_, Mode::Block) => Verdict::Blocked,
            (_, Mode::Off | Mode::Audit) => Verdict::Audited,
        };
        (verdict, rule(hit))
    }

    /// The most specific suffix that is in the policy: of the rightmost 31 labels, or the whole name. See `look_up` of the
    /// kernel programs.
    fn look_up(&self, name: &[u8]) -> u64 {
        let dots = (0..name.len()).rev().filter(|at| name.get(*at) == Some(&b'.'));
        let suffixes = dots.take(LABELS_MAX - 1).filter_map(|dot| name.get(dot + 1..));
        let hit = suffixes.map(|suffix| self.entry_of(suffix)).filter(|hit| *hit != 0 && !is_exact(*hit)).last();
        match self.entry_of(name) {
            0 => hit.unwrap_or(0),
            whole => whole,
        }
    }

    fn entry_of(&self, name: &[u8]) -> u64 {
        let hash = hash_of(KEY, name);
        let buckets = choices(hash, self.buckets.len() as u64).into_iter();
        let buckets = buckets.filter_map(|bucket| self.buckets.get(usize::try_from(bucket).ok()?));
        buckets.fold(0, |found, bucket| found | probe(bucket, hash))
    }
}
