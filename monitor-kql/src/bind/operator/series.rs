//! `make-series`.

use super::super::{
    BindError,
    binder::{Bind, Binder},
    convert::convert,
    projector::{Projector, Style},
    row::Row,
};
use crate::{
    bound::{Aggregate, Column, Expr, ExprKind, Plan, PlanKind, Projection, Series},
    syntax::{self, MakeSeries, Operator, SeriesAggregate, SeriesRange},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn make_series(&mut self, operator: &'q Operator, input: Plan, series: &'q MakeSeries) -> Bind<Plan> {
        let span = operator.span;
        let (by, shown, aggregates, axis) = self.with_row(Row::of(&input), |binder| {
            let by = binder.group_keys(&series.by)?;
            let mut projector = Projector::behind(&by);
            let aggregates = binder.series_aggregates(&mut projector, &series.aggregates)?;
            let before = projector.columns.len();
            binder.project_one(&mut projector, &series.on, Style::Number, 0, Some(Type::Dynamic))?;
            let axis = projector.columns.split_off(before);
            Ok((by.columns, projector.columns, aggregates, axis))
        })?;
        let Some(Projection { column: axis, value: on }) = axis.into_iter().next() else {
            return Err(self.fail(series.on.value.span, BindError::ColumnWanted));
        };
        let axis = Column { ty: Type::Dynamic, id: self.column("", Type::Dynamic).id, name: axis.name };
        let (from, to, step) = self.series_range(&series.range, on.ty)?;
        let columns = shown.into_iter().map(|projection| projection.column).chain([axis.clone()]).collect();
        let includes_end = series.range.is_in_range;
        let series = Series { input, aggregates, on, axis, from, to, step, includes_end, by };
        let mut plan = self.plan(span, PlanKind::Series(Box::new(series)), columns)?;
        plan.is_ordered = false;
        plan.is_open = false;
        Ok(plan)
    }

    fn series_aggregates(
        &mut self,
        projector: &mut Projector,
        aggregates: &'q [SeriesAggregate],
    ) -> Bind<Vec<(Aggregate, Expr)>> {
        let mut bound = Vec::with_capacity(aggregates.len());
        for SeriesAggregate { value, default } in aggregates {
            let before = projector.columns.len();
            let ((), collected) = self.collecting(Vec::new(), |binder| {
                binder.project_one(projector, value, Style::Number, 0, Some(Type::Dynamic))
            })?;
            let mut collected = collected.into_iter();
            let (Some(mut aggregate), None) = (collected.next(), collected.next()) else {
                let (expected, found) = ("one aggregate".to_owned(), "this".to_owned());
                return Err(self.fail(value.value.span, BindError::Wanted { expected, found }));
            };
            let is_alone = projector.columns.get(before).is_some_and(|projection| {
                let output = aggregate.outputs.first().map(|column| ExprKind::Column(column.id));
                Some(&projection.value.kind) == output.as_ref()
            });
            if !is_alone {
                let (expected, found) = ("an aggregate alone".to_owned(), "an expression over one".to_owned());
                return Err(self.fail(value.value.span, BindError::Wanted { expected, found }));
            }
            let ty = aggregate.outputs.first().map_or(Type::Long, |column| column.ty);
            let default = match default {
                Some(default) => {
                    let value = self.without_row(|binder| binder.constant(default))?;
                    convert(value, ty)
                }
                None if ty.is_number() => convert(Expr::literal(Value::Long(0), Type::Long), ty),
                None => Expr::literal(Value::absent(ty), ty),
            };
            // The points are gathered in an array, so the column is the aggregate's with another type.
            if let (Some(output), Some(shown)) = (aggregate.outputs.first_mut(), projector.columns.get(before)) {
                *output = shown.column.clone();
            }
            bound.push((aggregate, default));
        }
        Ok(bound)
    }

    fn series_range(&mut self, range: &'q SeriesRange, axis: Type) -> Bind<(Option<Expr>, Option<Expr>, Expr)> {
        let mut end = |end: &'q Option<syntax::Expr>| -> Bind<Option<Expr>> {
            let Some(expression) = end else {
                return Ok(None);
            };
            let value = self.without_row(|binder| binder.constant(expression))?;
            Ok(Some(self.on_axis(expression, value, axis)?))
        };
        let (from, to) = (end(&range.from)?, end(&range.to)?);
        let step = self.without_row(|binder| binder.constant(&range.step))?;
        let step_ty = if matches!(axis, Type::DateTime | Type::Timespan) { Type::Timespan } else { axis };
        let step = self.on_axis(&range.step, step, step_ty)?;
        Ok((from, to, step))
    }

    /// A point or a step of the axis. Whole numbers that are written out are long, and an axis of int takes them.
    fn on_axis(&self, expression: &'q syntax::Expr, value: Expr, ty: Type) -> Bind<Expr> {
        if value.ty.is_number() && ty.is_number() {
            return Ok(convert(value, ty));
        }
        self.coerce(expression.span, value, ty)
    }
}
