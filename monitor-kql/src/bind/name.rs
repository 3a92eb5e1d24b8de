//! Names: columns, variables, tables.

use super::{
    BindError,
    binder::{Aggregates, Bind, Binder},
    row::{Row, Symbol, frames},
};
use crate::{
    bound::{Column, Expr, ExprKind, Plan},
    function::{aggregates, refusal, scalars},
    message::Message,
    schema::Form,
    span::Span,
    suggest,
    syntax::Name,
    types::Type,
};

/// A value or a table.
#[derive(Debug)]
pub(super) enum Term {
    Value(Expr),
    Table(Box<Plan>),
}

impl<'q> Binder<'_, 'q> {
    /// What a name means: a column, then what the query declares, then a table.
    pub(super) fn name(&mut self, name: &Name) -> Bind<Term> {
        if let Some(column) = self.find_column(&name.text) {
            return Ok(Term::Value(self.column_value(name.span, &column)?));
        }
        if let Some(symbol) = self.symbol(&name.text) {
            return self.symbol_term(name, symbol);
        }
        if let Some((place, _)) = self.schema.find(&name.text, Form::Table) {
            return Ok(Term::Table(Box::new(self.table_plan(name.span, place)?)));
        }
        if let Some(row) = &self.row
            && row.is_open
        {
            return Ok(Term::Value(Expr::new(ExprKind::Absent(name.text.clone()), Type::Unknown)));
        }
        Err(self.unknown_name(name))
    }

    fn symbol_term(&mut self, name: &Name, symbol: Symbol<'q>) -> Bind<Term> {
        match symbol {
            Symbol::Value(value) => {
                self.count(name.span, value.size())?;
                Ok(Term::Value(value))
            }
            Symbol::Table(shared) => Ok(Term::Table(Box::new(self.shared_plan(name.span, shared)?))),
            Symbol::Function { is_bare: true, .. } => self.user_call(name, &[]),
            Symbol::Function { .. } => Err(self.fail(name.span, BindError::NotCalled(name.text.clone()))),
        }
    }

    /// A column of the row by its name.
    pub(super) fn find_column(&self, name: &str) -> Option<Column> {
        self.row.as_ref()?.find(name).cloned()
    }

    /// The value of a column; within `summarize` only aggregates may name one.
    pub(super) fn column_value(&self, span: Span, column: &Column) -> Bind<Expr> {
        if matches!(self.aggregates, Aggregates::Collected(_)) {
            return Err(self.fail(span, BindError::NotAggregated(column.name.to_string())));
        }
        Ok(Expr::new(ExprKind::Column(column.id), column.ty))
    }

    /// A column that must be there.
    pub(super) fn known_column(&self, name: &Name) -> Bind<Column> {
        self.find_column(&name.text).ok_or_else(|| self.unknown_column(name, self.row.as_ref()))
    }

    pub(super) fn unknown_column(&self, name: &Name, row: Option<&Row>) -> Message {
        let nearest = row.and_then(|row| suggest::nearest(&name.text, row.names()));
        self.fail(name.span, BindError::UnknownColumn { name: name.text.clone(), nearest })
    }

    fn unknown_name(&self, name: &Name) -> Message {
        let span = name.span;
        let text = name.text.clone();
        if let Some(instead) = refusal(&text) {
            return self.fail(span, BindError::Refused { name: text, instead: instead.to_owned() });
        }
        let row = self.row.as_ref().filter(|row| !row.columns.is_empty());
        let is_function = scalars().contains_key(text.as_str())
            || aggregates().contains_key(text.as_str())
            || self.schema.find(&text, Form::Function).is_some();
        let mut known: Vec<&str> = row.iter().flat_map(|row| row.names()).collect();
        known.extend(frames(&self.scope).map(|frame| frame.name.as_str()));
        let nearest = suggest::nearest(&text, known.iter().copied());
        if nearest.is_none() && is_function {
            return self.fail(span, BindError::NotCalled(text));
        }
        if row.is_some() {
            return self.fail(span, BindError::UnknownColumn { name: text, nearest });
        }
        let tables = self.table_names();
        let nearest = nearest.or_else(|| suggest::nearest(&text, tables.iter().map(String::as_str)));
        self.fail(span, BindError::UnknownName { name: text, nearest })
    }

    /// The names of all tables, with those of functions that give one.
    pub(super) fn table_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for table in self.schema.tables() {
            for name in std::iter::once(&table.name).chain(&table.aliases) {
                names.push(if table.form == Form::Function { format!("{name}()") } else { name.clone() });
            }
        }
        names.extend(frames(&self.scope).map(|frame| frame.name.clone()));
        names
    }
}
