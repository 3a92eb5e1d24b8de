//! Operators over rows: `where`, `sort`, `take`, `top`, `sample`, `distinct`, `count`, `range`, `as`, `invoke`.

use super::super::{
    BindError,
    binder::{Bind, Binder},
    call::promoted,
    convert::{common, convert},
    name::Term,
    projector::{Projector, Style},
    row::{Row, Symbol},
};
use crate::{
    bound::{Aggregate, Expr, Plan, PlanKind, SortKey},
    schema::enrichment,
    span::Span,
    syntax::{self, BinaryOperator, ExprKind as Syntax, Name, Named, Order, Parameter},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn filter(&mut self, span: Span, input: Plan, predicate: &'q syntax::Expr) -> Bind<Plan> {
        let predicate = self.with_row(Row::of(&input), |binder| binder.condition(predicate))?;
        let columns = input.columns.clone();
        self.plan(span, PlanKind::Filter { input: Box::new(input), predicate }, columns)
    }

    pub(super) fn take(&mut self, span: Span, input: Plan, count: &'q syntax::Expr) -> Bind<Plan> {
        let count = self.count_of(&input, count)?;
        let columns = input.columns.clone();
        self.plan(span, PlanKind::Take { input: Box::new(input), count }, columns)
    }

    pub(super) fn sample(&mut self, span: Span, input: Plan, count: &'q syntax::Expr) -> Bind<Plan> {
        let count = self.count_of(&input, count)?;
        let columns = input.columns.clone();
        let mut plan = self.plan(span, PlanKind::Sample { input: Box::new(input), count }, columns)?;
        plan.is_ordered = false;
        Ok(plan)
    }

    pub(super) fn sort(&mut self, span: Span, input: Plan, keys: &'q [syntax::SortKey]) -> Bind<Plan> {
        let keys = self.sort_keys(&Row::of(&input), keys)?;
        self.sorted(span, input, keys)
    }

    pub(super) fn sort_keys(&mut self, row: &Row, keys: &'q [syntax::SortKey]) -> Bind<Vec<SortKey>> {
        self.with_row(row.clone(), |binder| {
            let one = |key: &'q syntax::SortKey| {
                let value = binder.value(&key.value.value)?;
                if value.ty == Type::Dynamic {
                    return Err(binder.fail(key.value.value.span, BindError::NotDynamic(value.ty)));
                }
                Ok(sort_key(key, value))
            };
            keys.iter().map(one).collect()
        })
    }

    pub(super) fn sorted(&mut self, span: Span, input: Plan, keys: Vec<SortKey>) -> Bind<Plan> {
        let columns = input.columns.clone();
        let mut plan = self.plan(span, PlanKind::Sort { input: Box::new(input), keys }, columns)?;
        plan.is_ordered = true;
        Ok(plan)
    }

    pub(super) fn top(
        &mut self,
        span: Span,
        input: Plan,
        count: &'q syntax::Expr,
        key: &'q syntax::SortKey,
    ) -> Bind<Plan> {
        let count = self.count_of(&input, count)?;
        let key = self.with_row(Row::of(&input), |binder| {
            let value = binder.value(&key.value.value)?;
            Ok(sort_key(key, value))
        })?;
        let sorted = self.sorted(span, input, vec![key])?;
        let columns = sorted.columns.clone();
        self.plan(span, PlanKind::Take { input: Box::new(sorted), count }, columns)
    }

    /// Values that are grouped, sorted or compared have an order, which dynamic ones have not.
    pub(super) fn check_grouped(&self, span: Span, projector: &Projector) -> Bind<()> {
        match projector.columns.iter().find(|projection| projection.value.ty == Type::Dynamic) {
            Some(projection) => Err(self.fail(span, BindError::NotDynamic(projection.value.ty))),
            None => Ok(()),
        }
    }

    pub(super) fn distinct(&mut self, span: Span, input: Plan, columns: &'q [Named]) -> Bind<Plan> {
        let projector = self.with_row(Row::of(&input), |binder| {
            let mut projector = Projector::default();
            for (at, named) in columns.iter().enumerate() {
                binder.project_one(&mut projector, named, Style::Number, at, None)?;
                binder.check_grouped(named.value.span, &projector)?;
            }
            Ok(projector)
        })?;
        self.summarized(span, input, projector.columns, Vec::new())
    }

    pub(super) fn sample_distinct(
        &mut self,
        span: Span,
        input: Plan,
        count: &'q syntax::Expr,
        of: &'q Named,
    ) -> Bind<Plan> {
        let count = self.count_of(&input, count)?;
        self.with_row(Row::of(&input), |binder| binder.column_of(&of.value))?;
        let distinct = self.distinct(span, input, std::slice::from_ref(of))?;
        let columns = distinct.columns.clone();
        self.plan(span, PlanKind::Take { input: Box::new(distinct), count }, columns)
    }

    pub(super) fn count_rows(&mut self, span: Span, input: Plan, name: Option<&'q Name>) -> Bind<Plan> {
        let column = self.column(name.map_or("Count", |name| name.text.as_str()), Type::Long);
        let aggregate = Aggregate { function: "count", arguments: Vec::new(), outputs: vec![column] };
        self.summarized(span, input, Vec::new(), vec![aggregate])
    }

    pub(super) fn range(
        &mut self,
        span: Span,
        name: &'q Name,
        from: &'q syntax::Expr,
        to: &'q syntax::Expr,
        step: &'q syntax::Expr,
    ) -> Bind<Plan> {
        let mut ends = Vec::with_capacity(3);
        for part in [from, to, step] {
            let value = self.constant(part)?;
            if !value.ty.is_summable() {
                let (expected, found) = ("a number, datetime or timespan".to_owned(), value.ty.to_string());
                return Err(self.fail(part.span, BindError::Wanted { expected, found }));
            }
            ends.push(value);
        }
        let [first, last, by]: [Expr; 3] = ends.try_into().map_err(|_| self.fail(span, BindError::ConstantWanted))?;
        let is_zero = matches!(by.as_literal(), Some(Value::Long(0) | Value::Int(0) | Value::Timespan(0)))
            || matches!(by.as_literal(), Some(Value::Real(number)) if *number == 0.0);
        if is_zero {
            return Err(self.fail(step.span, BindError::ZeroStep));
        }
        let Some(both) = common(first.ty, last.ty) else {
            let (expected, found) = (first.ty.to_string(), last.ty.to_string());
            return Err(self.fail(to.span, BindError::Wanted { expected, found }));
        };
        let ty = if both == Type::Int && by.ty == Type::Int {
            Type::Int
        } else {
            let zero = Expr::literal(Value::Null, both);
            promoted(self.apply(BinaryOperator::Add, step.span, zero, by.clone())?.ty)
        };
        let step_ty = if ty.is_number() { ty } else { by.ty };
        let kind = PlanKind::Range { from: convert(first, ty), to: convert(last, ty), step: convert(by, step_ty) };
        let columns = vec![self.column(name.text.as_str(), ty)];
        self.plan(span, kind, columns)
    }

    pub(super) fn as_name(&mut self, input: Plan, name: &'q Name, parameters: &'q [Parameter]) -> Bind<Plan> {
        let is_materialized = parameters.iter().any(|parameter| parameter.name.text == "hint.materialized");
        let shared = self.share(&name.text, input, is_materialized);
        self.declare(&name.text, name.span, Symbol::Table(shared))?;
        self.shared_plan(name.span, shared)
    }

    /// `invoke f(x)`: a function of the query whose first parameter is the rows, or one that Microsoft's portal has.
    pub(super) fn invoke(&mut self, input: Plan, call: &'q syntax::Expr) -> Bind<Plan> {
        let Syntax::Call { name, arguments } = &call.kind else {
            return Err(self.fail(call.span, BindError::ValueAsTable));
        };
        if self.symbol(&name.text).is_none()
            && let Some(columns) = enrichment(&name.text)
        {
            for argument in arguments {
                self.with_row(Row::of(&input), |binder| binder.value(&argument.value))?;
            }
            self.notice(name.span, format!("`{}` asks Microsoft's cloud: its columns are empty here", name.text));
            let mut projector = Projector::of_row(&input.columns);
            for (column, ty) in columns {
                let column = self.column(*column, *ty);
                projector.add(column, Expr::literal(Value::absent(*ty), *ty), Style::Replace);
            }
            return self.project_plan(call.span, input, projector.columns);
        }
        if self.symbol(&name.text).is_none() {
            return Err(self.fail(name.span, BindError::UnknownFunction { name: name.text.clone(), nearest: None }));
        }
        match self.user_call_over(name, Some(input), arguments)? {
            Term::Table(plan) => Ok(*plan),
            Term::Value(_) => Err(self.fail(call.span, BindError::ValueAsTable)),
        }
    }
}

pub(super) fn sort_key(key: &syntax::SortKey, value: Expr) -> SortKey {
    let is_descending = !matches!(key.order, Some(Order::Ascending | Order::GrannyAscending));
    // Nulls are less than everything: first when ascending, last when descending.
    let are_nulls_first = key.are_nulls_first.unwrap_or(!is_descending);
    SortKey { value, is_descending, are_nulls_first }
}
