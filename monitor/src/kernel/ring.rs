//! The ring buffer as an asynchronous source of bytes. It never looks into them.

use std::ops::ControlFlow;

use aya::maps::{MapData, RingBuf};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Error;

/// The reader's end of the ring.
pub struct Ring {
    ring: AsyncFd<RingBuf<MapData>>,
}

impl Ring {
    pub(super) fn new(ring: RingBuf<MapData>) -> Result<Self, Error> {
        // SAFETY: the ring owns its map's descriptor and keeps it open, the same one, until it is dropped; it lives in the
        // `AsyncFd` from here on.
        let ring = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) }
            .map_err(|error| Error::System { what: "poll the ring buffer", source: error.into() })?;
        Ok(Self { ring })
    }

    /// Waits until there is something to read.
    ///
    /// # Errors
    /// The runtime's reactor is gone.
    pub async fn readable(&mut self) -> Result<(), Error> {
        let mut ready = self
            .ring
            .readable_mut()
            .await
            .map_err(|source| Error::System { what: "wait for the ring buffer", source })?;
        // Whoever waits reads the ring until it is empty, and the kernel wakes again for what comes after that.
        ready.clear_ready();
        Ok(())
    }

    /// Hands each record to `take` until the ring is empty or `take` has had enough. The bytes are freed when it returns.
    pub fn drain(&mut self, mut take: impl FnMut(&[u8]) -> ControlFlow<()>) {
        while let Some(record) = self.ring.get_mut().next() {
            if take(&record).is_break() {
                break;
            }
        }
    }
}
