//! Packets and capture files, byte by byte.

use std::net::{IpAddr, SocketAddr};

use etherparse::PacketBuilder;

pub(super) const ETHERNET: u32 = 1;
pub(super) const RAW: u32 = 101;

pub(super) const CLIENT: &str = "192.0.2.1:40000";
pub(super) const SERVER: &str = "192.0.2.9:443";
pub(super) const CLIENT_V6: &str = "[2001:db8::1]:40000";
pub(super) const SERVER_V6: &str = "[2001:db8::9]:443";

/// A ClientHello for `name`, behind `pad` bytes of another extension.
pub(super) fn hello(name: &str, pad: u16) -> Vec<u8> {
    let mut extensions = vec![0, 0x15];
    extensions.extend(pad.to_be_bytes());
    extensions.extend(vec![0; pad.into()]);
    let len = name.len() as u8;
    extensions.extend([0, 0, 0, len + 5, 0, len + 3, 0, 0, len]);
    extensions.extend(name.bytes());
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut record = vec![0x16, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

/// A CONNECT request.
pub(super) fn connect(authority: &str) -> Vec<u8> {
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n").into_bytes()
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) syn: bool,
    pub(super) ack: Option<u32>,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) urgent: bool,
}

/// An IP packet with a TCP segment.
pub(super) fn tcp(from: SocketAddr, to: SocketAddr, seq: u32, flags: Flags, payload: &[u8]) -> Vec<u8> {
    let builder = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), 64),
        _ => unreachable!("both ends have one family"),
    };
    let mut builder = builder.tcp(from.port(), to.port(), seq, 1000);
    if flags.syn {
        builder = builder.syn();
    }
    if let Some(ack) = flags.ack {
        builder = builder.ack(ack);
    }
    if flags.fin {
        builder = builder.fin();
    }
    if flags.rst {
        builder = builder.rst();
    }
    if flags.urgent {
        builder = builder.urg(1);
    }
    let mut packet = Vec::new();
    builder.write(&mut packet, payload).unwrap();
    packet
}

/// A connection as both ends send it.
pub(super) struct Talk {
    client: SocketAddr,
    server: SocketAddr,
    /// The next sequence numbers.
    pub(super) sent: u32,
    pub(super) received: u32,
    pub(super) packets: Vec<Vec<u8>>,
}

impl Talk {
    /// Without a handshake.
    pub(super) fn joined(client: &str, server: &str) -> Self {
        let (client, server) = (client.parse().unwrap(), server.parse().unwrap());
        // The numbers of both directions pass zero soon.
        Self { client, server, sent: u32::MAX - 20, received: u32::MAX - 3, packets: Vec::new() }
    }

    /// After the handshake.
    pub(super) fn opened(client: &str, server: &str) -> Self {
        let mut talk = Self::joined(client, server);
        talk.push(true, Flags { syn: true, ..Flags::default() }, b"");
        talk.sent = talk.sent.wrapping_add(1);
        let ack = Some(talk.sent);
        talk.push(false, Flags { syn: true, ack, ..Flags::default() }, b"");
        talk.received = talk.received.wrapping_add(1);
        talk.client(b"")
    }

    /// The client sends.
    pub(super) fn client(mut self, payload: &[u8]) -> Self {
        let ack = Some(self.received);
        self.push(true, Flags { ack, ..Flags::default() }, payload);
        self.sent = self.sent.wrapping_add(payload.len() as u32);
        self
    }

    /// The server sends.
    pub(super) fn server(mut self, payload: &[u8]) -> Self {
        let ack = Some(self.sent);
        self.push(false, Flags { ack, ..Flags::default() }, payload);
        self.received = self.received.wrapping_add(payload.len() as u32);
        self
    }

    /// Both ends close.
    pub(super) fn closed(mut self) -> Vec<Vec<u8>> {
        self.push(true, Flags { fin: true, ack: Some(self.received), ..Flags::default() }, b"");
        self.push(false, Flags { fin: true, ack: Some(self.sent.wrapping_add(1)), ..Flags::default() }, b"");
        self.packets
    }

    pub(super) fn push(&mut self, from_client: bool, flags: Flags, payload: &[u8]) {
        self.packets.push(if from_client {
            tcp(self.client, self.server, self.sent, flags, payload)
        } else {
            tcp(self.server, self.client, self.received, flags, payload)
        });
    }
}

/// A direct TLS connection.
pub(super) fn ip_packets(client: &str, server: &str, name: &str) -> Vec<Vec<u8>> {
    Talk::opened(client, server).client(&hello(name, 0)).server(b"\x16\x03\x03\0\x01\x02").closed()
}

/// A pcap file in this machine's usual form: little-endian, microseconds.
pub(super) fn pcap(link_type: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    Pcap { magic: 0xa1b2_c3d4, put: u32::to_le_bytes }.file(link_type, packets)
}

/// How a pcap file is written.
pub(super) struct Pcap {
    pub(super) magic: u32,
    pub(super) put: fn(u32) -> [u8; 4],
}

impl Pcap {
    pub(super) fn file(&self, link_type: u32, packets: &[Vec<u8>]) -> Vec<u8> {
        let mut file: Vec<u8> = Vec::new();
        // Version 2.4, in two halves.
        let version = if (self.put)(1)[0] == 0 { 0x0002_0004 } else { 0x0004_0002 };
        for word in [self.magic, version, 0, 0, 262_144, link_type] {
            file.extend((self.put)(word));
        }
        for (packet, place) in packets.iter().zip(0..) {
            for word in [1_700_000_000, 1000 * place, packet.len() as u32, packet.len() as u32] {
                file.extend((self.put)(word));
            }
            file.extend(packet);
        }
        file
    }
}

/// A block of a pcapng file.
pub(super) fn block(put: fn(u32) -> [u8; 4], kind: u32, words: &[u32], bytes: &[u8], options: &[u8]) -> Vec<u8> {
    let mut body: Vec<u8> = words.iter().flat_map(|word| put(*word)).collect();
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend(options);
    let len = put(body.len() as u32 + 12);
    [&put(kind)[..], &len, &body, &len].concat()
}
