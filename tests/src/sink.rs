//! A server that says nothing and counts what reaches it, connection by connection.

use std::{
    io::Read as _,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};
use rustix::net::{Shutdown, shutdown};

use crate::{netns::Netns, wait};

/// A listening socket whose connections are read to their end.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    connections: Arc<Mutex<Vec<Connection>>>,
}

/// What one connection brought.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Connection {
    /// Bytes that arrived so far.
    pub bytes: usize,
    /// Whether the other side has ended it, in good order or not.
    pub ended: bool,
}

impl Sink {
    /// Listens at a free port of `address` in `netns`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(netns: &Netns, address: SocketAddr) -> Result<Self> {
        let listener = Arc::new(netns.listen(address)?);
        let connections = Arc::default();
        let sink = Self {
            address: listener.local_addr()?,
            listener: Arc::clone(&listener),
            connections: Arc::clone(&connections),
        };
        thread::spawn(move || accept(&listener, &connections));
        Ok(sink)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the connection with this number (from 0) satisfies `holds`, and returns it.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for(&self, number: usize, what: &str, holds: impl Fn(&Connection) -> bool) -> Result<Connection> {
        let look = || {
            let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
            connections.get(number).copied()
        };
        let waited = wait::until(what, || Ok(look().filter(&holds)));
        waited.with_context(|| format!("connection {number} of the sink: {:?}", look()))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Wakes the accepting thread, which would keep the namespace alive. The threads of connections end with them.
        if let Err(error) = shutdown(&self.listener, Shutdown::Read) {
            let complaint = format!("stop listening at {}: {error}", self.address);
            if thread::panicking() {
                eprintln!("{complaint}");
            } else {
                panic!("{complaint}");
            }
        }
    }
}

fn accept(listener: &TcpListener, connections: &Arc<Mutex<Vec<Connection>>>) {
    for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
        connections.lock().unwrap_or_else(PoisonError::into_inner).push(Connection::default());
        let connections = Arc::clone(connections);
        thread::spawn(move || count(stream, number, &connections));
    }
}

fn count(mut stream: TcpStream, number: usize, connections: &Mutex<Vec<Connection>>) {
    let mut buffer = [0; 4096];
    loop {
        // A reset ends the connection as well as an orderly close does: either way no more bytes come.
        let more = stream.read(&mut buffer).unwrap_or(0);
        let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(connection) = connections.get_mut(number) else {
            return;
        };
        connection.bytes += more;
        if more == 0 {
            connection.ended = true;
            return;
        }
    }
}
