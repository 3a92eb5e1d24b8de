//! What a connection sends: no panic, names inside their limits, and the same names however it is cut into two segments.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use monitor_common::{
    limits::{MESSAGE_BYTES_MAX, NAME_BYTES_MAX},
    policy::{Bucket, Head, Key, Mode, SLOTS},
    progress::Progress,
    wire::inspect::Room,
};

/// A policy with one empty bucket, whose head says so.
static NO_RULES: LazyLock<[Bucket; 2]> = LazyLock::new(|| {
    [Head { buckets: 1, key: Key { seed: 1, multiplier: 3 }, orders: Mode::Audit.into() }.to_bucket(), [0; SLOTS]]
});

/// Source, port and bytes of a name.
type Name = (u32, u32, Vec<u8>);

fuzz_target!(|input: &[u8]| {
    // Beyond the longest message, one segment shows less at once than two do.
    let sent = &input[..input.len().min(MESSAGE_BYTES_MAX - 1)];
    let whole = names(&[sent]);
    let sum = sent.iter().fold(0, |sum: usize, byte| sum + usize::from(*byte));
    for cut in [1, sent.len() / 2, sum % sent.len().max(1), sent.len().saturating_sub(1)] {
        let (one, two) = sent.split_at(cut.min(sent.len()));
        assert_eq!(names(&[one, two]), whole, "cut at {cut}");
    }
});

fn names(segments: &[&[u8]]) -> Vec<Name> {
    let (mut room, mut progress, mut names, mut kept) = (Room::new(), Progress::NEW, Vec::new(), Vec::new());
    let mut seq = 0u32;
    progress.opened(seq);
    for segment in segments {
        room.message()[..kept.len()].copy_from_slice(&kept);
        room.segment(&mut progress, seq, segment, &*NO_RULES, |told| {
            assert!(told.name.len() <= NAME_BYTES_MAX, "a name of {} bytes", told.name.len());
            names.push((told.source, told.port, told.name.to_vec()));
        });
        kept = room.message()[..progress.have as usize].to_vec();
        seq += segment.len() as u32;
    }
    names
}
