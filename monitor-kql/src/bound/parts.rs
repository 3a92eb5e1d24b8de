//! What the operators of a checked plan are made of.

use super::{Column, ColumnId, Expr, Plan};
use crate::{
    span::Span,
    syntax::{Literal, ParseKind, StepOutput},
};

/// A column and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// The column; an expression that is a column alone may have its number.
    pub column: Column,
    /// What it is.
    pub value: Expr,
}

/// An aggregate function over a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// An entry of `docs/kql.md`.
    pub function: &'static str,
    /// In the order of its parameters. `arg_max` and `take_any` have `*` replaced by the columns.
    pub arguments: Vec<Expr>,
    /// What it gives: one column, or one for each percentile, or one for each argument of `arg_max` and `take_any`.
    pub outputs: Vec<Column>,
}

/// What rows are sorted by.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// Compared by its type.
    pub value: Expr,
    /// Greatest first.
    pub is_descending: bool,
    /// Nulls before all values.
    pub are_nulls_first: bool,
}

/// A join. The rows have the columns of the left side, then those of the right; semi and anti joins those of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// The rows of the pipe.
    pub left: Plan,
    /// The rows in parentheses.
    pub right: Plan,
    /// Which rows are kept.
    pub kind: JoinKind,
    /// Pairs of a value of the left side and one of the right, of one type, that must be equal. Nulls are not.
    pub on: Vec<(Expr, Expr)>,
}

/// Kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// One row of the left side for each value of the keys, with all rows of the right: Kusto's default.
    InnerUnique,
    /// Every pair.
    Inner,
    /// Also rows of the left side without a match.
    LeftOuter,
    /// Also rows of the right side without a match.
    RightOuter,
    /// Also rows of either side without a match.
    FullOuter,
    /// Rows of the left side with a match.
    LeftSemi,
    /// Rows of the right side with a match.
    RightSemi,
    /// Rows of the left side without a match.
    LeftAnti,
    /// Rows of the right side without a match.
    RightAnti,
}

/// An array that is expanded.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpandItem {
    /// A dynamic array or bag.
    pub value: Expr,
    /// What each element becomes, converted to its type.
    pub column: Column,
}

/// `externaldata`
#[derive(Clone, Debug, PartialEq)]
pub struct External {
    /// Where the data is: strings without columns.
    pub sources: Vec<Expr>,
    /// `format`, `ignoreFirstRecord` and the like.
    pub properties: Vec<(String, Literal)>,
    /// Where the call is.
    pub span: Span,
}

/// What `parse` looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsePattern {
    /// How delimiters are read.
    pub kind: ParseKind,
    /// Flags of regular expressions.
    pub flags: String,
    /// In their order.
    pub parts: Vec<PatternPart>,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternPart {
    /// Anything.
    Skip,
    /// This text, or what this regular expression matches.
    Text(String),
    /// Anything, which becomes the column's value.
    Column(Column),
}

/// `make-series`
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The rows.
    pub input: Plan,
    /// Each gives one value for a point; what is there when no row is.
    pub aggregates: Vec<(Aggregate, Expr)>,
    /// What rows are counted by along the axis.
    pub on: Expr,
    /// The column with the axis; those of the aggregates are in `Aggregate::outputs`.
    pub axis: Column,
    /// The first point; the least value when it does not say.
    pub from: Option<Expr>,
    /// The end; the greatest value when it does not say.
    pub to: Option<Expr>,
    /// From point to point.
    pub step: Expr,
    /// Whether a point at the end is part of it.
    pub includes_end: bool,
    /// A row for each of these.
    pub by: Vec<Projection>,
}

/// A level of `top-nested`.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedLevel {
    /// How many groups; all when it does not say.
    pub count: Option<Expr>,
    /// What groups have in common.
    pub of: Projection,
    /// What all other groups are called together, when they are kept.
    pub others: Option<Expr>,
    /// What groups are compared by.
    pub aggregate: Aggregate,
    /// What of the aggregate: an expression over its output.
    pub by: Projection,
    /// Least first.
    pub is_ascending: bool,
}

/// A step of `scan`. Columns of earlier steps have numbers of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanStep {
    /// Its name.
    pub name: String,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// Which of its rows are shown.
    pub output: StepOutput,
    /// `name.column`, as conditions of all steps name it: the columns of the input and the declared ones, in order, of
    /// the row that this step matched last.
    pub state: Vec<Column>,
    /// Over the columns of the input, the declared ones and the states.
    pub condition: Expr,
    /// Which declared columns it sets.
    pub assignments: Vec<(ColumnId, Expr)>,
}
