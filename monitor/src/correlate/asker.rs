//! Whose the names are that name servers tell.

use std::net::IpAddr;

use super::Connection;
use crate::process::{Lookup, Process};

/// Who asks name servers, for as long as its names are remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Asker {
    /// A process: a pid can be given out again, but not with the same start.
    Process { id: u32, started_ns: u64 },
    /// A host of a capture, which does not tell its processes.
    Host(IpAddr),
}

impl Asker {
    /// None: it is not known when the process started, so its id alone would be all there is.
    pub(super) fn of(connection: &Connection) -> Option<Self> {
        let Process { id, image, .. } = &*connection.process;
        if image.lookup == Lookup::NotInCapture {
            return Some(Self::Host(connection.local.ip()));
        }
        Some(Self::Process { id: *id, started_ns: image.started_ns? })
    }
}
