//! What a program asked for, and through what.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use monitor_common::wire::NameSource;

use crate::hostname::{Host, HostnameError};

/// A host and port that a program asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which host.
    pub host: Host,
    /// Which port.
    pub port: u16,
    /// Where the host was named.
    pub source: NameSource,
    /// What the connection's peer speaks, when that is a proxy which is to reach the target.
    pub proxy: Option<ProxyProtocol>,
}

/// What a proxy is asked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProxyProtocol {
    /// HTTP/1.1: CONNECT, or requests in absolute form.
    Http,
    /// SOCKS version 5 (RFC 1928).
    Socks5,
    /// SOCKS version 4 or 4a.
    Socks4,
}

impl ProxyProtocol {
    /// The name, as `ProxyType` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socks5 => "socks5",
            Self::Socks4 => "socks4a",
        }
    }

    /// The protocol in which a name with this source is told to a proxy; none for the others.
    pub const fn of(source: NameSource) -> Option<Self> {
        match source {
            NameSource::ConnectAuthority | NameSource::AbsoluteUri => Some(Self::Http),
            NameSource::Socks5 => Some(Self::Socks5),
            NameSource::Socks4 => Some(Self::Socks4),
            NameSource::HttpHost | NameSource::TlsSni | NameSource::QuicSni | NameSource::Dns => None,
        }
    }
}

/// What a proxy answered: an HTTP status code (RFC 9110 section 15), the REP of SOCKS5 (RFC 1928 section 6), or the CD of
/// SOCKS4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the code is one of.
    pub protocol: ProxyProtocol,
    /// The code.
    pub code: u16,
}

/// What an answer means for the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The way to it is open.
    Open,
    /// The proxy wants credentials first.
    Challenge,
    /// The way is closed.
    Closed,
}

impl Answer {
    /// Reads the start of an answer. None: it is not all there, or none that is known.
    pub fn read(socks: u8, bytes: &[u8]) -> Option<Self> {
        match (socks, bytes) {
            (0, _) => final_status(bytes).map(|code| Self { protocol: ProxyProtocol::Http, code }),
            // The choice of a method, which a client that did not wait for it gets together with the reply.
            (5, [5, _, 5, code, ..]) | (5, [5, code, 0, ..]) => {
                Some(Self { protocol: ProxyProtocol::Socks5, code: u16::from(*code) })
            }
            (4, [0, code, ..]) => Some(Self { protocol: ProxyProtocol::Socks4, code: u16::from(*code) }),
            _ => None,
        }
    }

    /// What it means.
    pub const fn meaning(self) -> Meaning {
        match (self.protocol, self.code) {
            (ProxyProtocol::Http, 200..=299) | (ProxyProtocol::Socks5, 0) | (ProxyProtocol::Socks4, 90) => {
                Meaning::Open
            }
            (ProxyProtocol::Http, 407) => Meaning::Challenge,
            (ProxyProtocol::Http | ProxyProtocol::Socks5 | ProxyProtocol::Socks4, _) => Meaning::Closed,
        }
    }
}

/// The status of the first answer that is not interim (RFC 9110 section 15.2).
fn final_status(mut bytes: &[u8]) -> Option<u16> {
    loop {
        let status = bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?;
        let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] = status else {
            return None;
        };
        let code = [a, b, c].into_iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        if code >= 200 {
            return Some(code);
        }
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        bytes = bytes.get(end + 4..)?;
    }
}

/// An address as SOCKS tells it.
pub(super) fn address(bytes: &[u8]) -> Result<Host, HostnameError> {
    match bytes {
        [_, _, _, _] => <[u8; 4]>::try_from(bytes).map(|four| IpAddr::from(Ipv4Addr::from(four))),
        _ => <[u8; 16]>::try_from(bytes).map(|sixteen| Ipv6Addr::from(sixteen).to_canonical()),
    }
    .map(Host::Address)
    .map_err(|_| HostnameError::AddressLength(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(socks: u8, bytes: &[u8], expect: Option<(u16, Meaning)>) {
        let answer = Answer::read(socks, bytes);
        assert_eq!(answer.map(|answer| (answer.code, answer.meaning())), expect, "{}", bytes.escape_ascii());
    }

    #[test]
    fn the_first_final_status_is_the_answer() {
        check(0, b"HTTP/1.1 200 OK\r\n", Some((200, Meaning::Open)));
        check(0, b"HTTP/1.0 407 Auth", Some((407, Meaning::Challenge)));
        check(0, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\n\r\n", Some((503, Meaning::Closed)));
        for unread in [b"HTTP/1.1 100 Continue\r\n\r\n".as_slice(), b"HTTP/1.1 20", b"HTTP/2 200 OK", b"SSH-2.0", b""] {
            check(0, unread, None);
        }
    }

    #[test]
    fn a_socks_reply_is_read_behind_the_choice_of_a_method() {
        check(5, b"\x05\0\0\x01\0\0\0\0\0\0", Some((0, Meaning::Open)));
        check(5, b"\x05\x02\x05\x04\0\x01", Some((4, Meaning::Closed)));
        check(5, b"\x05\0", None);
        check(4, b"\0\x5a\0\0", Some((90, Meaning::Open)));
        check(4, b"\0\x5b\0\0", Some((91, Meaning::Closed)));
    }
}
