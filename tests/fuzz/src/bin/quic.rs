//! Datagrams of one flow: no panic, and a hello is a ClientHello message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::quic::{Initials, Seen};

fuzz_target!(|input: &[u8]| {
    let mut initials = Initials::default();
    // The first byte says how long the datagrams are.
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    for datagram in rest.chunks(1 + usize::from(*first) * 8) {
        if let Seen::Hello { message, .. } = initials.feed(0u8, 0, datagram) {
            assert_eq!(message.first(), Some(&1));
        }
    }
});
