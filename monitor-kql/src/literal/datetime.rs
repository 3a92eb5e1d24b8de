//! Points in time: the forms that Kusto reads ("The datetime data type"), and ISO 8601, which it writes.

use jiff::civil::{Date, DateTime, Time};

use crate::value::{DATETIME_TICKS_MAX, TICKS_PER_DAY, TICKS_PER_SECOND};

/// A point in time as a calendar and a clock show it in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// From 0001-01-01 to 9999-12-31.
    pub date: Date,
    /// Ticks of 100 ns since midnight, below a day.
    pub ticks: i64,
}

/// The calendar day and the time of day of `ticks` since 0001-01-01; `None` outside of the years 1 to 9999.
#[must_use]
pub fn civil(ticks: i64) -> Option<Civil> {
    if !(0..=DATETIME_TICKS_MAX).contains(&ticks) {
        return None;
    }
    let days = i32::try_from(ticks / TICKS_PER_DAY).ok()?;
    let date = first_day().checked_add(jiff::Span::new().days(days)).ok()?;
    Some(Civil { date, ticks: ticks % TICKS_PER_DAY })
}

/// Ticks since 0001-01-01 of midnight of `date`; `None` outside of the years 1 to 9999.
#[must_use]
pub fn ticks(date: Date) -> Option<i64> {
    let days = first_day().until(date).ok()?.get_days();
    let ticks = i64::from(days) * TICKS_PER_DAY;
    (0..=DATETIME_TICKS_MAX).contains(&ticks).then_some(ticks)
}

fn first_day() -> Date {
    Date::constant(1, 1, 1)
}

/// A point in time as text: ISO 8601 with or without its parts, RFC 822 and RFC 850, `5/25/2014 10:00`. A time without an
/// offset is UTC.
#[must_use]
pub fn datetime(text: &str) -> Option<i64> {
    let text = text.trim();
    let (text, offset) = split_offset(text)?;
    let point = iso(text).or_else(|| slashes(text)).or_else(|| named_month(text))?;
    let point = point.checked_sub(offset)?;
    (0..=DATETIME_TICKS_MAX).contains(&point).then_some(point)
}

/// Takes `Z`, `GMT`, `UTC` or `+02:00` off the end; the offset is in ticks.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    for zero in ["Z", "z", "GMT", "UTC"] {
        if let Some(rest) = text.strip_suffix(zero) {
            return Some((rest.trim_end(), 0));
        }
    }
    // A dash of the date is not an offset: an offset comes after the time.
    let colon = text.find(':').unwrap_or(text.len());
    let Some(at) = text.rfind(['+', '-']).filter(|at| *at > colon) else {
        return Some((text, 0));
    };
    let (rest, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.len() {
        2 => format!("{digits}00"),
        4 => digits,
        _ => return None,
    };
    let (hours, minutes) = digits.split_at(2);
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some((rest.trim_end(), sign * minutes * 60 * TICKS_PER_SECOND))
}

/// `2014`, `2014-05`, `2014-05-25`, `20140525`, each of the last two with a time after a blank or a `T`.
fn iso(text: &str) -> Option<i64> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?.trim_start())),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = parts.next()?;
    let (year, month, day) = match (year.len(), parts.next(), parts.next()) {
        (4, Some(month), Some(day)) => (year, month, day),
        (4, Some(month), None) if time.is_none() => (year, month, "1"),
        (4, None, None) if time.is_none() => (year, "1", "1"),
        (8, None, None) => (year.get(..4)?, year.get(4..6)?, year.get(6..)?),
        _ => return None,
    };
    if parts.next().is_some() {
        return None;
    }
    at(year, month, day, time)
}

/// `5/25/2014 10:00`: month, day, year.
fn slashes(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, Some(time.trim())),
        None => (text, None),
    };
    let mut parts = date.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    at(year, month, day, time)
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// `Sat, 8 Nov 14 15:05:02`, `Saturday, 08-Nov-14 15:05`, `Nov 8, 2014`.
fn named_month(text: &str) -> Option<i64> {
    let mut month = None;
    let mut numbers: Vec<&str> = Vec::new();
    let mut time = None;
    for word in text.split([' ', ',', '-']).filter(|word| !word.is_empty()) {
        let lower = word.to_ascii_lowercase();
        if word.contains(':') {
            time = Some(word);
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers.push(word);
        } else if let Some(at) = MONTHS.iter().position(|name| lower.starts_with(name)) {
            month = Some(at + 1);
        } else if !["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().any(|day| lower.starts_with(day)) {
            return None;
        }
    }
    let [day, year] = numbers.as_slice() else {
        return None;
    };
    let year = if year.len() == 2 {
        // RFC 2822, section 4.3: two digits below 50 are of this century.
        let century = if *year < "50" { "20" } else { "19" };
        format!("{century}{year}")
    } else {
        (*year).to_owned()
    };
    at(&year, &month?.to_string(), day, time)
}

fn at(year: &str, month: &str, day: &str, time: Option<&str>) -> Option<i64> {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i16>().ok()).flatten();
    let date = Date::new(number(year)?, i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?).ok()?;
    ticks(date)?.checked_add(time.map_or(Some(0), time_of_day)?)
}

/// `10`, `10:20`, `10:20:30.1234567`, each with AM or PM.
fn time_of_day(text: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let (clock, noon) = match lower.strip_suffix("am") {
        Some(clock) => (clock, Some(0)),
        None => lower.strip_suffix("pm").map_or((lower.as_str(), None), |clock| (clock, Some(12))),
    };
    let (clock, fraction) = clock.trim_end().split_once('.').unwrap_or((clock.trim_end(), ""));
    let mut parts = clock.split(':');
    let mut part = |most: i64| match parts.next() {
        Some(text) if !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse::<i64>().ok().filter(|value| *value <= most)
        }
        Some(_) => None,
        None => Some(0),
    };
    let (mut hours, minutes, seconds) = (part(24)?, part(59)?, part(59)?);
    if parts.next().is_some() || fraction.bytes().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    if let Some(noon) = noon {
        hours = hours % 12 + noon;
    }
    // A tick is the seventh digit; what is finer is cut off.
    let digits: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    let ticks = ((hours * 60 + minutes) * 60 + seconds) * TICKS_PER_SECOND + digits.parse::<i64>().ok()?;
    (ticks <= TICKS_PER_DAY).then_some(ticks)
}

/// `2014-05-25T08:20:03.1234560Z`; nothing for what is no point in time.
#[must_use]
pub fn datetime_text(ticks: i64) -> String {
    let Some(Civil { date, ticks }) = civil(ticks) else {
        return String::new();
    };
    let second = ticks / TICKS_PER_SECOND;
    let point = DateTime::from_parts(date, Time::midnight());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z",
        point.year(),
        point.month(),
        point.day(),
        second / 3600,
        second / 60 % 60,
        second % 60,
        ticks % TICKS_PER_SECOND
    )
}
