//! `join` and `lookup`.

use std::sync::Arc;

use super::{
    super::{
        BindError, arithmetic,
        binder::{Bind, Binder},
        projector::same,
        row::{Row, UniqueNames},
    },
    word,
};
use crate::{
    bound::{Column, ColumnId, Expr, ExprKind, Join, JoinKind, Plan, PlanKind, Projection},
    span::Span,
    syntax::{self, BinaryOperator, ExprKind as Syntax, JoinCondition, Name, Operator},
    types::Type,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn join(
        &mut self,
        operator: &'q Operator,
        left: Plan,
        right: &'q syntax::Expr,
        condition: &'q JoinCondition,
    ) -> Bind<Plan> {
        let kind = match word(&operator.parameters, "kind").map(|kind| kind.text.as_str()) {
            Some("inner") => JoinKind::Inner,
            Some("leftouter") => JoinKind::LeftOuter,
            Some("rightouter") => JoinKind::RightOuter,
            Some("fullouter") => JoinKind::FullOuter,
            Some("leftsemi") => JoinKind::LeftSemi,
            Some("rightsemi") => JoinKind::RightSemi,
            Some("leftanti" | "leftantisemi" | "anti") => JoinKind::LeftAnti,
            Some("rightanti" | "rightantisemi") => JoinKind::RightAnti,
            _ => JoinKind::InnerUnique,
        };
        let right = self.right_side(right)?;
        let on = self.conditions_of(operator.span, &left, &right, condition)?;
        let sides = match kind {
            JoinKind::LeftSemi | JoinKind::LeftAnti => left.columns.clone(),
            JoinKind::RightSemi | JoinKind::RightAnti => right.columns.clone(),
            JoinKind::InnerUnique
            | JoinKind::Inner
            | JoinKind::LeftOuter
            | JoinKind::RightOuter
            | JoinKind::FullOuter => left.columns.iter().chain(&right.columns).cloned().collect(),
        };
        let columns = unique_columns(sides);
        let is_open = left.is_open || right.is_open;
        let aliases = both_aliases(&left, &right);
        let mut plan = self.plan(operator.span, PlanKind::Join(Box::new(Join { left, right, kind, on })), columns)?;
        plan.is_ordered = false;
        plan.is_open = is_open;
        plan.aliases = aliases;
        Ok(plan)
    }

    /// `lookup`: a join that leaves out the right side's keys.
    pub(super) fn lookup(
        &mut self,
        operator: &'q Operator,
        left: Plan,
        right: &'q syntax::Expr,
        condition: &'q JoinCondition,
    ) -> Bind<Plan> {
        let kind = match word(&operator.parameters, "kind").map(|kind| kind.text.as_str()) {
            Some("inner") => JoinKind::Inner,
            _ => JoinKind::LeftOuter,
        };
        let right = self.right_side(right)?;
        let on = self.conditions_of(operator.span, &left, &right, condition)?;
        let keys: Vec<ColumnId> = on.iter().filter_map(|(_, right)| column_id(right)).collect();
        let kept = right.columns.iter().filter(|column| !keys.contains(&column.id));
        let shown: Vec<Column> = left.columns.iter().chain(kept).cloned().collect();
        let all = left.columns.iter().chain(&right.columns).cloned().collect();
        let is_open = left.is_open || right.is_open;
        let joined = self.plan(operator.span, PlanKind::Join(Box::new(Join { left, right, kind, on })), all)?;
        let projections: Vec<Projection> = unique_columns(shown.clone())
            .into_iter()
            .zip(&shown)
            .map(|(column, old)| Projection { column, value: same(old) })
            .collect();
        let mut plan = self.project_plan(operator.span, joined, projections)?;
        plan.is_ordered = false;
        plan.is_open = is_open;
        Ok(plan)
    }

    fn right_side(&mut self, right: &'q syntax::Expr) -> Bind<Plan> {
        let outer = self.context.take();
        let plan = self.without_row(|binder| binder.table(right));
        self.context = outer;
        plan
    }

    fn conditions_of(
        &mut self,
        span: Span,
        left: &Plan,
        right: &Plan,
        condition: &'q JoinCondition,
    ) -> Bind<Vec<(Expr, Expr)>> {
        let JoinCondition::On(conditions) = condition else {
            return Err(self.fail(span, BindError::JoinCondition));
        };
        let mut row = Row::of(left);
        row.right = Some(Box::new(Row::of(right)));
        self.with_row(row, |binder| {
            let mut on = Vec::new();
            for condition in conditions {
                binder.join_condition(condition, &mut on)?;
            }
            Ok(on)
        })
    }

    fn join_condition(&mut self, condition: &'q syntax::Expr, on: &mut Vec<(Expr, Expr)>) -> Bind<()> {
        match &condition.kind {
            Syntax::And(parts) => parts.iter().try_for_each(|part| self.join_condition(part, on)),
            Syntax::Name(name) => {
                on.push(self.common_column(name)?);
                Ok(())
            }
            Syntax::Binary { operator: BinaryOperator::Equal, left, right, .. }
                if is_side(left, "$left") && is_side(right, "$right") =>
            {
                let (left, right) = (self.value(left)?, self.value(right)?);
                on.push(self.comparable(condition.span, left, right)?);
                Ok(())
            }
            _ => Err(self.fail(condition.span, BindError::JoinCondition)),
        }
    }

    /// `on a`: a column of both sides.
    fn common_column(&self, name: &Name) -> Bind<(Expr, Expr)> {
        let left = self.known_column(name)?;
        let right = self.row.as_ref().and_then(|row| row.right.as_deref()).and_then(|right| right.find(&name.text));
        let Some(right) = right else {
            return Err(self.fail(name.span, BindError::JoinColumn { name: name.text.clone() }));
        };
        if left.ty != right.ty && left.ty != Type::Unknown && right.ty != Type::Unknown {
            return Err(self.fail(name.span, BindError::JoinTypes { left: left.ty, right: right.ty }));
        }
        Ok((same(&left), same(right)))
    }

    fn comparable(&self, span: Span, left: Expr, right: Expr) -> Bind<(Expr, Expr)> {
        let (left_ty, right_ty) = (left.ty, right.ty);
        let is_fitting = left_ty == right_ty
            || (left_ty.is_number() && right_ty.is_number())
            || [left_ty, right_ty].iter().any(|ty| matches!(ty, Type::Dynamic | Type::Unknown));
        if !is_fitting {
            return Err(self.fail(span, BindError::JoinTypes { left: left_ty, right: right_ty }));
        }
        Ok(arithmetic::same(left, right))
    }
}

fn is_side(expression: &syntax::Expr, side: &str) -> bool {
    match &expression.kind {
        Syntax::Path { base, .. } => match &base.kind {
            Syntax::Name(name) => name.text == side,
            _ => is_side(base, side),
        },
        Syntax::Call { arguments, .. } => {
            matches!(arguments.as_slice(), [argument] if is_side(&argument.value, side))
        }
        _ => false,
    }
}

/// The further names of columns of both sides; those of the right get a number as the columns themselves do.
fn both_aliases(left: &Plan, right: &Plan) -> Vec<(Arc<str>, ColumnId)> {
    let mut aliases = left.aliases.clone();
    for (alias, id) in &right.aliases {
        let is_taken = left.aliases.iter().any(|(other, _)| other == alias);
        let alias = if is_taken { format!("{alias}1").into() } else { alias.clone() };
        aliases.push((alias, *id));
    }
    aliases
}

fn column_id(expression: &Expr) -> Option<ColumnId> {
    match &expression.kind {
        ExprKind::Column(id) => Some(*id),
        ExprKind::Convert(inner) => column_id(inner),
        _ => None,
    }
}

/// The same columns with numbers behind names that came before.
pub(super) fn unique_columns(columns: Vec<Column>) -> Vec<Column> {
    let mut names = UniqueNames::default();
    for column in &columns {
        names.reserve(&column.name);
    }
    let mut seen = std::collections::HashSet::new();
    columns
        .into_iter()
        .map(|column| {
            if seen.insert(column.name.clone()) {
                return column;
            }
            let name = names.take(&column.name);
            Column { name: name.into(), ..column }
        })
        .collect()
}
