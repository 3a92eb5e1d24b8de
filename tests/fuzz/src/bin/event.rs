//! A record of the ring buffer: whatever it holds, it is an event whose parts are inside it, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor_common::event::{Body, DecodeError, decode};
use zerocopy::IntoBytes as _;

fuzz_target!(|input: &[u8]| {
    // As the ring aligns its records, and one byte off.
    let mut words = vec![0u64; input.len() / 8 + 2];
    let bytes = words.as_mut_bytes();
    bytes[..input.len()].copy_from_slice(input);
    check(&bytes[..input.len()]);
    bytes[1..=input.len()].copy_from_slice(input);
    let shifted = decode(&bytes[1..=input.len()]).err();
    assert!(
        matches!(shifted, Some(DecodeError::Misaligned | DecodeError::Truncated)),
        "{shifted:?} of a shifted event"
    );
});

fn check(bytes: &[u8]) {
    match decode(bytes) {
        Ok(event) => {
            // Reads every field.
            assert!(!format!("{event:?}").is_empty());
            if let Body::Named { name, .. } = event.body {
                assert!(name.len() < bytes.len(), "a name of {} bytes", name.len());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
