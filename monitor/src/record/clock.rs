//! From the kernel's time to the time of day.

use std::fmt;

use jiff::Timestamp as Instant;

/// How far the clock of the host is ahead of the time since boot. It changes when somebody sets the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    offset_ns: i64,
}

/// A moment in UTC, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    unix_ns: i64,
}

impl Clock {
    /// From two readings at one moment: nanoseconds since 1970 (CLOCK_REALTIME) and since boot (CLOCK_BOOTTIME).
    pub fn new(unix_ns: i64, boot_ns: i64) -> Self {
        Self { offset_ns: unix_ns.saturating_sub(boot_ns) }
    }

    /// When something happened that the kernel saw so many nanoseconds after boot.
    pub fn wall(self, boot_ns: u64) -> Timestamp {
        Timestamp { unix_ns: i64::try_from(boot_ns).unwrap_or(i64::MAX).saturating_add(self.offset_ns) }
    }
}

impl Timestamp {
    fn instant(self) -> Instant {
        Instant::from_nanosecond(self.unix_ns.into()).unwrap_or(Instant::MAX)
    }

    /// The time of day in UTC, to the millisecond.
    pub fn time_of_day(self) -> impl fmt::Display {
        self.instant().strftime("%H:%M:%S%.3f").to_string()
    }
}

/// As `datetime` columns have it: UTC, seven digits after the point.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.7}", self.instant())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_seven_digits() {
        let clock = Clock::new(1_700_000_000_000_000_000, 5_000_000_000);
        assert_eq!(clock.wall(5_000_000_000).to_string(), "2023-11-14T22:13:20.0000000Z");
        assert_eq!(clock.wall(6_012_345_678).to_string(), "2023-11-14T22:13:21.0123456Z");
        assert_eq!(clock.wall(6_012_345_678).time_of_day().to_string(), "22:13:21.012");
    }

    #[test]
    fn no_time_overflows() {
        assert!(!Clock::new(i64::MAX, i64::MIN).wall(u64::MAX).to_string().is_empty());
        assert!(!Clock::new(i64::MIN, i64::MAX).wall(0).to_string().is_empty());
    }
}
