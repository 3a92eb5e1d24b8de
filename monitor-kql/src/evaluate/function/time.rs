//! Functions on points in time.

use jiff::{ToSpan as _, civil::Date};

use super::{Table, at};
use crate::{
    evaluate::{
        arithmetic::{datetime, long, real, whole_of},
        node::as_text,
    },
    literal::{civil, ticks},
    value::{TICKS_PER_DAY, TICKS_PER_SECOND, UNIX_EPOCH_TICKS, Value},
};

pub(super) const FUNCTIONS: Table = &[
    ("startofday", |values| start(values, Unit::Day)),
    ("startofweek", |values| start(values, Unit::Week)),
    ("startofmonth", |values| start(values, Unit::Month)),
    ("startofyear", |values| start(values, Unit::Year)),
    ("endofday", |values| end(values, Unit::Day)),
    ("endofweek", |values| end(values, Unit::Week)),
    ("endofmonth", |values| end(values, Unit::Month)),
    ("endofyear", |values| end(values, Unit::Year)),
    ("getyear", |values| part(values, |date| i32::from(date.year()))),
    ("getmonth", |values| part(values, |date| i32::from(date.month()))),
    ("monthofyear", |values| part(values, |date| i32::from(date.month()))),
    ("dayofmonth", |values| part(values, |date| i32::from(date.day()))),
    ("dayofyear", |values| part(values, |date| i32::from(date.day_of_year()))),
    ("week_of_year", |values| part(values, |date| i32::from(date.iso_week_date().week()))),
    ("hourofday", |values| match moment(values) {
        Some(ticks) => i32::try_from(ticks % TICKS_PER_DAY / TICKS_PER_SECOND / 3600).map_or(Value::Null, Value::Int),
        None => Value::Null,
    }),
    // Days since Sunday, as a length of time.
    ("dayofweek", |values| match moment(values) {
        Some(ticks) => Value::Timespan((ticks / TICKS_PER_DAY + 1) % 7 * TICKS_PER_DAY),
        None => Value::Null,
    }),
    ("unixtime_seconds_todatetime", |values| unix(values, 1.0)),
    ("unixtime_milliseconds_todatetime", |values| unix(values, 1e3)),
    ("unixtime_microseconds_todatetime", |values| unix(values, 1e6)),
    ("unixtime_nanoseconds_todatetime", |values| unix(values, 1e9)),
    ("datetime_diff", difference),
];

#[derive(Clone, Copy)]
enum Unit {
    Day,
    Week,
    Month,
    Year,
}

fn moment(values: &[Value<'_>]) -> Option<i64> {
    match at(values, 0) {
        Value::DateTime(ticks) => Some(*ticks),
        _ => None,
    }
}

fn part(values: &[Value<'_>], of: fn(Date) -> i32) -> Value<'static> {
    moment(values).and_then(civil).map_or(Value::Null, |civil| Value::Int(of(civil.date)))
}

/// The beginning of the unit that a point is in, some units later.
fn begin(values: &[Value<'_>], unit: Unit, later: i64) -> Option<i64> {
    let date = civil(moment(values)?)?.date;
    let offset = values.get(1).map_or(Some(0), long)?.checked_add(later)?;
    let offset = i32::try_from(offset).ok()?;
    let first = match unit {
        Unit::Day => date.checked_add(offset.days()),
        Unit::Week => {
            let since_sunday = i32::from(date.weekday().to_sunday_zero_offset());
            date.checked_sub(since_sunday.days()).ok()?.checked_add(offset.checked_mul(7)?.days())
        }
        Unit::Month => date.first_of_month().checked_add(offset.months()),
        Unit::Year => date.first_of_year().checked_add(offset.years()),
    };
    ticks(first.ok()?)
}

fn start(values: &[Value<'_>], unit: Unit) -> Value<'static> {
    datetime(begin(values, unit, 0))
}

/// A tick before the next unit.
fn end(values: &[Value<'_>], unit: Unit) -> Value<'static> {
    datetime(begin(values, unit, 1).map(|next| next - 1))
}

fn unix(values: &[Value<'_>], per_second: f64) -> Value<'static> {
    #[expect(clippy::cast_precision_loss, reason = "ticks of a second are exact")]
    let per_tick = TICKS_PER_SECOND as f64 / per_second;
    let since = match long(at(values, 0)) {
        Some(number) if per_tick >= 1.0 => whole_of(per_tick).and_then(|factor| number.checked_mul(factor)),
        Some(number) => whole_of(1.0 / per_tick).map(|divisor| number.div_euclid(divisor)),
        None => real(at(values, 0)).and_then(|number| whole_of(number * per_tick)),
    };
    datetime(since.and_then(|since| since.checked_add(UNIX_EPOCH_TICKS)))
}

/// How many boundaries of a unit are between two points.
fn difference(values: &[Value<'_>]) -> Value<'static> {
    let (Value::DateTime(later), Value::DateTime(earlier)) = (at(values, 1), at(values, 2)) else {
        return Value::Null;
    };
    let (Some(to), Some(from)) = (civil(*later), civil(*earlier)) else {
        return Value::Null;
    };
    let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month()) - 1;
    let every = |ticks: i64| later.div_euclid(ticks) - earlier.div_euclid(ticks);
    Value::Long(match as_text(at(values, 0)).to_ascii_lowercase().as_str() {
        "year" => i64::from(to.date.year()) - i64::from(from.date.year()),
        "quarter" => months(to.date) / 3 - months(from.date) / 3,
        "month" => months(to.date) - months(from.date),
        // The first day of the calendar was a Monday, and weeks begin on Sunday.
        "week" => {
            let week = |ticks: i64| (ticks + TICKS_PER_DAY).div_euclid(7 * TICKS_PER_DAY);
            week(*later) - week(*earlier)
        }
        "day" => every(TICKS_PER_DAY),
        "hour" => every(3600 * TICKS_PER_SECOND),
        "minute" => every(60 * TICKS_PER_SECOND),
        "second" => every(TICKS_PER_SECOND),
        "millisecond" => every(TICKS_PER_SECOND / 1000),
        "microsecond" => every(TICKS_PER_SECOND / 1_000_000),
        "nanosecond" => {
            return later
                .checked_sub(*earlier)
                .and_then(|ticks| ticks.checked_mul(100))
                .map_or(Value::Null, Value::Long);
        }
        _ => return Value::Null,
    })
}
