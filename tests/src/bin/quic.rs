//! A QUIC client for the tests: quinn's, which sends what its connection wants to send, and again when no answer comes.
//!
//! ```text
//! quic ADDRESS NAME SECONDS       begins a connection to NAME at ADDRESS and keeps trying for so long
//! ```

use std::env;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{ClientConfig, Endpoint};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [address, name, seconds] => begin(address.parse()?, name, Duration::from_secs(seconds.parse()?)),
        _ => bail!("see the head of quic.rs for what it takes"),
    }
}

fn begin(server: SocketAddr, name: &str, patience: Duration) -> Result<()> {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    config.alpn_protocols.push(b"h3".to_vec());
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(Arc::new(config))?));
    let mut endpoint = Endpoint::new(Arc::default(), None, true, None);
    let (_, mut connection) = endpoint.connect(Instant::now(), config, server, name)?;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let end = Instant::now() + patience;
    let mut buffer = Vec::new();
    while Instant::now() < end {
        while let Some(transmit) = connection.poll_transmit(Instant::now(), 1, &mut buffer) {
            match socket.send_to(&buffer, transmit.destination) {
                Ok(_) => {}
                // What a blocked connection hears.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => println!("refused"),
                Err(error) => return Err(error.into()),
            }
            buffer.clear();
        }
        let Some(due) = connection.poll_timeout() else {
            break;
        };
        std::thread::sleep(due.min(end).saturating_duration_since(Instant::now()));
        connection.handle_timeout(Instant::now());
    }
    Ok(())
}
