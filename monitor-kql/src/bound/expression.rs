//! Checked expressions.

use super::{ColumnId, Plan};
use crate::{
    syntax::{BinaryOperator, StringOperator},
    types::Type,
    value::Value,
};

/// A checked expression and its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
}

/// The kinds of checked expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A column of the input.
    Column(ColumnId),
    /// A value that the query has written out.
    Literal(Value<'static>),
    /// An entry of [`Bound::values`](super::Bound::values).
    Shared(usize),
    /// A column of an open table: it has no value in any row.
    Absent(String),
    /// A function, by its name of today or the one it was called by.
    Call {
        /// An entry of `docs/kql.md`.
        function: &'static str,
        /// In the order of its parameters; optional ones may be missing at the end.
        arguments: Vec<Expr>,
    },
    /// Arithmetic and comparison. Both sides have one type, except for times and dynamic values as Kusto has them.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// What is before it.
        left: Box<Expr>,
        /// What follows it.
        right: Box<Expr>,
    },
    /// All of them hold.
    And(Vec<Expr>),
    /// One of them holds.
    Or(Vec<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `x between (low .. high)`, both included.
    Between {
        /// Whether it is the opposite.
        is_negated: bool,
        /// What is compared.
        value: Box<Expr>,
        /// The least.
        low: Box<Expr>,
        /// The most.
        high: Box<Expr>,
    },
    /// `x in (…)` and its kin.
    List {
        /// `in`, `in~`, `!in`, `!in~`, `has_any` or `has_all`.
        operator: StringOperator,
        /// What is looked for, or looked into.
        value: Box<Expr>,
        /// Among what.
        list: List,
    },
    /// `base.key` of a dynamic value.
    Member {
        /// The bag.
        base: Box<Expr>,
        /// Its key.
        key: String,
    },
    /// `base[index]` of a dynamic value: a key when the index is a string, counted from the end when it is negative.
    Element {
        /// The array or bag.
        base: Box<Expr>,
        /// A string, an integer or a dynamic value of either.
        index: Box<Expr>,
    },
    /// A conversion to this expression's type that the language makes by itself.
    Convert(Box<Expr>),
    /// `toscalar(…)`: the first column of the first row, or null.
    Subquery(Box<Plan>),
    /// `* has "x"`: whether one of these columns, as text, meets the operator.
    AnyColumn {
        /// A string operator.
        operator: BinaryOperator,
        /// The columns.
        columns: Vec<ColumnId>,
        /// What they are compared with.
        right: Box<Expr>,
    },
}

/// What `in` looks among.
#[derive(Clone, Debug, PartialEq)]
pub enum List {
    /// Values; a dynamic array stands for its elements.
    Values(Vec<Expr>),
    /// The first column of a table.
    Table(Box<Plan>),
}

impl Expr {
    /// An expression of type `ty`.
    #[must_use]
    pub fn new(kind: ExprKind, ty: Type) -> Self {
        Self { kind, ty }
    }

    /// A value written out.
    #[must_use]
    pub fn literal(value: Value<'static>, ty: Type) -> Self {
        Self::new(ExprKind::Literal(value), ty)
    }

    /// The value, when it is written out.
    #[must_use]
    pub fn as_literal(&self) -> Option<&Value<'static>> {
        match &self.kind {
            ExprKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The text, when it is a string that is written out.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.as_literal() {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The expressions that this one is made of; not those of sub-queries.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Column(_)
            | ExprKind::Literal(_)
            | ExprKind::Shared(_)
            | ExprKind::Absent(_)
            | ExprKind::Subquery(_) => Vec::new(),
            ExprKind::Call { arguments, .. } => arguments.iter().collect(),
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::And(operands) | ExprKind::Or(operands) => operands.iter().collect(),
            ExprKind::Negate(value) | ExprKind::Convert(value) => vec![value],
            ExprKind::Between { value, low, high, .. } => vec![value, low, high],
            ExprKind::List { value, list, .. } => {
                let mut children: Vec<&Self> = vec![value];
                if let List::Values(values) = list {
                    children.extend(values);
                }
                children
            }
            ExprKind::Member { base, .. } => vec![base],
            ExprKind::Element { base, index } => vec![base, index],
            ExprKind::AnyColumn { right, .. } => vec![right],
        }
    }

    /// Whether its value is the same for all rows.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::AnyColumn { .. } => false,
            ExprKind::Call { function, .. } if crate::function::is_window(function) => false,
            _ => self.children().into_iter().all(Self::is_constant),
        }
    }

    /// How many expressions it is made of, itself included.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + self.children().into_iter().map(Self::size).sum::<usize>()
    }
}
