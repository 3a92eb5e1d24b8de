//! Datagrams for tests: published ones, a browser's, and some of the tests' own making.

use super::Version;
use super::keys::Keys;

/// The client's Initial of RFC 9001 appendix A.2.
pub(super) fn rfc9001() -> Vec<u8> {
    datagrams(include_str!("rfc9001.hex")).concat()
}

/// The client's Initial of RFC 9369 appendix A.2.
pub(super) fn rfc9369() -> Vec<u8> {
    datagrams(include_str!("rfc9369.hex")).concat()
}

/// The first two datagrams of Chromium 156 on its way to www.shuffled.example, as a UDP socket received them: a
/// post-quantum hello, cut and shuffled.
pub(super) fn chromium() -> Vec<Vec<u8>> {
    datagrams(include_str!("chromium.hex"))
}

/// Datagrams in hexadecimal lines, with an empty line between each and the next.
fn datagrams(text: &str) -> Vec<Vec<u8>> {
    let datagram = |lines: &str| {
        let digits: Vec<u32> = lines.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    };
    text.split("\n\n").map(datagram).collect()
}

/// What a client puts into its packets.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) version: Version,
    /// What its keys follow from.
    pub(super) first_destination: Vec<u8>,
    /// Whom it addresses.
    pub(super) destination: Vec<u8>,
    pub(super) token: Vec<u8>,
}

impl Client {
    pub(super) fn new(version: Version, destination: &[u8]) -> Self {
        let destination = destination.to_vec();
        Self { version, first_destination: destination.clone(), destination, token: Vec::new() }
    }

    /// An Initial packet.
    pub(super) fn packet(&self, number: u32, frames: &[u8]) -> Vec<u8> {
        let (kind, version) = match self.version {
            Version::V1 => (0xc3, 1),
            Version::V2 => (0xd3, 0x6b33_43cf),
            Version::Draft(draft) => (0xc3, 0xff00_0000 | u32::from(draft)),
        };
        let mut header = vec![kind];
        header.extend(u32::to_be_bytes(version));
        header.push(self.destination.len() as u8);
        header.extend(&self.destination);
        header.extend([4, 1, 2, 3, 4]);
        header.extend(varint(self.token.len()));
        header.extend(&self.token);
        header.extend(varint(4 + frames.len() + 16));
        Keys::of_client(self.version, &self.first_destination).seal(&header, number, frames)
    }

    /// A datagram of the usual size with one Initial packet.
    pub(super) fn datagram(&self, number: u32, frames: &[u8]) -> Vec<u8> {
        let padding = vec![0; 1200_usize.saturating_sub(self.packet(number, frames).len())];
        self.packet(number, &[frames, &padding].concat())
    }
}

/// A CRYPTO frame with a part of a message.
pub(super) fn crypto(message: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let bytes = &message[range.clone()];
    [&[6][..], &varint(range.start), &varint(bytes.len()), bytes].concat()
}

fn varint(number: usize) -> Vec<u8> {
    match number {
        0..0x40 => vec![number as u8],
        0x40..0x4000 => (number as u16 | 0x4000).to_be_bytes().to_vec(),
        _ => (number as u32 | 0x8000_0000).to_be_bytes().to_vec(),
    }
}
