//! A forward proxy: CONNECT with its answers by the name that is asked for, requests in absolute form, SOCKS5 and SOCKS4a.
//!
//! It writes down what reaches it from the client before anything else happens with it. All targets are one endpoint.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use anyhow::Result;

use crate::server::{Addresses, NO_CONTENT, Received, listen};

/// A host whose name begins so needs credentials.
pub(crate) const LOCKED: &str = "locked.";
/// A host whose name begins so is not served.
pub(crate) const REFUSED: &str = "refused.";

/// The answer that a tunnel stands.
pub(crate) const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// SOCKS5: no authentication is needed (RFC 1928 section 3).
pub(crate) const SOCKS5_METHOD: [u8; 2] = [5, 0];
/// SOCKS5: connected (RFC 1928 section 6).
pub(crate) const SOCKS5_GRANTED: [u8; 10] = [5, 0, 0, 1, 127, 0, 0, 1, 0, 0];
/// SOCKS4: granted.
pub(crate) const SOCKS4_GRANTED: [u8; 8] = [0, 90, 0, 0, 0, 0, 0, 0];

/// The proxy.
pub(crate) struct Proxy {
    pub(crate) addresses: Addresses,
    pub(crate) received: Received,
}

impl Proxy {
    /// Starts one in front of `target`.
    ///
    /// # Errors
    /// There is no port.
    pub(crate) fn start(target: SocketAddr) -> Result<Self> {
        let received = Received::default();
        let record = received.clone();
        let addresses = listen(move |stream, from| {
            serve(stream, from, &record, target);
            record.end(from);
        })?;
        Ok(Self { addresses, received })
    }
}

fn serve(mut client: TcpStream, from: SocketAddr, record: &Received, target: SocketAddr) {
    let mut message = Vec::new();
    while let Some(bytes) = read(&mut client, from, record) {
        message.extend(bytes);
        let Some(answer) = answer(&message) else {
            continue;
        };
        message.clear();
        if client.write_all(answer).is_err() {
            return;
        }
        if answer == ESTABLISHED || answer == SOCKS5_GRANTED || answer == SOCKS4_GRANTED {
            return tunnel(client, from, record, target);
        }
    }
}

/// What came, written down; none at the end.
fn read(client: &mut TcpStream, from: SocketAddr, record: &Received) -> Option<Vec<u8>> {
    let mut buffer = [0u8; 65_536];
    let len = client.read(&mut buffer).ok()?;
    let bytes = buffer.get(..len).filter(|bytes| !bytes.is_empty())?;
    record.add(from, bytes);
    Some(bytes.to_vec())
}

/// None: the message goes on.
fn answer(message: &[u8]) -> Option<&'static [u8]> {
    match message {
        [5, methods, rest @ ..] if rest.len() == usize::from(*methods) => Some(&SOCKS5_METHOD),
        [5, _, _, 3, len, rest @ ..] if rest.len() == usize::from(*len) + 2 => Some(&SOCKS5_GRANTED),
        [4, .., 0] if message.len() > 9 => Some(&SOCKS4_GRANTED),
        [4 | 5, ..] => None,
        _ if message.ends_with(b"\r\n\r\n") => Some(http_answer(&String::from_utf8_lossy(message))),
        _ => None,
    }
}

fn http_answer(head: &str) -> &'static [u8] {
    let Some(authority) = head.strip_prefix("CONNECT ") else {
        return NO_CONTENT;
    };
    if authority.starts_with(LOCKED) && !head.contains("Proxy-Authorization") {
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    } else if authority.starts_with(REFUSED) {
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    } else {
        ESTABLISHED
    }
}

/// Carries bytes both ways until the client ends.
fn tunnel(mut client: TcpStream, from: SocketAddr, record: &Received, target: SocketAddr) {
    let Ok(mut server) = TcpStream::connect(target) else {
        return;
    };
    let (Ok(mut back_from), Ok(mut back_to)) = (server.try_clone(), client.try_clone()) else {
        return;
    };
    // It ends when either side does; then there is nothing more to carry.
    std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
    while let Some(bytes) = read(&mut client, from, record) {
        if server.write_all(&bytes).is_err() {
            break;
        }
    }
    // The other direction ends with it; a server that has already gone is no fault.
    let _ = server.shutdown(Shutdown::Both);
}
