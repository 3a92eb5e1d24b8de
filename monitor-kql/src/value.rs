//! Values of the scalar types.

use std::{borrow::Cow, fmt};

use rust_decimal::Decimal;
use serde_json::{Number, Value as Json};

use crate::types::Type;

/// Ticks of 100 ns in a second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// Ticks in a day.
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
/// 1970-01-01 in ticks since 0001-01-01.
pub const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;
/// The last tick of the year 9999: no point in time is later.
pub const DATETIME_TICKS_MAX: i64 = 3_155_378_975_999_999_999;

/// A value of a scalar type. Text and JSON may be borrowed from a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value. A string is never null, but empty.
    Null,
    /// Of type `bool`.
    Bool(bool),
    /// Of type `int`.
    Int(i32),
    /// Of type `long`.
    Long(i64),
    /// Of type `real`.
    Real(f64),
    /// Of type `decimal`.
    Decimal(Decimal),
    /// Of type `string`.
    String(Cow<'a, str>),
    /// Of type `datetime`: ticks of 100 ns since 0001-01-01 00:00 UTC, from 0 to [`DATETIME_TICKS_MAX`].
    DateTime(i64),
    /// Of type `timespan`: ticks of 100 ns.
    Timespan(i64),
    /// Of type `guid`, most significant byte first.
    Guid(u128),
    /// Of type `dynamic`. JSON's null is [`Value::Null`].
    Dynamic(Cow<'a, Json>),
}

impl<'a> Value<'a> {
    /// A string, borrowed or owned.
    pub fn string(text: impl Into<Cow<'a, str>>) -> Self {
        Self::String(text.into())
    }

    /// A dynamic value; JSON's null is no value.
    #[must_use]
    pub fn dynamic(json: Json) -> Self {
        if json.is_null() { Self::Null } else { Self::Dynamic(Cow::Owned(json)) }
    }

    /// What an absent value of type `ty` is: an empty string, or null.
    #[must_use]
    pub fn absent(ty: Type) -> Self {
        if ty == Type::String { Self::String(Cow::Borrowed("")) } else { Self::Null }
    }

    /// The same value, owning what it has.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Long(value) => Value::Long(value),
            Self::Real(value) => Value::Real(value),
            Self::Decimal(value) => Value::Decimal(value),
            Self::String(value) => Value::String(Cow::Owned(value.into_owned())),
            Self::DateTime(value) => Value::DateTime(value),
            Self::Timespan(value) => Value::Timespan(value),
            Self::Guid(value) => Value::Guid(value),
            Self::Dynamic(value) => Value::Dynamic(Cow::Owned(value.into_owned())),
        }
    }

    /// The same value, borrowing from `self`.
    #[must_use]
    pub fn borrow(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Long(value) => Value::Long(*value),
            Self::Real(value) => Value::Real(*value),
            Self::Decimal(value) => Value::Decimal(*value),
            Self::String(value) => Value::String(Cow::Borrowed(value)),
            Self::DateTime(value) => Value::DateTime(*value),
            Self::Timespan(value) => Value::Timespan(*value),
            Self::Guid(value) => Value::Guid(*value),
            Self::Dynamic(value) => Value::Dynamic(Cow::Borrowed(value)),
        }
    }

    /// As JSON, which has no times and guids: they are written out.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::Number((*value).into()),
            Self::Long(value) => Json::Number((*value).into()),
            Self::Real(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Self::Dynamic(json) => json.clone().into_owned(),
            Self::String(_) | Self::Decimal(_) | Self::DateTime(_) | Self::Timespan(_) | Self::Guid(_) => {
                Json::String(self.to_string())
            }
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// As `tostring()` writes it: ISO 8601 in UTC, `d.hh:mm:ss`, JSON; nothing for null.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "{value}"),
            Self::Real(value) => f.write_str(&crate::literal::real_text(*value)),
            Self::Decimal(value) => write!(f, "{value}"),
            Self::String(value) => f.write_str(value),
            Self::DateTime(ticks) => f.write_str(&crate::literal::datetime_text(*ticks)),
            Self::Timespan(ticks) => f.write_str(&crate::literal::timespan_text(*ticks)),
            Self::Guid(value) => f.write_str(&crate::literal::guid_text(*value)),
            // A dynamic string stands for its text, everything else for its JSON.
            Self::Dynamic(value) => match &**value {
                Json::String(text) => f.write_str(text),
                json => write!(f, "{json}"),
            },
        }
    }
}
