//! A checked query: every name is resolved, every expression has a type, every conversion is written out.
//!
//! It is made for planners. Columns have numbers that are unique in the query, so that no name is ever looked up again.
//! Operators are few: what loses nothing by it is written with others (`top` is sort and take, `distinct` is a
//! summarize without aggregates, `lookup` is a join and a project, `count` is a summarize).

mod expression;
mod parts;
mod plan;

pub use self::{
    expression::{Expr, ExprKind, List},
    parts::{
        Aggregate, ExpandItem, External, Join, JoinKind, NestedLevel, ParsePattern, PatternPart, Projection, ScanStep,
        Series, SortKey,
    },
    plan::{Column, ColumnId, Plan, PlanKind},
};
use crate::{span::Span, syntax::Literal};

/// A checked query.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// What it shows: one table for each statement that gives rows, and for each branch of `fork` and `facet`.
    pub results: Vec<ResultSet>,
    /// Tables that are named once and read wherever [`PlanKind::Shared`] names them.
    pub shared: Vec<SharedTable>,
    /// Values that are computed once and read wherever [`ExprKind::Shared`] names them. Each may use those before it.
    pub values: Vec<Expr>,
    /// What the reader should know though the query runs.
    pub notices: Vec<Notice>,
    /// Plugins whose columns depend on the rows that they read. A planner runs these plans, looks at the values, and binds
    /// the query again with the columns (`bind::Discovered`).
    pub pending: Vec<Pending>,
}

/// A plugin whose columns are not known yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// Where the plugin's call is: the key of `bind::Discovered`.
    pub span: Span,
    /// `bag_unpack` or `pivot`.
    pub name: &'static str,
    /// The rows that it reads.
    pub input: Plan,
    /// Values and columns of its call, over the columns of `input`.
    pub arguments: Vec<Expr>,
}

/// A table that a query shows.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultSet {
    /// The name that `fork`, `facet` or `as` gave it.
    pub name: Option<String>,
    /// Its rows.
    pub plan: Plan,
    /// How to draw it.
    pub render: Option<Render>,
}

/// A table that a query names once.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedTable {
    /// The name that the query gave it, for plans that are shown.
    pub name: String,
    /// Its rows.
    pub plan: Plan,
    /// Whether the query asks for it to be computed once.
    pub is_materialized: bool,
}

/// `render timechart with (title="x")`
#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    /// The kind of chart.
    pub chart: String,
    /// Titles, axes, columns, as they are written.
    pub properties: Vec<(String, RenderValue)>,
}

/// The value of a property of a chart.
#[derive(Clone, Debug, PartialEq)]
pub enum RenderValue {
    /// A word, or columns.
    Words(Vec<String>),
    /// A number, a string, a bool.
    Literal(Literal),
}

/// Something that the reader should know though the query runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub span: Span,
    /// In a sentence without a stop.
    pub text: String,
}

impl Bound {
    /// Whether the columns of some plugins are known only when the query runs: see [`Bound::pending`].
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.pending.is_empty()
    }
}
