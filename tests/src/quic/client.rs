//! A client of version 1 that goes as far as the server's certificate, which it does not trust.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Instant,
};

use anyhow::{Result, bail};
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, DatagramEvent, Endpoint, Event, crypto::rustls::QuicClientConfig,
};
use rustls::{RootCertStore, crypto::aws_lc_rs::default_provider};

use super::{ALPN, drive, receive};
use crate::wait::PATIENCE;

/// A connection that was not sent yet.
pub(super) fn begin(server: SocketAddr, name: &str) -> Result<(Endpoint, ConnectionHandle, Connection)> {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    config.alpn_protocols.push(ALPN.to_vec());
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(Arc::new(config))?));
    let mut endpoint = Endpoint::new(Arc::default(), None, true, None);
    let (handle, connection) = endpoint.connect(Instant::now(), config, server, name)?;
    Ok((endpoint, handle, connection))
}

/// Asks the server for a name and ends when it has shown its certificate.
///
/// # Errors
/// When the server does not answer.
pub fn ask(socket: &UdpSocket, server: SocketAddr, name: &str) -> Result<()> {
    let (mut endpoint, handle, mut connection) = begin(server, name)?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        drive(socket, &mut endpoint, handle, &mut connection)?;
        while let Some(event) = connection.poll() {
            if matches!(event, Event::ConnectionLost { .. }) {
                return drive(socket, &mut endpoint, handle, &mut connection);
            }
        }
        let Some((from, datagram)) = receive(socket)? else {
            continue;
        };
        let mut answer = Vec::new();
        let event = endpoint.handle(Instant::now(), from, None, None, datagram, &mut answer);
        if let Some(DatagramEvent::ConnectionEvent(_, event)) = event {
            connection.handle_event(event);
        }
    }
    bail!("the server did not answer for {name}")
}
