//! `mv-expand` and `mv-apply`: a row for each element of an array.

use super::{
    super::{
        BindError,
        binder::{Bind, Binder},
        naming::result_name,
        projector::{Projector, Style, same},
        row::Row,
    },
    columns::keep,
    word,
};
use crate::{
    bound::{Column, ColumnId, ExpandItem, Expr, ExprKind, Plan, PlanKind, Projection},
    syntax::{self, MvItem, Operator},
    types::Type,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn mv_expand(
        &mut self,
        operator: &'q Operator,
        input: Plan,
        items: &'q [MvItem],
        limit: Option<&'q syntax::Expr>,
    ) -> Bind<Plan> {
        let (items, index) = self.expanded(operator, &input, items)?;
        let limit = limit.map(|limit| self.count_of(&input, limit)).transpose()?;
        let are_pairs = ["bagexpansion", "kind"]
            .iter()
            .any(|name| word(&operator.parameters, name).is_some_and(|word| word.text == "array"));
        let mut projector = Projector::of_row(&input.columns);
        for item in &items {
            projector.add(item.column.clone(), same(&item.column), Style::Replace);
        }
        if let Some(index) = &index {
            projector.add(index.clone(), same(index), Style::Number);
        }
        let all = input.columns.iter().chain(items.iter().map(|item| &item.column)).chain(&index).cloned().collect();
        let kind = PlanKind::Expand { input: Box::new(input), items, index, limit, are_pairs };
        let expanded = self.plan(operator.span, kind, all)?;
        self.project_plan(operator.span, expanded, projector.columns)
    }

    /// The arrays, and the column that counts their elements.
    fn expanded(
        &mut self,
        operator: &'q Operator,
        input: &Plan,
        items: &'q [MvItem],
    ) -> Bind<(Vec<ExpandItem>, Option<Column>)> {
        let items = self.with_row(Row::of(input), |binder| {
            items.iter().map(|item| binder.expand_item(item)).collect::<Bind<Vec<_>>>()
        })?;
        let index = word(&operator.parameters, "with_itemindex");
        let index = index.map(|name| self.column(name.text.as_str(), Type::Long));
        Ok((items, index))
    }

    fn expand_item(&mut self, item: &'q MvItem) -> Bind<ExpandItem> {
        let syntax = &item.value.value;
        let value = self.value(syntax)?;
        if !matches!(value.ty, Type::Dynamic | Type::Unknown) {
            let (expected, found) = ("dynamic".to_owned(), value.ty.to_string());
            return Err(self.fail(syntax.span, BindError::Wanted { expected, found }));
        }
        let name = match item.value.names.as_slice() {
            [] => match result_name(syntax, self) {
                Some(name) => name,
                None => self.unnamed_column(),
            },
            [name] => name.text.clone(),
            many => return Err(self.fail(syntax.span, BindError::TooManyNames(many.len()))),
        };
        let column = self.column(name, item.ty.unwrap_or(Type::Dynamic));
        Ok(ExpandItem { value, column })
    }

    pub(super) fn mv_apply(
        &mut self,
        operator: &'q Operator,
        input: Plan,
        items: &'q [MvItem],
        limit: Option<&'q syntax::Expr>,
        body: &'q syntax::Expr,
    ) -> Bind<Plan> {
        let (items, index) = self.expanded(operator, &input, items)?;
        let limit = limit.map(|limit| self.count_of(&input, limit)).transpose()?;
        // An element with the name of a column hides it, in the body and behind it.
        let hidden = |column: &Column| items.iter().any(|item| *item.column.name == *column.name);
        let mut row = Row::of(&input);
        row.columns.retain(|column| !hidden(column));
        let kept: Vec<Column> = row.columns.clone();
        row.columns.extend(items.iter().map(|item| item.column.clone()));
        row.columns.extend(index.clone());
        row.is_ordered = true;
        let body = self.in_context(row, |binder| binder.table(body))?;
        // Columns of the row that the body passes on are there already.
        let is_passed = |column: &Column| kept.iter().any(|other| other.id == column.id);
        let results: Vec<Column> = body.columns.iter().filter(|column| !is_passed(column)).cloned().collect();
        let mut projector = Projector::of_row(&kept);
        for column in &results {
            projector.add(column.clone(), same(column), Style::Number);
        }
        let all = kept.iter().chain(&results).cloned().collect();
        let ids: Vec<ColumnId> = kept.iter().map(|column| column.id).collect();
        let body_columns = results.iter().map(keep).collect();
        let body = self.project_plan(operator.span, body, body_columns)?;
        let (input, body) = (Box::new(input), Box::new(body));
        let kind = PlanKind::Apply { input, items, index, limit, body, kept: ids };
        let mut applied = self.plan(operator.span, kind, all)?;
        applied.is_ordered = false;
        let is_renamed = |projection: &Projection| match &projection.value {
            Expr { kind: ExprKind::Column(id), .. } => {
                applied.columns.iter().any(|column| column.id == *id && column.name != projection.column.name)
            }
            _ => true,
        };
        if projector.columns.iter().any(is_renamed) {
            return self.project_plan(operator.span, applied, projector.columns);
        }
        Ok(applied)
    }
}
