//! The account of events: every one that the kernel emitted was recorded, or lost for a reason that is counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the events that user space took from the ring. Shared by the pipeline and the stream's writer.
#[derive(Debug, Default)]
pub struct Account {
    recorded: AtomicU64,
    rejected: AtomicU64,
    unwritten: AtomicU64,
}

/// The account of a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Events that the kernel programs wanted to hand over.
    pub emitted: u64,
    /// Events whose records were all written; all events when there is no stream.
    pub recorded: u64,
    /// Events that found the ring full.
    pub ring_full: u64,
    /// Events that could not be decoded.
    pub rejected: u64,
    /// Events whose records the stream could not take or write.
    pub unwritten: u64,
}

impl Account {
    /// These events are in the record.
    pub fn recorded(&self, events: u64) {
        self.recorded.fetch_add(events, Ordering::Relaxed);
    }

    /// An event could not be decoded.
    pub fn rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// The records of these events could not be written.
    pub fn unwritten(&self, events: u64) {
        self.unwritten.fetch_add(events, Ordering::Relaxed);
    }

    /// With what the kernel counted.
    pub fn totals(&self, emitted: u64, ring_full: u64) -> Totals {
        Totals {
            emitted,
            recorded: self.recorded.load(Ordering::Relaxed),
            ring_full,
            rejected: self.rejected.load(Ordering::Relaxed),
            unwritten: self.unwritten.load(Ordering::Relaxed),
        }
    }
}

impl Totals {
    /// Events lost, for whatever reason.
    pub fn lost(&self) -> u64 {
        self.ring_full + self.rejected + self.unwritten
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "events emitted {}, recorded {}, lost {}", self.emitted, self.recorded, self.lost())?;
        let reasons = [
            (self.ring_full, "the ring was full"),
            (self.rejected, "not decodable"),
            (self.unwritten, "the stream was too slow or failed"),
        ];
        for (count, reason) in reasons.iter().filter(|(count, _)| *count != 0) {
            write!(f, " ({count}: {reason})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_each_reason_of_a_loss() {
        let account = Account::default();
        account.recorded(5);
        assert_eq!(account.totals(5, 0).to_string(), "events emitted 5, recorded 5, lost 0");
        account.rejected();
        account.unwritten(2);
        assert_eq!(
            account.totals(9, 1).to_string(),
            "events emitted 9, recorded 5, lost 4 (1: the ring was full) (1: not decodable) (2: the stream was too slow or failed)"
        );
    }
}
