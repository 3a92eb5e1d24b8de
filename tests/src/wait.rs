//! Waiting for a condition of the outside world that sends no notice: a port that accepts, a line in a log file.
//!
//! This is the one place that pauses. It decides nothing by time that has passed: a condition that holds ends the wait,
//! and one that does not hold by the deadline is an error with its name.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How long a condition may take before the test fails. Generous: a loaded machine is not a fault of the daemon.
pub const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Looks again and again until `look` gives a value, and returns it.
///
/// # Errors
/// When `look` fails, or has given nothing for [`PATIENCE`].
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("waited {} s in vain: {what}", PATIENCE.as_secs());
        }
        thread::sleep(PAUSE_BETWEEN_LOOKS);
    }
}
