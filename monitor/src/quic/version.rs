//! The versions of QUIC whose Initial packets can be opened, and what each derives its keys from.

use std::fmt;

use monitor_common::wire::quic::{DRAFT_FIRST, DRAFT_LAST, MVFST_22, MVFST_27, MVFST_EXPERIMENT, VERSION_1, VERSION_2};

/// A version of QUIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// Version 1 (RFC 9000).
    V1,
    /// Version 2 (RFC 9369).
    V2,
    /// A draft of version 1, 22 to 34, or what Facebook made of one.
    Draft(u8),
}

impl Version {
    /// The version with this number, when it is one of these.
    pub fn from_number(number: u32) -> Option<Self> {
        let [.., draft] = number.to_be_bytes();
        match number {
            VERSION_1 => Some(Self::V1),
            VERSION_2 => Some(Self::V2),
            DRAFT_FIRST..=DRAFT_LAST => Some(Self::Draft(draft)),
            MVFST_22 => Some(Self::Draft(22)),
            MVFST_27 | MVFST_EXPERIMENT => Some(Self::Draft(27)),
            _ => None,
        }
    }

    /// The salt of the first secret (RFC 9001 section 5.2, RFC 9369 section 3.3.1; the drafts had others).
    pub(super) fn salt(self) -> [u8; 20] {
        match self {
            Self::V1 | Self::Draft(33..) => [
                0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
                0xbb, 0x7f, 0x0a,
            ],
            Self::V2 => [
                0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
                0xbd, 0x2e, 0xd9,
            ],
            Self::Draft(29..33) => [
                0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
                0x90, 0xa8, 0x99,
            ],
            Self::Draft(..23) => [
                0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a,
                0x02, 0x64, 0x4a,
            ],
            Self::Draft(23..29) => [
                0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
                0xf9, 0xf5, 0x02,
            ],
        }
    }

    /// The labels of key, nonce and header protection (RFC 9001 section 5.1, RFC 9369 section 3.3.2).
    pub(super) fn labels(self) -> [&'static str; 3] {
        match self {
            Self::V1 | Self::Draft(_) => ["quic key", "quic iv", "quic hp"],
            Self::V2 => ["quicv2 key", "quicv2 iv", "quicv2 hp"],
        }
    }
}

impl fmt::Display for Version {
    /// In the words of Zeek's `quic.log`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V1 => f.write_str("1"),
            Self::V2 => f.write_str("quicv2"),
            Self::Draft(number) => write!(f, "draft-{number}"),
        }
    }
}
