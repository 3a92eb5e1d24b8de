//! How Initial packets are protected (RFC 9001 section 5): against mistakes and meddlers, not against observers, since the keys
//! follow from a connection id that is sent in the clear.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::AeadInOut as _;
use hkdf::Hkdf;
use sha2::Sha256;

use super::Version;
use super::packet::Initial;

/// Where the sample of the header protection begins, counted from the packet number (RFC 9001 section 5.4.2).
const SAMPLE_AT: usize = 4;
const SAMPLE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// The keys of one side's Initial packets.
#[derive(Clone)]
pub(super) struct Keys {
    key: [u8; 16],
    nonce: [u8; 12],
    header: [u8; 16],
}

impl Keys {
    /// The keys of a client whose first packet is addressed to this connection id.
    pub(super) fn of_client(version: Version, destination: &[u8]) -> Self {
        let initial = Hkdf::<Sha256>::new(Some(&version.salt()), destination);
        Self::from_secret(version, &expand(&initial, "client in"))
    }

    fn from_secret(version: Version, secret: &[u8; 32]) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "a secret of 32 bytes is as long as SHA-256's output, the least there may be"
        )]
        let secret = Hkdf::<Sha256>::from_prk(secret).expect("a secret as long as the hash");
        let [key, nonce, header] = version.labels();
        Self { key: expand(&secret, key), nonce: expand(&secret, nonce), header: expand(&secret, header) }
    }

    /// Opens a packet in `room`: its number and its frames. `None`: it was not protected with these keys.
    ///
    /// The packet number is sent in part; `expected` is the one after the largest seen.
    pub(super) fn open<'r>(
        &self,
        packet: &Initial<'_>,
        expected: u64,
        room: &'r mut Vec<u8>,
    ) -> Option<(u64, &'r [u8])> {
        room.clear();
        room.extend_from_slice(packet.bytes);
        let protected = room.get_mut(packet.number_at..)?;
        let mut mask = <[u8; SAMPLE_BYTES]>::try_from(protected.get(SAMPLE_AT..SAMPLE_AT + SAMPLE_BYTES)?).ok()?.into();
        Aes128::new(&self.header.into()).encrypt_block(&mut mask);
        let [mask_first, mask_number @ ..] = <[u8; SAMPLE_BYTES]>::from(mask);

        let first = room.first_mut()?;
        *first ^= mask_first & 0x0f;
        let number_bytes = usize::from(*first & 0x03) + 1;
        let number = room.get_mut(packet.number_at..packet.number_at + number_bytes)?;
        number.iter_mut().zip(mask_number).for_each(|(byte, mask)| *byte ^= mask);
        let sent = number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let number = whole_number(expected, sent, number_bytes);

        let (header, sealed) = room.split_at_mut_checked(packet.number_at + number_bytes)?;
        let (content, tag) = sealed.split_at_mut_checked(sealed.len().checked_sub(TAG_BYTES)?)?;
        let tag = <[u8; TAG_BYTES]>::try_from(&*tag).ok()?;
        let nonce = self.nonce(number).into();
        Aes128Gcm::new(&self.key.into())
            .decrypt_inout_detached(&nonce, header, (&mut *content).into(), &tag.into())
            .ok()?;
        Some((number, content))
    }

    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.nonce;
        nonce.iter_mut().rev().zip(number.to_le_bytes()).for_each(|(byte, part)| *byte ^= part);
        nonce
    }
}

/// HKDF-Expand-Label without a context (RFC 8446 section 7.1).
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> [u8; N] {
    const { assert!(N <= 32, "one block of SHA-256, far below HKDF's end") };
    let length = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
    let info: [&[u8]; 4] = [&[0, length(N), length(b"tls13 ".len() + label.len())], b"tls13 ", label.as_bytes(), &[0]];
    let mut output = [0; N];
    #[expect(clippy::expect_used, reason = "only more than 255 blocks are too long, and this is one")]
    secret.expand_multi_info(&info, &mut output).expect("one block");
    output
}

/// A packet number of which the last bytes were sent (RFC 9000 appendix A.3).
fn whole_number(expected: u64, sent: u64, sent_bytes: usize) -> u64 {
    let window = 1_u64 << (8 * sent_bytes);
    let candidate = (expected & !(window - 1)) | sent;
    if candidate + window / 2 <= expected && candidate < (1 << 62) - window {
        candidate + window
    } else if candidate > expected + window / 2 && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keys {
        /// Protects a packet as its sender does: `header` ends where the packet number, of four bytes, begins.
        pub(in crate::quic) fn seal(&self, header: &[u8], number: u32, frames: &[u8]) -> Vec<u8> {
            let mut packet = [header, &number.to_be_bytes()].concat();
            let mut content = frames.to_vec();
            let nonce = self.nonce(u64::from(number)).into();
            let cipher = Aes128Gcm::new(&self.key.into());
            let tag = cipher.encrypt_inout_detached(&nonce, &packet, content.as_mut_slice().into()).unwrap();
            packet.extend(content);
            packet.extend(&*tag);
            let sample = header.len() + SAMPLE_AT;
            let mut mask = <[u8; 16]>::try_from(&packet[sample..sample + 16]).unwrap().into();
            Aes128::new(&self.header.into()).encrypt_block(&mut mask);
            packet[0] ^= mask[0] & 0x0f;
            (0..4).for_each(|at| packet[header.len() + at] ^= mask[1 + at]);
            packet
        }
    }

    #[test]
    fn keys_are_those_of_the_examples() {
        let check = |version, key: &str, nonce: &str, header: &str| {
            let keys = Keys::of_client(version, &[0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08]);
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert_eq!([hex(&keys.key), hex(&keys.nonce), hex(&keys.header)], [key, nonce, header]);
        };
        // RFC 9001 appendix A.1, RFC 9369 appendix A.1.
        let header = "9f50449e04a0e810283a1e9933adedd2";
        check(Version::V1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", header);
        let header = "45b95e15235d6f45a6b19cbcb0294ba9";
        check(Version::V2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", header);
    }

    #[test]
    fn a_packet_number_is_completed_near_the_one_expected() {
        // The example of RFC 9000 appendix A.3, and the ends of the range.
        assert_eq!(whole_number(0xa82f_30ea + 1, 0x9b32, 2), 0xa82f_9b32);
        assert_eq!(whole_number(0, 0xffff_ffff, 4), 0xffff_ffff);
        assert_eq!(whole_number(300, 44, 1), 300);
        assert_eq!(whole_number(255, 1, 1), 257);
        assert_eq!(whole_number(257, 254, 1), 254);
    }
}
