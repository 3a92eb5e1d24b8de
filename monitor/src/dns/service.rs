//! Whether a connection carries DNS where nobody can read it: over TLS, HTTPS or QUIC.
//!
//! Told by what its hello shows, so it is a label and never a verdict. A private resolver at port 443 under a name of its
//! own looks like any web site and is not recognised.

use std::fmt;

use crate::hostname::Hostname;

/// Port of DNS over TLS (RFC 7858 section 3.1) and over QUIC (RFC 9250 section 4.1.1).
const ENCRYPTED_DNS_PORT: u16 = 853;

/// Port of `https` (RFC 9110 section 4.2.2).
const HTTPS_PORT: u16 = 443;

/// What speaks HTTP in ALPN: DNS over HTTPS goes over any version of it (RFC 8484 section 5.2).
const HTTP: [&[u8]; 3] = [b"h2", b"h3", b"http/1.1"];

/// Hosts of public resolvers; what is below one of them is one, too. They are those that Chromium offers its users, and
/// others whose documentation tells to use them so. Short on purpose: it is the well-known ones that programs carry with
/// them to get around the resolver of their network.
const PUBLIC_RESOLVERS: [&str; 33] = [
    "adguard-dns.com",
    "cloudflare-dns.com",
    "dns.adguard.com",
    "dns.alidns.com",
    "dns.controld.com",
    "dns.google",
    "dns.google.com",
    "dns.levonet.sk",
    "dns.mullvad.net",
    "dns.nextdns.io",
    "dns.quad9.net",
    "dns9.quad9.net",
    "dns10.quad9.net",
    "dns11.quad9.net",
    "dns12.quad9.net",
    "doh.360.cn",
    "doh.cleanbrowsing.org",
    "doh.cox.net",
    "doh.dns.sb",
    "doh.familyshield.opendns.com",
    "doh.mullvad.net",
    "doh.opendns.com",
    "doh.pub",
    "doh.quickline.ch",
    "doh.xfinity.com",
    "freedns.controld.com",
    "joindns4.eu",
    "odvr.nic.cz",
    "one.one.one.one",
    "public.dns.iij.jp",
    "doh-01.spectrum.com",
    "doh-02.spectrum.com",
    "wikimedia-dns.org",
];

/// What carries a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A TCP connection.
    Tls,
    /// QUIC.
    Quic,
}

/// What is known of a connection that began with a ClientHello.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// What carried it.
    pub carrier: Carrier,
    /// The port of the target, not of a proxy.
    pub port: u16,
    /// The application protocols that it offers (RFC 7301).
    pub alpn: &'a [&'a [u8]],
    /// The name of the target, from wherever it is known.
    pub name: Option<&'a Hostname>,
}

/// How DNS is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptedDns {
    /// Over TLS (RFC 7858).
    Tls,
    /// Over HTTPS (RFC 8484).
    Https,
    /// Over QUIC (RFC 9250).
    Quic,
}

/// What told it, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The client offers the protocol by its ALPN name.
    Alpn,
    /// The target is a public resolver, asked as a web server.
    Name,
    /// The port is that of encrypted DNS.
    Port,
}

/// Tells whether a connection is encrypted DNS, and by what.
pub fn recognise(hello: &Hello<'_>) -> Option<(EncryptedDns, Evidence)> {
    let offers = |protocol: &[u8]| hello.alpn.contains(&protocol);
    match hello.carrier {
        Carrier::Tls if offers(b"dot") => return Some((EncryptedDns::Tls, Evidence::Alpn)),
        Carrier::Quic if offers(b"doq") => return Some((EncryptedDns::Quic, Evidence::Alpn)),
        Carrier::Tls | Carrier::Quic => {}
    }
    let speaks_http = HTTP.into_iter().any(offers) || (hello.alpn.is_empty() && hello.port == HTTPS_PORT);
    if speaks_http && hello.name.is_some_and(is_public_resolver) {
        return Some((EncryptedDns::Https, Evidence::Name));
    }
    match hello.carrier {
        _ if hello.port != ENCRYPTED_DNS_PORT => None,
        Carrier::Tls => Some((EncryptedDns::Tls, Evidence::Port)),
        Carrier::Quic => Some((EncryptedDns::Quic, Evidence::Port)),
    }
}

fn is_public_resolver(name: &Hostname) -> bool {
    let below = |resolver: &str| name.as_str().strip_suffix(resolver);
    PUBLIC_RESOLVERS
        .into_iter()
        .any(|resolver| below(resolver).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alpn => "Alpn",
            Self::Name => "Name",
            Self::Port => "Port",
        })
    }
}

impl fmt::Display for EncryptedDns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "DoT",
            Self::Https => "DoH",
            Self::Quic => "DoQ",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(carrier: Carrier, port: u16, alpn: &[&str], name: &str, expect: Option<(&str, Evidence)>) {
        let alpn: Vec<&[u8]> = alpn.iter().map(|protocol| protocol.as_bytes()).collect();
        let host = Hostname::parse(name.as_bytes()).ok();
        let found = recognise(&Hello { carrier, port, alpn: &alpn, name: host.as_ref() });
        let found = found.map(|(how, evidence)| (how.to_string(), evidence));
        let expect = expect.map(|(how, evidence)| (how.to_owned(), evidence));
        assert_eq!(found, expect, "{carrier:?} {port} {alpn:?} {name}");
    }

    #[test]
    fn a_protocol_of_dns_is_told_by_its_own_name() {
        check(Carrier::Tls, 443, &["h2", "dot"], "www.good.example", Some(("DoT", Evidence::Alpn)));
        check(Carrier::Quic, 8853, &["doq"], "", Some(("DoQ", Evidence::Alpn)));
        check(Carrier::Tls, 443, &["doq"], "www.good.example", None);
    }

    #[test]
    fn a_public_resolver_is_told_by_its_name() {
        check(Carrier::Tls, 443, &["h2", "http/1.1"], "dns.google", Some(("DoH", Evidence::Name)));
        check(Carrier::Quic, 443, &["h3"], "chrome.cloudflare-dns.com", Some(("DoH", Evidence::Name)));
        check(Carrier::Tls, 443, &[], "dns.quad9.net", Some(("DoH", Evidence::Name)));
        check(Carrier::Tls, 853, &[], "dns.google", Some(("DoT", Evidence::Port)));
        check(Carrier::Tls, 993, &[], "dns.google", None);
        for name in ["www.good.example", "notdns.google", "google", "quad9.net", "dns.google.good.example"] {
            check(Carrier::Tls, 443, &["h2"], name, None);
        }
    }

    #[test]
    fn the_port_of_encrypted_dns_tells_it_too() {
        check(Carrier::Tls, 853, &[], "", Some(("DoT", Evidence::Port)));
        check(Carrier::Quic, 853, &["h3"], "www.good.example", Some(("DoQ", Evidence::Port)));
        check(Carrier::Tls, 443, &[], "", None);
    }

    #[test]
    fn every_resolver_is_a_name_that_the_documentation_lists() {
        let documentation = include_str!("../../../docs/records.md");
        let (_, section) = documentation.split_once("\n## Encrypted DNS\n").unwrap();
        let mut listed: Vec<&str> = section.split('`').skip(1).step_by(2).filter(|word| word.contains('.')).collect();
        listed.sort_unstable();
        let mut known = PUBLIC_RESOLVERS;
        known.sort_unstable();
        assert_eq!(listed, known);
        for resolver in PUBLIC_RESOLVERS {
            assert_eq!(Hostname::parse(resolver.as_bytes()).unwrap().as_str(), resolver);
        }
    }
}
