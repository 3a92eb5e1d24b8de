//! Which host this is, and what time it is there: read once, or asked for by those who may know the time.

use std::io;
use std::path::PathBuf;
use std::{fmt::Write as _, fs};

use rustix::time::{ClockId, clock_gettime};
use sha1::{Digest as _, Sha1};

use crate::record::{Clock, Device};

/// Why a host cannot tell who it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The boot id has not the form that the kernel gives it.
    #[error("the boot id in {path} is no UUID")]
    BootId {
        /// Which file.
        path: PathBuf,
    },
}

/// The host's name and an id derived from its machine id (machine-id(5)), which itself is to be kept confidential. A host
/// without one has an empty id.
pub fn device() -> Device {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let machine_id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let machine_id = machine_id.trim();
    let id = if machine_id.is_empty() { String::new() } else { hex(&Sha1::digest(format!("proxysight {machine_id}"))) };
    Device { id, name }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The first half of this boot's id, which the kernel draws at random.
///
/// # Errors
/// /proc is not mounted, or holds something else there.
pub fn boot_id() -> Result<u64, Error> {
    let path = PathBuf::from("/proc/sys/kernel/random/boot_id");
    let text = fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).map_err(|_| Error::BootId { path })
}

/// Nanoseconds since boot, suspend included: the kernel's time of events.
pub fn boot_ns() -> u64 {
    u64::try_from(nanoseconds(ClockId::Boottime)).unwrap_or_default()
}

/// How the kernel's time relates to the time of day, right now.
pub fn clock() -> Clock {
    Clock::new(nanoseconds(ClockId::Realtime), nanoseconds(ClockId::Boottime))
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_knows_itself() {
        assert_eq!(device(), device());
        assert!(!device().name.is_empty() && [0, 40].contains(&device().id.len()));
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        assert!(boot_ns() > 0 && boot_ns() <= boot_ns());
        assert_eq!(hex(&[0, 0xab]), "00ab");
    }
}
