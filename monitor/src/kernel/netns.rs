//! Finds the network namespace that a socket belongs to, and a netlink socket in it.
//!
//! A socket belongs to the namespace in which it was made. Mostly that is where its owner's thread is; but a thread can have
//! moved since, or the socket was handed over. So candidates are tried until one has the cookie that the kernel gave with the
//! event (SO_NETNS_COOKIE, Linux 5.14); on older kernels, until one knows the socket.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use monitor_common::event::Owner;
use rustix::net::netlink::SOCK_DIAG;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Namespaces whose netlink socket is kept; beyond it all are closed and opened anew as needed.
const NAMESPACES_MAX: usize = 256;

/// How long a namespace that was not found is not looked for again: the search reads all of /proc.
const MISSING_FOR: Duration = Duration::from_secs(1);

/// `asm-generic/socket.h`, Linux 5.14.
const SO_NETNS_COOKIE: libc::c_int = 71;

/// What an attempt in one namespace says about it.
pub(super) enum Found<T> {
    /// This was the namespace.
    Here(T),
    /// The socket is not in this namespace.
    NotHere(io::Error),
}

/// Netlink sockets, by the cookie of their namespace.
#[derive(Default)]
pub(super) struct Namespaces {
    open: HashMap<u64, OwnedFd>,
    missing: HashMap<u64, Instant>,
}

impl Namespaces {
    /// Does something with a netlink socket in the namespace of a socket. Call it from a thread that does nothing else: it
    /// moves the thread from namespace to namespace.
    ///
    /// # Errors
    /// What `attempt` says, or that the namespace was not found.
    pub(super) fn with<T>(
        &mut self,
        owner: &Owner,
        mut attempt: impl FnMut(&OwnedFd) -> Found<io::Result<T>>,
    ) -> io::Result<T> {
        let wanted = owner.netns_cookie;
        if let Some(netlink) = self.open.get(&wanted) {
            return match attempt(netlink) {
                Found::Here(result) => result,
                Found::NotHere(error) => Err(error),
            };
        }
        if self.missing.get(&wanted).is_some_and(|since| since.elapsed() < MISSING_FOR) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let mut seen = HashSet::new();
        for path in near(owner).into_iter().chain(all()) {
            let Some(netlink) = open(&path, &mut seen) else {
                continue;
            };
            match cookie(&netlink) {
                Some(found) if found != wanted => self.keep(found, netlink),
                Some(_) => {
                    let result = match attempt(&netlink) {
                        Found::Here(result) => result,
                        Found::NotHere(error) => Err(error),
                    };
                    self.keep(wanted, netlink);
                    return result;
                }
                None => match attempt(&netlink) {
                    Found::Here(result) => {
                        self.keep(wanted, netlink);
                        return result;
                    }
                    Found::NotHere(_) => {}
                },
            }
        }
        if self.missing.len() >= NAMESPACES_MAX {
            self.missing.clear();
        }
        self.missing.insert(wanted, Instant::now());
        Err(io::ErrorKind::AddrNotAvailable.into())
    }

    fn keep(&mut self, cookie: u64, netlink: OwnedFd) {
        if self.open.len() >= NAMESPACES_MAX {
            self.open.clear();
        }
        self.open.insert(cookie, netlink);
    }
}

/// Does something with a netlink socket in each namespace that can be found. It moves the thread, as above.
pub(super) fn each(mut visit: impl FnMut(&OwnedFd)) {
    let mut seen = HashSet::new();
    for path in all() {
        if let Some(netlink) = open(&path, &mut seen) {
            visit(&netlink);
        }
    }
}

/// A netlink socket in the namespace of the calling thread.
#[cfg(test)]
pub(super) fn here() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?)
}

/// Where the owner is.
fn near(owner: &Owner) -> [PathBuf; 2] {
    let Owner { tgid, tid, .. } = owner;
    [format!("/proc/{tgid}/task/{tid}/ns/net").into(), format!("/proc/{tgid}/ns/net").into()]
}

/// Every namespace that has a name or a thread, read only when it is needed.
fn all() -> impl Iterator<Item = PathBuf> {
    let named = ["/run/netns", "/run/docker/netns"].into_iter().flat_map(entries);
    let threads = entries("/proc")
        .filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit)))
        .flat_map(|process| entries(process.join("task")))
        .map(|thread| thread.join("ns/net"));
    named.chain(threads)
}

/// The entries of a directory; none when it is not there.
fn entries(directory: impl Into<PathBuf>) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory.into()).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

/// A netlink socket in a namespace that was not seen before. None: it is gone, or may not be entered.
fn open(path: &PathBuf, seen: &mut HashSet<(u64, u64)>) -> Option<OwnedFd> {
    let namespace = File::open(path).ok()?;
    let status = namespace.metadata().ok()?;
    if !seen.insert((status.dev(), status.ino())) {
        return None;
    }
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).ok()?;
    socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(SOCK_DIAG)).ok()
}

/// The cookie of a socket's namespace; none before Linux 5.14.
fn cookie(socket: &OwnedFd) -> Option<u64> {
    let mut cookie = 0u64;
    let mut len = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the option's value has 8 bytes, and that is what `cookie` and `len` have room for.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_NETNS_COOKIE, (&raw mut cookie).cast(), &raw mut len)
    };
    (result == 0).then_some(cookie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_namespace_is_found_and_kept_and_another_is_not() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("not tested: only root may enter a network namespace");
            return;
        }
        std::thread::spawn(|| {
            let mut seen = HashSet::new();
            let here = open(&PathBuf::from("/proc/self/ns/net"), &mut seen).unwrap();
            let Some(cookie) = cookie(&here) else {
                return;
            };
            let mut namespaces = Namespaces::default();
            let id = std::process::id();
            let owner = Owner { netns_cookie: cookie, tgid: id, tid: id, ..Owner::EMPTY };
            for _ in 0..2 {
                let found = namespaces.with(&owner, |_| Found::Here(Ok(7)));
                assert_eq!(found.unwrap(), 7);
            }
            let other = Owner { netns_cookie: u64::MAX, ..owner };
            let found: io::Result<u32> = namespaces.with(&other, |_| Found::Here(Ok(7)));
            assert_eq!(found.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
            assert!(namespaces.open.contains_key(&cookie) && !namespaces.open.contains_key(&u64::MAX));
        })
        .join()
        .unwrap();
    }
}
