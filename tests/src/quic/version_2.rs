//! Hellos in version 2 (RFC 9369), which quinn does not speak: the Initial packets of its version 1 are opened and protected
//! again, by the keys that rustls derives for each version. The server understands none of it.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use rustls::{
    Side,
    crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256,
    quic::{Keys, Version},
};

use super::client::begin;

const VERSION_2: u32 = 0x6b33_43cf;

/// What AES header protection samples (RFC 9001 section 5.4.3).
const SAMPLE_BYTES: usize = 16;

/// Sends the first datagrams of a connection that asks for a name.
///
/// # Errors
/// When they cannot be made or sent.
pub fn ask_in_version_2(socket: &UdpSocket, server: SocketAddr, name: &str) -> Result<()> {
    let (_, _, mut connection) = begin(server, name)?;
    let (mut datagram, mut sent) = (Vec::new(), 0);
    while connection.poll_transmit(Instant::now(), 1, &mut datagram).is_some() {
        translate(&mut datagram)?;
        socket.send_to(&datagram, server)?;
        datagram.clear();
        sent += 1;
    }
    ensure!(sent > 0, "nothing was sent for {name}");
    Ok(())
}

/// Makes an Initial of version 2 of a datagram that holds one of version 1 (RFC 9000 section 17.2.2) and nothing else.
fn translate(datagram: &mut [u8]) -> Result<()> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().and_then(|suite| suite.quic_suite()).context("QUIC has this suite")?;
    let id_len = usize::from(*datagram.get(5).context("no connection id")?);
    let id = datagram.get(6..6 + id_len).context("the connection id is cut")?.to_vec();
    let keys = |version, side| Keys::initial(version, suite.suite, suite.quic, &id, side);
    let (v1, v2) = (keys(Version::V1, Side::Server).remote, keys(Version::V2, Side::Client).local);
    let source_len = usize::from(*datagram.get(6 + id_len).context("no source id")?);
    // No token, and a length of two bytes, as quinn writes it.
    let number_at = 6 + id_len + 1 + source_len + 1 + 2;
    masked(datagram, number_at, |sample, first, number| v1.header.decrypt_in_place(sample, first, number))?;
    let first = *datagram.first().context("no first byte")?;
    let number_len = usize::from(first & 3) + 1;
    let payload_at = number_at + number_len;
    let number = datagram.get(number_at..payload_at).context("the packet number is cut")?;
    let number = number.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let (header, payload) = datagram.split_at_mut_checked(payload_at).context("the packet is cut")?;
    let opened = v1.packet.decrypt_in_place(number, header, payload)?.len();
    // The type of an Initial is 0b01 (RFC 9369 section 3.2).
    *header.first_mut().context("no first byte")? = first & 0xcf | 0x10;
    header.get_mut(1..5).context("no version")?.copy_from_slice(&VERSION_2.to_be_bytes());
    let (content, tag) = payload.split_at_mut_checked(opened).context("the content is cut")?;
    let sealed = v2.packet.encrypt_in_place(number, header, content)?;
    tag.copy_from_slice(sealed.as_ref());
    masked(datagram, number_at, |sample, first, number| v2.header.encrypt_in_place(sample, first, number))
}

/// Has the first byte and the packet number protected, or opened.
fn masked(
    datagram: &mut [u8],
    number_at: usize,
    work: impl FnOnce(&[u8], &mut u8, &mut [u8]) -> Result<(), rustls::Error>,
) -> Result<()> {
    let (head, rest) = datagram.split_at_mut_checked(number_at).context("the packet is cut")?;
    // The sample is four bytes behind where the packet number starts, which has up to four (RFC 9001 section 5.4.2).
    let (number, payload) = rest.split_at_mut_checked(4).context("the packet number is cut")?;
    let sample = payload.get(..SAMPLE_BYTES).context("the sample is cut")?;
    Ok(work(sample, head.first_mut().context("no first byte")?, number)?)
}
