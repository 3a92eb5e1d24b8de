//! Functions on numbers.

use std::cmp::Ordering;

use super::{Table, at};
use crate::{
    evaluate::arithmetic::{compare, long, negate, real, whole_of},
    value::Value,
};

pub(super) const FUNCTIONS: Table = &[
    ("abs", |values| match at(values, 0) {
        Value::Real(value) => Value::Real(value.abs()),
        Value::Decimal(value) => Value::Decimal(value.abs()),
        Value::Timespan(value) => value.checked_abs().map_or(Value::Null, Value::Timespan),
        value => long(value).and_then(i64::checked_abs).map_or(Value::Null, Value::Long),
    }),
    ("bin", bin),
    ("floor", bin),
    ("ceiling", |values| match at(values, 0) {
        Value::Real(value) => Value::Real(value.ceil()),
        value => value.clone().into_owned(),
    }),
    ("round", |values| match at(values, 0) {
        Value::Real(value) => {
            let digits = values.get(1).and_then(long).unwrap_or(0).clamp(-15, 15);
            let factor = 10_f64.powi(i32::try_from(digits).unwrap_or(0));
            Value::Real((value * factor).round_ties_even() / factor)
        }
        value => value.clone().into_owned(),
    }),
    ("sqrt", |values| over(values, f64::sqrt)),
    ("exp", |values| over(values, f64::exp)),
    ("log", |values| over(values, f64::ln)),
    ("log2", |values| over(values, f64::log2)),
    ("log10", |values| over(values, f64::log10)),
    ("pow", |values| match (real(at(values, 0)), real(at(values, 1))) {
        (Some(base), Some(exponent)) => Value::Real(base.powf(exponent)),
        _ => Value::Null,
    }),
    ("sign", |values| match real(at(values, 0)) {
        Some(0.0) => Value::Real(0.0),
        Some(value) => Value::Real(value.signum()),
        None => Value::Null,
    }),
    ("isnan", |values| is(values, f64::is_nan)),
    ("isinf", |values| is(values, f64::is_infinite)),
    ("isfinite", |values| is(values, f64::is_finite)),
    ("binary_and", |values| bits(values, |left, right| left & right)),
    ("binary_or", |values| bits(values, |left, right| left | right)),
    ("binary_xor", |values| bits(values, |left, right| left ^ right)),
    ("binary_not", |values| long(at(values, 0)).map_or(Value::Null, |value| Value::Long(!value))),
    ("max_of", |values| extreme(values, Ordering::Greater)),
    ("min_of", |values| extreme(values, Ordering::Less)),
];

fn over(values: &[Value<'_>], function: fn(f64) -> f64) -> Value<'static> {
    real(at(values, 0)).map_or(Value::Null, |value| Value::Real(function(value)))
}

fn is(values: &[Value<'_>], test: fn(f64) -> bool) -> Value<'static> {
    real(at(values, 0)).map_or(Value::Null, |value| Value::Bool(test(value)))
}

fn bits(values: &[Value<'_>], function: fn(i64, i64) -> i64) -> Value<'static> {
    match (long(at(values, 0)), long(at(values, 1))) {
        (Some(left), Some(right)) => Value::Long(function(left, right)),
        _ => Value::Null,
    }
}

fn extreme(values: &[Value<'_>], wanted: Ordering) -> Value<'static> {
    let known = values.iter().filter(|value| !value.is_null());
    let best = known.reduce(|best, value| if compare(value, best) == Some(wanted) { value } else { best });
    best.map_or(Value::Null, |value| value.clone().into_owned())
}

/// The greatest multiple of the step that is not greater.
fn bin(values: &[Value<'_>]) -> Value<'static> {
    let whole = |value: i64, step: i64| match step {
        1.. => value.checked_sub(value.rem_euclid(step)),
        _ => None,
    };
    match (at(values, 0), at(values, 1)) {
        (Value::DateTime(value), Value::Timespan(step)) => whole(*value, *step).map_or(Value::Null, Value::DateTime),
        (Value::Timespan(value), Value::Timespan(step)) => whole(*value, *step).map_or(Value::Null, Value::Timespan),
        (Value::Real(value), step) => match real(step) {
            Some(step) if step > 0.0 => Value::Real((value / step).floor() * step),
            _ => Value::Null,
        },
        (value, step) => match (long(value), long(step)) {
            (Some(value), Some(step)) => whole(value, step).map_or(Value::Null, Value::Long),
            // `ceiling` and `floor` of one argument.
            (_, None) if values.len() == 1 => match value {
                Value::Real(value) => whole_of(value.floor()).map_or(Value::Null, Value::Long),
                other => negate(&negate(other)),
            },
            _ => Value::Null,
        },
    }
}
