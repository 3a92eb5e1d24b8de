//! JA4, the fingerprint of a TLS client (FoxIO, technical_details/JA4.md; the part under the BSD licence).
//!
//! Which program made a hello, whatever order it shuffles its lists into: `t13d1516h2_8daaf6152771_e5627efa2ab1`.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::extension::{APPLICATION_LAYER_PROTOCOL_NEGOTIATION, SERVER_NAME};
use super::grease::{is_grease, is_grease_protocol};
use super::{ClientHello, Extent, Transport};

/// The counts have two digits.
const COUNT_MAX: usize = 99;

/// Six bytes of a hash make its twelve digits.
const HASH_BYTES: usize = 6;

/// The fingerprint. `None`: the hello is cut, and what is missing belongs into it.
pub(super) fn fingerprint(hello: &ClientHello) -> Option<String> {
    if hello.extent != Extent::Whole {
        return None;
    }
    let mut ciphers = without_grease(&hello.cipher_suites);
    let mut extensions = without_grease(&hello.extensions);
    let (cipher_count, extension_count) = (ciphers.len().min(COUNT_MAX), extensions.len().min(COUNT_MAX));
    extensions.retain(|extension| ![SERVER_NAME, APPLICATION_LAYER_PROTOCOL_NEGOTIATION].contains(extension));
    ciphers.sort_unstable();
    extensions.sort_unstable();

    let transport = match hello.transport {
        Transport::Tcp => 't',
        Transport::Quic => 'q',
        Transport::Datagram => 'd',
    };
    let destination = if hello.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let [first, last] = protocol(hello);
    let version = version(hello);
    let ciphers = hash(&list(&ciphers));
    let mut features = list(&extensions);
    let signatures = without_grease(&hello.signature_algorithms);
    // Without extensions there are no signature algorithms either.
    if !signatures.is_empty() {
        features = format!("{features}_{}", list(&signatures));
    }
    let features = hash(&features);
    Some(format!(
        "{transport}{version}{destination}{cipher_count:02}{extension_count:02}{first}{last}_{ciphers}_{features}"
    ))
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|value| !is_grease(*value)).collect()
}

/// The highest number in the extension, also where DTLS counts downwards: that is how it is defined.
fn version(hello: &ClientHello) -> &'static str {
    let highest = without_grease(&hello.supported_versions).into_iter().max();
    match highest.unwrap_or(hello.legacy_version.0) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// The first and the last character of the first protocol; of its hexadecimal form when one of them is no letter or
/// digit.
fn protocol(hello: &ClientHello) -> [char; 2] {
    let name = hello.protocols.iter().find(|name| !is_grease_protocol(name)).unwrap_or_default();
    let (Some(first), Some(last)) = (name.first(), name.last()) else {
        return ['0', '0'];
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)];
    }
    [first >> 4, last & 0x0f].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
}

fn list(values: &[u16]) -> String {
    let mut text = String::with_capacity(5 * values.len());
    for value in values {
        if !text.is_empty() {
            text.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{value:04x}");
    }
    text
}

fn hash(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(2 * HASH_BYTES);
    }
    Sha256::digest(text).iter().take(HASH_BYTES).fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
