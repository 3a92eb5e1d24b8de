//! Ends blocked sockets, so that their owners get ECONNABORTED at once instead of waiting for a time-out.
//!
//! The kernel programs tell which through a ring of its own; a thread of its own does it.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use aya::maps::{MapData, RingBuf};
use monitor_common::event::{Body, Origin, decode};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

use super::Error;
use super::netns::{Found, Namespaces};
use super::sock_diag::destroy;

/// What became of the sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Destroyed.
    pub done: u64,
    /// Were gone already.
    pub gone: u64,
    /// Could not be destroyed: their network namespace was not found, or the kernel refused.
    pub failed: u64,
}

/// The same while it goes on.
#[derive(Default)]
struct Counts {
    done: AtomicU64,
    gone: AtomicU64,
    failed: AtomicU64,
}

/// The thread that destroys.
pub struct Destroyer {
    thread: JoinHandle<io::Result<()>>,
    counts: Arc<Counts>,
    stop: OwnedFd,
}

impl Destroyer {
    pub(super) fn start(doomed: RingBuf<MapData>) -> Result<Self, Error> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC)
            .map_err(|source| Error::System { what: "make an eventfd", source: source.into() })?;
        let heard = stop.try_clone().map_err(|source| Error::System { what: "duplicate an eventfd", source })?;
        let counts = Arc::<Counts>::default();
        let theirs = counts.clone();
        let thread = std::thread::Builder::new()
            .name("destroyer".to_owned())
            .spawn(move || work(doomed, &heard, &theirs))
            .map_err(|source| Error::System { what: "start the destroyer thread", source })?;
        Ok(Self { thread, counts, stop })
    }

    /// What became of the sockets so far.
    pub fn destroyed(&self) -> Destroyed {
        self.counts.read()
    }

    /// Destroys what is still waiting, ends, and tells what became of them all.
    ///
    /// # Errors
    /// The thread could not wait for sockets any more, and ended before.
    pub fn finish(self) -> Result<Destroyed, Error> {
        let what = "destroy blocked sockets";
        rustix::io::write(&self.stop, &1u64.to_ne_bytes())
            .map_err(|source| Error::System { what, source: source.into() })?;
        match self.thread.join() {
            Ok(Ok(())) => Ok(self.counts.read()),
            Ok(Err(source)) => Err(Error::System { what, source }),
            Err(_) => Err(Error::System { what, source: io::Error::other("the thread panicked") }),
        }
    }
}

impl Counts {
    fn read(&self) -> Destroyed {
        Destroyed {
            done: self.done.load(Ordering::Relaxed),
            gone: self.gone.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

fn work(mut doomed: RingBuf<MapData>, stop: &OwnedFd, counts: &Counts) -> io::Result<()> {
    let mut namespaces = Namespaces::default();
    loop {
        // SAFETY: the ring owns the descriptor and outlives the borrow.
        let ring = unsafe { BorrowedFd::borrow_raw(doomed.as_raw_fd()) };
        let mut ready = [PollFd::new(&ring, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut ready, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [_, stop] = &ready;
        let stopped = !stop.revents().is_empty();
        while let Some(bytes) = doomed.next() {
            // The kernel programs write nothing else into this ring; anything else would be a fault of theirs.
            let counter = match decode(&bytes).map(|event| (event.header, event.body)) {
                Ok((header, Body::Doomed { origin })) => match end(&mut namespaces, origin, header.cookie) {
                    Ok(()) => &counts.done,
                    Err(error) if error.raw_os_error() == Some(libc::ENOENT) => &counts.gone,
                    Err(_) => &counts.failed,
                },
                Ok(_) | Err(_) => &counts.failed,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if stopped {
            return Ok(());
        }
    }
}

fn end(namespaces: &mut Namespaces, socket: &Origin, cookie: u64) -> io::Result<()> {
    namespaces.with(&socket.owner, |netlink| match destroy(netlink, &socket.endpoints, cookie) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Found::NotHere(error),
        result => Found::Here(result),
    })
}
