//! Ends blocked sockets, so that their owners get ECONNABORTED at once instead of waiting for a time-out.
//!
//! NETLINK_SOCK_DIAG with SOCK_DESTROY (Linux 4.5, CONFIG_INET_DIAG_DESTROY) finds sockets of the network namespace that
//! the netlink socket was opened in. So a thread of its own enters each namespace once, by the owner's
//! /proc/PID/ns/net, and keeps the netlink socket.

use super::Error;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rustix::net::netlink::SOCK_DIAG;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Sockets that may wait to be destroyed; those beyond it run into TCP's own time-out and are counted.
const QUEUE_MAX: usize = 4096;
/// Network namespaces whose netlink socket is kept; beyond it all are closed and opened anew as needed.
const NAMESPACES_MAX: usize = 256;

// `linux/sock_diag.h`, `linux/inet_diag.h`, `linux/netlink.h`.
const SOCK_DESTROY: u16 = 21;
const NLM_F_REQUEST_ACK: u16 = 1 | 4;
const REQUEST_BYTES: usize = 16 + 56;
const NLMSG_ERROR: u16 = 2;

/// A socket that must end.
#[derive(Clone, Copy, Debug)]
pub struct Doomed {
    /// Its network namespace, as the kernel names it.
    pub netns_cookie: u64,
    /// A process in that namespace.
    pub tgid: u32,
    /// No other socket than the one with this cookie.
    pub cookie: u64,
    /// The socket's family: its addresses are IPv4-mapped when it is 6 and they are IPv4.
    pub ipv6: bool,
    /// Its own address.
    pub local: SocketAddr,
    /// Its peer's.
    pub remote: SocketAddr,
}

/// What became of the sockets.
#[derive(Debug, Default)]
pub struct Destroyed {
    /// Destroyed.
    pub done: AtomicU64,
    /// Were gone already.
    pub gone: AtomicU64,
    /// Could not be destroyed: the queue was full, the namespace or the kernel refused.
    pub failed: AtomicU64,
}

/// The thread that destroys.
pub struct Destroyer {
    queue: Option<SyncSender<Doomed>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Destroyed>,
}

impl Destroyer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start() -> Result<Self, Error> {
        let (queue, doomed) = sync_channel(QUEUE_MAX);
        let counts = Arc::<Destroyed>::default();
        let theirs = counts.clone();
        let thread = std::thread::Builder::new()
            .name("destroyer".to_owned())
            .spawn(move || work(&doomed, &theirs))
            .map_err(|source| Error::System {
                what: "start the destroyer thread",
                source,
            })?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            counts,
        })
    }

    /// Has a socket destroyed soon. Never waits.
    pub fn destroy(&self, doomed: Doomed) {
        match self.queue.as_ref().map(|queue| queue.try_send(doomed)) {
            Some(Ok(())) => {}
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What became of them so far.
    pub fn counts(&self) -> &Destroyed {
        &self.counts
    }
}

impl Drop for Destroyer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has said what it had to say; there is nothing left to undo.
            let _ = thread.join();
        }
    }
}

fn work(doomed: &Receiver<Doomed>, counts: &Destroyed) {
    let mut namespaces = HashMap::<u64, OwnedFd>::new();
    while let Ok(socket) = doomed.recv() {
        let counter = match destroy(&mut namespaces, &socket) {
            Ok(()) => &counts.done,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => &counts.gone,
            Err(_) => {
                namespaces.remove(&socket.netns_cookie);
                &counts.failed
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn destroy(namespaces: &mut HashMap<u64, OwnedFd>, socket: &Doomed) -> io::Result<()> {
    if !namespaces.contains_key(&socket.netns_cookie) {
        if namespaces.len() >= NAMESPACES_MAX {
            namespaces.clear();
        }
        namespaces.insert(socket.netns_cookie, open_in_namespace_of(socket.tgid)?);
    }
    let Some(netlink) = namespaces.get(&socket.netns_cookie) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    send(netlink, &request(socket), SendFlags::empty())?;
    let mut answer = [0u8; 256];
    let (len, _) = recv(netlink, &mut answer, RecvFlags::empty())?;
    acknowledgement(answer.get(..len).unwrap_or(&answer))
}

/// Opens a netlink socket where the process is. The thread stays there until it is sent elsewhere: it does nothing else.
fn open_in_namespace_of(tgid: u32) -> io::Result<OwnedFd> {
    let namespace = File::open(format!("/proc/{tgid}/ns/net"))?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok(socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(SOCK_DIAG),
    )?)
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2`.
fn request(socket: &Doomed) -> Vec<u8> {
    let family = if socket.ipv6 { libc::AF_INET6 } else { libc::AF_INET };
    let mut request = Vec::with_capacity(REQUEST_BYTES);
    request.extend((REQUEST_BYTES as u32).to_ne_bytes());
    request.extend(SOCK_DESTROY.to_ne_bytes());
    request.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([family as u8, libc::IPPROTO_TCP as u8, 0, 0]);
    // In whatever state.
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(socket.local.port().to_be_bytes());
    request.extend(socket.remote.port().to_be_bytes());
    request.extend(address(socket.local.ip(), socket.ipv6));
    request.extend(address(socket.remote.ip(), socket.ipv6));
    // Any interface.
    request.extend([0; 4]);
    request.extend(socket.cookie.to_ne_bytes());
    request
}

fn address(address: IpAddr, ipv6: bool) -> [u8; 16] {
    let mut bytes = [0; 16];
    match address {
        IpAddr::V4(v4) if ipv6 => bytes = v4.to_ipv6_mapped().octets(),
        IpAddr::V4(v4) => bytes[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => bytes = v6.octets(),
    }
    bytes
}

fn acknowledgement(answer: &[u8]) -> io::Result<()> {
    let kind = answer
        .get(4..6)
        .and_then(|bytes| bytes.try_into().ok())
        .map(u16::from_ne_bytes);
    let code = answer
        .get(16..20)
        .and_then(|bytes| bytes.try_into().ok())
        .map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        (Some(_) | None, _) => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_read_or_refused() {
        let mut answer = [0u8; 36];
        answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
        assert!(acknowledgement(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-libc::ENOENT).to_ne_bytes());
        assert_eq!(acknowledgement(&answer).unwrap_err().raw_os_error(), Some(libc::ENOENT));
        assert_eq!(
            acknowledgement(&answer[..19]).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(acknowledgement(&[]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_request_is_as_long_as_it_says() {
        let address: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let doomed = Doomed {
            netns_cookie: 0,
            tgid: 1,
            cookie: 2,
            ipv6: false,
            local: address,
            remote: address,
        };
        assert_eq!(request(&doomed).len(), REQUEST_BYTES);
    }

    #[test]
    fn an_ipv4_peer_of_an_ipv6_socket_is_mapped() {
        let v4: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(address(v4, false)[..5], [192, 0, 2, 1, 0]);
        assert_eq!(address(v4, true)[10..], [0xff, 0xff, 192, 0, 2, 1]);
    }
}
