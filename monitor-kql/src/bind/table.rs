//! Tables: of the schema, written out, of files, of names; and pipelines over them.

use super::{
    BindError,
    binder::{Bind, Binder},
    name::Term,
    row::Row,
};
use crate::{
    bound::{Expr, External, Plan, PlanKind, SharedTable},
    limits::LITERAL_CELLS_MAX,
    span::Span,
    syntax::{self, ExprKind as Syntax, Literal, Name, RowSchema},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    /// A table; a value is none.
    pub(super) fn table(&mut self, expression: &'q syntax::Expr) -> Bind<Plan> {
        match &expression.kind {
            Syntax::Pipe { source, operators } => {
                self.deeper(expression.span, |binder| binder.pipe(source.as_deref(), operators))
            }
            Syntax::DataTable { schema, values } => self.datatable(expression.span, schema, values),
            Syntax::ExternalData { schema, sources, properties } => {
                self.external(expression.span, schema, sources, properties)
            }
            Syntax::ToTable(inner) => self.deeper(expression.span, |binder| binder.table(inner)),
            Syntax::Materialize(inner) => {
                let plan = self.deeper(expression.span, |binder| binder.table(inner))?;
                let shared = self.share("materialize", plan, true);
                self.shared_plan(expression.span, shared)
            }
            Syntax::Name(name) if self.symbol(&name.text).is_none() => self.named_table(name),
            _ => match self.without_row(|binder| binder.term(expression))? {
                Term::Table(plan) => Ok(*plan),
                Term::Value(_) => Err(self.fail(expression.span, BindError::ValueAsTable)),
            },
        }
    }

    fn named_table(&mut self, name: &Name) -> Bind<Plan> {
        match self.schema.find(&name.text, crate::schema::Form::Table) {
            Some((place, _)) => self.table_plan(name.span, place),
            None => Err(self.unknown_table(name)),
        }
    }

    fn pipe(&mut self, source: Option<&'q syntax::Expr>, operators: &'q [syntax::Operator]) -> Bind<Plan> {
        let mut operators = operators.iter();
        let mut plan = match source {
            Some(source) => self.table(source)?,
            None => match (self.context.clone(), operators.as_slice().first()) {
                (_, Some(first)) if super::operator::makes_rows(&first.kind) => {
                    operators.next();
                    self.without_row(|binder| binder.first_operator(first))?
                }
                (Some(context), _) => self.context_plan(context)?,
                (None, Some(first)) => {
                    let name = super::operator::name_of(&first.kind);
                    let reason = crate::parser::SyntaxError::NoSource(name.to_owned());
                    return Err(crate::message::Message::new(first.keyword, reason));
                }
                (None, None) => return Err(self.fail(Span::default(), BindError::ValueAsTable)),
            },
        };
        for operator in operators {
            plan = self.operator(plan, operator)?;
        }
        Ok(plan)
    }

    fn context_plan(&mut self, context: Row) -> Bind<Plan> {
        let mut plan = self.plan(Span::default(), PlanKind::Context, context.columns)?;
        plan.is_ordered = context.is_ordered;
        plan.is_open = context.is_open;
        plan.aliases = context.aliases;
        Ok(plan)
    }

    /// The rows of a table of the schema.
    pub(super) fn table_plan(&mut self, span: Span, place: usize) -> Bind<Plan> {
        let Some(table) = self.schema.tables().get(place) else {
            return Err(self.fail(span, BindError::ValueAsTable));
        };
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            columns.push(self.column(column.name.as_str(), column.ty));
        }
        let mut aliases = Vec::new();
        for (alias, name) in &table.column_aliases {
            let column = columns.iter().find(|column| *column.name == **name);
            aliases.extend(column.map(|column| (alias.as_str().into(), column.id)));
        }
        let source = (0..columns.len()).collect();
        let kind = PlanKind::Table { table: place, name: table.name.clone(), source };
        let is_open = table.is_open;
        let mut plan = self.plan(span, kind, columns)?;
        plan.is_open = is_open;
        plan.aliases = aliases;
        Ok(plan)
    }

    /// Keeps a table for several readers.
    pub(super) fn share(&mut self, name: &str, plan: Plan, is_materialized: bool) -> usize {
        self.shared.push(SharedTable { name: name.to_owned(), plan, is_materialized });
        self.shared.len() - 1
    }

    /// Keeps a value for several readers.
    pub(super) fn share_value(&mut self, value: Expr) -> Expr {
        let ty = value.ty;
        self.values.push(value);
        Expr::new(crate::bound::ExprKind::Shared(self.values.len() - 1), ty)
    }

    /// The rows of a shared table, with columns of their own.
    pub(super) fn shared_plan(&mut self, span: Span, shared: usize) -> Bind<Plan> {
        let Some(SharedTable { plan, .. }) = self.shared.get(shared) else {
            return Err(self.fail(span, BindError::ValueAsTable));
        };
        let (old, old_aliases) = (plan.columns.clone(), plan.aliases.clone());
        let (is_ordered, is_open, depth) = (plan.is_ordered, plan.is_open, plan.depth);
        let mut columns = Vec::with_capacity(old.len());
        for column in &old {
            columns.push(self.column(column.name.clone(), column.ty));
        }
        let new_id = |id| old.iter().position(|column| column.id == id).and_then(|at| columns.get(at));
        let aliases = old_aliases.iter().filter_map(|(alias, id)| Some((alias.clone(), new_id(*id)?.id))).collect();
        let mut plan = self.plan(span, PlanKind::Shared(shared), columns)?;
        (plan.is_ordered, plan.is_open, plan.aliases, plan.depth) = (is_ordered, is_open, aliases, depth);
        Ok(plan)
    }

    fn datatable(&mut self, span: Span, schema: &'q RowSchema, values: &'q [syntax::Expr]) -> Bind<Plan> {
        let width = schema.columns.len();
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(self.fail(span, BindError::RowShape { values: values.len(), columns: width }));
        }
        if values.len() > LITERAL_CELLS_MAX {
            return Err(self.fail(span, BindError::TooManyValues));
        }
        let columns = self.schema_columns(schema)?;
        let mut rows = Vec::with_capacity(values.len() / width);
        for row in values.chunks(width) {
            let mut cells = Vec::with_capacity(width);
            for (cell, (_, ty)) in row.iter().zip(&schema.columns) {
                let value = self.without_row(|binder| binder.value(cell))?;
                // A literal of another type is the column's null when it cannot be read as one of its.
                let value = super::convert::convert(value, *ty);
                match value.as_literal() {
                    Some(literal) => cells.push(literal.clone()),
                    None if value.is_constant() => cells.push(Value::absent(*ty)),
                    None => return Err(self.fail(cell.span, BindError::LiteralWanted)),
                }
            }
            rows.push(cells);
        }
        self.plan(span, PlanKind::Values(rows), columns)
    }

    /// New columns as they are written; no name twice.
    pub(super) fn schema_columns(&mut self, schema: &RowSchema) -> Bind<Vec<crate::bound::Column>> {
        let mut columns: Vec<crate::bound::Column> = Vec::with_capacity(schema.columns.len());
        for (name, ty) in &schema.columns {
            if columns.iter().any(|column| *column.name == *name.text) {
                return Err(self.fail(name.span, BindError::ColumnTwice(name.text.clone())));
            }
            columns.push(self.column(name.text.as_str(), *ty));
        }
        Ok(columns)
    }

    fn external(
        &mut self,
        span: Span,
        schema: &'q RowSchema,
        sources: &'q [syntax::Expr],
        properties: &'q [(Name, Literal)],
    ) -> Bind<Plan> {
        let columns = self.schema_columns(schema)?;
        let mut bound = Vec::with_capacity(sources.len());
        for source in sources {
            let value = self.without_row(|binder| binder.constant(source))?;
            bound.push(self.coerce(source.span, value, Type::String)?);
        }
        let properties = properties.iter().map(|(name, value)| (name.text.clone(), value.clone())).collect();
        let external = Box::new(External { sources: bound, properties, span });
        self.plan(span, PlanKind::External(external), columns)
    }
}
