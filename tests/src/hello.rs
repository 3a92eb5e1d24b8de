//! ClientHellos: real ones that rustls makes, of the sizes that browsers send, and some of a hand's making.

use std::sync::Arc;

use anyhow::{Result, ensure};
use rustls::{ClientConfig, ClientConnection, NamedGroup, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName};

/// Bytes of a hello with a post-quantum key share by itself, and with what a browser adds to it.
const POST_QUANTUM_BYTES: usize = 1700;

/// Bytes before the handshake message: the header of its record.
const RECORD_HEADER_BYTES: usize = 5;

/// The first key share of a hello, which makes most of its size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyShare {
    /// 32 bytes: X25519.
    Classic,
    /// 1,216 bytes: X25519MLKEM768.
    PostQuantum,
}

/// A TLS client whose hello has a post-quantum key share and enough protocols to be about 1.8 KB, as Chrome's is.
///
/// # Errors
/// When `name` is no DNS name.
pub fn post_quantum_client(name: &str, roots: RootCertStore) -> Result<ClientConnection> {
    client(name, roots, KeyShare::PostQuantum, 10)
}

/// The bytes of such a client's hello, one TLS record.
///
/// # Errors
/// When rustls does not make one of at least 1,700 bytes.
pub fn post_quantum_hello(name: &str) -> Result<Vec<u8>> {
    let hello = first_bytes(post_quantum_client(name, RootCertStore::empty())?)?;
    ensure!(hello.len() >= POST_QUANTUM_BYTES, "the hello has only {} bytes", hello.len());
    Ok(hello)
}

/// A real hello that is padded with protocols to at least `bytes`, and not much more.
///
/// # Errors
/// When `name` is no DNS name.
pub fn hello_of(name: &str, share: KeyShare, bytes: usize) -> Result<Vec<u8>> {
    let mut protocols = 0;
    loop {
        let hello = first_bytes(client(name, RootCertStore::empty(), share, protocols)?)?;
        if hello.len() >= bytes {
            return Ok(hello);
        }
        protocols += 1;
    }
}

fn client(name: &str, roots: RootCertStore, share: KeyShare, protocols: usize) -> Result<ClientConnection> {
    let mut provider = aws_lc_rs::default_provider();
    if share == KeyShare::Classic {
        provider.kx_groups.retain(|group| group.name() != NamedGroup::X25519MLKEM768);
    }
    let groups: Vec<NamedGroup> = provider.kx_groups.iter().map(|group| group.name()).collect();
    let first = if share == KeyShare::Classic { NamedGroup::X25519 } else { NamedGroup::X25519MLKEM768 };
    ensure!(groups.first() == Some(&first), "the first key share is not {first:?}: {groups:?}");
    let config = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols.push(b"http/1.1".to_vec());
    for number in 0..protocols {
        config.alpn_protocols.push(format!("padding-to-the-size-of-a-browser-{number}").into_bytes());
    }
    Ok(ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned())?)?)
}

fn first_bytes(mut client: ClientConnection) -> Result<Vec<u8>> {
    let mut hello = Vec::new();
    client.write_tls(&mut hello)?;
    Ok(hello)
}

/// A hello of a hand's making whose name comes last, after `padding` bytes of an extension that means nothing.
///
/// # Errors
/// When it does not fit into one TLS record.
pub fn hello_with_name_at_the_end(name: &str, padding: usize) -> Result<Vec<u8>> {
    let entry = [&[0][..], &with_length(name.as_bytes())?].concat();
    let names = with_length(&with_length(&entry)?)?;
    let padding = with_length(&vec![0; padding])?;
    // Extension 21 is padding (RFC 7685), 0 is server_name (RFC 6066).
    let extensions = with_length(&[&[0, 21][..], &padding, &[0, 0], &names].concat())?;
    // The version, a random that is none, no session, one cipher suite, no compression.
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
    let handshake = [&[1, 0][..], &with_length(&body)?].concat();
    Ok([&[0x16, 3, 1][..], &with_length(&handshake)?].concat())
}

fn with_length(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok([&u16::try_from(bytes.len())?.to_be_bytes()[..], bytes].concat())
}

/// The same handshake message in TLS records of at most `size` bytes each (RFC 8446 section 5.1).
///
/// # Errors
/// When `hello` is shorter than a record's header, or `size` is no length of a record.
pub fn in_records(hello: &[u8], size: u16) -> Result<Vec<u8>> {
    ensure!(hello.len() > RECORD_HEADER_BYTES && size > 0, "nothing to put into records");
    let (_, message) = hello.split_at(RECORD_HEADER_BYTES);
    let records = message.chunks(usize::from(size)).map(|piece| Ok([&[0x16, 3, 1][..], &with_length(piece)?].concat()));
    Ok(records.collect::<Result<Vec<_>>>()?.concat())
}

/// Where byte `at` of a hello in one record is when the hello is in records of `size` bytes.
#[must_use]
pub fn place_in_records(at: usize, size: u16) -> usize {
    let in_message = at - RECORD_HEADER_BYTES;
    in_message + RECORD_HEADER_BYTES * (in_message / usize::from(size) + 1)
}

#[cfg(test)]
mod tests {
    use super::{KeyShare, hello_of, in_records, place_in_records};

    #[test]
    fn a_byte_is_found_again_in_records() {
        let hello = hello_of("good.example", KeyShare::Classic, 600).unwrap();
        let records = in_records(&hello, 100).unwrap();
        for at in 5..hello.len() {
            assert_eq!(hello[at], records[place_in_records(at, 100)], "byte {at}");
        }
        assert_eq!(records.len(), hello.len() + 5 * ((hello.len() - 5).div_ceil(100) - 1));
    }
}
