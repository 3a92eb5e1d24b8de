//! Ends blocked sockets, so that their owners get ECONNABORTED at once instead of waiting for a time-out.
//!
//! NETLINK_SOCK_DIAG with SOCK_DESTROY (Linux 4.5, CONFIG_INET_DIAG_DESTROY) finds sockets of the network namespace that
//! the netlink socket was opened in. So a thread of its own enters each namespace once, by the owner's
//! /proc/PID/ns/net, and keeps the netlink socket.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::thread::JoinHandle;

use aya::maps::{MapData, RingBuf};
use monitor_common::event::{Body, Endpoints, Header, decode};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::net::netlink::SOCK_DIAG;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::Error;

/// Network namespaces whose netlink socket is kept; beyond it all are closed and opened anew as needed.
const NAMESPACES_MAX: usize = 256;

// `linux/sock_diag.h`, `linux/inet_diag.h`, `linux/netlink.h`.
const SOCK_DESTROY: u16 = 21;
const NLM_F_REQUEST_ACK: u16 = 1 | 4;
const REQUEST_BYTES: usize = 16 + 56;
const NLMSG_ERROR: u16 = 2;

/// What became of the sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Destroyed.
    pub done: u64,
    /// Were gone already.
    pub gone: u64,
    /// Could not be destroyed: the namespace or the kernel refused.
    pub failed: u64,
}

/// The thread that destroys.
pub struct Destroyer {
    thread: JoinHandle<Result<Destroyed, io::Error>>,
    stop: OwnedFd,
}

impl Destroyer {
    pub(super) fn start(doomed: RingBuf<MapData>) -> Result<Self, Error> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC).map_err(|source| Error::System {
            what: "make an eventfd",
            source: source.into(),
        })?;
        let heard = stop.try_clone().map_err(|source| Error::System {
            what: "duplicate an eventfd",
            source,
        })?;
        let thread = std::thread::Builder::new()
            .name("destroyer".to_owned())
            .spawn(move || work(doomed, &heard))
            .map_err(|source| Error::System {
                what: "start the destroyer thread",
                source,
            })?;
        Ok(Self { thread, stop })
    }

    /// Destroys what is still waiting, ends, and tells what became of them all.
    ///
    /// # Errors
    /// The thread could not wait for sockets any more, and ended before.
    pub fn finish(self) -> Result<Destroyed, Error> {
        let what = "destroy blocked sockets";
        rustix::io::write(&self.stop, &1u64.to_ne_bytes()).map_err(|source| Error::System {
            what,
            source: source.into(),
        })?;
        match self.thread.join() {
            Ok(result) => result.map_err(|source| Error::System { what, source }),
            Err(_) => Err(Error::System {
                what,
                source: io::Error::other("the thread panicked"),
            }),
        }
    }
}

fn work(mut doomed: RingBuf<MapData>, stop: &OwnedFd) -> io::Result<Destroyed> {
    let mut counts = Destroyed::default();
    let mut namespaces = HashMap::<u64, OwnedFd>::new();
    loop {
        // SAFETY: the ring owns the descriptor and outlives the borrow.
        let ring = unsafe { BorrowedFd::borrow_raw(doomed.as_raw_fd()) };
        let mut ready = [PollFd::new(&ring, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut ready, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let stopped = !ready[1].revents().is_empty();
        while let Some(bytes) = doomed.next() {
            // The kernel programs write nothing else into this ring; anything else would be a fault of theirs.
            let counter = match decode(&bytes).map(|event| (event.header, event.body)) {
                Ok((header, Body::Doomed)) => destroy_counted(&mut namespaces, header, &mut counts),
                Ok(_) | Err(_) => &mut counts.failed,
            };
            *counter += 1;
        }
        if stopped {
            return Ok(counts);
        }
    }
}

fn destroy_counted<'a>(
    namespaces: &mut HashMap<u64, OwnedFd>,
    header: &Header,
    counts: &'a mut Destroyed,
) -> &'a mut u64 {
    match destroy(namespaces, header) {
        Ok(()) => &mut counts.done,
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => &mut counts.gone,
        Err(_) => {
            namespaces.remove(&header.owner.netns_cookie);
            &mut counts.failed
        }
    }
}

fn destroy(namespaces: &mut HashMap<u64, OwnedFd>, doomed: &Header) -> io::Result<()> {
    let cookie = doomed.owner.netns_cookie;
    if !namespaces.contains_key(&cookie) {
        if namespaces.len() >= NAMESPACES_MAX {
            namespaces.clear();
        }
        namespaces.insert(cookie, open_in_namespace_of(doomed.owner.tgid)?);
    }
    let Some(netlink) = namespaces.get(&cookie) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    send(netlink, &request(&doomed.endpoints, doomed.cookie), SendFlags::empty())?;
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

/// `struct nlmsghdr` and `struct inet_diag_req_v2`. The addresses are the socket's own, IPv4-mapped ones too.
fn request(ends: &Endpoints, cookie: u64) -> Vec<u8> {
    let family = if ends.family == 6 {
        libc::AF_INET6
    } else {
        libc::AF_INET
    };
    let mut request = Vec::with_capacity(REQUEST_BYTES);
    request.extend((REQUEST_BYTES as u32).to_ne_bytes());
    request.extend(SOCK_DESTROY.to_ne_bytes());
    request.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([family as u8, libc::IPPROTO_TCP as u8, 0, 0]);
    // In whatever state.
    request.extend(u32::MAX.to_ne_bytes());
    request.extend((ends.local_port as u16).to_be_bytes());
    request.extend((ends.remote_port as u16).to_be_bytes());
    request.extend(ends.local);
    request.extend(ends.remote);
    // Any interface.
    request.extend([0; 4]);
    // No other socket than the one with this cookie.
    request.extend(cookie.to_ne_bytes());
    request
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
        assert_eq!(request(&Endpoints::EMPTY, 2).len(), REQUEST_BYTES);
    }
}
