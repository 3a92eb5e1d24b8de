//! Arithmetic and comparison of values. What overflows, divides by zero or mixes types has no value.

use std::cmp::Ordering;

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::dynamic;
use crate::{
    syntax::BinaryOperator,
    value::{DATETIME_TICKS_MAX, Value},
};

/// A point in time, when it is one.
pub(super) fn datetime(ticks: Option<i64>) -> Value<'static> {
    match ticks {
        Some(ticks) if (0..=DATETIME_TICKS_MAX).contains(&ticks) => Value::DateTime(ticks),
        _ => Value::Null,
    }
}

pub(super) fn negate(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Long(value) => value.checked_neg().map_or(Value::Null, Value::Long),
        Value::Int(value) => Value::Long(-i64::from(*value)),
        Value::Real(value) => Value::Real(-value),
        Value::Decimal(value) => Value::Decimal(-*value),
        Value::Timespan(value) => value.checked_neg().map_or(Value::Null, Value::Timespan),
        _ => Value::Null,
    }
}

pub(super) fn binary(operator: BinaryOperator, left: &Value<'_>, right: &Value<'_>) -> Value<'static> {
    use BinaryOperator as B;
    match operator {
        B::Equal | B::NotEqual => equality(left, right, operator == B::Equal),
        B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual => {
            let Some(order) = compare(left, right) else {
                return Value::Null;
            };
            Value::Bool(match operator {
                B::Less => order == Ordering::Less,
                B::LessOrEqual => order != Ordering::Greater,
                B::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })
        }
        B::Add | B::Subtract | B::Multiply | B::Divide | B::Modulo => arithmetic(operator, left, right),
        B::String(_) => Value::Null,
    }
}

/// Kusto: "Null values": a null is not equal to a value, and whether it is equal to a null is not known.
fn equality(left: &Value<'_>, right: &Value<'_>, is_equal: bool) -> Value<'static> {
    match (left.is_null(), right.is_null()) {
        (true, true) => return Value::Null,
        (true, false) | (false, true) => return Value::Bool(!is_equal),
        (false, false) => {}
    }
    let same = match (left, right) {
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Guid(left), Value::Guid(right)) => left == right,
        (Value::Dynamic(left), Value::Dynamic(right)) => left == right,
        (Value::Dynamic(json), other) | (other, Value::Dynamic(json)) => dynamic::equals(other, json, true),
        _ => compare(left, right) == Some(Ordering::Equal),
    };
    Value::Bool(same == is_equal)
}

/// The order of two values of one kind.
pub(super) fn compare(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::DateTime(left), Value::DateTime(right)) | (Value::Timespan(left), Value::Timespan(right)) => {
            Some(left.cmp(right))
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Dynamic(_), other) | (other, Value::Dynamic(_)) if other.is_null() => None,
        _ => {
            if let (Some(left), Some(right)) = (long(left), long(right)) {
                return Some(left.cmp(&right));
            }
            real(left)?.partial_cmp(&real(right)?)
        }
    }
}

/// A whole number, without loss.
pub(super) fn long(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Long(value) => Some(*value),
        Value::Int(value) => Some(i64::from(*value)),
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Dynamic(json) => json.as_i64(),
        _ => None,
    }
}

/// A number as a real.
pub(super) fn real(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Real(value) => Some(*value),
        Value::Decimal(value) => value.to_f64(),
        #[expect(clippy::cast_precision_loss, reason = "a real is what was asked for")]
        Value::Long(value) => Some(*value as f64),
        Value::Int(value) => Some(f64::from(*value)),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Dynamic(json) => json.as_f64(),
        _ => None,
    }
}

fn arithmetic(operator: BinaryOperator, left: &Value<'_>, right: &Value<'_>) -> Value<'static> {
    use Value as V;
    match (left, right) {
        (V::Int(_) | V::Long(_), V::Int(_) | V::Long(_)) => match (long(left), long(right)) {
            (Some(left), Some(right)) => whole(operator, left, right).map_or(V::Null, V::Long),
            _ => V::Null,
        },
        (V::Timespan(left), V::Timespan(right)) => match operator {
            BinaryOperator::Divide => ratio(*left, *right),
            _ => whole(operator, *left, *right).map_or(V::Null, V::Timespan),
        },
        (V::DateTime(left), V::DateTime(right)) => match operator {
            BinaryOperator::Divide => ratio(*left, *right),
            _ => whole(operator, *left, *right).map_or(V::Null, V::Timespan),
        },
        (V::DateTime(left), V::Timespan(right)) => match operator {
            BinaryOperator::Divide => ratio(*left, *right),
            BinaryOperator::Modulo => whole(operator, *left, *right).map_or(V::Null, V::Timespan),
            _ => datetime(whole(operator, *left, *right)),
        },
        (V::Timespan(left), V::DateTime(right)) => datetime(whole(operator, *left, *right)),
        (V::Timespan(ticks), number) => scaled(operator, *ticks, number),
        (number, V::Timespan(ticks)) if operator == BinaryOperator::Multiply => scaled(operator, *ticks, number),
        (V::Decimal(left), V::Decimal(right)) => exact(operator, *left, *right).map_or(V::Null, V::Decimal),
        _ => match (real(left), real(right)) {
            (Some(left), Some(right)) => V::Real(approximate(operator, left, right)),
            _ => V::Null,
        },
    }
}

fn whole(operator: BinaryOperator, left: i64, right: i64) -> Option<i64> {
    match operator {
        BinaryOperator::Add => left.checked_add(right),
        BinaryOperator::Subtract => left.checked_sub(right),
        BinaryOperator::Multiply => left.checked_mul(right),
        BinaryOperator::Divide => left.checked_div(right),
        // The remainder has the sign of neither but is positive, as Kusto has it.
        BinaryOperator::Modulo => left.checked_rem_euclid(right),
        _ => None,
    }
}

fn exact(operator: BinaryOperator, left: Decimal, right: Decimal) -> Option<Decimal> {
    match operator {
        BinaryOperator::Add => left.checked_add(right),
        BinaryOperator::Subtract => left.checked_sub(right),
        BinaryOperator::Multiply => left.checked_mul(right),
        BinaryOperator::Divide => left.checked_div(right),
        BinaryOperator::Modulo => left.checked_rem(right),
        _ => None,
    }
}

fn approximate(operator: BinaryOperator, left: f64, right: f64) -> f64 {
    match operator {
        BinaryOperator::Add => left + right,
        BinaryOperator::Subtract => left - right,
        BinaryOperator::Multiply => left * right,
        BinaryOperator::Divide => left / right,
        _ => left.rem_euclid(right),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio is a real")]
fn ratio(left: i64, right: i64) -> Value<'static> {
    if right == 0 { Value::Null } else { Value::Real(left as f64 / right as f64) }
}

fn scaled(operator: BinaryOperator, ticks: i64, number: &Value<'_>) -> Value<'static> {
    if let Some(number) = long(number) {
        return whole(operator, ticks, number).map_or(Value::Null, Value::Timespan);
    }
    let Some(number) = real(number) else {
        return Value::Null;
    };
    #[expect(clippy::cast_precision_loss, reason = "the factor is a real")]
    let product = approximate(operator, ticks as f64, number);
    whole_of(product).map_or(Value::Null, Value::Timespan)
}

/// The whole part of a real, when it is a long.
pub(super) fn whole_of(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "within the range of a long")]
    (value.abs() < 9.2e18).then_some(value as i64)
}
