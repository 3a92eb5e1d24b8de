//! `scan`: steps over rows in order.

use super::{
    super::{
        BindError,
        binder::{Bind, Binder},
        convert::convert,
        row::Row,
    },
    join::unique_columns,
    word,
};
use crate::{
    bound::{Column, Expr, Plan, PlanKind, ScanStep},
    syntax::{self, Name, Operator},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn scan(
        &mut self,
        operator: &'q Operator,
        input: Plan,
        sort: &'q [syntax::SortKey],
        partition: &'q [syntax::Expr],
        declare: &'q [(Name, Type, Option<syntax::Expr>)],
        steps: &'q [syntax::ScanStep],
    ) -> Bind<Plan> {
        let span = operator.span;
        let input = if sort.is_empty() {
            input
        } else {
            let keys = self.sort_keys(&Row::of(&input), sort)?;
            self.sorted(span, input, keys)?
        };
        if !input.is_ordered {
            self.notice(operator.keyword, "`scan` needs rows in an order, and these have none");
        }
        let partition = self.with_row(Row::of(&input), |binder| {
            partition.iter().map(|by| binder.value(by)).collect::<Bind<Vec<_>>>()
        })?;
        let mut declared = Vec::with_capacity(declare.len());
        for (name, ty, default) in declare {
            let value = match default {
                Some(default) => {
                    let value = self.without_row(|binder| binder.constant(default))?;
                    self.coerce(default.span, value, *ty).or_else(|message| {
                        // A whole number is a long, and a declared int takes it.
                        let value = self.without_row(|binder| binder.constant(default))?;
                        if value.ty.is_number() && ty.is_number() { Ok(convert(value, *ty)) } else { Err(message) }
                    })?
                }
                None => Expr::literal(Value::absent(*ty), *ty),
            };
            declared.push((self.column(name.text.as_str(), *ty), value));
        }
        let mut row = Row::of(&input);
        row.columns.extend(declared.iter().map(|(column, _)| column.clone()));
        row.is_ordered = true;
        let mut states: Vec<Vec<Column>> = Vec::with_capacity(steps.len());
        for step in steps {
            if row.steps.iter().any(|(name, _)| *name == step.name.text) {
                return Err(self.fail(step.name.span, BindError::DeclaredTwice(step.name.text.clone())));
            }
            let mut state = Vec::with_capacity(row.columns.len());
            for column in &row.columns {
                state.push(self.column(column.name.clone(), column.ty));
            }
            row.steps.push((step.name.text.clone(), state.clone()));
            states.push(state);
        }
        let bound = self.with_row(row, |binder| {
            let steps = steps.iter().zip(states).map(|(step, state)| binder.scan_step(step, state, &declared));
            steps.collect::<Bind<Vec<_>>>()
        })?;
        let match_id = match word(&operator.parameters, "with_match_id") {
            Some(name) => name.text.as_str(),
            None => "match_id",
        };
        let match_id = Some(self.column(match_id, Type::Long));
        let made = declared.iter().map(|(column, _)| column).chain(&match_id);
        let columns = unique_columns(input.columns.iter().chain(made).cloned().collect());
        let input = Box::new(input);
        self.plan(span, PlanKind::Scan { input, partition, declared, match_id, steps: bound }, columns)
    }

    fn scan_step(
        &mut self,
        step: &'q syntax::ScanStep,
        state: Vec<Column>,
        declared: &[(Column, Expr)],
    ) -> Bind<ScanStep> {
        let condition = self.condition(&step.condition)?;
        let mut assignments = Vec::with_capacity(step.assignments.len());
        for (name, value) in &step.assignments {
            let Some((column, _)) = declared.iter().find(|(column, _)| *column.name == *name.text) else {
                return Err(self.unknown_column(name, self.row.as_ref()));
            };
            let bound = self.value(value)?;
            let is_number = bound.ty.is_number() && column.ty.is_number();
            let bound = if is_number { convert(bound, column.ty) } else { self.coerce(value.span, bound, column.ty)? };
            assignments.push((column.id, bound));
        }
        Ok(ScanStep {
            name: step.name.text.clone(),
            is_optional: step.is_optional,
            output: step.output,
            state,
            condition,
            assignments,
        })
    }
}
