//! What a connection sends first: no panic, a name inside its limits, and the same answer however much of a message has
//! arrived, or none yet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor_common::{
    limits::{BUFFER_BYTES, LABELS_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX},
    policy::Key,
    wire::{Outcome, Work, inspect::inspect},
};

const KEY: Key = Key { seed: 1, multiplier: 3 };

/// What is read in a message: the outcome, and source, port and name.
type Reading = (Outcome, Option<(u32, u32, Vec<u8>)>);

fuzz_target!(|input: &[u8]| {
    let message = &input[..input.len().min(MESSAGE_BYTES_MAX)];
    let whole = read(message);
    let sum = message.iter().fold(0, |sum: usize, byte| sum + usize::from(*byte));
    for len in [1, message.len() / 2, sum % message.len().max(1), message.len().saturating_sub(1)] {
        let part = read(&message[..len.min(message.len())]);
        assert!(part.0 == Outcome::NeedMore || part == whole, "{part:?} of {len} bytes, {whole:?} of all");
    }
});

fn read(message: &[u8]) -> Reading {
    let (mut work, mut unrecorded, mut bytes) = (Work::new(), [0; BUFFER_BYTES], [0; BUFFER_BYTES]);
    bytes[..message.len()].copy_from_slice(message);
    match inspect(&bytes, message.len(), &mut unrecorded, &mut work, KEY) {
        Outcome::Name => {
            let len = work.len as usize;
            assert!((1..=NAME_BYTES_MAX).contains(&len), "a name of {len} bytes");
            assert!((1..=LABELS_MAX).contains(&(work.labels as usize)), "{} labels", work.labels);
            let name = work.name[..len].to_vec();
            (Outcome::Name, Some((work.source, work.port, name)))
        }
        outcome => (outcome, None),
    }
}
