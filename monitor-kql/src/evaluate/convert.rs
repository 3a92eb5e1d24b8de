//! Conversions between types: those that the language makes, and `tostring()` and its kin. What cannot be converted is null.

use std::borrow::Cow;

use rust_decimal::{Decimal, prelude::FromPrimitive as _};

use super::{
    arithmetic::{datetime, long, real, whole_of},
    node::as_text,
};
use crate::{literal, types::Type, value::Value};

/// `value` as one of type `ty`.
pub(super) fn convert(value: Value<'_>, ty: Type) -> Value<'_> {
    match ty {
        Type::String => match value {
            Value::String(text) => Value::String(text),
            other => Value::String(Cow::Owned(as_text(&other).into_owned())),
        },
        Type::Unknown => value,
        Type::Dynamic => to_dynamic(value),
        _ if value.is_null() => Value::Null,
        Type::Bool => to_bool(&value),
        Type::Int => to_long(&value).and_then(|value| i32::try_from(value).ok()).map_or(Value::Null, Value::Int),
        Type::Long => to_long(&value).map_or(Value::Null, Value::Long),
        Type::Real => to_real(&value).map_or(Value::Null, Value::Real),
        Type::Decimal => to_decimal(&value).map_or(Value::Null, Value::Decimal),
        Type::DateTime => match &value {
            Value::DateTime(ticks) => Value::DateTime(*ticks),
            Value::Long(ticks) => datetime(Some(*ticks)),
            other => literal::datetime(&as_text(other)).map_or(Value::Null, Value::DateTime),
        },
        Type::Timespan => match &value {
            Value::Timespan(ticks) | Value::Long(ticks) => Value::Timespan(*ticks),
            other => literal::timespan(&as_text(other)).map_or(Value::Null, Value::Timespan),
        },
        Type::Guid => match &value {
            Value::Guid(guid) => Value::Guid(*guid),
            other => literal::guid(&as_text(other)).map_or(Value::Null, Value::Guid),
        },
    }
}

fn to_bool(value: &Value<'_>) -> Value<'static> {
    let number = match value {
        Value::Bool(value) => return Value::Bool(*value),
        Value::Dynamic(json) if json.is_boolean() => return json.as_bool().map_or(Value::Null, Value::Bool),
        Value::String(_) | Value::Dynamic(_) => match as_text(value).to_ascii_lowercase().as_str() {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            text => literal::integer(text),
        },
        other => long(other),
    };
    number.map_or(Value::Null, |number| Value::Bool(number != 0))
}

fn to_long(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::DateTime(ticks) | Value::Timespan(ticks) => Some(*ticks),
        Value::String(text) => {
            let text = text.trim();
            literal::integer(text).or_else(|| whole_of(literal::real(text)?))
        }
        other => long(other).or_else(|| whole_of(to_real(other)?)),
    }
}

fn to_real(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::String(text) => literal::real(text.trim()),
        Value::Dynamic(json) if json.is_string() => literal::real(json.as_str()?.trim()),
        other => real(other),
    }
}

fn to_decimal(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Decimal(value) => Some(*value),
        Value::Real(value) => Decimal::from_f64(*value),
        other => literal::decimal(as_text(other).trim()),
    }
}

fn to_dynamic(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Dynamic(_) | Value::Null => value,
        other => Value::dynamic(other.to_json()),
    }
}
