//! Operators that group rows: `summarize`, `top-hitters`, `top-nested`, `reduce`, `partition`.

use super::{
    super::{
        BindError,
        binder::{Bind, Binder},
        naming::result_name,
        projector::{Projector, Style, same},
        row::{Row, UniqueNames},
    },
    word,
};
use crate::{
    bound::{Aggregate, Column, ColumnId, Expr, ExprKind, NestedLevel, Plan, PlanKind, Projection, SortKey},
    span::Span,
    syntax::{self, Named, Operator, Order, Parameter, ParameterValue, PartitionBody, TopNestedClause},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn summarize(
        &mut self,
        span: Span,
        input: Plan,
        aggregates: &'q [Named],
        by: &'q [Named],
    ) -> Bind<Plan> {
        let (by, shown, collected) = self.with_row(Row::of(&input), |binder| {
            let by = binder.group_keys(by)?;
            let (shown, collected) = binder.aggregated(&by, aggregates)?;
            Ok((by.columns, shown, collected))
        })?;
        self.finish_summarize(span, input, by, shown, collected)
    }

    /// What rows of a group have in common.
    pub(super) fn group_keys(&mut self, by: &'q [Named]) -> Bind<Projector> {
        let mut projector = Projector::default();
        for (at, named) in by.iter().enumerate() {
            self.project_one(&mut projector, named, Style::Number, at, None)?;
            self.check_grouped(named.value.span, &projector)?;
        }
        Ok(projector)
    }

    /// The columns that aggregates make, behind those of the keys, and the aggregates in them.
    fn aggregated(&mut self, by: &Projector, aggregates: &'q [Named]) -> Bind<(Vec<Projection>, Vec<Aggregate>)> {
        let mut projector = Projector::behind(by);
        let keys = projector.columns.len();
        let grouped: Vec<ColumnId> = by.columns.iter().filter_map(column_of).collect();
        let outer = std::mem::replace(&mut self.grouped, grouped);
        let done = self.collecting(Vec::new(), |binder| {
            for (at, named) in aggregates.iter().enumerate() {
                binder.project_one(&mut projector, named, Style::Number, at, None)?;
            }
            Ok(())
        });
        self.grouped = outer;
        let ((), collected) = done?;
        Ok((projector.columns.split_off(keys), collected))
    }

    /// A summarize, and a project over it when the aggregates are parts of expressions.
    pub(super) fn finish_summarize(
        &mut self,
        span: Span,
        input: Plan,
        by: Vec<Projection>,
        shown: Vec<Projection>,
        mut collected: Vec<Aggregate>,
    ) -> Bind<Plan> {
        let outputs: Vec<ColumnId> =
            collected.iter().flat_map(|aggregate| &aggregate.outputs).map(|column| column.id).collect();
        let read: Vec<Option<ColumnId>> = shown.iter().map(column_of).collect();
        let is_direct = read.len() == outputs.len() && read.iter().zip(&outputs).all(|(read, id)| *read == Some(*id));
        if is_direct {
            // The names that the query shows are those of the aggregates themselves.
            let columns = collected.iter_mut().flat_map(|aggregate| &mut aggregate.outputs);
            for (column, projection) in columns.zip(shown) {
                *column = projection.column;
            }
            return self.summarized(span, input, by, collected);
        }
        let keys: Vec<Projection> = by.iter().map(|projection| super::columns::keep(&projection.column)).collect();
        let summarized = self.summarized(span, input, by, collected)?;
        self.project_plan(span, summarized, keys.into_iter().chain(shown).collect())
    }

    pub(super) fn summarized(
        &mut self,
        span: Span,
        input: Plan,
        by: Vec<Projection>,
        aggregates: Vec<Aggregate>,
    ) -> Bind<Plan> {
        let keys = by.iter().map(|projection| projection.column.clone());
        let columns = keys.chain(aggregates.iter().flat_map(|aggregate| aggregate.outputs.clone())).collect();
        let mut plan = self.plan(span, PlanKind::Summarize { input: Box::new(input), by, aggregates }, columns)?;
        plan.is_ordered = false;
        plan.is_open = false;
        Ok(plan)
    }

    /// `top-hitters`: a count or sum by group, and the greatest of them. Kusto's are approximate, these are not.
    pub(super) fn top_hitters(
        &mut self,
        span: Span,
        input: Plan,
        count: &'q syntax::Expr,
        of: &'q Named,
        by: Option<&'q syntax::Expr>,
    ) -> Bind<Plan> {
        let count = self.count_of(&input, count)?;
        let (keys, aggregate) = self.with_row(Row::of(&input), |binder| {
            binder.column_of(&of.value)?;
            let keys = binder.group_keys(std::slice::from_ref(of))?;
            let aggregate = match by {
                Some(by) => {
                    let value = binder.value(by)?;
                    if !value.ty.is_number() && value.ty != Type::Unknown {
                        let (expected, found) = ("a number".to_owned(), value.ty.to_string());
                        return Err(binder.fail(by.span, BindError::Wanted { expected, found }));
                    }
                    let name = format!("approximate_sum_{}", result_name(by, binder).unwrap_or_default());
                    let column = binder.column(name, value.ty);
                    Aggregate { function: "sum", arguments: vec![value], outputs: vec![column] }
                }
                None => {
                    let name = result_name(&of.value, binder).unwrap_or_default();
                    let column = binder.column(format!("approximate_count_{name}"), Type::Long);
                    Aggregate { function: "count", arguments: Vec::new(), outputs: vec![column] }
                }
            };
            Ok((keys.columns, aggregate))
        })?;
        let value = aggregate.outputs.first().map(same);
        let summarized = self.summarized(span, input, keys, vec![aggregate])?;
        let keys = value.map(|value| SortKey { value, is_descending: true, are_nulls_first: false });
        let sorted = self.sorted(span, summarized, keys.into_iter().collect())?;
        let columns = sorted.columns.clone();
        self.plan(span, PlanKind::Take { input: Box::new(sorted), count }, columns)
    }

    pub(super) fn top_nested(&mut self, span: Span, input: Plan, clauses: &'q [TopNestedClause]) -> Bind<Plan> {
        let mut names = UniqueNames::default();
        let (mut levels, mut columns) = (Vec::new(), Vec::new());
        for clause in clauses {
            let count = clause.count.as_ref().map(|count| self.count_of(&input, count)).transpose()?;
            let level = self.with_row(Row::of(&input), |binder| binder.nested_level(clause, count, &mut names))?;
            columns.extend([level.of.column.clone(), level.by.column.clone()]);
            levels.push(level);
        }
        let mut plan = self.plan(span, PlanKind::TopNested { input: Box::new(input), levels }, columns)?;
        plan.is_ordered = true;
        plan.is_open = false;
        Ok(plan)
    }

    fn nested_level(
        &mut self,
        clause: &'q TopNestedClause,
        count: Option<Expr>,
        names: &mut UniqueNames,
    ) -> Bind<NestedLevel> {
        let of = self.value(&clause.of.value)?;
        let own = clause.of.names.first().map(|name| name.text.clone());
        let name = own.or_else(|| result_name(&clause.of.value, self)).unwrap_or_default();
        let name = if name.is_empty() { self.unnamed_column() } else { name };
        let of_name = names.take(&name);
        let of = Projection { column: self.column(of_name.as_str(), of.ty), value: of };
        let others = clause.others.as_ref().map(|others| self.constant(others)).transpose()?;
        let (by, aggregates) = self.collecting(Vec::new(), |binder| binder.value(&clause.by.value))?;
        let by_name = match clause.by.names.first() {
            Some(name) => names.take(&name.text),
            None => names.take(&format!("aggregated_{of_name}")),
        };
        let mut aggregates = aggregates.into_iter();
        let (Some(aggregate), None) = (aggregates.next(), aggregates.next()) else {
            let (expected, found) = ("one aggregate".to_owned(), "this".to_owned());
            return Err(self.fail(clause.by.value.span, BindError::Wanted { expected, found }));
        };
        let by = Projection { column: self.column(by_name, by.ty), value: by };
        let is_ascending = matches!(clause.order, Some(Order::Ascending | Order::GrannyAscending));
        Ok(NestedLevel { count, of, others, aggregate, by, is_ascending })
    }

    pub(super) fn reduce(
        &mut self,
        operator: &'q Operator,
        input: Plan,
        source: &'q syntax::Expr,
        properties: &'q [Parameter],
    ) -> Bind<Plan> {
        let keeps_rows = word(&operator.parameters, "kind").is_some();
        let text = self.with_row(Row::of(&input), |binder| {
            let value = binder.value(source)?;
            binder.coerce(source.span, value, Type::String)
        })?;
        let literal = |name: &str| {
            let found = properties.iter().find(|property| property.name.text == name);
            match found.map(|property| &property.value) {
                Some(ParameterValue::Literal(literal)) => Some(literal.value.clone()),
                _ => None,
            }
        };
        let threshold = match literal("threshold") {
            Some(Value::Real(threshold)) => threshold,
            _ => 0.1,
        };
        let characters = literal("characters").map(|value| value.to_string()).unwrap_or_default();
        let mut columns = if keeps_rows { input.columns.clone() } else { Vec::new() };
        columns.push(self.column("Pattern", Type::String));
        columns.push(self.column("Count", Type::Long));
        columns.push(self.column("Representative", Type::String));
        let input = Box::new(input);
        let kind = PlanKind::Reduce { input, source: text, threshold, characters, keeps_rows };
        let mut plan = self.plan(operator.span, kind, columns)?;
        plan.is_open = false;
        Ok(plan)
    }

    pub(super) fn partition(
        &mut self,
        span: Span,
        input: Plan,
        by: &'q syntax::Expr,
        body: &'q PartitionBody,
    ) -> Bind<Plan> {
        let row = Row::of(&input);
        let column = self.with_row(row.clone(), |binder| binder.column_of(by))?;
        if column.ty == Type::Dynamic {
            return Err(self.fail(by.span, BindError::NotDynamic(column.ty)));
        }
        let body = match body {
            PartitionBody::Operators(body) => self.in_context(row, |binder| binder.table(body))?,
            // The query names the partition's value as if it were a variable.
            PartitionBody::Query(query) => self.partition_query(&column, query)?,
        };
        let columns = body.columns.clone();
        let (input, body) = (Box::new(input), Box::new(body));
        let mut plan = self.plan(span, PlanKind::Partition { input, by: same(&column), body }, columns)?;
        plan.is_ordered = false;
        plan.is_open = false;
        plan.aliases = Vec::new();
        Ok(plan)
    }

    fn partition_query(&mut self, column: &Column, query: &'q syntax::Expr) -> Bind<Plan> {
        let scope = self.scope.clone();
        self.in_body(scope, |binder| {
            let value = Expr::new(ExprKind::Column(column.id), column.ty);
            binder.declare(&column.name, query.span, super::super::row::Symbol::Value(value))?;
            binder.without_row(|binder| binder.table(query))
        })
    }

    /// Binds a body that reads `row`.
    pub(super) fn in_context<T>(&mut self, row: Row, bind: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        let outer = self.context.replace(row);
        let done = self.without_row(bind);
        self.context = outer;
        done
    }
}

fn column_of(projection: &Projection) -> Option<ColumnId> {
    match projection.value.kind {
        ExprKind::Column(id) => Some(id),
        _ => None,
    }
}
