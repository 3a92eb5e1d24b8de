//! QUIC with both ends in the test: quinn's client and server, over sockets of a namespace.

mod client;
mod version_2;

use std::{
    collections::HashMap,
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
use bytes::BytesMut;
use quinn_proto::{
    Connection, ConnectionHandle, DatagramEvent, Endpoint, EndpointConfig, ServerConfig,
    crypto::rustls::QuicServerConfig,
};
use rustls::{
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{netns::Netns, origin::make_certificate, temp::TempDir};

pub use client::ask;
pub use version_2::ask_in_version_2;

/// The protocol that both sides speak.
const ALPN: &[u8] = b"h3";

/// How long a side waits for a datagram before it looks what else is to be done.
const TURN: Duration = Duration::from_millis(5);

/// A server that takes every connection and does no more than the handshake, in a thread of its own.
#[derive(Debug)]
pub struct QuicServer {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl QuicServer {
    /// Listens at a port of 127.0.0.1 in `netns`.
    ///
    /// # Errors
    /// When the port cannot be had, or openssl makes no certificate.
    pub fn start(netns: &Netns, port: u16) -> Result<Self> {
        let socket = netns.datagrams_at(port)?;
        let config = Arc::new(config()?);
        let (address, is_over) = (socket.local_addr()?, Arc::<AtomicBool>::default());
        let seen_over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            // The client tells how it went: it fails when its server does.
            if let Err(error) = serve(&socket, config, &seen_over) {
                println!("the QUIC server stopped: {error:#}");
            }
        });
        Ok(Self { address, is_over, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for QuicServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) && !thread::panicking() {
            panic!("the QUIC server panicked");
        }
    }
}

fn config() -> Result<ServerConfig> {
    let dir = TempDir::new()?;
    let (certificate, key) = (dir.path().join("certificate.pem"), dir.path().join("key.pem"));
    make_certificate(&certificate, &key)?;
    let chain = vec![CertificateDer::from_pem_file(&certificate).map_err(|error| anyhow!("{error}"))?];
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| anyhow!("{error}"))?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_protocol_versions(&[&rustls::version::TLS13])?.with_no_client_auth();
    let mut config = config.with_single_cert(chain, key)?;
    config.alpn_protocols.push(ALPN.to_vec());
    Ok(ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(config)?)))
}

fn serve(socket: &UdpSocket, config: Arc<ServerConfig>, is_over: &AtomicBool) -> Result<()> {
    let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::default()), Some(config), true, None);
    let mut connections = HashMap::<ConnectionHandle, Connection>::new();
    while !is_over.load(Ordering::Relaxed) {
        let mut answer = Vec::new();
        let event = receive(socket)?
            .and_then(|(from, datagram)| endpoint.handle(Instant::now(), from, None, None, datagram, &mut answer));
        match event {
            Some(DatagramEvent::NewConnection(incoming)) => {
                if let Ok((handle, connection)) = endpoint.accept(incoming, Instant::now(), &mut answer, None) {
                    connections.insert(handle, connection);
                }
            }
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some(connection) = connections.get_mut(&handle) {
                    connection.handle_event(event);
                }
            }
            Some(DatagramEvent::Response(transmit)) => {
                socket.send_to(
                    answer.get(..transmit.size).context("an answer is as long as it says")?,
                    transmit.destination,
                )?;
            }
            None => {}
        }
        for (handle, connection) in &mut connections {
            drive(socket, &mut endpoint, *handle, connection)?;
        }
        connections.retain(|_, connection| !connection.is_drained());
    }
    Ok(())
}

/// The next datagram, unless none comes within [`TURN`].
fn receive(socket: &UdpSocket) -> Result<Option<(SocketAddr, BytesMut)>> {
    let mut buffer = [0; 2048];
    socket.set_read_timeout(Some(TURN))?;
    match socket.recv_from(&mut buffer) {
        Ok((len, from)) => Ok(buffer.get(..len).map(|datagram| (from, BytesMut::from(datagram)))),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
        // A client that left before the last packet to it.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Does what a connection has to do by now, and sends what it wants to send.
fn drive(
    socket: &UdpSocket,
    endpoint: &mut Endpoint,
    handle: ConnectionHandle,
    connection: &mut Connection,
) -> Result<()> {
    while let Some(event) = connection.poll_endpoint_events() {
        if let Some(event) = endpoint.handle_event(handle, event) {
            connection.handle_event(event);
        }
    }
    if connection.poll_timeout().is_some_and(|due| due <= Instant::now()) {
        connection.handle_timeout(Instant::now());
    }
    let mut datagram = Vec::new();
    while let Some(transmit) = connection.poll_transmit(Instant::now(), 1, &mut datagram) {
        socket.send_to(&datagram, transmit.destination)?;
        datagram.clear();
    }
    Ok(())
}
