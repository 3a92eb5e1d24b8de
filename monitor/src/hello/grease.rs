//! GREASE (RFC 8701): values without a meaning that clients mix into every list.

/// Whether a cipher suite, extension, version, group or signature scheme is one of the sixteen `0x?A?A`.
pub(super) fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// Whether a protocol name (ALPN) is such a value: the same two bytes.
pub(super) fn is_grease_protocol(name: &[u8]) -> bool {
    <[u8; 2]>::try_from(name).is_ok_and(|pair| is_grease(u16::from_be_bytes(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_values_are_grease() {
        let all: Vec<u16> = (0..=u16::MAX).filter(|value| is_grease(*value)).collect();
        assert_eq!(all.len(), 16);
        assert_eq!((all.first(), all.last()), (Some(&0x0a0a), Some(&0xfafa)));
        assert!(is_grease_protocol(b"\x8a\x8a") && !is_grease_protocol(b"h2") && !is_grease_protocol(b"\x8a"));
    }
}
