//! Which QUIC connections may go on: user space reads their names, the kernel lets their packets go or drops them.

use crate::wire::quic::VERSION_END;

/// An Initial was seen and user space has not read its name yet: Initials are dropped, and sent again by their client.
pub const AWAITED: u32 = 1;
/// The connection may go on.
pub const ALLOWED: u32 = 2;
/// It asked for a blocked name.
pub const BLOCKED: u32 = 3;

/// A connection, as the header of each of its client's Initials tells it: the socket, the peer and the client's own
/// connection id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct QuicFlow {
    words: [u64; 5],
}

impl QuicFlow {
    /// `source` is the length of the client's connection id and the eight bytes that follow it.
    #[inline(always)]
    pub fn new(cookie: u64, source: &[u8; 9], remote: &[u8; 16], remote_port: u16) -> Self {
        let [len, a, b, c, d, e, f, g, h] = *source;
        let id = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        // Bytes behind a shorter id are not the same in each packet.
        let id = match len {
            0 => 0,
            1..8 => id >> (64 - 8 * len as u32),
            8.. => id,
        };
        let [a, b, c, d, e, f, g, h, high @ ..] = *remote;
        Self {
            words: [
                cookie,
                id,
                u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
                u64::from_ne_bytes(high),
                (remote_port as u64) << 8 | len as u64,
            ],
        }
    }

    /// The same from a datagram that begins with an Initial (RFC 9000 section 17.2). None: it is too short for its ids.
    pub fn of(cookie: u64, remote: &[u8; 16], remote_port: u16, datagram: &[u8]) -> Option<Self> {
        let destination_len = *datagram.get(VERSION_END)?;
        let at = VERSION_END + 1 + destination_len as usize;
        Some(Self::new(cookie, datagram.get(at..)?.first_chunk()?, remote, remote_port))
    }

    /// As the key of the kernel's map.
    pub const fn words(self) -> [u64; 5] {
        self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_short_id_is_no_part_of_it() {
        let flow = |source: &[u8; 9]| QuicFlow::new(1, source, &[7; 16], 443);
        assert_eq!(flow(b"\x04abcdWXYZ"), flow(b"\x04abcd\0\0\0\0"));
        assert_eq!(flow(b"\0abcdWXYZ"), flow(b"\0\0\0\0\0\0\0\0\0"));
        assert_ne!(flow(b"\x08abcdWXYZ"), flow(b"\x08abcd\0\0\0\0"));
        assert_ne!(flow(b"\x04abcdWXYZ"), flow(b"\x03abcdWXYZ"));
    }
}
