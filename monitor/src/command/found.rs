//! The connections that are open when the daemon starts, listed by a thread of its own, so that neither attaching nor the first
//! events wait for it.

use std::collections::HashSet;
use std::io;

use tokio::sync::oneshot;

use crate::correlate::Found;
use crate::host;
use crate::kernel::{OpenSocket, OpenSockets, open_sockets};
use crate::process::{Holders, holders};

/// The list.
pub(super) struct Listed {
    pub(super) list: Vec<Found>,
    /// When it was made: nanoseconds since boot.
    pub(super) time_ns: u64,
    /// Why it is not all that there is.
    pub(super) remarks: Vec<String>,
}

/// Starts to list. Begin after attaching: whatever opens later is told of by events.
///
/// # Errors
/// The system has no thread left.
pub(super) fn start() -> io::Result<oneshot::Receiver<Listed>> {
    let (listed, receiver) = oneshot::channel();
    std::thread::Builder::new().name("found".to_owned()).spawn(move || {
        // Nobody waits any more when the daemon itself has ended.
        let _ = listed.send(list());
    })?;
    Ok(receiver)
}

fn list() -> Listed {
    let OpenSockets { sockets, left_out } = open_sockets();
    let time_ns = host::boot_ns();
    let inodes: HashSet<u64> = sockets.iter().map(|each| each.inode.into()).filter(|inode| *inode != 0).collect();
    let Holders { by_inode, is_cut } = holders(&inodes);
    let found = |socket: OpenSocket| {
        let OpenSocket { cookie, inode, local, remote } = socket;
        let process = by_inode.get(&inode.into()).cloned().unwrap_or_default();
        Found { cookie, process, local, remote }
    };
    let mut remarks = Vec::new();
    if left_out != 0 {
        remarks.push(format!("{left_out} more connections were open at the start than are listed; they have no row"));
    }
    if is_cut {
        remarks.push(
            "not all descriptors were looked at; connections open at the start may lack their process".to_owned(),
        );
    }
    Listed { list: sockets.into_iter().map(found).collect(), time_ns, remarks }
}
