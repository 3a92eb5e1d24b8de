//! The frames of an Initial packet (RFC 9000 section 12.4 and table 3): only CRYPTO carries anything.

use super::Failure;
use crate::reader::Reader;

const PADDING: u64 = 0x00;
const PING: u64 = 0x01;
const ACK: u64 = 0x02;
const ACK_WITH_ECN: u64 = 0x03;
const CRYPTO: u64 = 0x06;
const CONNECTION_CLOSE: u64 = 0x1c;

/// A piece of the TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crypto<'a> {
    /// Where in the handshake's bytes it belongs.
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
}

/// The CRYPTO frames in what a packet holds, up to the first frame that cannot be read or does not belong there.
pub(super) fn crypto(content: &[u8]) -> impl Iterator<Item = Result<Crypto<'_>, Failure>> {
    let mut reader = Reader::new(content);
    std::iter::from_fn(move || {
        while !reader.is_empty() {
            let at = content.len() - reader.left();
            match next(&mut reader) {
                Some(Ok(None)) => {}
                Some(Ok(Some(found))) => return Some(Ok(found)),
                Some(Err(kind)) => {
                    reader.rest();
                    return Some(Err(Failure::Frame { kind, at }));
                }
                None => {
                    reader.rest();
                    return Some(Err(Failure::CutFrame { at }));
                }
            }
        }
        None
    })
}

/// One frame: a piece, nothing of interest, or the type of a frame that does not belong into an Initial.
fn next<'a>(reader: &mut Reader<'a>) -> Option<Result<Option<Crypto<'a>>, u64>> {
    match reader.varint()? {
        // Most of a packet is padding, so it goes in one step.
        PADDING => reader.skip(0),
        PING => {}
        ACK => acknowledged(reader)?,
        ACK_WITH_ECN => {
            acknowledged(reader)?;
            numbers(reader, 3)?;
        }
        CRYPTO => {
            let offset = reader.varint()?;
            return Some(Ok(Some(Crypto { offset, bytes: bytes(reader)? })));
        }
        CONNECTION_CLOSE => {
            numbers(reader, 2)?;
            bytes(reader)?;
        }
        kind => return Some(Err(kind)),
    }
    Some(Ok(None))
}

fn acknowledged(reader: &mut Reader<'_>) -> Option<()> {
    numbers(reader, 2)?;
    let ranges = reader.varint()?;
    numbers(reader, 1)?;
    // Each number is at least a byte, so the content bounds the loop and not the count.
    (0..ranges).try_for_each(|_| numbers(reader, 2))
}

fn numbers(reader: &mut Reader<'_>, count: usize) -> Option<()> {
    (0..count).try_for_each(|_| reader.varint().map(drop))
}

fn bytes<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let count = reader.varint()?;
    reader.take(usize::try_from(count).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_without_a_piece_are_stepped_over() {
        let acknowledgement = [2, 9, 0, 1, 0, 3, 4];
        let with_ecn = [3, 9, 0, 0, 0, 1, 2, 3];
        let close = [0x1c, 0x01, 0x06, 2, b'n', b'o'];
        let content = [&[0, 0, 1][..], &acknowledgement, &with_ecn, &close, &[6, 5, 2, 7, 8], &[0]].concat();
        let found: Vec<_> = crypto(&content).collect();
        assert_eq!(found, [Ok(Crypto { offset: 5, bytes: &[7, 8] })]);
    }

    #[test]
    fn a_frame_that_does_not_belong_there_ends_it() {
        let found: Vec<_> = crypto(&[6, 0, 1, 7, 8, 0, 6, 0, 1, 7]).collect();
        assert_eq!(found, [Ok(Crypto { offset: 0, bytes: &[7] }), Err(Failure::Frame { kind: 8, at: 4 })]);
    }

    #[test]
    fn a_frame_that_is_cut_ends_it() {
        for cut in
            [&[6, 0, 9, 7][..], &[2, 0, 0, 0x40], &[6, 0], &[2, 9, 0, 0xff, 255, 255, 255, 255, 255, 255, 255, 0]]
        {
            assert_eq!(crypto(cut).collect::<Vec<_>>(), [Err(Failure::CutFrame { at: 0 })]);
        }
    }
}
