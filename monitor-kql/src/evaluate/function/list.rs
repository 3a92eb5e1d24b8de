//! Functions on dynamic values.

use serde_json::{Map, Value as Json};

use super::{Table, at};
use crate::{
    evaluate::{dynamic::equals, node::as_text},
    value::Value,
};

pub(super) const FUNCTIONS: Table = &[
    ("parse_json", parse_json),
    ("todynamic", parse_json),
    ("parsejson", parse_json),
    ("toobject", parse_json),
    ("array_length", array_length),
    ("arraylength", array_length),
    ("array_index_of", |values| {
        let place =
            array(at(values, 0)).and_then(|items| items.iter().position(|item| equals(at(values, 1), item, true)));
        place.and_then(|place| i64::try_from(place).ok()).map_or(Value::Long(-1), Value::Long)
    }),
    ("set_has_element", |values| match array(at(values, 0)) {
        Some(items) => Value::Bool(items.iter().any(|item| equals(at(values, 1), item, true))),
        None => Value::Null,
    }),
    ("pack_array", |values| Value::dynamic(Json::Array(values.iter().map(Value::to_json).collect()))),
    ("bag_pack", bag_pack),
    ("pack", bag_pack),
    ("pack_dictionary", bag_pack),
    ("bag_keys", |values| match at(values, 0) {
        Value::Dynamic(json) => json.as_object().map_or(Value::Null, |bag| {
            Value::dynamic(Json::Array(bag.keys().map(|key| Json::String(key.clone())).collect()))
        }),
        _ => Value::Null,
    }),
    ("bag_has_key", |values| match at(values, 0) {
        Value::Dynamic(json) => {
            json.as_object().map_or(Value::Null, |bag| Value::Bool(bag.contains_key(&*as_text(at(values, 1)))))
        }
        _ => Value::Null,
    }),
    ("strcat_array", |values| match array(at(values, 0)) {
        Some(items) => {
            let parts: Vec<_> = items.iter().map(crate::evaluate::dynamic::text).collect();
            Value::string(parts.join(&as_text(at(values, 1))))
        }
        None => Value::string(""),
    }),
    ("dynamic_to_json", |values| Value::string(at(values, 0).to_json().to_string())),
];

fn array<'v>(value: &'v Value<'_>) -> Option<&'v Vec<Json>> {
    match value {
        Value::Dynamic(json) => json.as_array(),
        _ => None,
    }
}

/// A text that is no JSON is a string.
fn parse_json(values: &[Value<'_>]) -> Value<'static> {
    match at(values, 0) {
        Value::Dynamic(json) => Value::dynamic(json.clone().into_owned()),
        Value::Null => Value::Null,
        other => {
            let text = as_text(other);
            let json = serde_json::from_str(&text).unwrap_or_else(|_| Json::String(text.into_owned()));
            Value::dynamic(json)
        }
    }
}

fn array_length(values: &[Value<'_>]) -> Value<'static> {
    let length = array(at(values, 0)).and_then(|items| i64::try_from(items.len()).ok());
    length.map_or(Value::Null, Value::Long)
}

fn bag_pack(values: &[Value<'_>]) -> Value<'static> {
    let mut bag = Map::new();
    for pair in values.chunks(2) {
        if let [key, value] = pair {
            bag.insert(as_text(key).into_owned(), value.to_json());
        }
    }
    Value::dynamic(Json::Object(bag))
}
