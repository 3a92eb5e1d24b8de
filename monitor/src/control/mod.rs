//! The control socket: HTTP/1.1 over a Unix socket, by which a running daemon tells how it is and streams its records.
//!
//! Only root may use it: the socket's file has mode 0600, and the kernel says who connected (SO_PEERCRED). The server has a
//! thread and a runtime of its own, so no client, however slow or hostile, makes the pipeline wait: connections, their
//! headers and the time to send them are bounded, and the pipeline is asked through a channel that it empties when it can.
//! docs/api.md is for those who call it.

mod client;
mod metrics;
mod route;
mod server;
mod service;
mod socket;
mod status;

use std::io;
use std::path::PathBuf;

pub use client::{Answer, Rejected, get};
pub use route::{Refusal, Route};
pub use server::{Question, Server};
pub use service::{Counts, Usage};
pub use status::{Control, Counters, Coverage, Events, Hook, LostEvents, Policy, Problem, Proxy, Status};

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of another kind has the name.
    #[error("{} is no socket and is left alone; name another path with --control", path.display())]
    NoSocket {
        /// Where.
        path: PathBuf,
    },
    /// Somebody answers there.
    #[error("another program answers at the control socket {}; stop it, or name another path with --control", path.display())]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// The socket could not be made.
    #[error("{what} {}", path.display())]
    Socket {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The thread could not be started.
    #[error("start the thread of the control socket")]
    Thread(#[source] io::Error),
}
