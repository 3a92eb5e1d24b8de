//! `evaluate`: plugins.

use super::super::{
    BindError,
    binder::{Bind, Binder},
    projector::same,
    row::Row,
};
use crate::{
    bound::{Aggregate, Column, ColumnId, Expr, ExprKind, Pending, Plan, PlanKind},
    function::PLUGINS,
    message::Message,
    parser::Support,
    span::Span,
    suggest,
    syntax::{self, Argument, EvaluateCall, ExprKind as Syntax, Name, RowSchema},
    types::Type,
};

/// What a plugin reads besides its rows.
#[derive(Default)]
struct Parts {
    arguments: Vec<Expr>,
    table: Option<Plan>,
    aggregate: Option<Aggregate>,
}

impl<'q> Binder<'_, 'q> {
    pub(super) fn evaluate(&mut self, span: Span, input: Plan, evaluate: &'q EvaluateCall) -> Bind<Plan> {
        let Syntax::Call { name, arguments } = &evaluate.call.kind else {
            return Err(self.fail(evaluate.call.span, BindError::ColumnWanted));
        };
        let plugin = self.plugin(name)?;
        let parts = match plugin {
            "ipv4_lookup" | "ipv6_lookup" => self.lookup_parts(name, &input, arguments)?,
            "pivot" => self.pivot_parts(name, &input, arguments)?,
            _ => self.column_parts(plugin, name, &input, arguments)?,
        };
        let (mut columns, is_open) = self.plugin_columns(plugin, evaluate.call.span, &input, &parts, evaluate)?;
        if let Some(schema) = &evaluate.schema {
            columns = self.said_columns(columns, schema)?;
        }
        let kind = PlanKind::Plugin {
            input: Box::new(input),
            name: plugin,
            arguments: parts.arguments,
            table: parts.table.map(Box::new),
            aggregate: parts.aggregate,
            span: evaluate.call.span,
        };
        let mut plan = self.plan(span, kind, columns)?;
        plan.is_ordered = false;
        plan.is_open = is_open;
        Ok(plan)
    }

    fn plugin(&self, name: &Name) -> Bind<&'static str> {
        let Some(plugin) = PLUGINS.iter().find(|plugin| plugin.name == name.text) else {
            let nearest = suggest::nearest(&name.text, PLUGINS.iter().map(|plugin| plugin.name));
            return Err(self.fail(name.span, BindError::UnknownPlugin { name: name.text.clone(), nearest }));
        };
        match plugin.support {
            Support::Yes | Support::Partly(_) => Ok(plugin.name),
            Support::Refused(instead) => {
                let (name, at, instead) = (name.text.clone(), name.span, instead.to_owned());
                Err(self.fail(at, BindError::Refused { name, instead }))
            }
        }
    }

    fn wrong_call(&self, name: &Name, found: usize, signature: &str) -> Message {
        let found = format!("{found} arguments");
        let (function, signatures) = (name.text.clone(), signature.to_owned());
        self.fail(name.span, BindError::Arguments { function, found, signatures })
    }

    fn column_parts(&mut self, plugin: &str, name: &'q Name, input: &Plan, arguments: &'q [Argument]) -> Bind<Parts> {
        let (most, signature) = match plugin {
            "bag_unpack" => (4, "bag_unpack(column, prefix, columnsConflict, ignoredProperties)"),
            _ => (0, "narrow()"),
        };
        let least = most.min(1);
        if arguments.len() > most || arguments.len() < least {
            return Err(self.wrong_call(name, arguments.len(), signature));
        }
        let values = self.with_row(Row::of(input), |binder| {
            arguments.iter().map(|argument| binder.value(&argument.value)).collect::<Bind<Vec<_>>>()
        })?;
        if plugin == "bag_unpack" {
            let first = values.first().map(|value| (&value.kind, value.ty));
            let is_bag =
                matches!(first, Some((ExprKind::Column(_) | ExprKind::Absent(_), Type::Dynamic | Type::Unknown)));
            if !is_bag {
                let at = arguments.first().map_or(name.span, |argument| argument.value.span);
                return Err(self.fail(at, BindError::ColumnWanted));
            }
        }
        Ok(Parts { arguments: values, ..Parts::default() })
    }

    /// `pivot(column, aggregate, columns…)`
    fn pivot_parts(&mut self, name: &'q Name, input: &Plan, arguments: &'q [Argument]) -> Bind<Parts> {
        let signature = "pivot(column, aggregate, column, …)";
        let Some((first, rest)) = arguments.split_first() else {
            return Err(self.wrong_call(name, 0, signature));
        };
        self.with_row(Row::of(input), |binder| {
            let mut values = vec![same(&binder.column_of(&first.value)?)];
            let mut aggregate = None;
            let mut rest = rest.iter();
            if let Some(argument) = rest.next() {
                let (_, collected) = binder.collecting(Vec::new(), |binder| binder.value(&argument.value))?;
                aggregate = collected.into_iter().next();
                if aggregate.is_none() {
                    let (expected, found) = ("an aggregate".to_owned(), "this".to_owned());
                    return Err(binder.fail(argument.value.span, BindError::Wanted { expected, found }));
                }
            }
            for argument in rest {
                values.push(same(&binder.column_of(&argument.value)?));
            }
            Ok(Parts { arguments: values, table: None, aggregate })
        })
    }

    /// `ipv4_lookup(table, source, key, extra keys…, return_unmatched)`
    fn lookup_parts(&mut self, name: &'q Name, input: &Plan, arguments: &'q [Argument]) -> Bind<Parts> {
        let signature = format!("{}(table, source address, key of the table, return_unmatched)", name.text);
        let [table, source, key, rest @ ..] = arguments else {
            return Err(self.wrong_call(name, arguments.len(), &signature));
        };
        let table = self.without_row(|binder| binder.table(&table.value))?;
        let mut values = vec![self.side_column(&Row::of(input), &source.value)?];
        values.push(self.side_column(&Row::of(&table), &key.value)?);
        for argument in rest {
            // A bool says whether rows without a match are kept; a column is compared on both sides.
            if let Syntax::Literal(_) = &argument.value.kind {
                values.push(self.value(&argument.value)?);
                continue;
            }
            values.push(self.side_column(&Row::of(input), &argument.value)?);
            values.push(self.side_column(&Row::of(&table), &argument.value)?);
        }
        Ok(Parts { arguments: values, table: Some(table), aggregate: None })
    }

    fn side_column(&mut self, row: &Row, expression: &'q syntax::Expr) -> Bind<Expr> {
        self.with_row(row.clone(), |binder| Ok(same(&binder.column_of(expression)?)))
    }

    /// The columns that a plugin gives, and whether there may be others.
    fn plugin_columns(
        &mut self,
        plugin: &'static str,
        span: Span,
        input: &Plan,
        parts: &Parts,
        evaluate: &EvaluateCall,
    ) -> Bind<(Vec<Column>, bool)> {
        let read: Vec<ColumnId> = parts.arguments.iter().filter_map(column_id).collect();
        let kept: Vec<Column> = match plugin {
            "bag_unpack" => {
                let bag = read.first().copied();
                input.columns.iter().filter(|column| Some(column.id) != bag).cloned().collect()
            }
            "pivot" => self.pivot_rows(input, parts, &read),
            "ipv4_lookup" | "ipv6_lookup" => {
                let table = parts.table.iter().flat_map(|table| &table.columns);
                let columns = super::join::unique_columns(input.columns.iter().chain(table).cloned().collect());
                return Ok((columns, input.is_open));
            }
            "narrow" => {
                let columns = vec![
                    self.column("Row", Type::Long),
                    self.column("Column", Type::String),
                    self.column("Value", Type::String),
                ];
                return Ok((columns, false));
            }
            _ => return Ok((input.columns.clone(), input.is_open)),
        };
        let said = evaluate.schema.as_ref().is_some_and(|schema| !schema.has_star || !schema.columns.is_empty());
        if said {
            return Ok((kept, false));
        }
        if let Some(found) = self.discovered.get(&span) {
            let mut columns = kept;
            for (name, ty) in found {
                columns.push(self.column(name.as_str(), *ty));
            }
            return Ok((columns, false));
        }
        if self.context.is_some() {
            return Err(self.fail(span, BindError::Undiscovered(plugin.to_owned())));
        }
        let pending = Pending { span, name: plugin, input: input.clone(), arguments: parts.arguments.clone() };
        self.pending.push(pending);
        Ok((kept, true))
    }

    /// The columns that `pivot` keeps beside those that it makes.
    fn pivot_rows(&self, input: &Plan, parts: &Parts, read: &[ColumnId]) -> Vec<Column> {
        let named = read.get(1..).unwrap_or_default();
        let counted: Vec<ColumnId> =
            parts.aggregate.iter().flat_map(|aggregate| &aggregate.arguments).filter_map(column_id).collect();
        let is_kept = |column: &&Column| {
            if named.is_empty() {
                Some(&column.id) != read.first() && !counted.contains(&column.id)
            } else {
                named.contains(&column.id)
            }
        };
        input.columns.iter().filter(is_kept).cloned().collect()
    }

    /// The columns that the query says a plugin gives.
    fn said_columns(&mut self, kept: Vec<Column>, schema: &RowSchema) -> Bind<Vec<Column>> {
        let said = self.schema_columns(schema)?;
        if !schema.has_star {
            // A column that the plugin passes on keeps its number.
            let own = |column: Column| {
                let passed = kept.iter().find(|kept| kept.name == column.name && kept.ty == column.ty);
                passed.cloned().unwrap_or(column)
            };
            return Ok(said.into_iter().map(own).collect());
        }
        let is_new = |column: &Column| !said.iter().any(|other| other.name == column.name);
        let mut columns: Vec<Column> = kept.into_iter().filter(is_new).collect();
        columns.extend(said);
        Ok(columns)
    }
}

fn column_id(expression: &Expr) -> Option<ColumnId> {
    match expression.kind {
        ExprKind::Column(id) => Some(id),
        _ => None,
    }
}
