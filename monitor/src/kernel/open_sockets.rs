//! The TCP connections that are open right now, in every network namespace that can be found: a dump by NETLINK_SOCK_DIAG
//! (sock_diag(7)).
//!
//! A namespace that cannot be entered, or whose kernel refuses the dump, has none. It takes milliseconds and more, and moves the
//! thread from namespace to namespace: call it from a thread of its own.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags};
use netlink_packet_sock_diag::{AF_INET, AF_INET6, IPPROTO_TCP, SockDiagMessage};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::netns;

/// Open connections that are listed: as many as the pipeline remembers. Of more, [`OpenSockets::left_out`] says how many.
const OPEN_MAX: usize = 65_536;

/// What the kernel puts into one part of a dump, at most (`netlink_dump`, NETLINK_MAX_RECVMSGS_SIZE).
const PART_BYTES_MAX: usize = 32 * 1024;

/// An open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSocket {
    /// The socket's cookie, as events have it.
    pub cookie: u64,
    /// The inode by which descriptors name the socket; 0 when no process has accepted it.
    pub inode: u32,
    /// Its own end; an IPv4-mapped address is given as IPv4.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct OpenSockets {
    /// At most as many as are listed.
    pub sockets: Vec<OpenSocket>,
    /// How many more there are.
    pub left_out: u64,
}

/// Lists the open connections.
pub fn open_sockets() -> OpenSockets {
    let mut open = OpenSockets::default();
    netns::each(|netlink| {
        for family in [AF_INET, AF_INET6] {
            // A kernel without version 6, or without this family of netlink, has nothing to list.
            let _ = dump(netlink, family, &mut open);
        }
    });
    open
}

fn dump(netlink: &OwnedFd, family: u8, open: &mut OpenSockets) -> io::Result<()> {
    send(netlink, &request(family), SendFlags::empty())?;
    let mut part = vec![0; PART_BYTES_MAX];
    loop {
        let (len, _) = recv(netlink, &mut part[..], RecvFlags::empty())?;
        if !read(part.get(..len).unwrap_or_default(), open)? {
            return Ok(());
        }
    }
}

fn request(family: u8) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::ESTABLISHED,
        socket_id: if family == AF_INET6 { SocketId::new_v6() } else { SocketId::new_v4() },
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// Reads one part of a dump. False: it was the last.
fn read(mut part: &[u8], open: &mut OpenSockets) -> io::Result<bool> {
    while !part.is_empty() {
        let message = NetlinkMessage::<SockDiagMessage>::deserialize(part).map_err(io::Error::other)?;
        match message.payload {
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => open.add(&response.header),
            NetlinkPayload::Done(_) => return Ok(false),
            NetlinkPayload::Error(error) => return Err(error.to_io()),
            _ => {}
        }
        // Messages begin at multiples of 4 (NLMSG_ALIGNTO).
        let len = usize::try_from(message.header.length).map_err(io::Error::other)?.next_multiple_of(4);
        part = part.get(len..).unwrap_or_default();
    }
    Ok(true)
}

impl OpenSockets {
    fn add(&mut self, socket: &InetResponseHeader) {
        if self.sockets.len() >= OPEN_MAX {
            self.left_out += 1;
            return;
        }
        let id = &socket.socket_id;
        self.sockets.push(OpenSocket {
            cookie: u64::from_ne_bytes(id.cookie),
            inode: socket.inode,
            local: SocketAddr::new(id.source_address.to_canonical(), id.source_port),
            remote: SocketAddr::new(id.destination_address.to_canonical(), id.destination_port),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn both_ends_of_a_connection_are_listed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        // Only root may move to another namespace; what is asked here is the own one.
        let netlink = netns::here().unwrap();
        let mut open = OpenSockets::default();
        dump(&netlink, AF_INET, &mut open).unwrap();
        for end in [&client, &server] {
            let (local, remote) = (end.local_addr().unwrap(), end.peer_addr().unwrap());
            let found: Vec<_> =
                open.sockets.iter().filter(|each| (each.local, each.remote) == (local, remote)).collect();
            assert!(matches!(found[..], [OpenSocket { inode: 1.., cookie: 1.., .. }]), "{found:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error_and_a_cut_one_ends() {
        let mut open = OpenSockets::default();
        assert!(read(&[1; 16], &mut open).is_err());
        assert!(read(&[], &mut open).unwrap());
        let mut long = request(AF_INET);
        long[0] = 0xff;
        assert!(read(&long, &mut open).is_err());
        assert!(open.sockets.is_empty());
    }
}
