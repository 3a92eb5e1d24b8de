//! Protocol versions, in the words of Zeek's `version` field.

use std::fmt;

use super::grease;

/// A version as it is sent: TLS (RFC 8446 section 4.2.1), its drafts, or DTLS (RFC 9147 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub u16);

impl Version {
    /// SSL 3.0 (RFC 6101).
    pub const SSL_3: Self = Self(0x0300);
    /// TLS 1.2 (RFC 5246).
    pub const TLS_1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 8446).
    pub const TLS_1_3: Self = Self(0x0304);
    /// DTLS 1.2 (RFC 6347).
    pub const DTLS_1_2: Self = Self(0xfefd);

    /// The newest of the versions that are known, or of all when none is. DTLS counts downwards, and a draft of TLS 1.3
    /// is newer than TLS 1.2 and older than the standard.
    pub(super) fn newest(versions: &[u16]) -> Option<Self> {
        let offered = versions.iter().copied().filter(|version| !grease::is_grease(*version));
        offered.max_by_key(|version| age(*version)).map(Self)
    }
}

/// Orders versions: the kind of number first, then the version within it.
fn age(version: u16) -> (u8, u16) {
    match version {
        0x0300..=0x0303 => (1, version),
        0x7f00..=0x7fff => (2, version),
        0x0304..=0x03ff => (3, version),
        0xfe00..=0xfeff => (4, u16::MAX - version),
        _ => (0, version),
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0x0002 => f.write_str("SSLv2"),
            0x0300 => f.write_str("SSLv3"),
            0x0301 => f.write_str("TLSv10"),
            0x0302 => f.write_str("TLSv11"),
            0x0303 => f.write_str("TLSv12"),
            0x0304 => f.write_str("TLSv13"),
            0x7f00..=0x7fff => write!(f, "TLSv13-draft{}", self.0 & 0xff),
            0xfeff => f.write_str("DTLSv10"),
            0xfefd => f.write_str("DTLSv12"),
            0xfefc => f.write_str("DTLSv13"),
            number => write!(f, "unknown-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(versions: &[u16], expect: Option<&str>) {
        assert_eq!(Version::newest(versions).map(|version| version.to_string()).as_deref(), expect, "{versions:x?}");
    }

    #[test]
    fn the_newest_version_is_told_in_zeeks_words() {
        check(&[0x0303, 0x0304], Some("TLSv13"));
        check(&[0xfafa, 0x0302, 0x0301], Some("TLSv11"));
        check(&[0x7f1c, 0x0303], Some("TLSv13-draft28"));
        check(&[0x0304, 0x7f1c], Some("TLSv13"));
        check(&[0xfeff, 0xfefd], Some("DTLSv12"));
        check(&[0xfefd, 0xfefc], Some("DTLSv13"));
        check(&[0x0a0a], None);
        check(&[0x1234], Some("unknown-4660"));
    }
}
