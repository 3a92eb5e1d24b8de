//! A server that speaks a protocol in clear text as far as its upgrade to TLS, and then passes the connection on to the
//! TLS port of the [`Origin`](crate::origin::Origin).
//!
//! It is a script, and says what it must for the client to go on: what is observed is the client, a real one. What the
//! client said in clear text is kept.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Result, ensure};
use rustix::net::{Shutdown as Stop, shutdown};

use crate::netns::Netns;

/// A protocol, by the name that `openssl s_client -starttls` has for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Protocol {
    /// The name.
    pub name: &'static str,
    /// What the server says first.
    greeting: &'static [u8],
    /// What it answers to what the client's message contains, in the order of a conversation. The last answer is the
    /// last in clear text.
    answers: &'static [(&'static [u8], &'static [u8])],
    /// The most bytes that a message in clear text has: some clients do not wait for an answer to their last one.
    message_bytes_max: usize,
}

const fn protocol(
    name: &'static str,
    greeting: &'static [u8],
    answers: &'static [(&'static [u8], &'static [u8])],
) -> Protocol {
    Protocol { name, greeting, answers, message_bytes_max: 4096 }
}

/// Every protocol that openssl's client can upgrade and the daemon's parser knows.
pub const PROTOCOLS: [Protocol; 11] = [
    protocol(
        "smtp",
        b"220 clear.example\r\n",
        &[(b"EHLO ", b"250-clear.example\r\n250 STARTTLS\r\n"), (b"STARTTLS\r\n", b"220 go ahead\r\n")],
    ),
    protocol(
        "lmtp",
        b"220 clear.example\r\n",
        &[(b"LHLO ", b"250-clear.example\r\n250 STARTTLS\r\n"), (b"STARTTLS\r\n", b"220 go ahead\r\n")],
    ),
    protocol(
        "imap",
        b"* OK clear.example\r\n",
        &[
            (b" CAPABILITY\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n"),
            (b" STARTTLS\r\n", b". OK go ahead\r\n"),
        ],
    ),
    protocol("pop3", b"+OK clear.example\r\n", &[(b"STLS\r\n", b"+OK go ahead\r\n")]),
    protocol("ftp", b"220 clear.example\r\n", &[(b"AUTH TLS\r\n", b"234 go ahead\r\n")]),
    protocol(
        "nntp",
        b"200 clear.example\r\n",
        &[
            (b"CAPABILITIES\r\n", b"101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"),
            (b"STARTTLS\r\n", b"382 go ahead\r\n"),
        ],
    ),
    protocol(
        "sieve",
        b"\"IMPLEMENTATION\" \"clear\"\r\n\"STARTTLS\"\r\nOK \"clear.example\"\r\n",
        &[(b"STARTTLS\r\n", b"OK \"go ahead\"\r\n")],
    ),
    protocol(
        "xmpp",
        b"",
        &[
            (
                b"<stream:stream",
                b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                  version='1.0'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
                  </stream:features>",
            ),
            (b"<starttls", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        ],
    ),
    // An ExtendedResponse with the result success (RFC 4511 section 4.14.2).
    protocol(
        "ldap",
        b"",
        &[(b"1.3.6.1.4.1.1466.20037", &[0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0])],
    ),
    protocol("postgres", b"", &[(&[4, 0xd2, 0x16, 0x2f], b"S")]),
    // The initial handshake packet, protocol version 10: a connection id, a challenge in two parts, capabilities with
    // CLIENT_SSL, the name of the method. The client's hello follows its request at once.
    Protocol {
        name: "mysql",
        greeting: b"\x49\0\0\x00\x0a5.7.0\0\x01\0\0\0abcdefgh\0\xff\xff\x21\x02\0\xff\xc1\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0\
            mysql_native_password\0",
        answers: &[(&[32, 0, 0, 1], b"")],
        message_bytes_max: 36,
    },
];

/// A running server.
#[derive(Debug)]
pub struct ClearText {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl ClearText {
    /// Listens at a free port of 127.0.0.1 in `netns` for one client, which ends up at the address `tls`.
    ///
    /// # Errors
    /// When no port can be had, or nothing accepts at `tls`.
    pub fn start(netns: &Netns, protocol: Protocol, tls: SocketAddr) -> Result<Self> {
        let listener = Arc::new(netns.listen((Ipv4Addr::LOCALHOST, 0).into())?);
        let server = Self { address: listener.local_addr()?, listener: Arc::clone(&listener), heard: Arc::default() };
        let heard = Arc::clone(&server.heard);
        // Now, and not when it is needed: the thread then holds nothing of the namespace but its sockets.
        let behind = netns.connect(tls)??;
        thread::spawn(move || {
            // The client tells how it went: it fails when its server does.
            if let Err(error) = serve(&listener, protocol, behind, &heard) {
                println!("the {} server stopped: {error:#}", protocol.name);
            }
        });
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the client said in clear text, one message an item.
    #[must_use]
    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ClearText {
    fn drop(&mut self) {
        // Wakes the thread when no client came.
        if let Err(error) = shutdown(&self.listener, Stop::Read) {
            let complaint = format!("stop listening at {}: {error}", self.address);
            if thread::panicking() {
                eprintln!("{complaint}");
            } else {
                panic!("{complaint}");
            }
        }
    }
}

fn serve(listener: &TcpListener, protocol: Protocol, behind: TcpStream, heard: &Mutex<Vec<Vec<u8>>>) -> Result<()> {
    let (mut client, _) = listener.accept()?;
    client.write_all(protocol.greeting)?;
    let mut buffer = vec![0; protocol.message_bytes_max];
    for (says, answer) in protocol.answers {
        let mut message = Vec::new();
        while !message.windows(says.len()).any(|window| window == *says) {
            let bytes = client.read(&mut buffer)?;
            ensure!(bytes != 0, "the client left after {}", message.escape_ascii());
            message.extend(buffer.iter().take(bytes));
        }
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        client.write_all(answer)?;
    }
    pass_on(client, behind)?;
    Ok(())
}

/// Copies both ways until both sides have ended.
fn pass_on(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        io::copy(&mut from_server, &mut to_client)?;
        to_client.shutdown(Shutdown::Write)
    });
    let (mut from_client, mut to_server) = (client, server);
    io::copy(&mut from_client, &mut to_server)?;
    to_server.shutdown(Shutdown::Write)?;
    back.join().map_err(|_| io::Error::other("the copying thread panicked"))?
}
