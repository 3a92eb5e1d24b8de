//! Numbers and timespans: what begins with a digit and is no name.

use super::{TokenKind, is_word_part};

/// The units of a timespan literal, with their length in ticks of 100 ns. Nanoseconds are below a tick.
pub(crate) const UNITS: &[(&str, f64)] = &[
    ("d", 864_000_000_000.0),
    ("day", 864_000_000_000.0),
    ("days", 864_000_000_000.0),
    ("h", 36_000_000_000.0),
    ("hr", 36_000_000_000.0),
    ("hrs", 36_000_000_000.0),
    ("hour", 36_000_000_000.0),
    ("hours", 36_000_000_000.0),
    ("m", 600_000_000.0),
    ("min", 600_000_000.0),
    ("minute", 600_000_000.0),
    ("minutes", 600_000_000.0),
    ("s", 10_000_000.0),
    ("sec", 10_000_000.0),
    ("second", 10_000_000.0),
    ("seconds", 10_000_000.0),
    ("ms", 10_000.0),
    ("milli", 10_000.0),
    ("millis", 10_000.0),
    ("millisec", 10_000.0),
    ("millisecond", 10_000.0),
    ("milliseconds", 10_000.0),
    ("micro", 10.0),
    ("micros", 10.0),
    ("microsec", 10.0),
    ("microsecond", 10.0),
    ("microseconds", 10.0),
    ("nano", 0.01),
    ("nanos", 0.01),
    ("nanosec", 0.01),
    ("nanosecond", 0.01),
    ("nanoseconds", 0.01),
    ("tick", 1.0),
    ("ticks", 1.0),
];

/// The kind and length of the number that `rest` begins with.
pub(super) fn scan(rest: &str) -> Option<(TokenKind, usize)> {
    real(rest)
        .map(|length| (TokenKind::Real, length))
        .or_else(|| timespan(rest).map(|length| (TokenKind::Timespan, length)))
        .or_else(|| long(rest).map(|length| (TokenKind::Long, length)))
}

fn digits(text: &str) -> usize {
    text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len())
}

fn from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The text ends where no letter, digit or underscore follows.
fn ends(text: &str, at: usize) -> Option<usize> {
    from(text, at).chars().next().is_none_or(|char| !is_word_part(char)).then_some(at)
}

fn real(text: &str) -> Option<usize> {
    let mut at = digits(text);
    let is_fraction = from(text, at).starts_with('.') && !from(text, at).starts_with("..");
    if is_fraction {
        at += 1;
        at += digits(from(text, at));
    }
    let exponent = exponent(from(text, at));
    if !is_fraction && exponent.is_none() {
        return None;
    }
    ends(text, at + exponent.unwrap_or(0))
}

fn exponent(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(['e', 'E'])?;
    let sign = usize::from(rest.starts_with(['+', '-']));
    let digits = digits(from(rest, sign));
    (digits > 0).then_some(1 + sign + digits)
}

fn timespan(text: &str) -> Option<usize> {
    let mut at = digits(text);
    if from(text, at).starts_with('.') && digits(from(text, at + 1)) > 0 {
        at += 1 + digits(from(text, at + 1));
    }
    let unit = from(text, at);
    let unit = unit.find(|char| !is_word_part(char)).map_or(unit, |end| unit.get(..end).unwrap_or_default());
    UNITS.iter().any(|(name, _)| *name == unit).then_some(at + unit.len())
}

fn long(text: &str) -> Option<usize> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(rest) = hexadecimal {
        let digits = rest.find(|char: char| !char.is_ascii_hexdigit()).unwrap_or(rest.len());
        if digits > 0 {
            return ends(text, 2 + digits);
        }
    }
    ends(text, digits(text))
}
