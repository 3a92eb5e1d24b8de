//! The kind of an address, in the words of `LocalIPType` and `RemoteIPType`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Public, Private, Reserved, Loopback, Teredo, FourToSixMapping or Broadcast.
pub(super) fn ip_type(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(v4) => ipv4_type(v4),
        IpAddr::V6(v6) => ipv6_type(v6),
    }
}

fn ipv4_type(address: Ipv4Addr) -> &'static str {
    let [a, b, c, _] = address.octets();
    if address.is_loopback() {
        "Loopback"
    } else if address.is_broadcast() {
        "Broadcast"
    } else if address.is_private() || address.is_link_local() || (a == 100 && b & 0xc0 == 64) {
        // RFC 1918, RFC 3927, RFC 6598.
        "Private"
    } else if a == 0
        || a >= 224
        || address.is_documentation()
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18)
    {
        // RFC 6890.
        "Reserved"
    } else {
        "Public"
    }
}

fn ipv6_type(address: Ipv6Addr) -> &'static str {
    let [first, second, ..] = address.segments();
    if address.is_loopback() {
        "Loopback"
    } else if address.to_ipv4_mapped().is_some() {
        "FourToSixMapping"
    } else if first == 0x2001 && second == 0 {
        // RFC 4380.
        "Teredo"
    } else if address.is_unique_local() || address.is_unicast_link_local() {
        // RFC 4193, RFC 4291.
        "Private"
    } else if address.is_unspecified() || address.is_multicast() || (first == 0x2001 && second == 0xdb8) {
        // RFC 6890.
        "Reserved"
    } else {
        "Public"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_their_rfc_says() {
        for (address, expect) in [
            ("127.0.0.1", "Loopback"),
            ("10.1.2.3", "Private"),
            ("100.64.0.1", "Private"),
            ("100.128.0.1", "Public"),
            ("169.254.1.1", "Private"),
            ("192.0.2.1", "Reserved"),
            ("198.19.0.1", "Reserved"),
            ("224.0.0.1", "Reserved"),
            ("255.255.255.255", "Broadcast"),
            ("93.184.216.34", "Public"),
            ("::1", "Loopback"),
            ("::ffff:10.0.0.1", "FourToSixMapping"),
            ("2001::1", "Teredo"),
            ("fd00::1", "Private"),
            ("fe80::1", "Private"),
            ("2001:db8::1", "Reserved"),
            ("2600::1", "Public"),
        ] {
            assert_eq!(ip_type(address.parse().unwrap()), expect, "{address}");
        }
    }
}
