//! The scalar types of KQL.

use std::fmt;

/// A scalar type (Kusto: "Scalar data types"). Every type but `string` has a null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A point in time, in ticks of 100 ns since 0001-01-01 00:00 UTC.
    DateTime,
    /// A decimal number of up to 28 digits.
    Decimal,
    /// A JSON value.
    Dynamic,
    /// A 128-bit identifier.
    Guid,
    /// A signed 32-bit integer.
    Int,
    /// A signed 64-bit integer.
    Long,
    /// A 64-bit IEEE 754 number.
    Real,
    /// UTF-8 text; never null.
    String,
    /// A length of time, in ticks of 100 ns.
    Timespan,
    /// Not known before the query runs: a column of an open table. It fits wherever a scalar does.
    Unknown,
}

impl Type {
    /// The type of a keyword of the language, with the aliases that Kusto takes.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "bool" | "boolean" => Self::Bool,
            "datetime" | "date" => Self::DateTime,
            "decimal" => Self::Decimal,
            "dynamic" => Self::Dynamic,
            "guid" | "uuid" | "uniqueid" => Self::Guid,
            "int" => Self::Int,
            "long" | "int64" => Self::Long,
            "real" | "double" => Self::Real,
            "string" => Self::String,
            "timespan" | "time" => Self::Timespan,
            _ => return None,
        })
    }

    /// The keyword of the type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::DateTime => "datetime",
            Self::Decimal => "decimal",
            Self::Dynamic => "dynamic",
            Self::Guid => "guid",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::String => "string",
            Self::Timespan => "timespan",
            Self::Unknown => "unknown",
        }
    }

    /// `int` or `long`.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Int | Self::Long)
    }

    /// `int`, `long`, `real` or `decimal`.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Long | Self::Real | Self::Decimal)
    }

    /// A number, a point in time or a length of time: what has a sum or a difference.
    #[must_use]
    pub const fn is_summable(self) -> bool {
        self.is_number() || matches!(self, Self::DateTime | Self::Timespan)
    }

    /// A number, a time, `bool` or `string`: what `min` and `max` take.
    #[must_use]
    pub const fn is_orderable(self) -> bool {
        self.is_summable() || matches!(self, Self::Bool | Self::String)
    }

    /// Whether a value of this type goes without a word where the wider type `other` is wanted: int, long, real,
    /// decimal; and dynamic where a string is.
    #[must_use]
    pub const fn widens_to(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Int, Self::Long | Self::Real | Self::Decimal)
                | (Self::Long, Self::Real | Self::Decimal)
                | (Self::Real, Self::Decimal)
                | (Self::Dynamic, Self::String)
        )
    }

    /// The wider of two number types; the other one when one is not a number.
    #[must_use]
    pub const fn widest(self, other: Self) -> Self {
        if !self.is_number() || (other.is_number() && self.widens_to(other)) { other } else { self }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
