//! What clients say: requests to a proxy, and TLS hellos of any size with the name at the end.

/// One TLS record holds as much of a handshake message (RFC 8446 section 5.1).
pub(crate) const RECORD_BYTES_MAX: usize = 16_384;

/// A request for a tunnel (RFC 9110 section 9.3.6).
pub(crate) fn connect(authority: &str) -> Vec<u8> {
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n").into_bytes()
}

/// The same with credentials.
pub(crate) fn connect_with_credentials(authority: &str) -> Vec<u8> {
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nProxy-Authorization: Basic eA==\r\n\r\n").into_bytes()
}

/// A request to a proxy in absolute form (RFC 9112 section 3.2.2).
pub(crate) fn absolute(authority: &str) -> Vec<u8> {
    format!("GET http://{authority}/page HTTP/1.1\r\nHost: {authority}\r\n\r\n").into_bytes()
}

/// A request to a server in origin form (RFC 9112 section 3.2.1), its Host field behind others.
pub(crate) fn origin(host: &str) -> Vec<u8> {
    format!("GET /page HTTP/1.1\r\nUser-Agent: guest\r\nAccept: */*\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// The greeting of a SOCKS5 client that needs no authentication (RFC 1928 section 3).
pub(crate) const SOCKS5_GREETING: [u8; 3] = [5, 1, 0];

/// A SOCKS5 request to connect to a name (RFC 1928 section 4). None: the name is too long for one.
pub(crate) fn socks5(name: &str, port: u16) -> Option<Vec<u8>> {
    let len = u8::try_from(name.len()).ok()?;
    Some([&[5, 1, 0, 3, len][..], name.as_bytes(), &port.to_be_bytes()].concat())
}

/// A SOCKS4a request to connect to a name: an address that is none, no user, the name.
pub(crate) fn socks4a(name: &str, port: u16) -> Vec<u8> {
    [&[4, 1][..], &port.to_be_bytes(), &[0, 0, 0, 1, 0], name.as_bytes(), &[0]].concat()
}

/// The client's connection id in [`quic_initial`], behind its length.
pub(crate) const QUIC_SOURCE: [u8; 9] = [8, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22];

/// How a QUIC Initial begins (RFC 9000 section 17.2.2): version 1, two connection ids, and a payload that nobody can read.
pub(crate) fn quic_initial() -> Vec<u8> {
    let head = [&[0xc3, 0, 0, 0, 1, 8][..], &[0x11; 8], &QUIC_SOURCE].concat();
    let mut datagram = head;
    datagram.resize(1_200, 0x33);
    datagram
}

/// A ClientHello in one record, of about `bytes` bytes. None: the name or the hello is too long for one.
pub(crate) fn hello(name: &str, bytes: usize) -> Option<Vec<u8>> {
    records(&handshake(name, bytes)?, RECORD_BYTES_MAX)
}

/// A ClientHello (RFC 8446 section 4.1.2) of about `bytes` bytes, as a handshake message without a record around it: the
/// name is in its last extension, behind one of padding (RFC 7685). None: a length does not fit its field.
pub(crate) fn handshake(name: &str, bytes: usize) -> Option<Vec<u8>> {
    let entry = [&[0][..], &with_length(name.as_bytes())?].concat();
    let names = with_length(&with_length(&entry)?)?;
    let padding = with_length(&vec![0; bytes.saturating_sub(100)])?;
    let extensions = with_length(&[&[0, 21][..], &padding, &[0, 0], &names].concat())?;
    // The version, a random that is none, no session, one cipher suite, no compression.
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
    // The length has three bytes; the first stays zero.
    Some([&[1, 0][..], &with_length(&body)?].concat())
}

/// A handshake message in records of at most `size` bytes. None: that is more than a record holds.
pub(crate) fn records(message: &[u8], size: usize) -> Option<Vec<u8>> {
    if size > RECORD_BYTES_MAX {
        return None;
    }
    let record = |piece: &[u8]| Some([&[0x16, 3, 1][..], &with_length(piece)?].concat());
    Some(message.chunks(size).map(record).collect::<Option<Vec<_>>>()?.concat())
}

fn with_length(bytes: &[u8]) -> Option<Vec<u8>> {
    Some([&u16::try_from(bytes.len()).ok()?.to_be_bytes()[..], bytes].concat())
}
