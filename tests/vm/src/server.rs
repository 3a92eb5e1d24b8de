//! A server on the loopback device, IPv4 and IPv6, that writes down what reaches it from whom, and the web and TLS
//! endpoint that is one.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::watch::PATIENCE;

/// How a server answers the bytes that came on one connection since its last answer. None: it waits for more.
pub(crate) type Answer = fn(&[u8]) -> Option<Vec<u8>>;

/// What a fatal `handshake_failure` alert looks like (RFC 8446 section 6): all that the endpoint says to a hello, so a client
/// that reads it knows that its whole hello arrived.
pub(crate) const ALERT: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 40];

/// What the endpoint answers to a command line of a mail client, as if it were refused: a client goes on all the same.
pub(crate) const NOT_DONE: &[u8] = b"454 4.7.0 not now\r\n";

/// What the web server answers to every request.
pub(crate) const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// What reached a server, by the client's address.
#[derive(Clone, Default)]
pub(crate) struct Received(Arc<Mutex<HashMap<SocketAddr, Conversation>>>);

#[derive(Clone, Debug, Default)]
struct Conversation {
    bytes: Vec<u8>,
    ended: bool,
}

impl Received {
    pub(super) fn add(&self, from: SocketAddr, bytes: &[u8]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(from).or_default().bytes.extend(bytes);
    }

    pub(super) fn end(&self, from: SocketAddr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(from).or_default().ended = true;
    }

    /// Waits until a connection has ended, then gives all that came on it.
    ///
    /// # Errors
    /// It does not end.
    pub(crate) fn all_from(&self, from: SocketAddr) -> Result<Vec<u8>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&from).cloned();
            match known {
                Some(Conversation { bytes, ended: true }) => return Ok(bytes),
                Some(_) | None if Instant::now() > deadline => {
                    bail!("the connection from {from} did not end at the server: {known:?}")
                }
                Some(_) | None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

/// The two addresses of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) v4: SocketAddr,
    pub(crate) v6: SocketAddr,
}

/// Accepts on both addresses and has `serve` talk with each client in a thread of its own.
///
/// # Errors
/// There is no port.
pub(crate) fn listen(serve: impl Fn(TcpStream, SocketAddr) + Clone + Send + 'static) -> Result<Addresses> {
    let mut addresses =
        [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].map(|ip| SocketAddr::new(ip, 0));
    for address in &mut addresses {
        let listener = TcpListener::bind(*address)?;
        *address = listener.local_addr()?;
        let serve = serve.clone();
        std::thread::spawn(move || {
            while let Ok((stream, from)) = listener.accept() {
                let serve = serve.clone();
                std::thread::spawn(move || serve(stream, from));
            }
        });
    }
    let [v4, v6] = addresses;
    Ok(Addresses { v4, v6 })
}

/// A web and TLS endpoint.
pub(crate) struct Origin {
    pub(crate) addresses: Addresses,
    pub(crate) received: Received,
}

impl Origin {
    /// Starts it.
    ///
    /// # Errors
    /// There is no port.
    pub(crate) fn start() -> Result<Self> {
        let received = Received::default();
        let record = received.clone();
        let addresses = listen(move |stream, from| {
            converse(stream, from, &record, answer);
            record.end(from);
        })?;
        Ok(Self { addresses, received })
    }
}

/// Writes down and answers until the connection ends.
fn converse(mut stream: TcpStream, from: SocketAddr, record: &Received, answer: Answer) {
    let (mut buffer, mut message) = ([0u8; 65_536], Vec::new());
    while let Ok(len) = stream.read(&mut buffer) {
        let Some(bytes) = buffer.get(..len).filter(|bytes| !bytes.is_empty()) else {
            return;
        };
        record.add(from, bytes);
        message.extend(bytes);
        if let Some(text) = answer(&message) {
            message.clear();
            if stream.write_all(&text).is_err() {
                return;
            }
        }
    }
}

fn answer(message: &[u8]) -> Option<Vec<u8>> {
    if message.first() == Some(&0x16) {
        return is_whole_hello(message).then(|| ALERT.to_vec());
    }
    let is_head = message.ends_with(b"\r\n\r\n");
    let is_command = message.ends_with(b"\r\n") && !message.windows(5).any(|window| window == b"HTTP/");
    match (is_head, is_command) {
        (true, _) => Some(NO_CONTENT.to_vec()),
        (false, true) => Some(NOT_DONE.to_vec()),
        (false, false) => None,
    }
}

/// Whether the records hold a whole handshake message.
fn is_whole_hello(mut records: &[u8]) -> bool {
    let mut message = Vec::<u8>::new();
    while let [_, _, _, high, low, rest @ ..] = records {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((body, next)) = rest.split_at_checked(len) else {
            return false;
        };
        message.extend(body);
        records = next;
    }
    match message.as_slice() {
        [_, first, second, third, body @ ..] => {
            let [first, second, third] = [*first, *second, *third].map(usize::from);
            body.len() >= first << 16 | second << 8 | third
        }
        _ => false,
    }
}
