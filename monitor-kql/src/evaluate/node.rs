//! Compiled expressions.

use std::borrow::Cow;

use regex::Regex;
use serde_json::Value as Json;

use super::{
    Row, arithmetic,
    convert::convert,
    dynamic,
    function::Function,
    text::{self, TextOperator},
};
use crate::{syntax::BinaryOperator, types::Type, value::Value};

/// A compiled expression. It has no name and no type to look up.
#[derive(Debug)]
pub(super) enum Node {
    Column(usize),
    Constant(Value<'static>),
    /// `now(offset)`, `ago(offset)`: the sign of the offset.
    Now(i64, Option<Box<Node>>),
    Binary(BinaryOperator, Box<Node>, Box<Node>),
    Text(TextOperator, Box<Node>, Box<Node>),
    Regex(Box<Node>, Regex),
    /// `extract` and the like, with their expression built.
    RegexCall(fn(&Regex, &[Value<'_>]) -> Value<'static>, Regex, Vec<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Negate(Box<Node>),
    Between {
        is_negated: bool,
        value: Box<Node>,
        low: Box<Node>,
        high: Box<Node>,
    },
    /// Whether the value is one of the list; `is_exact` compares strings in their case.
    In {
        is_negated: bool,
        is_exact: bool,
        value: Box<Node>,
        list: Vec<Node>,
    },
    HasAny {
        needs_all: bool,
        value: Box<Node>,
        list: Vec<Node>,
    },
    Member(Box<Node>, String),
    Element(Box<Node>, Box<Node>),
    Convert(Type, Box<Node>),
    /// Pairs of a condition and a value, and what holds otherwise.
    Case(Vec<(Node, Node)>, Box<Node>),
    /// The first that is not null, nor empty for strings.
    Coalesce(Vec<Node>),
    Call(Function, Vec<Node>),
    AnyColumn(Option<TextOperator>, Vec<usize>, Box<Node>),
}

impl Node {
    pub(super) fn value<'a>(&'a self, row: &'a impl Row, now: i64) -> Value<'a> {
        match self {
            Self::Column(column) => row.value(*column),
            Self::Constant(value) => value.borrow(),
            Self::Now(sign, offset) => {
                let offset = match offset.as_deref().map(|offset| offset.value(row, now)) {
                    Some(Value::Timespan(ticks)) => ticks.saturating_mul(*sign),
                    Some(_) => return Value::Null,
                    None => 0,
                };
                arithmetic::datetime(now.checked_add(offset))
            }
            Self::Binary(operator, left, right) => {
                arithmetic::binary(*operator, &left.value(row, now), &right.value(row, now))
            }
            Self::Text(operator, left, right) => {
                let (left, right) = (left.value(row, now), right.value(row, now));
                Value::Bool(text::apply(*operator, &as_text(&left), &as_text(&right)))
            }
            Self::Regex(value, regex) => Value::Bool(regex.is_match(&as_text(&value.value(row, now)))),
            Self::RegexCall(function, regex, arguments) => {
                let values: Vec<Value<'_>> = arguments.iter().map(|argument| argument.value(row, now)).collect();
                function(regex, &values)
            }
            Self::And(operands) => all(operands, row, now, false),
            Self::Or(operands) => all(operands, row, now, true),
            Self::Negate(value) => arithmetic::negate(&value.value(row, now)),
            Self::Between { is_negated, value, low, high } => {
                let value = value.value(row, now);
                let at_least = arithmetic::binary(BinaryOperator::GreaterOrEqual, &value, &low.value(row, now));
                let at_most = arithmetic::binary(BinaryOperator::LessOrEqual, &value, &high.value(row, now));
                match (at_least, at_most) {
                    (Value::Bool(low), Value::Bool(high)) => Value::Bool((low && high) != *is_negated),
                    _ => Value::Null,
                }
            }
            Self::In { is_negated, is_exact, value, list } => {
                let value = value.value(row, now);
                let is_in = list.iter().any(|item| is_item(&value, &item.value(row, now), *is_exact));
                Value::Bool(is_in != *is_negated)
            }
            Self::HasAny { needs_all, value, list } => {
                let value = value.value(row, now);
                Value::Bool(has_terms(&as_text(&value), list, row, now, *needs_all))
            }
            Self::Member(base, key) => dynamic::member(base.value(row, now), key),
            Self::Element(base, index) => dynamic::element(base.value(row, now), &index.value(row, now)),
            Self::Convert(ty, value) => convert(value.value(row, now), *ty),
            Self::Case(branches, otherwise) => {
                let holds = |node: &Node| matches!(node.value(row, now), Value::Bool(true));
                let found = branches.iter().find(|(condition, _)| holds(condition));
                found.map_or(&**otherwise, |(_, value)| value).value(row, now)
            }
            Self::Coalesce(values) => {
                let mut values = values.iter().map(|value| value.value(row, now));
                values.find(|value| !is_absent(value)).unwrap_or(Value::Null)
            }
            Self::Call(function, arguments) => {
                let values: Vec<Value<'_>> = arguments.iter().map(|argument| argument.value(row, now)).collect();
                function(&values)
            }
            Self::AnyColumn(operator, columns, right) => {
                let right = right.value(row, now);
                let right = as_text(&right);
                let meets = |column: &usize| {
                    let value = row.value(*column);
                    let value = as_text(&value);
                    operator.map_or_else(|| value == right, |operator| text::apply(operator, &value, &right))
                };
                Value::Bool(columns.iter().any(meets))
            }
        }
    }
}

/// A value as the text that string operators see; null is empty.
pub(super) fn as_text<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Dynamic(json) => match &**json {
            Json::String(text) => Cow::Borrowed(text),
            json => Cow::Owned(json.to_string()),
        },
        other => Cow::Owned(other.to_string()),
    }
}

pub(super) fn is_absent(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// `and`, or `or` when `decisive` is true: an operand that is `decisive` decides, a null leaves it open.
fn all<'a>(operands: &'a [Node], row: &'a impl Row, now: i64, decisive: bool) -> Value<'a> {
    let mut is_open = false;
    for operand in operands {
        match operand.value(row, now) {
            Value::Bool(value) if value == decisive => return Value::Bool(decisive),
            Value::Bool(_) => {}
            _ => is_open = true,
        }
    }
    if is_open { Value::Null } else { Value::Bool(!decisive) }
}

/// Whether `value` is `item`, or one of its elements when it is an array.
fn is_item(value: &Value<'_>, item: &Value<'_>, is_exact: bool) -> bool {
    if let Value::Dynamic(json) = item
        && let Some(items) = json.as_array()
    {
        return items.iter().any(|item| dynamic::equals(value, item, is_exact));
    }
    if is_exact {
        return matches!(arithmetic::binary(BinaryOperator::Equal, value, item), Value::Bool(true));
    }
    text::apply(TextOperator::EQUAL_IN_ANY_CASE, &as_text(value), &as_text(item))
}

fn has_terms(value: &str, list: &[Node], row: &impl Row, now: i64, needs_all: bool) -> bool {
    let has = |term: &str| text::apply(TextOperator::HAS, value, term);
    let one = |node: &Node| match node.value(row, now) {
        Value::Dynamic(json) if json.is_array() => {
            let mut items = json.as_array().map(Vec::as_slice).unwrap_or_default().iter();
            let term = |item: &Json| has(&dynamic::text(item));
            if needs_all { items.all(term) } else { items.any(term) }
        }
        other => has(&as_text(&other)),
    };
    if needs_all { list.iter().all(one) } else { list.iter().any(one) }
}
