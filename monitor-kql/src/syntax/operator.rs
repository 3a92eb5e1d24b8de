//! Tabular operators: what follows a pipe.

use super::{Expr, Literal, Name, Named, RowSchema};
use crate::{span::Span, types::Type};

/// An operator with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// What it does.
    pub kind: OperatorKind,
    /// From its keyword to its end.
    pub span: Span,
    /// Where its keyword is.
    pub keyword: Span,
    /// `kind=inner`, `hint.strategy=shuffle` and the like.
    pub parameters: Vec<Parameter>,
}

/// `name=value` between the keyword and what the operator is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name.
    pub name: Name,
    /// The value.
    pub value: ParameterValue,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterValue {
    /// `kind=inner`; also names of columns that are made, and lists of columns.
    Words(Vec<Name>),
    /// `isfuzzy=true`
    Literal(Literal),
}

/// What `summarize`, `make-series` and `distinct` group by.
pub type ByClause = Vec<Named>;

/// The tabular operators of the language that are supported.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is documented by Kusto under its name; the fields are the words of its syntax")]
pub enum OperatorKind {
    As(Name),
    AssertSchema(RowSchema),
    Consume,
    Count { name: Option<Name> },
    Distinct(Vec<Named>),
    Evaluate(EvaluateCall),
    Extend(Vec<Named>),
    Facet { by: Vec<Expr>, with: Option<Box<Expr>> },
    Filter(Expr),
    Find(Box<Find>),
    Fork(Vec<ForkBranch>),
    GetSchema,
    Invoke(Expr),
    Join { right: Box<Expr>, condition: JoinCondition },
    Lookup { right: Box<Expr>, condition: JoinCondition },
    MakeSeries(Box<MakeSeries>),
    MvApply { items: Vec<MvItem>, limit: Option<Expr>, body: Box<Expr> },
    MvExpand { items: Vec<MvItem>, limit: Option<Expr> },
    Parse { is_filter: bool, source: Expr, parts: Vec<ParsePart> },
    ParseKv { source: Expr, keys: RowSchema, properties: Vec<Parameter> },
    Partition { by: Expr, body: PartitionBody },
    Print(Vec<Named>),
    Project(Vec<Named>),
    ProjectAway(Vec<Name>),
    ProjectByNames(Vec<Expr>),
    ProjectKeep(Vec<Name>),
    ProjectRename(Vec<Named>),
    ProjectReorder(Vec<(Name, Option<Order>)>),
    Range { name: Name, from: Expr, to: Expr, step: Expr },
    Reduce { source: Expr, properties: Vec<Parameter> },
    Render { chart: Name, properties: Vec<Parameter> },
    Sample(Expr),
    SampleDistinct { count: Expr, of: Named },
    Scan { sort: Vec<SortKey>, partition: Vec<Expr>, declare: Vec<(Name, Type, Option<Expr>)>, steps: Vec<ScanStep> },
    Search(SearchScope),
    Serialized(Vec<Named>),
    Sort(Vec<SortKey>),
    Summarize { aggregates: Vec<Named>, by: Option<ByClause> },
    Take(Expr),
    Top { count: Expr, key: SortKey },
    TopHitters { count: Expr, of: Named, by: Option<Expr> },
    TopNested(Vec<TopNestedClause>),
    Union(Vec<Expr>),
}

/// `evaluate pivot(a) : (b:string)`
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateCall {
    /// The plugin and what it is called with; an [`ExprKind::Call`](super::ExprKind::Call).
    pub call: Expr,
    /// The columns that it is said to give.
    pub schema: Option<RowSchema>,
}

/// `name=(where x | take 1)`
#[derive(Clone, Debug, PartialEq)]
pub struct ForkBranch {
    /// The name of its result.
    pub name: Option<Name>,
    /// Operators without a source.
    pub body: Expr,
}

/// What rows of both sides have in common.
#[derive(Clone, Debug, PartialEq)]
pub enum JoinCondition {
    /// `on a, $left.b == $right.c`
    On(Vec<Expr>),
    /// `where …`, which Kusto's grammar has.
    Where(Expr),
}

/// `make-series a=count() default=0 on t from x to y step z by b`
#[derive(Clone, Debug, PartialEq)]
pub struct MakeSeries {
    /// What each point is.
    pub aggregates: Vec<SeriesAggregate>,
    /// The axis.
    pub on: Named,
    /// The points of the axis.
    pub range: SeriesRange,
    /// A series for each of these.
    pub by: ByClause,
}

/// `a=count() default=0`
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesAggregate {
    /// The aggregate.
    pub value: Named,
    /// What a point without rows is.
    pub default: Option<Expr>,
}

/// `from x to y step z`
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRange {
    /// The first point.
    pub from: Option<Expr>,
    /// No point is at or behind this one; with `in range(…)`, the last point.
    pub to: Option<Expr>,
    /// From point to point.
    pub step: Expr,
    /// Whether it was written `in range(x, y, z)`, which includes the end.
    pub is_in_range: bool,
}

/// `x=a to typeof(long)`
#[derive(Clone, Debug, PartialEq)]
pub struct MvItem {
    /// The array.
    pub value: Named,
    /// The type of each element.
    pub ty: Option<Type>,
}

/// How text is parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParseKind {
    /// Delimiters are text; values that are not of their type are null.
    #[default]
    Simple,
    /// Delimiters are regular expressions.
    Regex,
    /// Like simple; a value that is not of its type is null without the others being so.
    Relaxed,
}

/// A part of the pattern of `parse`.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsePart {
    /// `*`
    Skip(Span),
    /// A delimiter.
    Text(String, Span),
    /// A column, `string` unless the pattern says.
    Column(Name, Type),
}

/// What runs for each partition.
#[derive(Clone, Debug, PartialEq)]
pub enum PartitionBody {
    /// Operators in parentheses, which read the partition.
    Operators(Box<Expr>),
    /// A query in braces, which may not.
    Query(Box<Expr>),
}

/// `asc` or `desc`, and for `project-reorder` also by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `asc`
    Ascending,
    /// `desc`
    Descending,
    /// `granny-asc`: `a2` before `a10`.
    GrannyAscending,
    /// `granny-desc`
    GrannyDescending,
}

/// `a desc nulls last`
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What is compared.
    pub value: Named,
    /// Descending unless it says.
    pub order: Option<Order>,
    /// Whether nulls come first; unless it says, they do when ascending.
    pub are_nulls_first: Option<bool>,
}

/// `search kind=… in (T) "x"`
#[derive(Clone, Debug, PartialEq)]
pub struct SearchScope {
    /// The tables; all of them, or the rows of the pipe, when there are none.
    pub tables: Vec<Expr>,
    /// What is looked for.
    pub predicate: Expr,
}

/// `find in (T) where x project a`
#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// The tables; all of them when there are none.
    pub tables: Vec<Expr>,
    /// What is looked for.
    pub predicate: Expr,
    /// The columns; chosen by what the predicate names when there are none.
    pub project: Option<Vec<FindColumn>>,
    /// Columns to leave out.
    pub project_away: Vec<Name>,
}

/// A column of `find … project`.
#[derive(Clone, Debug, PartialEq)]
pub enum FindColumn {
    /// By name, with a type to convert to.
    Column(Name, Option<Type>),
    /// `pack(*)`: all others in one column.
    Pack(Span),
}

/// `step s1 output=all: a == 1 => b = 2;`
#[derive(Clone, Debug, PartialEq)]
pub struct ScanStep {
    /// Its name.
    pub name: Name,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// Which of its rows are shown.
    pub output: StepOutput,
    /// What a row must meet.
    pub condition: Expr,
    /// What it remembers.
    pub assignments: Vec<(Name, Expr)>,
}

/// Which rows of a step are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepOutput {
    /// Every one.
    #[default]
    All,
    /// The last before the next step.
    Last,
    /// None.
    None,
}

/// `top-nested 3 of a with others="x" by count()`
#[derive(Clone, Debug, PartialEq)]
pub struct TopNestedClause {
    /// How many; all when it does not say.
    pub count: Option<Expr>,
    /// Of what.
    pub of: Named,
    /// What all others are called together.
    pub others: Option<Expr>,
    /// The aggregate that they are compared by.
    pub by: Named,
    /// Whether the greatest come first.
    pub order: Option<Order>,
}
