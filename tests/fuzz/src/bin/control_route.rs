//! What a request to the control socket asks for: method, path and query, a line each, as somebody sent them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::control::Route;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let mut lines = text.splitn(3, '\n');
    let (method, path) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    match Route::of(method, path, lines.next()) {
        Ok(_) => assert!(method == "GET" && ["/v1/status", "/v1/stream", "/metrics"].contains(&path)),
        // An answer repeats little of what was asked.
        Err(refusal) => assert!(refusal.to_string().chars().count() < 200),
    }
});
