//! What a name server answers: no panic, and no more addresses than the answer has.

#![no_main]

use libfuzzer_sys::fuzz_target;
use monitor::dns::{Response, tcp_messages};

fuzz_target!(|input: &[u8]| {
    let over_tcp = tcp_messages(input).filter_map(Result::ok);
    for message in over_tcp.chain([input]) {
        if let Ok(response) = Response::parse(message) {
            assert!(response.host().is_err() || !response.query.as_str().is_empty());
            response.addresses();
        }
    }
});
