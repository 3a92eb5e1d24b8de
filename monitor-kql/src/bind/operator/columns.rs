//! Operators over columns: `project` and its kin, `extend`, `getschema`, `print`.

use super::super::{
    BindError,
    binder::{Bind, Binder},
    projector::{Projector, Style, same},
    row::Row,
};
use crate::{
    bound::{Column, ExprKind, Plan, PlanKind, Projection},
    span::Span,
    syntax::{self, ExprKind as Syntax, Name, Named, Order, Parameter, RowSchema},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn project(&mut self, span: Span, input: Plan, columns: &'q [Named]) -> Bind<Plan> {
        let mut projector = Projector::default();
        self.project_all(&mut projector, columns, Style::Number)?;
        let mut plan = self.project_plan(span, input, projector.columns)?;
        plan.is_open = false;
        Ok(plan)
    }

    pub(super) fn extend(&mut self, span: Span, input: Plan, columns: &'q [Named]) -> Bind<Plan> {
        let mut projector = Projector::of_row(&input.columns);
        self.project_all(&mut projector, columns, Style::Replace)?;
        self.project_plan(span, input, projector.columns)
    }

    pub(super) fn serialize(&mut self, span: Span, input: Plan, columns: &'q [Named]) -> Bind<Plan> {
        let mut row = Row::of(&input);
        row.is_ordered = true;
        let mut plan = self.with_row(row, |binder| {
            let mut projector = Projector::of_row(&input.columns);
            binder.project_all(&mut projector, columns, Style::Number)?;
            binder.project_plan(span, input, projector.columns)
        })?;
        plan.is_ordered = true;
        Ok(plan)
    }

    pub(super) fn print(&mut self, span: Span, expressions: &'q [Named]) -> Bind<Plan> {
        let one_row = self.plan(span, PlanKind::Values(vec![Vec::new()]), Vec::new())?;
        let mut projector = Projector::default();
        self.project_all(&mut projector, expressions, Style::Print)?;
        self.project_plan(span, one_row, projector.columns)
    }

    /// The columns that patterns name.
    fn matched(&self, row: &Row, patterns: &'q [Name]) -> Bind<Vec<Column>> {
        let mut matched = Vec::new();
        for pattern in patterns {
            if pattern.text.contains('*') {
                matched.extend(row.columns.iter().filter(|column| is_match(&pattern.text, &column.name)).cloned());
                continue;
            }
            match row.find(&pattern.text) {
                Some(column) => matched.push(column.clone()),
                None if row.is_open => {}
                None => return Err(self.unknown_column(pattern, Some(row))),
            }
        }
        Ok(matched)
    }

    pub(super) fn project_away(&mut self, span: Span, input: Plan, patterns: &'q [Name]) -> Bind<Plan> {
        let away = self.matched(&Row::of(&input), patterns)?;
        let kept = |column: &&Column| !away.iter().any(|other| other.id == column.id);
        let columns = input.columns.iter().filter(kept).map(keep).collect();
        self.project_plan(span, input, columns)
    }

    pub(super) fn project_keep(&mut self, span: Span, input: Plan, patterns: &'q [Name]) -> Bind<Plan> {
        let wanted = self.matched(&Row::of(&input), patterns)?;
        let kept = |column: &&Column| wanted.iter().any(|other| other.id == column.id);
        let columns = input.columns.iter().filter(kept).map(keep).collect();
        let mut plan = self.project_plan(span, input, columns)?;
        plan.is_open = false;
        Ok(plan)
    }

    pub(super) fn project_by_names(&mut self, span: Span, input: Plan, names: &'q [syntax::Expr]) -> Bind<Plan> {
        let row = Row::of(&input);
        let mut columns: Vec<Projection> = Vec::new();
        for expression in names {
            let value = self.constant(expression)?;
            let texts: Vec<String> = match value.as_literal() {
                Some(Value::String(text)) => vec![text.clone().into_owned()],
                Some(Value::Dynamic(json)) => {
                    let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
                    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
                }
                _ => return Err(self.fail(expression.span, BindError::LiteralWanted)),
            };
            for text in texts {
                for column in row.columns.iter().filter(|column| is_match(&text, &column.name)) {
                    if !columns.iter().any(|other| other.column.id == column.id) {
                        columns.push(keep(column));
                    }
                }
            }
        }
        let mut plan = self.project_plan(span, input, columns)?;
        plan.is_open = false;
        Ok(plan)
    }

    pub(super) fn project_rename(&mut self, span: Span, input: Plan, columns: &'q [Named]) -> Bind<Plan> {
        let row = Row::of(&input);
        let mut kept: Vec<Projection> = input.columns.iter().map(keep).collect();
        let mut renamed: Vec<&str> = Vec::new();
        for named in columns {
            let ([new], Syntax::Name(old)) = (named.names.as_slice(), &named.value.kind) else {
                return Err(self.fail(named.value.span, BindError::RenameWanted));
            };
            let Some(column) = row.find(&old.text).cloned() else {
                return Err(self.unknown_column(old, Some(&row)));
            };
            let is_taken = renamed.contains(&new.text.as_str())
                || kept.iter().any(|other| *other.column.name == *new.text && other.column.id != column.id);
            if is_taken {
                return Err(self.fail(new.span, BindError::ColumnTwice(new.text.clone())));
            }
            renamed.push(&new.text);
            if let Some(projection) = kept.iter_mut().find(|projection| projection.value == same(&column)) {
                projection.column = self.column(new.text.as_str(), column.ty);
            }
        }
        self.project_plan(span, input, kept)
    }

    pub(super) fn project_reorder(
        &mut self,
        span: Span,
        input: Plan,
        patterns: &'q [(Name, Option<Order>)],
    ) -> Bind<Plan> {
        let row = Row::of(&input);
        let mut ordered: Vec<Column> = Vec::new();
        for (pattern, order) in patterns {
            let mut matched = self.matched(&row, std::slice::from_ref(pattern))?;
            matched.retain(|column| !ordered.iter().any(|other| other.id == column.id));
            match order {
                Some(Order::Ascending) => matched.sort_by(|a, b| a.name.cmp(&b.name)),
                Some(Order::Descending) => matched.sort_by(|a, b| b.name.cmp(&a.name)),
                Some(Order::GrannyAscending) => matched.sort_by_key(|column| by_number(&column.name)),
                Some(Order::GrannyDescending) => {
                    matched.sort_by_key(|column| std::cmp::Reverse(by_number(&column.name)));
                }
                None => {}
            }
            ordered.extend(matched);
        }
        let rest = input.columns.iter().filter(|column| !ordered.iter().any(|other| other.id == column.id));
        let columns = ordered.iter().chain(rest).map(keep).collect();
        self.project_plan(span, input, columns)
    }

    /// A table of the columns: what `getschema` gives is known without running anything.
    pub(super) fn get_schema(&mut self, span: Span, input: &Plan, parameters: &'q [Parameter]) -> Bind<Plan> {
        if super::word(parameters, "kind").is_some() {
            let part = |column: &Column| format!("{}:{}", column.name, column.ty);
            let schema = input.columns.iter().map(part).collect::<Vec<_>>().join(", ");
            let columns = vec![self.column("Schema", Type::String)];
            return self.plan(span, PlanKind::Values(vec![vec![Value::string(schema)]]), columns);
        }
        let columns = vec![
            self.column("ColumnName", Type::String),
            self.column("ColumnOrdinal", Type::Long),
            self.column("DataType", Type::String),
            self.column("ColumnType", Type::String),
        ];
        let rows = input.columns.iter().zip(0_i64..).map(|(column, ordinal)| {
            vec![
                Value::string(column.name.to_string()),
                Value::Long(ordinal),
                Value::string(net_type(column.ty)),
                Value::string(column.ty.name()),
            ]
        });
        let rows = rows.collect();
        self.plan(span, PlanKind::Values(rows), columns)
    }

    pub(super) fn assert_schema(&mut self, input: Plan, schema: &'q RowSchema) -> Bind<Plan> {
        let found: Vec<String> = input.columns.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
        let wanted: Vec<String> = schema.columns.iter().map(|(name, ty)| format!("{}:{ty}", name.text)).collect();
        if found != wanted {
            return Err(self.fail(schema.span, BindError::Assertion(found.join(", "))));
        }
        Ok(input)
    }

    /// The column that an expression names, such as what `facet` and `partition` are by.
    pub(super) fn column_of(&mut self, expression: &'q syntax::Expr) -> Bind<Column> {
        let value = self.value(expression)?;
        let found = match &value.kind {
            ExprKind::Column(id) => self.row_column(*id),
            _ => None,
        };
        found.ok_or_else(|| self.fail(expression.span, BindError::ColumnWanted))
    }
}

/// A column as it is.
pub(super) fn keep(column: &Column) -> Projection {
    Projection { column: column.clone(), value: same(column) }
}

/// Whether `name` is what `pattern` says, `*` being any text.
pub(in crate::bind) fn is_match(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// A name as texts, each with the number that follows it, so that `a2` is before `a10`.
fn by_number(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|char: char| char.is_ascii_digit()).unwrap_or(rest.len());
        let (before, after) = rest.split_at(text);
        let digits = after.find(|char: char| !char.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        parts.push((before.to_owned(), number.parse().unwrap_or(0)));
        rest = after;
    }
    parts
}

const fn net_type(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "System.SByte",
        Type::DateTime => "System.DateTime",
        Type::Decimal => "System.Data.SqlTypes.SqlDecimal",
        Type::Dynamic | Type::Unknown => "System.Object",
        Type::Guid => "System.Guid",
        Type::Int => "System.Int32",
        Type::Long => "System.Int64",
        Type::Real => "System.Double",
        Type::String => "System.String",
        Type::Timespan => "System.TimeSpan",
    }
}
