//! The handshake's bytes, put together from CRYPTO frames that come in any order, twice or overlapping.

use std::ops::Range;

use monitor_common::limits::MESSAGE_BYTES_MAX;

use super::Failure;
use super::frame::Crypto;

/// Gaps and pieces of an incomplete hello that are kept track of; browsers cut one into about a dozen. Beyond it:
/// [`Failure::TooManyPieces`].
const PIECES_MAX: usize = 128;

/// HandshakeType client_hello (RFC 8446 section 4), and the bytes of a message's header.
const CLIENT_HELLO: u8 = 1;
const HEADER_BYTES: usize = 4;

/// The beginning of a client's handshake, as far as it has come.
#[derive(Default)]
pub(super) struct Stream {
    /// As long as the furthest piece; what has not come yet is zero.
    bytes: Vec<u8>,
    /// What has come: in order, with a gap between each and the next.
    pieces: Vec<Range<usize>>,
}

impl Stream {
    /// How many bytes it keeps.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// Takes a piece in.
    ///
    /// # Errors
    /// The handshake gets too long or comes in too many pieces, or the piece says otherwise than one before.
    pub(super) fn add(&mut self, piece: &Crypto<'_>) -> Result<(), Failure> {
        let too_long = Failure::TooLong { bytes: piece.offset.saturating_add(piece.bytes.len() as u64) };
        let start = usize::try_from(piece.offset).map_err(|_| too_long)?;
        let end = start.checked_add(piece.bytes.len()).filter(|end| *end <= MESSAGE_BYTES_MAX).ok_or(too_long)?;
        if start == end {
            return Ok(());
        }
        for known in self.pieces.iter().filter(|known| known.start < end && start < known.end) {
            let common = known.start.max(start)..known.end.min(end);
            let here = self.bytes.get(common.clone());
            // RFC 9000 section 2.2: what was sent does not change. To choose one would be to guess what the server reads.
            if here != piece.bytes.get(common.start - start..common.end - start) {
                return Err(Failure::Conflict { at: common.start });
            }
        }
        self.bytes.resize(self.bytes.len().max(end), 0);
        if let Some(place) = self.bytes.get_mut(start..end) {
            place.copy_from_slice(piece.bytes);
        }
        self.join(start..end)
    }

    /// Adds a range, as one with those that it touches.
    fn join(&mut self, range: Range<usize>) -> Result<(), Failure> {
        let from = self.pieces.partition_point(|known| known.end < range.start);
        let to = self.pieces.partition_point(|known| known.start <= range.end);
        let touched = self.pieces.drain(from..to);
        let joined = touched.fold(range, |all, known| all.start.min(known.start)..all.end.max(known.end));
        self.pieces.insert(from, joined);
        if self.pieces.len() > PIECES_MAX { Err(Failure::TooManyPieces) } else { Ok(()) }
    }

    /// The first handshake message, once it is complete.
    ///
    /// # Errors
    /// It is no ClientHello, or a longer one than is put together.
    pub(super) fn hello(&self) -> Result<Option<&[u8]>, Failure> {
        let complete =
            self.pieces.first().filter(|piece| piece.start == 0).and_then(|piece| self.bytes.get(..piece.end));
        let Some([kind, rest @ ..]) = complete else {
            return Ok(None);
        };
        if *kind != CLIENT_HELLO {
            return Err(Failure::OtherMessage { kind: *kind });
        }
        let Some(&[high, middle, low]) = rest.first_chunk() else {
            return Ok(None);
        };
        let length = HEADER_BYTES + (usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low));
        if length > MESSAGE_BYTES_MAX {
            return Err(Failure::TooLong { bytes: length as u64 });
        }
        Ok(complete.and_then(|bytes| bytes.get(..length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello::samples::{Random, named};

    fn add(stream: &mut Stream, message: &[u8], range: Range<usize>) -> Result<(), Failure> {
        stream.add(&Crypto { offset: range.start as u64, bytes: &message[range] })
    }

    #[test]
    fn pieces_in_any_order_twice_and_overlapping_are_the_message() {
        let message = named("pieces.example", 900);
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        for _ in 0..2_000 {
            let (mut stream, mut missing) = (Stream::default(), vec![true; message.len()]);
            while missing.contains(&true) {
                assert_eq!(stream.hello(), Ok(None));
                let start = random.below(message.len());
                let end = message.len().min(start + 1 + random.below(200));
                add(&mut stream, &message, start..end).unwrap();
                missing[start..end].fill(false);
            }
            assert_eq!(stream.hello(), Ok(Some(&message[..])));
        }
    }

    #[test]
    fn a_piece_that_says_otherwise_is_refused() {
        let message = named("one.example", 0);
        let mut stream = Stream::default();
        add(&mut stream, &message, 0..40).unwrap();
        let mut other = message.clone();
        other[39] ^= 1;
        assert_eq!(add(&mut stream, &other, 30..50), Err(Failure::Conflict { at: 30 }));
        assert_eq!(add(&mut stream, &other, 40..50), Ok(()));
    }

    #[test]
    fn a_message_has_its_limits() {
        let mut stream = Stream::default();
        let far = Crypto { offset: MESSAGE_BYTES_MAX as u64, bytes: &[0] };
        assert_eq!(stream.add(&far), Err(Failure::TooLong { bytes: MESSAGE_BYTES_MAX as u64 + 1 }));
        let furthest = Crypto { offset: (1 << 62) - 1, bytes: &[0] };
        assert!(matches!(stream.add(&furthest), Err(Failure::TooLong { .. })));
        stream.add(&Crypto { offset: 0, bytes: &[1, 0, 0x40, 0] }).unwrap();
        assert_eq!(stream.hello(), Err(Failure::TooLong { bytes: MESSAGE_BYTES_MAX as u64 + 4 }));
        let mut stream = Stream::default();
        let refused = (0..=PIECES_MAX as u64).find_map(|at| stream.add(&Crypto { offset: 2 * at, bytes: &[1] }).err());
        assert_eq!(refused, Some(Failure::TooManyPieces));
    }

    #[test]
    fn another_message_is_no_hello() {
        let mut stream = Stream::default();
        stream.add(&Crypto { offset: 0, bytes: &[2] }).unwrap();
        assert_eq!(stream.hello(), Err(Failure::OtherMessage { kind: 2 }));
    }
}
