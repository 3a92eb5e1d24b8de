//! The columns that `project`, `extend` and `summarize` make, with the names that Kusto gives them.

use std::collections::{HashMap, HashSet};

use super::{
    BindError,
    binder::{Bind, Binder},
    naming::result_name,
    row::UniqueNames,
};
use crate::{
    bound::{Column, ColumnId, Expr, ExprKind, Projection},
    function::{Returns, aggregates, scalars, tuple},
    span::Span,
    syntax::{self, Argument, ExprKind as Syntax, Name, Named},
    types::Type,
};

/// What to do with a column whose name is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The new one gets a number.
    Number,
    /// The new one replaces it: `extend`.
    Replace,
    /// Like `extend`, but also for columns that are named as they are: `mv-expand`.
    ReplaceAll,
    /// Names are counted: `print`.
    Print,
}

/// Columns that are being put together.
#[derive(Default)]
pub(super) struct Projector {
    pub(super) columns: Vec<Projection>,
    places: HashMap<String, usize>,
    declared: HashSet<String>,
    names: UniqueNames,
    /// Columns that are there and are not added again under their own names.
    present: HashSet<ColumnId>,
}

impl Projector {
    /// All columns of a row, as they are.
    pub(super) fn of_row(columns: &[Column]) -> Self {
        let mut projector = Self::default();
        for column in columns {
            projector.add(column.clone(), same(column), Style::Number);
            projector.present.insert(column.id);
        }
        projector
    }

    /// The columns of `keys`, behind which others come.
    pub(super) fn behind(keys: &Self) -> Self {
        let mut projector = Self { declared: keys.declared.clone(), ..Self::default() };
        for projection in &keys.columns {
            projector.add(projection.column.clone(), same(&projection.column), Style::Number);
        }
        projector
    }

    /// Adds a column; a name that is taken is made unique, or its column replaced.
    pub(super) fn add(&mut self, mut column: Column, value: Expr, style: Style) {
        if column.name.is_empty() {
            return;
        }
        let replaces = matches!(style, Style::Replace | Style::ReplaceAll);
        if let Some(place) = self.places.get(&*column.name)
            && replaces
            && let Some(old) = self.columns.get_mut(*place)
        {
            *old = Projection { column, value };
            return;
        }
        let unique = self.names.take(&column.name);
        if *unique != *column.name {
            column.name = unique.as_str().into();
        }
        self.places.insert(unique, self.columns.len());
        self.columns.push(Projection { column, value });
    }

    /// Adds a column whose name the query has written; `false` when it has written it before.
    fn declare(&mut self, column: Column, value: Expr, style: Style) -> bool {
        if self.declared.contains(&*column.name) {
            return false;
        }
        let is_own = matches!(value.kind, ExprKind::Column(id) if id == column.id && self.present.contains(&id));
        let name = column.name.to_string();
        if !is_own {
            self.add(column, value, style);
        }
        self.declared.insert(name);
        true
    }
}

/// The value of a column itself.
pub(super) fn same(column: &Column) -> Expr {
    Expr::new(ExprKind::Column(column.id), column.ty)
}

impl<'q> Binder<'_, 'q> {
    /// Adds the columns of `expressions`.
    pub(super) fn project_all(
        &mut self,
        projector: &mut Projector,
        expressions: &'q [Named],
        style: Style,
    ) -> Bind<()> {
        for (at, expression) in expressions.iter().enumerate() {
            self.project_one(projector, expression, style, at, None)?;
        }
        Ok(())
    }

    /// Adds the column or columns of an expression; each has type `ty` when it is given.
    pub(super) fn project_one(
        &mut self,
        projector: &mut Projector,
        expression: &'q Named,
        style: Style,
        at: usize,
        ty: Option<Type>,
    ) -> Bind<()> {
        let syntax = &expression.value;
        if matches!(syntax.kind, Syntax::Star) {
            let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
            for column in columns {
                projector.add(column.clone(), same(&column), Style::Replace);
            }
            return Ok(());
        }
        if let Syntax::Call { name, arguments } = &syntax.kind
            && let Some(parts) = self.several(syntax, name, arguments)?
        {
            let typed = |(mut column, value): (Column, Expr)| {
                column.ty = ty.unwrap_or(column.ty);
                (column, value)
            };
            let parts = parts.into_iter().map(typed).collect();
            return self.project_several(projector, expression, parts, style);
        }
        let value = self.value(syntax)?;
        match expression.names.as_slice() {
            [] => self.project_unnamed(projector, syntax, value, style, at, ty),
            [name] => {
                let column = self.column(name.text.as_str(), ty.unwrap_or(value.ty));
                let is_column = matches!(value.kind, ExprKind::Column(_));
                let style = if is_column { Style::Replace } else { style };
                self.declare_in(projector, name.span, column, value, style)
            }
            many => Err(self.fail(syntax.span, BindError::TooManyNames(many.len()))),
        }
    }

    fn project_unnamed(
        &mut self,
        projector: &mut Projector,
        syntax: &'q syntax::Expr,
        value: Expr,
        style: Style,
        at: usize,
        ty: Option<Type>,
    ) -> Bind<()> {
        if style == Style::Print {
            let column = self.column(format!("print_{at}"), value.ty);
            projector.add(column, value, Style::Number);
            return Ok(());
        }
        let own = unconverted(&value).and_then(|id| self.row_column(id));
        if let Some(column) = own {
            // The name that the query wrote may be another name of the column.
            let written = result_name(syntax, self);
            let is_same =
                ty.is_none_or(|ty| ty == column.ty) && written.as_deref().is_none_or(|name| *name == *column.name);
            let shown = match (is_same, written) {
                (true, _) | (_, None) => column.clone(),
                (false, Some(name)) => self.column(name, ty.unwrap_or(column.ty)),
            };
            let style = if style == Style::ReplaceAll { Style::ReplaceAll } else { Style::Number };
            let value = if shown.id == column.id { same(&column) } else { value };
            return self.declare_in(projector, syntax.span, shown, value, style);
        }
        let name = match result_name(syntax, self) {
            Some(name) => name,
            None => self.unnamed_column(),
        };
        let column = self.column(name, ty.unwrap_or(value.ty));
        projector.add(column, value, style);
        Ok(())
    }

    fn declare_in(&self, projector: &mut Projector, span: Span, column: Column, value: Expr, style: Style) -> Bind<()> {
        let name = column.name.to_string();
        if projector.declare(column, value, style) {
            Ok(())
        } else {
            Err(self.fail(span, BindError::ColumnTwice(name)))
        }
    }

    pub(super) fn row_column(&self, id: ColumnId) -> Option<Column> {
        self.row.as_ref()?.columns.iter().find(|column| column.id == id).cloned()
    }

    /// The columns of a call that gives several: an aggregate such as `arg_max`, or a function such as `series_stats`.
    fn several(
        &mut self,
        call: &'q syntax::Expr,
        name: &'q Name,
        arguments: &'q [Argument],
    ) -> Bind<Option<Vec<(Column, Expr)>>> {
        let text = name.text.as_str();
        if self.symbol(text).is_some() {
            return Ok(None);
        }
        if self.is_aggregating()
            && let Some(signatures) = aggregates().get(text)
        {
            let is_tuple = signatures.iter().any(|signature| signature.result == Returns::Tuple);
            if !is_tuple {
                return Ok(None);
            }
            let by = self.grouped.clone();
            let outputs = self.aggregate_columns(call, name, arguments, &by)?;
            return Ok(Some(outputs.into_iter().map(|column| (column.clone(), same(&column))).collect()));
        }
        let parts = tuple(text);
        if parts.is_empty() {
            return Ok(None);
        }
        let Some(signatures) = scalars().get(text) else {
            return Ok(None);
        };
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.value(&argument.value)?);
        }
        let spans: Vec<Span> = arguments.iter().map(|argument| argument.value.span).collect();
        let signature = self.choose(name, &values, &spans, signatures)?;
        let of = arguments.first().and_then(|argument| result_name(&argument.value, self)).unwrap_or_default();
        let whole = self.finish_call(name, signature, values, arguments)?;
        let mut columns = Vec::new();
        for (end, ty) in parts {
            self.count(call.span, whole.size())?;
            let key = (*end).to_owned();
            let part = ExprKind::Member { base: Box::new(whole.clone()), key };
            let column = self.column(format!("{text}_{of}_{end}"), *ty);
            let value = super::convert::convert(Expr::new(part, Type::Dynamic), *ty);
            columns.push((column, value));
        }
        Ok(Some(columns))
    }

    /// `(a, b) = f()`: the first columns get the names, the others keep theirs.
    fn project_several(
        &mut self,
        projector: &mut Projector,
        expression: &'q Named,
        parts: Vec<(Column, Expr)>,
        style: Style,
    ) -> Bind<()> {
        if let Some(name) = expression.names.get(parts.len()) {
            return Err(self.fail(name.span, BindError::TooManyNames(expression.names.len())));
        }
        for (at, (mut column, value)) in parts.into_iter().enumerate() {
            match expression.names.get(at) {
                Some(name) => {
                    column = self.column(name.text.as_str(), column.ty);
                    self.declare_in(projector, name.span, column, value, Style::Replace)?;
                }
                None => {
                    let style = if expression.is_list { style } else { Style::Number };
                    projector.add(column, value, style);
                }
            }
        }
        Ok(())
    }
}

/// The column that a value is, also through a conversion that changes nothing.
fn unconverted(value: &Expr) -> Option<ColumnId> {
    match &value.kind {
        ExprKind::Column(id) => Some(*id),
        ExprKind::Call { function, arguments } => match arguments.as_slice() {
            [argument] if argument.ty == value.ty && is_conversion(function) => unconverted(argument),
            _ => None,
        },
        _ => None,
    }
}

fn is_conversion(function: &str) -> bool {
    matches!(
        function,
        "tobool"
            | "todatetime"
            | "todecimal"
            | "todouble"
            | "todynamic"
            | "toguid"
            | "toint"
            | "tolong"
            | "toreal"
            | "tostring"
            | "totime"
            | "totimespan"
    )
}
