//! QUIC long headers: which datagrams begin with an Initial packet (RFC 9000 section 17.2, RFC 9369 section 3.2).
//!
//! The rule takes two numbers, which each side reads in its own way. It does not tell a client's Initial from a server's:
//! the socket that sends it does.

/// What [`is_initial`] needs of a datagram: the first byte and the version.
pub const VERSION_END: usize = 5;

/// QUIC version 1 (RFC 9000).
pub const VERSION_1: u32 = 1;

/// QUIC version 2 (RFC 9369 section 3.1).
pub const VERSION_2: u32 = 0x6b33_43cf;

/// The first draft whose packets are laid out as those of version 1: draft-ietf-quic-transport-22.
pub const DRAFT_FIRST: u32 = 0xff00_0016;

/// The last draft before version 1: draft-ietf-quic-transport-34.
pub const DRAFT_LAST: u32 = 0xff00_0022;

/// Facebook's mvfst before version 1: draft 22.
pub const MVFST_22: u32 = 0xface_b001;

/// Facebook's mvfst before version 1: draft 27.
pub const MVFST_27: u32 = 0xface_b002;

/// Facebook's mvfst before version 1: an experiment with draft 27.
pub const MVFST_EXPERIMENT: u32 = 0xface_b00e;

/// Whether a datagram with this first byte and version, both as sent, begins with an Initial packet of a version that is
/// known here.
///
/// The fixed bit is not looked at: a client may clear it (RFC 9287 section 3), and 32 bits of version tell enough.
#[inline(always)]
pub const fn is_initial(first: u8, version: u32) -> bool {
    let initial = match version {
        VERSION_1 | DRAFT_FIRST..=DRAFT_LAST => 0x00,
        MVFST_22 | MVFST_27 | MVFST_EXPERIMENT => 0x00,
        VERSION_2 => 0x10,
        _ => return false,
    };
    // The top bit is the header form; the packet type is not protected, unlike the four bits below it.
    first & 0x80 != 0 && first & 0x30 == initial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initial_is_known_by_form_type_and_version() {
        let before =
            [(0xc0, 0xff00_0016), (0x80, 0xff00_001d), (0xc0, MVFST_22), (0xc1, MVFST_27), (0xc2, MVFST_EXPERIMENT)];
        for (first, version) in [(0xc0, VERSION_1), (0xcf, VERSION_1), (0xd3, VERSION_2)].into_iter().chain(before) {
            assert!(is_initial(first, version), "{first:#x} {version:#x}");
        }
    }

    #[test]
    fn other_packets_are_not_initials() {
        // Short headers, the other three types of each version, negotiation, versions before and after those known.
        let others = [(0x40, VERSION_1), (0x50, VERSION_2), (0xd0, VERSION_1), (0xe0, VERSION_1), (0xf0, VERSION_1)];
        let foreign = [(0xc0, VERSION_2), (0xe0, VERSION_2), (0xc0, 0), (0xc0, 0xff00_0015), (0xc0, 0xff00_0023)];
        for (first, version) in others.into_iter().chain(foreign) {
            assert!(!is_initial(first, version), "{first:#x} {version:#x}");
        }
    }
}
