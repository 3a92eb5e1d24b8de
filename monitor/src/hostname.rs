//! A host that a program asked for: a checked name or an address, or why what was sent is neither.

use std::borrow::Borrow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest label (RFC 1035 section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Longest name as text (RFC 1035 section 2.3.4: 255 octets on the wire).
const NAME_BYTES_MAX: usize = 253;

/// A host name in lower case, without a final dot: letters, digits, `-` and `_` in labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hostname(String);

/// Why bytes are no host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostnameError {
    /// Nothing there.
    #[error("empty")]
    Empty,
    /// Longer than 253 bytes.
    #[error("longer than {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// A label is empty: two dots in a row, or one in front.
    #[error("an empty label")]
    EmptyLabel,
    /// A label longer than 63 bytes.
    #[error("a label longer than {LABEL_BYTES_MAX} bytes")]
    LabelTooLong,
    /// A letter outside of ASCII: names are written as A-labels.
    #[error("not ASCII; write it as an A-label (xn--…)")]
    NotAscii,
    /// Neither 4 nor 16 bytes of an address.
    #[error("an address of {0} bytes")]
    AddressLength(usize),
    /// A character that no name has.
    #[error("the character {0:?} is not allowed in a name")]
    Character(char),
}

impl Hostname {
    /// Checks a name as it was sent or written.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, HostnameError> {
        let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
        if bytes.is_empty() {
            return Err(HostnameError::Empty);
        }
        if bytes.len() > NAME_BYTES_MAX {
            return Err(HostnameError::TooLong);
        }
        for label in bytes.split(|byte| *byte == b'.') {
            if label.is_empty() {
                return Err(HostnameError::EmptyLabel);
            }
            if label.len() > LABEL_BYTES_MAX {
                return Err(HostnameError::LabelTooLong);
            }
        }
        let mut name = String::with_capacity(bytes.len());
        for &byte in bytes {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    name.push(char::from(byte.to_ascii_lowercase()));
                }
                0..=0x7f => return Err(HostnameError::Character(char::from(byte))),
                0x80.. => return Err(HostnameError::NotAscii),
            }
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This name and each domain that holds it, the name first.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |name| name.split_once('.').map(|(_, rest)| rest))
    }

    /// Whether this is `domain` or below it.
    pub fn is_within(&self, domain: &Self) -> bool {
        self.0.strip_suffix(&domain.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// A name is looked up by its text: both are the same to a hash.
impl Borrow<str> for Hostname {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What a program asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// By name.
    Name(Hostname),
    /// By address.
    Address(IpAddr),
    /// By something that is no host. Only a rule that matches its end makes it worth a record.
    Malformed {
        /// What is wrong with it.
        reason: HostnameError,
        /// The longest name that it ends with.
        end: Option<Hostname>,
    },
}

impl Host {
    /// Checks a host as it was sent; brackets around an IPv6 address are off already.
    ///
    /// # Errors
    /// Neither an address nor a name.
    pub fn parse(bytes: &[u8]) -> Result<Self, HostnameError> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            if let Ok(v4) = text.parse::<Ipv4Addr>() {
                return Ok(Self::Address(v4.into()));
            }
            if let Ok(v6) = text.parse::<Ipv6Addr>() {
                return Ok(Self::Address(v6.into()));
            }
        }
        Hostname::parse(bytes).map(Self::Name)
    }

    /// What was sent where a host belongs, when [`parse`](Self::parse) says that it is none.
    pub fn malformed(bytes: &[u8], reason: HostnameError) -> Self {
        let mut ends =
            (0..bytes.len()).filter(|at| bytes.get(*at) == Some(&b'.')).filter_map(|dot| bytes.get(dot + 1..));
        Self::Malformed { reason, end: ends.find_map(|end| Hostname::parse(end).ok()) }
    }

    /// The name that a rule can match.
    pub fn name(&self) -> Option<&Hostname> {
        match self {
            Self::Name(name) => Some(name),
            Self::Address(_) => None,
            Self::Malformed { end, .. } => end.as_ref(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Address(address) => address.fmt(f),
            Self::Malformed { reason, .. } => write!(f, "(no host name: {reason})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expect: Result<&str, HostnameError>) {
        let host = Host::parse(input);
        assert_eq!(host.as_ref().map(ToString::to_string).as_deref().map_err(|error| **error), expect);
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        check(b"WWW.Evil.example.", Ok("www.evil.example"));
        check(b"_dmarc.xn--bcher-kva.example", Ok("_dmarc.xn--bcher-kva.example"));
        check(b"192.0.2.1", Ok("192.0.2.1"));
        check(b"2001:DB8::1", Ok("2001:db8::1"));
        assert_eq!(Host::parse(b"192.0.2.1"), Ok(Host::Address(IpAddr::from([192, 0, 2, 1]))));
    }

    #[test]
    fn what_is_no_host_says_why() {
        check(b"", Err(HostnameError::Empty));
        check(b".", Err(HostnameError::Empty));
        check(b"a..b", Err(HostnameError::EmptyLabel));
        check(b".a", Err(HostnameError::EmptyLabel));
        check(b"a b", Err(HostnameError::Character(' ')));
        check(b"a\0b", Err(HostnameError::Character('\0')));
        check("bücher.example".as_bytes(), Err(HostnameError::NotAscii));
        check(&[b'a'; 64], Err(HostnameError::LabelTooLong));
        check(&b"ab.".repeat(85), Err(HostnameError::TooLong));
    }

    #[test]
    fn the_end_of_a_malformed_host_is_still_a_name() {
        let host = Host::malformed(b"x y..evil.example", HostnameError::EmptyLabel);
        assert_eq!(host.name().map(Hostname::as_str), Some("evil.example"));
        assert_eq!(Host::malformed(b"x y", HostnameError::Character(' ')).name(), None);
    }

    #[test]
    fn a_domain_holds_itself_and_its_subdomains_only() {
        let name = |text: &str| Hostname::parse(text.as_bytes()).unwrap();
        assert!(name("evil.example").is_within(&name("evil.example")));
        assert!(name("www.evil.example").is_within(&name("evil.example")));
        assert!(!name("notevil.example").is_within(&name("evil.example")));
        assert!(!name("example").is_within(&name("evil.example")));
    }
}
