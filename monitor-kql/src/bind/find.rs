//! `find`: rows of several tables that meet a predicate, and the columns that it shows of them.

use std::{collections::HashMap, sync::Arc};

use super::{
    binder::{Bind, Binder},
    convert::{common, convert},
    multiple::{Source, Unified},
    operator::{is_match, word},
    projector::same,
    row::Row,
};
use crate::{
    bound::{Column, ColumnId, Expr, ExprKind, Plan, PlanKind, Projection},
    syntax::{Find, FindColumn, Operator},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn find(&mut self, find: &'q Find, operator: &'q Operator) -> Bind<Plan> {
        let span = operator.span;
        let sources = self.scope_tables(span, &find.tables)?;
        let all = unified_by_name(&sources);
        // A predicate may name columns that only some tables have: the others have no row that meets it.
        let united = self.united(span, sources, &all, Some("source_"))?;
        let mut row = Row::of(&united);
        row.columns.retain(|column| *column.name != *"source_");
        let predicate = self.with_row(row, |binder| binder.search_predicate(&find.predicate, false))?;
        let mut named = Vec::new();
        columns_of(&predicate, &mut named);
        let PlanKind::Union(inputs) = &united.kind else {
            return Ok(united);
        };
        let shown = self.find_columns(find, &united, inputs, &named)?;
        let columns = united.columns.clone();
        let source_name = word(&operator.parameters, "withsource").map_or("source_", |name| name.text.as_str());
        let filtered = self.plan(span, PlanKind::Filter { input: Box::new(united), predicate }, columns)?;
        let mut projections = Vec::with_capacity(shown.len() + 1);
        if let Some(source) = filtered.columns.first().cloned() {
            projections.push(Projection { column: self.column(source_name, Type::String), value: same(&source) });
        }
        projections.extend(shown);
        projections.retain(|projection| {
            !find.project_away.iter().any(|away| {
                let name = &*projection.column.name;
                is_match(&away.text, name) && (away.text != "*" || name != source_name)
            })
        });
        self.project_plan(span, filtered, projections)
    }

    /// The columns of `find`: those that are asked for, or those that all tables share and those that are compared, and
    /// all others in one bag.
    fn find_columns(
        &mut self,
        find: &'q Find,
        united: &Plan,
        inputs: &[Plan],
        named: &[ColumnId],
    ) -> Bind<Vec<Projection>> {
        let has = |input: &Plan, at: usize| match &input.kind {
            PlanKind::Project { columns, .. } => {
                columns.get(at).is_some_and(|projection| !matches!(projection.value.kind, ExprKind::Literal(_)))
            }
            _ => false,
        };
        let places: Vec<usize> = (1..united.columns.len()).collect();
        // Tables without any of the columns that are compared do not count.
        let is_compared = |at: usize| united.columns.get(at).is_some_and(|column| named.contains(&column.id));
        let counted: Vec<&Plan> = inputs
            .iter()
            .filter(|input| named.is_empty() || places.iter().any(|at| is_compared(*at) && has(input, *at)))
            .collect();
        let mut shown: Vec<Projection> = Vec::new();
        let mut wants_pack = find.project.is_none();
        match &find.project {
            Some(columns) => {
                for column in columns {
                    match column {
                        FindColumn::Pack(_) => wants_pack = true,
                        FindColumn::Column(name, ty) => {
                            let found = united.columns.iter().find(|column| *column.name == *name.text);
                            let Some(found) = found else {
                                return Err(self.unknown_column(name, Some(&Row::of(united))));
                            };
                            let ty = ty.unwrap_or(found.ty);
                            let column = self.column(name.text.as_str(), ty);
                            shown.push(Projection { column, value: convert(same(found), ty) });
                        }
                    }
                }
            }
            None => {
                for at in &places {
                    let Some(column) = united.columns.get(*at) else { continue };
                    let is_common = !counted.is_empty() && counted.iter().all(|input| has(input, *at));
                    if is_common || is_compared(*at) {
                        shown.push(Projection { column: column.clone(), value: same(column) });
                    }
                }
            }
        }
        if wants_pack {
            let packed: Vec<&Column> = places
                .iter()
                .filter_map(|at| united.columns.get(*at).map(|column| (*at, column)))
                .filter(|(at, column)| {
                    counted.iter().any(|input| has(input, *at))
                        && !shown.iter().any(|projection| *projection.column.name == *column.name)
                })
                .map(|(_, column)| column)
                .collect();
            if !packed.is_empty() || find.project.is_some() {
                let mut arguments = Vec::new();
                for column in packed {
                    arguments.push(Expr::literal(Value::string(column.name.to_string()), Type::String));
                    arguments.push(same(column));
                }
                let value = Expr::new(ExprKind::Call { function: "bag_pack", arguments }, Type::Dynamic);
                shown.push(Projection { column: self.column("pack_", Type::Dynamic), value });
            }
        }
        Ok(shown)
    }
}

/// The columns of all tables, one for each name, of a type that holds the values of all.
fn unified_by_name(sources: &[Source]) -> Vec<Unified> {
    let mut columns: Vec<Unified> = Vec::new();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    for column in sources.iter().flat_map(|source| &source.plan.columns) {
        match places.get(&column.name).and_then(|place| columns.get_mut(*place)) {
            Some(known) => known.ty = common(known.ty, column.ty).unwrap_or(Type::Dynamic),
            None => {
                places.insert(column.name.clone(), columns.len());
                let (name, source) = (column.name.clone(), column.name.clone());
                columns.push(Unified { name, ty: column.ty, source, is_split: false });
            }
        }
    }
    columns
}

fn columns_of(expression: &Expr, found: &mut Vec<ColumnId>) {
    if let ExprKind::Column(id) = expression.kind
        && !found.contains(&id)
    {
        found.push(id);
    }
    for child in expression.children() {
        columns_of(child, found);
    }
}
