//! Members and elements of JSON, and its comparison with values.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{arithmetic::long, node::as_text};
use crate::value::Value;

/// A JSON value as one of KQL; null is none.
pub(super) fn borrowed(json: &Json) -> Value<'_> {
    if json.is_null() { Value::Null } else { Value::Dynamic(Cow::Borrowed(json)) }
}

/// What string functions see of a JSON value.
pub(super) fn text(json: &Json) -> Cow<'_, str> {
    match json {
        Json::String(text) => Cow::Borrowed(text),
        Json::Null => Cow::Borrowed(""),
        json => Cow::Owned(json.to_string()),
    }
}

/// `base.key`. A string that has JSON in it is not looked into, as Kusto does not.
pub(super) fn member<'a>(base: Value<'a>, key: &str) -> Value<'a> {
    part(base, |json| json.as_object()?.get(key))
}

/// `base[index]`, from the end when the index is negative.
pub(super) fn element<'a>(base: Value<'a>, index: &Value<'_>) -> Value<'a> {
    if let Some(index) = long(index) {
        return part(base, |json| {
            let items = json.as_array()?;
            let at = if index < 0 { i64::try_from(items.len()).ok()?.checked_add(index)? } else { index };
            items.get(usize::try_from(at).ok()?)
        });
    }
    let key = as_text(index).into_owned();
    member(base, &key)
}

fn part<'a>(base: Value<'a>, find: impl Fn(&Json) -> Option<&Json>) -> Value<'a> {
    match base {
        Value::Dynamic(Cow::Borrowed(json)) => find(json).map_or(Value::Null, borrowed),
        Value::Dynamic(Cow::Owned(json)) => find(&json).cloned().map_or(Value::Null, Value::dynamic),
        _ => Value::Null,
    }
}

/// Whether a value is what a JSON value says.
pub(super) fn equals(value: &Value<'_>, json: &Json, is_exact: bool) -> bool {
    match (value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Dynamic(value), json) if is_exact => **value == *json,
        (Value::Bool(value), Json::Bool(json)) => value == json,
        (Value::Int(_) | Value::Long(_), Json::Number(number)) => long(value) == number.as_i64(),
        (Value::Real(value), Json::Number(number)) => Some(*value) == number.as_f64(),
        (_, Json::String(other)) => {
            let value = as_text(value);
            if is_exact { value == *other } else { value.to_lowercase() == other.to_lowercase() }
        }
        (Value::String(value), json) => **value == *text(json),
        _ => false,
    }
}
