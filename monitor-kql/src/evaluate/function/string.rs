//! Functions on strings.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{Table, at};
use crate::{
    evaluate::{
        arithmetic::long,
        convert::convert,
        node::{as_text, is_absent},
    },
    types::Type,
    value::Value,
};

pub(super) const FUNCTIONS: Table = &[
    ("tostring", |values| Value::string(text(values, 0).into_owned())),
    ("tolower", |values| Value::string(text(values, 0).to_lowercase())),
    ("toupper", |values| Value::string(text(values, 0).to_uppercase())),
    ("strlen", |values| count(text(values, 0).chars().count())),
    ("string_size", |values| count(text(values, 0).len())),
    ("strcat", |values| Value::string(values.iter().map(as_text).collect::<String>())),
    ("strcat_delim", |values| {
        let parts: Vec<Cow<'_, str>> = values.iter().skip(1).map(as_text).collect();
        Value::string(parts.join(&text(values, 0)))
    }),
    ("substring", substring),
    ("indexof", index_of),
    ("reverse", |values| Value::string(text(values, 0).chars().rev().collect::<String>())),
    ("replace_string", |values| {
        let (from, to) = (text(values, 1), text(values, 2));
        if from.is_empty() {
            return Value::string(text(values, 0).into_owned());
        }
        Value::string(text(values, 0).replace(&*from, &to))
    }),
    ("split", split),
    ("countof", |values| {
        let part = text(values, 1);
        if part.is_empty() {
            return Value::Long(0);
        }
        // Occurrences may overlap.
        let whole = text(values, 0);
        count(
            whole
                .char_indices()
                .filter(|(place, _)| whole.get(*place..).is_some_and(|rest| rest.starts_with(&*part)))
                .count(),
        )
    }),
    ("isempty", |values| Value::Bool(is_absent(at(values, 0)))),
    ("isnotempty", |values| Value::Bool(!is_absent(at(values, 0)))),
    ("isnull", |values| Value::Bool(at(values, 0).is_null())),
    ("isnotnull", |values| Value::Bool(!at(values, 0).is_null())),
    ("isascii", |values| Value::Bool(text(values, 0).is_ascii())),
    ("not", |values| match at(values, 0) {
        Value::Bool(value) => Value::Bool(!value),
        _ => Value::Null,
    }),
    ("tobool", |values| to(values, Type::Bool)),
    ("toint", |values| to(values, Type::Int)),
    ("tolong", |values| to(values, Type::Long)),
    ("toreal", |values| to(values, Type::Real)),
    ("todouble", |values| to(values, Type::Real)),
    ("todecimal", |values| to(values, Type::Decimal)),
    ("todatetime", |values| to(values, Type::DateTime)),
    ("totimespan", |values| to(values, Type::Timespan)),
    ("toguid", |values| to(values, Type::Guid)),
];

fn to(values: &[Value<'_>], ty: Type) -> Value<'static> {
    convert(at(values, 0).borrow(), ty).into_owned()
}

fn text<'v>(values: &'v [Value<'_>], place: usize) -> Cow<'v, str> {
    as_text(at(values, place))
}

fn count(number: usize) -> Value<'static> {
    i64::try_from(number).map_or(Value::Null, Value::Long)
}

/// Characters from a place on; a negative place counts from the end.
fn substring(values: &[Value<'_>]) -> Value<'static> {
    let whole = text(values, 0);
    let length = i64::try_from(whole.chars().count()).unwrap_or(i64::MAX);
    let Some(start) = long(at(values, 1)) else {
        return Value::string("");
    };
    let start = if start < 0 { length.saturating_add(start).max(0) } else { start };
    let wanted = values.get(2).map_or(Some(i64::MAX), long).unwrap_or(0).max(0);
    let skipped = usize::try_from(start).unwrap_or(usize::MAX);
    let taken = usize::try_from(wanted).unwrap_or(usize::MAX);
    Value::string(whole.chars().skip(skipped).take(taken).collect::<String>())
}

/// The place of a part in characters, or -1.
fn index_of(values: &[Value<'_>]) -> Value<'static> {
    let (whole, part) = (text(values, 0), text(values, 1));
    let start = usize::try_from(values.get(2).and_then(long).unwrap_or(0).max(0)).unwrap_or(usize::MAX);
    let nth = usize::try_from(values.get(4).and_then(long).unwrap_or(1).max(1)).unwrap_or(1);
    let mut places = whole
        .char_indices()
        .enumerate()
        .skip(start)
        .filter(|(_, (byte, _))| whole.get(*byte..).is_some_and(|rest| rest.starts_with(&*part)))
        .map(|(place, _)| place);
    places.nth(nth - 1).map_or(Value::Long(-1), count)
}

fn split(values: &[Value<'_>]) -> Value<'static> {
    let (whole, separator) = (text(values, 0), text(values, 1));
    let parts: Vec<Json> = if separator.is_empty() {
        vec![Json::String(whole.into_owned())]
    } else {
        whole.split(&*separator).map(|part| Json::String(part.to_owned())).collect()
    };
    match values.get(2).and_then(long) {
        Some(wanted) => {
            let one = usize::try_from(wanted).ok().and_then(|wanted| parts.get(wanted)).cloned();
            one.map_or(Value::Null, |one| Value::dynamic(Json::Array(vec![one])))
        }
        None => Value::dynamic(Json::Array(parts)),
    }
}
