//! `parse`, `parse-where` and `parse-kv`: columns out of text.

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
    bound::{Column, ParsePattern, PatternPart, Plan, PlanKind},
    span::Span,
    syntax::{self, Operator, Parameter, ParameterValue, ParseKind, ParsePart, RowSchema},
    types::Type,
};

impl<'q> Binder<'_, 'q> {
    pub(super) fn parse_text(
        &mut self,
        operator: &'q Operator,
        input: Plan,
        is_filter: bool,
        source: &'q syntax::Expr,
        parts: &'q [ParsePart],
    ) -> Bind<Plan> {
        let kind = match word(&operator.parameters, "kind").map(|kind| kind.text.as_str()) {
            Some("regex") => ParseKind::Regex,
            Some("relaxed") => ParseKind::Relaxed,
            _ => ParseKind::Simple,
        };
        let flags = word(&operator.parameters, "flags").map(|flags| flags.text.clone()).unwrap_or_default();
        let source = self.with_row(Row::of(&input), |binder| binder.value(source))?;
        let mut bound = Vec::with_capacity(parts.len());
        let mut made: Vec<Column> = Vec::new();
        for part in parts {
            bound.push(match part {
                ParsePart::Skip(_) => PatternPart::Skip,
                ParsePart::Text(text, span) => {
                    if kind == ParseKind::Regex {
                        self.check_regex(*span, text)?;
                    }
                    PatternPart::Text(text.clone())
                }
                ParsePart::Column(name, ty) => {
                    if made.iter().any(|column| *column.name == *name.text) {
                        return Err(self.fail(name.span, BindError::ColumnTwice(name.text.clone())));
                    }
                    let column = self.column(name.text.as_str(), *ty);
                    made.push(column.clone());
                    PatternPart::Column(column)
                }
            });
        }
        let columns = replaced(&input.columns, made);
        let pattern = ParsePattern { kind, flags, parts: bound };
        let source = convert(source, Type::String);
        self.plan(operator.span, PlanKind::Parse { input: Box::new(input), source, pattern, is_filter }, columns)
    }

    pub(super) fn parse_key_values(
        &mut self,
        span: Span,
        input: Plan,
        source: &'q syntax::Expr,
        keys: &'q RowSchema,
        properties: &'q [Parameter],
    ) -> Bind<Plan> {
        let source = self.with_row(Row::of(&input), |binder| binder.value(source))?;
        let keys = self.schema_columns(keys)?;
        let columns = replaced(&input.columns, keys.clone());
        let properties = properties.iter().filter_map(|property| match &property.value {
            ParameterValue::Literal(literal) => Some((property.name.text.clone(), literal.clone())),
            ParameterValue::Words(_) => None,
        });
        let properties = properties.collect();
        let source = convert(source, Type::String);
        self.plan(span, PlanKind::ParseKeyValues { input: Box::new(input), source, keys, properties }, columns)
    }
}

/// The input's columns and those that are made behind them; names that are taken get numbers.
fn replaced(input: &[Column], made: Vec<Column>) -> Vec<Column> {
    unique_columns(input.iter().cloned().chain(made).collect())
}
