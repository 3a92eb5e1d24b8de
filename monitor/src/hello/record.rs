//! The TLS record layer (RFC 8446 section 5.1): from bytes as a client sends them to its first handshake message.

use std::borrow::Cow;

use monitor_common::limits::MESSAGE_BYTES_MAX;
use monitor_common::wire::tls::HANDSHAKE;

use super::Version;
use crate::reader::Reader;

/// Bytes of a handshake message's header: its type and length (RFC 8446 section 4).
const HEADER_BYTES: usize = 4;

/// A handshake message out of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrecorded<'a> {
    /// The message, from its type on; shorter than it says when not all of it is there.
    pub message: Cow<'a, [u8]>,
    /// The version of the first record.
    pub version: Version,
}

/// Why bytes are no records with a handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not a byte of a message is there yet.
    #[error("no byte of a handshake message in the {bytes} bytes that are there")]
    TooShort {
        /// How many are there.
        bytes: usize,
    },
    /// A record of another type, where the message should begin or go on.
    #[error("the record at byte {at} has type {kind}, not handshake")]
    OtherRecord {
        /// Where the record begins.
        at: usize,
        /// Its type.
        kind: u8,
    },
    /// Not the record layer of SSL 3.0 and TLS.
    #[error("the record at byte {at} has version {version:#06x}")]
    OtherVersion {
        /// Where the record begins.
        at: usize,
        /// Its version.
        version: u16,
    },
}

/// Takes the first handshake message out of the records at the start of `bytes`. What follows the message is left alone.
///
/// At most 16 KiB of a message are taken, as the kernel programs do; a longer one comes out cut.
///
/// # Errors
/// No record of a handshake, or one of another type before the message is complete.
pub fn unrecord(bytes: &[u8]) -> Result<Unrecorded<'_>, RecordError> {
    let mut reader = Reader::new(bytes);
    let mut message = Cow::Borrowed(&[][..]);
    let mut first_version = None;
    while message.len() < wanted(&message) {
        let at = bytes.len() - reader.left();
        let (Some(kind), Some(version), Some(length)) = (reader.u8(), reader.u16(), reader.u16()) else {
            break;
        };
        if kind != HANDSHAKE {
            return Err(RecordError::OtherRecord { at, kind });
        }
        if version >> 8 != 3 {
            return Err(RecordError::OtherVersion { at, version });
        }
        first_version.get_or_insert(Version(version));
        let fragment = reader.take(usize::from(length)).unwrap_or_else(|| reader.rest());
        if message.is_empty() {
            message = Cow::Borrowed(fragment);
        } else {
            message.to_mut().extend_from_slice(fragment);
        }
    }
    let end = wanted(&message);
    match &mut message {
        Cow::Borrowed(bytes) => *bytes = bytes.get(..end).unwrap_or(bytes),
        Cow::Owned(bytes) => bytes.truncate(end),
    }
    match first_version {
        Some(version) if !message.is_empty() => Ok(Unrecorded { message, version }),
        _ => Err(RecordError::TooShort { bytes: bytes.len() }),
    }
}

/// How long the message at the start of `bytes` is, as far as that can be told.
fn wanted(bytes: &[u8]) -> usize {
    let mut reader = Reader::new(bytes);
    match (reader.u8(), reader.u24()) {
        (Some(_), Some(length)) => (HEADER_BYTES + length).min(MESSAGE_BYTES_MAX),
        _ => HEADER_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: [u8; 12] = [1, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        let record = |piece: &[u8]| [&[0x16, 3, 1, (piece.len() >> 8) as u8, piece.len() as u8], piece].concat();
        message.chunks(size).flat_map(record).collect()
    }

    #[test]
    fn a_message_comes_out_of_one_record_or_many() {
        for size in 1..=MESSAGE.len() {
            // What follows is early data, which is not looked at.
            let bytes = [records(&MESSAGE, size), vec![0x17, 3, 3, 0, 1, 9]].concat();
            let found = unrecord(&bytes).unwrap();
            assert_eq!((&*found.message, found.version), (&MESSAGE[..], Version(0x0301)), "{size}");
        }
    }

    #[test]
    fn another_message_in_the_same_record_is_left_out() {
        let two = [&MESSAGE[..], &[1, 0, 0, 1, 9]].concat();
        assert_eq!(&*unrecord(&records(&two, 100)).unwrap().message, &MESSAGE[..]);
    }

    #[test]
    fn a_cut_message_comes_out_as_far_as_it_goes() {
        let whole = records(&MESSAGE, 5);
        for cut in 0..whole.len() {
            match unrecord(&whole[..cut]) {
                Ok(found) => assert!(MESSAGE.starts_with(&found.message) && found.message.len() < MESSAGE.len()),
                Err(error) => assert!(error == RecordError::TooShort { bytes: cut } && cut <= 5, "{cut}: {error}"),
            }
        }
    }

    #[test]
    fn a_record_of_another_type_ends_it() {
        let broken = [records(&MESSAGE[..6], 6), vec![0x15, 3, 1, 0, 2, 2, 40]].concat();
        assert_eq!(unrecord(&broken), Err(RecordError::OtherRecord { at: 11, kind: 0x15 }));
        assert_eq!(unrecord(b"GET / HTTP/1.1"), Err(RecordError::OtherRecord { at: 0, kind: b'G' }));
        assert_eq!(unrecord(&[0x16, 4, 0, 0, 1, 1]), Err(RecordError::OtherVersion { at: 0, version: 0x0400 }));
    }

    #[test]
    fn records_without_content_do_not_keep_it_busy() {
        let empty = [0x16, 3, 1, 0, 0].repeat(1000);
        assert_eq!(unrecord(&empty), Err(RecordError::TooShort { bytes: 5000 }));
    }
}
