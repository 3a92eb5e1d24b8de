//! Operators over a plan, each written with the few of the checked tree.

mod columns;
mod evaluate;
mod expand;
mod group;
mod join;
mod pattern;
mod render;
mod rows;
mod scan;
mod series;
mod split;

pub(super) use self::columns::is_match;
use super::{
    BindError,
    binder::{Bind, Binder},
    row::Row,
};
use crate::{
    bound::{Plan, PlanKind, Projection},
    span::Span,
    syntax::{Name, Operator, OperatorKind, Parameter, ParameterValue},
};

/// Whether an operator makes rows when nothing is before it.
pub(super) fn makes_rows(operator: &OperatorKind) -> bool {
    matches!(
        operator,
        OperatorKind::Print(_)
            | OperatorKind::Range { .. }
            | OperatorKind::Union(_)
            | OperatorKind::Find(_)
            | OperatorKind::Search(_)
    )
}

/// The word of an operator.
pub(super) fn name_of(operator: &OperatorKind) -> &'static str {
    match operator {
        OperatorKind::As(_) => "as",
        OperatorKind::AssertSchema(_) => "assert-schema",
        OperatorKind::Consume => "consume",
        OperatorKind::Count { .. } => "count",
        OperatorKind::Distinct(_) => "distinct",
        OperatorKind::Evaluate(_) => "evaluate",
        OperatorKind::Extend(_) => "extend",
        OperatorKind::Facet { .. } => "facet",
        OperatorKind::Filter(_) => "where",
        OperatorKind::Find(_) => "find",
        OperatorKind::Fork(_) => "fork",
        OperatorKind::GetSchema => "getschema",
        OperatorKind::Invoke(_) => "invoke",
        OperatorKind::Join { .. } => "join",
        OperatorKind::Lookup { .. } => "lookup",
        OperatorKind::MakeSeries(_) => "make-series",
        OperatorKind::MvApply { .. } => "mv-apply",
        OperatorKind::MvExpand { .. } => "mv-expand",
        OperatorKind::Parse { is_filter: false, .. } => "parse",
        OperatorKind::Parse { is_filter: true, .. } => "parse-where",
        OperatorKind::ParseKv { .. } => "parse-kv",
        OperatorKind::Partition { .. } => "partition",
        OperatorKind::Print(_) => "print",
        OperatorKind::Project(_) => "project",
        OperatorKind::ProjectAway(_) => "project-away",
        OperatorKind::ProjectByNames(_) => "project-by-names",
        OperatorKind::ProjectKeep(_) => "project-keep",
        OperatorKind::ProjectRename(_) => "project-rename",
        OperatorKind::ProjectReorder(_) => "project-reorder",
        OperatorKind::Range { .. } => "range",
        OperatorKind::Reduce { .. } => "reduce",
        OperatorKind::Render { .. } => "render",
        OperatorKind::Sample(_) => "sample",
        OperatorKind::SampleDistinct { .. } => "sample-distinct",
        OperatorKind::Scan { .. } => "scan",
        OperatorKind::Search(_) => "search",
        OperatorKind::Serialized(_) => "serialize",
        OperatorKind::Sort(_) => "sort",
        OperatorKind::Summarize { .. } => "summarize",
        OperatorKind::Take(_) => "take",
        OperatorKind::Top { .. } => "top",
        OperatorKind::TopHitters { .. } => "top-hitters",
        OperatorKind::TopNested(_) => "top-nested",
        OperatorKind::Union(_) => "union",
    }
}

impl<'q> Binder<'_, 'q> {
    /// An operator that begins a query.
    pub(super) fn first_operator(&mut self, operator: &'q Operator) -> Bind<Plan> {
        let span = operator.span;
        match &operator.kind {
            OperatorKind::Print(expressions) => self.print(span, expressions),
            OperatorKind::Range { name, from, to, step } => self.range(span, name, from, to, step),
            OperatorKind::Union(tables) => self.union(None, tables, operator),
            OperatorKind::Find(find) => self.find(find, operator),
            OperatorKind::Search(search) => self.search(None, search, operator),
            other => {
                let reason = crate::parser::SyntaxError::NoSource(name_of(other).to_owned());
                Err(crate::message::Message::new(operator.keyword, reason))
            }
        }
    }

    /// An operator over `input`.
    pub(super) fn operator(&mut self, input: Plan, operator: &'q Operator) -> Bind<Plan> {
        self.count(operator.span, 1)?;
        let span = operator.span;
        let row = Row::of(&input);
        match &operator.kind {
            OperatorKind::As(name) => self.as_name(input, name, &operator.parameters),
            OperatorKind::AssertSchema(schema) => self.assert_schema(input, schema),
            OperatorKind::Count { name } => self.count_rows(span, input, name.as_ref()),
            OperatorKind::Distinct(columns) => self.distinct(span, input, columns),
            OperatorKind::Evaluate(call) => self.evaluate(span, input, call),
            OperatorKind::Extend(columns) => self.with_row(row, |binder| binder.extend(span, input, columns)),
            OperatorKind::Filter(predicate) => self.filter(span, input, predicate),
            OperatorKind::GetSchema => self.get_schema(span, &input, &operator.parameters),
            OperatorKind::Invoke(call) => self.invoke(input, call),
            OperatorKind::Join { right, condition } => self.join(operator, input, right, condition),
            OperatorKind::Lookup { right, condition } => self.lookup(operator, input, right, condition),
            OperatorKind::MakeSeries(series) => self.make_series(operator, input, series),
            OperatorKind::MvApply { items, limit, body } => self.mv_apply(operator, input, items, limit.as_ref(), body),
            OperatorKind::MvExpand { items, limit } => self.mv_expand(operator, input, items, limit.as_ref()),
            OperatorKind::Parse { is_filter, source, parts } => {
                self.parse_text(operator, input, *is_filter, source, parts)
            }
            OperatorKind::ParseKv { source, keys, properties } => {
                self.parse_key_values(span, input, source, keys, properties)
            }
            OperatorKind::Partition { by, body } => self.partition(span, input, by, body),
            OperatorKind::Project(columns) => self.with_row(row, |binder| binder.project(span, input, columns)),
            OperatorKind::ProjectAway(patterns) => self.project_away(span, input, patterns),
            OperatorKind::ProjectByNames(names) => self.project_by_names(span, input, names),
            OperatorKind::ProjectKeep(patterns) => self.project_keep(span, input, patterns),
            OperatorKind::ProjectRename(columns) => self.project_rename(span, input, columns),
            OperatorKind::ProjectReorder(patterns) => self.project_reorder(span, input, patterns),
            OperatorKind::Reduce { source, properties } => self.reduce(operator, input, source, properties),
            OperatorKind::Render { chart, properties } => self.render_as(input, chart, properties),
            OperatorKind::Sample(count) => self.sample(span, input, count),
            OperatorKind::SampleDistinct { count, of } => self.sample_distinct(span, input, count, of),
            OperatorKind::Scan { sort, partition, declare, steps } => {
                self.scan(operator, input, sort, partition, declare, steps)
            }
            OperatorKind::Search(search) => self.search(Some(input), search, operator),
            OperatorKind::Serialized(columns) => self.serialize(span, input, columns),
            OperatorKind::Sort(keys) => self.sort(span, input, keys),
            OperatorKind::Summarize { aggregates, by } => {
                self.summarize(span, input, aggregates, by.as_deref().unwrap_or_default())
            }
            OperatorKind::Take(count) => self.take(span, input, count),
            OperatorKind::Top { count, key } => self.top(span, input, count, key),
            OperatorKind::TopHitters { count, of, by } => self.top_hitters(span, input, count, of, by.as_ref()),
            OperatorKind::TopNested(clauses) => self.top_nested(span, input, clauses),
            OperatorKind::Union(tables) => self.union(Some(input), tables, operator),
            OperatorKind::Consume | OperatorKind::Facet { .. } | OperatorKind::Fork(_) => {
                Err(self.fail(operator.keyword, BindError::NotLast(name_of(&operator.kind).to_owned())))
            }
            OperatorKind::Find(_) | OperatorKind::Print(_) | OperatorKind::Range { .. } => {
                let reason = crate::parser::SyntaxError::NotPiped(name_of(&operator.kind).to_owned());
                Err(crate::message::Message::new(operator.keyword, reason))
            }
        }
    }

    /// New columns over `input`.
    pub(super) fn project_plan(&mut self, span: Span, input: Plan, columns: Vec<Projection>) -> Bind<Plan> {
        let shown = columns.iter().map(|projection| projection.column.clone()).collect();
        self.plan(span, PlanKind::Project { input: Box::new(input), columns }, shown)
    }
}

/// The words of a parameter.
pub(super) fn words<'p>(parameters: &'p [Parameter], name: &str) -> &'p [Name] {
    let found = parameters.iter().find(|parameter| parameter.name.text == name);
    match found.map(|parameter| &parameter.value) {
        Some(ParameterValue::Words(words)) => words,
        _ => &[],
    }
}

/// The one word of a parameter.
pub(super) fn word<'p>(parameters: &'p [Parameter], name: &str) -> Option<&'p Name> {
    words(parameters, name).first()
}
