//! Checked plans: the few operators that all others are written with.

use std::sync::Arc;

use super::{
    Expr,
    parts::{Aggregate, ExpandItem, External, Join, NestedLevel, ParsePattern, Projection, ScanStep, Series, SortKey},
};
use crate::{span::Span, syntax::Literal, types::Type, value::Value};

/// The number of a column, unique in its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u32);

/// A column of a plan's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its number.
    pub id: ColumnId,
    /// Its name, which is for people: within a query the number counts.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
}

/// Rows, and how they come about.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How they come about.
    pub kind: PlanKind,
    /// Their columns, in order.
    pub columns: Vec<Column>,
    /// Whether their order means something: they were sorted, or `serialize` said so.
    pub is_ordered: bool,
    /// Whether there may be columns beyond `columns`, which have no values.
    pub is_open: bool,
    /// Further names of columns.
    pub(crate) aliases: Vec<(Arc<str>, ColumnId)>,
    /// The levels of the plan below it and its own.
    pub(crate) depth: u16,
}

/// The operators.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanKind {
    /// Rows of a table of the schema.
    Table {
        /// Its place in [`Schema::tables`](crate::schema::Schema::tables).
        table: usize,
        /// Its name there.
        name: String,
        /// For each of the plan's columns, its place among the table's.
        source: Vec<usize>,
    },
    /// Rows that are written out: `datatable`, `print` (one row without columns), `getschema`.
    Values(Vec<Vec<Value<'static>>>),
    /// `externaldata`
    External(Box<External>),
    /// `range`: one column, from `from` to `to`, which is included when a step meets it.
    Range {
        /// The first value.
        from: Expr,
        /// No value is behind it.
        to: Expr,
        /// The difference of neighbours; not 0.
        step: Expr,
    },
    /// An entry of [`Bound::shared`](super::Bound::shared); its columns are in the same order.
    Shared(usize),
    /// What an operator around this one gives: a partition, or the elements of `mv-apply` with their row.
    Context,
    /// Rows for which the predicate is true.
    Filter {
        /// The rows.
        input: Box<Plan>,
        /// Of type bool.
        predicate: Expr,
    },
    /// New columns, computed from the input's; those of the input that are not among them are gone.
    Project {
        /// The rows.
        input: Box<Plan>,
        /// One for each of the plan's columns, in order.
        columns: Vec<Projection>,
    },
    /// One row for each group, first the columns of `by`, then those of the aggregates.
    Summarize {
        /// The rows.
        input: Box<Plan>,
        /// What rows of a group have in common. Without any there is one group, even of no rows.
        by: Vec<Projection>,
        /// Computed over each group.
        aggregates: Vec<Aggregate>,
    },
    /// The same rows in another order.
    Sort {
        /// The rows.
        input: Box<Plan>,
        /// The first one counts most.
        keys: Vec<SortKey>,
    },
    /// The first rows.
    Take {
        /// The rows.
        input: Box<Plan>,
        /// An integer without columns.
        count: Expr,
    },
    /// Some rows, each as likely as the others.
    Sample {
        /// The rows.
        input: Box<Plan>,
        /// An integer without columns.
        count: Expr,
    },
    /// Rows of two sides that go together.
    Join(Box<Join>),
    /// All rows of all inputs; column by column, each has those of the plan.
    Union(Vec<Plan>),
    /// A row for each element of an array.
    Expand {
        /// The rows.
        input: Box<Plan>,
        /// The arrays; the shorter ones are filled up with nulls.
        items: Vec<ExpandItem>,
        /// The column that counts the elements from 0, when there is one.
        index: Option<Column>,
        /// At most so many rows of one.
        limit: Option<Expr>,
        /// Whether each property of a bag is an array of its key and its value, and not a bag.
        are_pairs: bool,
    },
    /// `mv-apply`: a plan over the elements of each row's arrays.
    Apply {
        /// The rows.
        input: Box<Plan>,
        /// The arrays.
        items: Vec<ExpandItem>,
        /// The column that counts the elements from 0, when there is one.
        index: Option<Column>,
        /// At most so many elements of one row.
        limit: Option<Expr>,
        /// Its [`PlanKind::Context`] has the columns of the row, then the elements and the index. It runs once for each row;
        /// columns of its result are behind those of the row.
        body: Box<Plan>,
        /// The columns of the row that are kept, before those of the body.
        kept: Vec<ColumnId>,
    },
    /// A plan for each group of rows with one value.
    Partition {
        /// The rows.
        input: Box<Plan>,
        /// What rows of a partition have in common.
        by: Expr,
        /// Its [`PlanKind::Context`] is the partition.
        body: Box<Plan>,
    },
    /// `parse`, `parse-where`: columns out of text, behind those of the input.
    Parse {
        /// The rows.
        input: Box<Plan>,
        /// The text.
        source: Expr,
        /// What it looks like.
        pattern: ParsePattern,
        /// Whether rows that do not look so are left out, and not kept with nulls.
        is_filter: bool,
    },
    /// `parse-kv`: columns out of keys and values in text, behind those of the input.
    ParseKeyValues {
        /// The rows.
        input: Box<Plan>,
        /// The text.
        source: Expr,
        /// A column of the plan for each key, by its name.
        keys: Vec<Column>,
        /// `pair_delimiter`, `kv_delimiter`, `quote`, `escape`, `regex`, `greedy`.
        properties: Vec<(String, Literal)>,
    },
    /// `make-series`: arrays over an axis, one row for each group.
    Series(Box<Series>),
    /// `top-nested`: levels of groups.
    TopNested {
        /// The rows.
        input: Box<Plan>,
        /// The first level is the outermost.
        levels: Vec<NestedLevel>,
    },
    /// `scan`: steps over rows in order; columns that it declares and the number of the match are behind the input's.
    Scan {
        /// The rows, in order.
        input: Box<Plan>,
        /// Steps run within rows that have these in common.
        partition: Vec<Expr>,
        /// The declared columns, with what they are before a step sets them.
        declared: Vec<(Column, Expr)>,
        /// The column with the number of the match, when it was asked for.
        match_id: Option<Column>,
        /// In their order.
        steps: Vec<ScanStep>,
    },
    /// `reduce`: patterns of similar strings.
    Reduce {
        /// The rows.
        input: Box<Plan>,
        /// The strings.
        source: Expr,
        /// From 0 to 1: how alike strings of a pattern are.
        threshold: f64,
        /// Characters that do not break a term.
        characters: String,
        /// Whether every row is kept, with its pattern.
        keeps_rows: bool,
    },
    /// A plugin whose columns depend on its rows, or that no other operator can express.
    Plugin {
        /// The rows.
        input: Box<Plan>,
        /// `bag_unpack`, `pivot`, `narrow`, `ipv4_lookup`, `ipv6_lookup`.
        name: &'static str,
        /// Values and columns of its call.
        arguments: Vec<Expr>,
        /// The table of its call, when it takes one.
        table: Option<Box<Plan>>,
        /// The aggregate of its call, when it takes one.
        aggregate: Option<Aggregate>,
        /// Where the call is.
        span: Span,
    },
}

impl Plan {
    /// The plans that this one reads.
    #[must_use]
    pub fn inputs(&self) -> Vec<&Self> {
        match &self.kind {
            PlanKind::Table { .. }
            | PlanKind::Values(_)
            | PlanKind::External(_)
            | PlanKind::Range { .. }
            | PlanKind::Shared(_)
            | PlanKind::Context => Vec::new(),
            PlanKind::Filter { input, .. }
            | PlanKind::Project { input, .. }
            | PlanKind::Summarize { input, .. }
            | PlanKind::Sort { input, .. }
            | PlanKind::Take { input, .. }
            | PlanKind::Sample { input, .. }
            | PlanKind::Expand { input, .. }
            | PlanKind::Parse { input, .. }
            | PlanKind::ParseKeyValues { input, .. }
            | PlanKind::TopNested { input, .. }
            | PlanKind::Scan { input, .. }
            | PlanKind::Reduce { input, .. } => vec![input],
            PlanKind::Apply { input, body, .. } | PlanKind::Partition { input, body, .. } => vec![input, body],
            PlanKind::Join(join) => vec![&join.left, &join.right],
            PlanKind::Union(inputs) => inputs.iter().collect(),
            PlanKind::Series(series) => vec![&series.input],
            PlanKind::Plugin { input, table, .. } => {
                let table = table.as_deref();
                std::iter::once(&**input).chain(table).collect()
            }
        }
    }
}
