//! The policy as the kernel sees it: a keyed hash table of names, and what a look-up means.
//!
//! User space fills a whole new table and swaps it in with one map update; the kernel programs only read.

#![expect(clippy::indexing_slicing, reason = "indices are reduced to the size of what they index, or loop-bounded")]

mod look_up;
mod orders;
pub mod quic_flow;
mod table;

pub use look_up::look_up;
pub use orders::{DOWNGRADE_PORT, Mode, OnMismatch, Orders, Quic};
pub use quic_flow::QuicFlow;
pub use table::{Bucket, Head, Key, RULE_BITS, SLOTS, buckets_for, fill, larger, rule};

/// What the kernel did about a name. It is made once, by the program that saw the name complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Verdict {
    /// No rule matches.
    Unlisted = 0,
    /// A rule matches; the name passed because the mode is audit.
    Audited = 1,
    /// A rule matches; the packet that completed the name was dropped.
    Blocked = 2,
    /// No rule matches, but a proxy was asked for another name; the packet that completed this one was dropped.
    Mismatched = 3,
}

impl Verdict {
    /// The verdict with this number, or none.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Unlisted),
            1 => Some(Self::Audited),
            2 => Some(Self::Blocked),
            3 => Some(Self::Mismatched),
            _ => None,
        }
    }

    /// Whether the name did not leave the host.
    #[inline(always)]
    pub const fn drops(self) -> bool {
        matches!(self, Self::Blocked | Self::Mismatched)
    }
}
