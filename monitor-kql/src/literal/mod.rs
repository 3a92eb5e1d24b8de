//! What the text of a literal, or of a conversion such as `todatetime()`, stands for, and how values are written.
//!
//! Nothing here panics: a text that is no value of its type is `None`.

mod datetime;
mod timespan;

use rust_decimal::Decimal;

pub use self::{
    datetime::{Civil, civil, datetime, datetime_text, ticks},
    timespan::{timespan, timespan_text},
};
use crate::{types::Type, value::Value};

/// The value of `text` as a literal of type `ty`: what is between the parentheses of `int(…)`.
pub(crate) fn typed(ty: Type, text: &str) -> Option<Value<'static>> {
    let text = text.trim();
    if text == "null" {
        return Some(Value::Null);
    }
    Some(match ty {
        Type::Bool => Value::Bool(boolean(text)?),
        Type::Int => Value::Int(i32::try_from(integer(text)?).ok()?),
        Type::Long => Value::Long(integer(text)?),
        Type::Real => Value::Real(real(text)?),
        Type::Decimal => Value::Decimal(decimal(text)?),
        Type::DateTime => Value::DateTime(datetime(unquoted(text))?),
        Type::Timespan => Value::Timespan(timespan(unquoted(text))?),
        Type::Guid => Value::Guid(guid(unquoted(text))?),
        Type::String | Type::Dynamic | Type::Unknown => return None,
    })
}

fn unquoted(text: &str) -> &str {
    let within = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number in decimal, or in hexadecimal after `0x`.
#[must_use]
pub fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => {
            // Sixteen digits are the bits of a long, so that 0xffffffffffffffff is -1.
            let bits = u64::from_str_radix(hexadecimal, 16).ok()?;
            let value = i64::from_ne_bytes(bits.to_ne_bytes());
            if sign.is_empty() { Some(value) } else { value.checked_neg() }
        }
        None if digits.starts_with(|char: char| char.is_ascii_digit()) => format!("{sign}{digits}").parse().ok(),
        None => None,
    }
}

/// A number in decimal, with an exponent or not; also `nan`, `inf` and `-inf`.
#[must_use]
pub fn real(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "+inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        lower if lower.starts_with(|char: char| char.is_ascii_digit() || "+-.".contains(char)) => lower.parse().ok(),
        _ => None,
    }
}

/// A decimal number of up to 28 digits.
#[must_use]
pub fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// Thirty-two hexadecimal digits, with dashes or without, in braces or without.
#[must_use]
pub fn guid(text: &str) -> Option<u128> {
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    if !dashes.is_empty() && dashes != [8, 13, 18, 23] {
        return None;
    }
    let digits = text.replace('-', "");
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok()
}

/// A guid in the usual groups of digits.
#[must_use]
pub fn guid_text(guid: u128) -> String {
    let digits = format!("{guid:032x}");
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)].join("-")
}

/// A real as Kusto writes it: `1.0`, `0.1`, `1e+20`, `NaN`, `Infinity`.
#[must_use]
pub fn real_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-5..1e15).contains(&magnitude) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if exponent.starts_with('-') => {
                format!("{digits}e-{:0>2}", exponent.trim_start_matches('-'))
            }
            Some((digits, exponent)) => format!("{digits}e+{exponent:0>2}"),
            None => text,
        };
    }
    format!("{value:?}")
}

#[cfg(test)]
mod tests;
