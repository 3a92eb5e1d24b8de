//! Scalar functions over values. Each takes its arguments as they are checked and gives null for what has no value.

mod address;
mod list;
mod number;
mod string;
mod time;

use crate::value::Value;

/// A function over the values of its arguments.
pub(super) type Function = fn(&[Value<'_>]) -> Value<'static>;

/// The function of this name, when it is evaluated row by row.
pub(super) fn find(name: &str) -> Option<Function> {
    let tables = [string::FUNCTIONS, number::FUNCTIONS, time::FUNCTIONS, list::FUNCTIONS, address::FUNCTIONS];
    let found = tables.iter().flat_map(|table| table.iter()).find(|(known, _)| *known == name);
    found.map(|(_, function)| *function)
}

/// The names of all functions that are evaluated row by row.
#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    let tables = [string::FUNCTIONS, number::FUNCTIONS, time::FUNCTIONS, list::FUNCTIONS, address::FUNCTIONS];
    tables.iter().flat_map(|table| table.iter()).map(|(name, _)| *name).collect()
}

type Table = &'static [(&'static str, Function)];

/// The argument at this place; null when there is none.
fn at<'v>(values: &'v [Value<'_>], place: usize) -> &'v Value<'v> {
    values.get(place).unwrap_or(&Value::Null)
}
