//! A client whose socket is known to the kernel programs by its cookie.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::net::sockopt::socket_cookie;
use rustix::net::{SendFlags, send};

use crate::watch::PATIENCE;

/// A connected socket.
pub(crate) struct Client {
    stream: TcpStream,
    /// By which events know it.
    pub(crate) cookie: u64,
    /// By which servers know it.
    pub(crate) address: SocketAddr,
    /// What it is connected to.
    pub(crate) server: SocketAddr,
}

impl Client {
    /// Connects; each write will be a packet of its own.
    ///
    /// # Errors
    /// Those of the socket.
    pub(crate) fn to(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).with_context(|| format!("connect to {server}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let cookie = socket_cookie(&stream).context("ask for the socket's cookie")?;
        Ok(Self { cookie, address: stream.local_addr()?, server, stream })
    }

    /// Sends the message in one write.
    ///
    /// # Errors
    /// Those of the socket.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<()> {
        self.stream.write_all(message).context("send")
    }

    /// Sends the message in pieces of at most `size` bytes.
    ///
    /// # Errors
    /// Those of the socket.
    pub(crate) fn send_pieces(&mut self, message: &[u8], size: usize) -> Result<()> {
        message.chunks(size).try_for_each(|piece| self.send(piece))
    }

    /// Reads exactly the answer that is expected.
    ///
    /// # Errors
    /// Another one comes, or none.
    pub(crate) fn expect(&mut self, answer: &[u8]) -> Result<()> {
        let mut read = vec![0; answer.len()];
        self.stream.read_exact(&mut read).context("wait for the answer")?;
        ensure!(read == answer, "the answer is {:?}", String::from_utf8_lossy(&read));
        Ok(())
    }

    /// Reads a whole response head; gives its status code.
    ///
    /// # Errors
    /// None comes.
    pub(crate) fn status(&mut self) -> Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).context("wait for a response")?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        head.split(' ').nth(1).map(str::to_owned).with_context(|| format!("no status in {head:?}"))
    }

    /// Sends what is to be blocked and checks that the caller hears of it: from the write itself, or from the next read,
    /// since a socket tells an error once.
    ///
    /// # Errors
    /// The socket is not aborted.
    pub(crate) fn send_and_be_aborted(&mut self, message: &[u8]) -> Result<()> {
        let sent = self.stream.write_all(message);
        self.be_aborted(sent)
    }

    /// The same for a byte of urgent data.
    ///
    /// # Errors
    /// The socket is not aborted.
    pub(crate) fn send_urgent_and_be_aborted(&mut self, byte: u8) -> Result<()> {
        let sent = send(&self.stream, &[byte], SendFlags::OOB);
        self.be_aborted(sent.map(|_| ()).map_err(io::Error::from))
    }

    fn be_aborted(&mut self, sent: io::Result<()>) -> Result<()> {
        match sent.and_then(|()| self.stream.read(&mut [0; 16])) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(()),
            Err(error) => Err(error).context("the caller got another error than ECONNABORTED"),
            Ok(0) => bail!("the caller got the end of the connection instead of ECONNABORTED"),
            Ok(_) => bail!("the caller got an answer instead of ECONNABORTED"),
        }
    }
}
