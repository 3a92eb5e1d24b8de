//! A ClientHello in TLS records, or none: no panic, and a fingerprint has its form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::hello::{ClientHello, Transport, unrecord};

fuzz_target!(|input: &[u8]| {
    let Ok(unrecorded) = unrecord(input) else {
        return;
    };
    if let Ok(hello) = ClientHello::parse(&unrecorded.message, Transport::Tcp)
        && let Some(ja4) = hello.ja4()
    {
        assert_eq!((ja4.len(), ja4.matches('_').count()), (36, 2), "{ja4}");
    }
});
