//! Lengths of time: `1.5h`, `2.10:30:00.5`, `10:30`, and `d.hh:mm:ss.fffffff`, which Kusto writes.

use crate::{
    lexer::UNITS,
    value::{TICKS_PER_DAY, TICKS_PER_SECOND},
};

/// A length of time as text, in ticks. A number alone is days.
#[must_use]
pub fn timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks = if text.contains(':') { clock(text)? } else { amount(text)? };
    Some(sign * ticks)
}

/// `1.5h`, `2 days`, `3`.
fn amount(text: &str) -> Option<i64> {
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit = if unit.is_empty() { "d" } else { unit.trim() };
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    #[expect(clippy::cast_possible_truncation, reason = "compared with the range of a long before")]
    let ticks = |value: f64| (value.abs() < 9.2e18).then_some(value as i64);
    match number.parse::<i64>() {
        // Whole numbers of ticks stay exact where a real would round.
        Ok(whole) if *length >= 1.0 => ticks(*length)?.checked_mul(whole),
        _ => ticks((number.parse::<f64>().ok()? * length).round()),
    }
}

/// `[d.]hh:mm[:ss[.fffffff]]`
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let number = |text: &str, most: i64| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok()).flatten().filter(|value| *value <= most)
    };
    let (days, hours) = (number(days, 10_675_199)?, number(hours, 23)?);
    let (minutes, seconds) = (number(minutes, 59)?, number(seconds, 59)?);
    let digits: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    days.checked_mul(TICKS_PER_DAY)?.checked_add(seconds * TICKS_PER_SECOND + number(&digits, i64::MAX)?)
}

/// `1.02:03:04.0000005`: days and the fraction only when there are any.
#[must_use]
pub fn timespan_text(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.unsigned_abs();
    let day = TICKS_PER_DAY.unsigned_abs();
    let second = TICKS_PER_SECOND.unsigned_abs();
    let (days, seconds, fraction) = (ticks / day, ticks % day / second, ticks % second);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let days = if days == 0 { String::new() } else { format!("{days}.") };
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:07}") };
    format!("{sign}{days}{clock}{fraction}")
}
