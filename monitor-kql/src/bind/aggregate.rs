//! Aggregate functions: they are taken out of the expressions that they are in, which then read their columns.

use super::{
    BindError,
    binder::{Aggregates, Bind, Binder},
    naming::{percentile_name, result_name},
};
use crate::{
    bound::{Aggregate, Column, ColumnId, Expr, ExprKind},
    function::{Naming, Returns, aggregates},
    span::Span,
    syntax::{self, Argument, ExprKind as Syntax, Name},
    types::Type,
};

impl<'q> Binder<'_, 'q> {
    /// Binds `bind` where aggregates may be called; gives them with its result.
    pub(super) fn collecting<T>(
        &mut self,
        collected: Vec<Aggregate>,
        bind: impl FnOnce(&mut Self) -> Bind<T>,
    ) -> Bind<(T, Vec<Aggregate>)> {
        let outer = std::mem::replace(&mut self.aggregates, Aggregates::Collected(collected));
        let done = bind(self);
        let aggregates = std::mem::replace(&mut self.aggregates, outer);
        let collected = match aggregates {
            Aggregates::Collected(collected) | Aggregates::Within { before: collected, .. } => collected,
            Aggregates::Refused => Vec::new(),
        };
        Ok((done?, collected))
    }

    /// An aggregate within an expression: it gives one column, which the expression reads.
    pub(super) fn aggregate(
        &mut self,
        call: &'q syntax::Expr,
        name: &'q Name,
        arguments: &'q [Argument],
    ) -> Bind<Expr> {
        let outputs = self.aggregate_columns(call, name, arguments, &[])?;
        match outputs.as_slice() {
            [column] => Ok(Expr::new(ExprKind::Column(column.id), column.ty)),
            _ => Err(self.fail(name.span, BindError::SeveralColumns(name.text.clone()))),
        }
    }

    /// Collects an aggregate and gives its columns, named as Kusto names them. `by` are columns that `*` leaves out.
    pub(super) fn aggregate_columns(
        &mut self,
        call: &'q syntax::Expr,
        name: &'q Name,
        arguments: &'q [Argument],
        by: &[ColumnId],
    ) -> Bind<Vec<Column>> {
        let before = match std::mem::take(&mut self.aggregates) {
            Aggregates::Collected(before) => before,
            within @ Aggregates::Within { .. } => {
                let function = match &within {
                    Aggregates::Within { function, .. } => function.clone(),
                    _ => String::new(),
                };
                self.aggregates = within;
                return Err(self.fail(name.span, BindError::NestedAggregate(function)));
            }
            Aggregates::Refused => return Err(self.fail(name.span, BindError::AggregateHere(name.text.clone()))),
        };
        self.aggregates = Aggregates::Within { function: name.text.clone(), before };
        let done = self.aggregate_parts(call.span, name, arguments, by);
        let mut collected = match std::mem::take(&mut self.aggregates) {
            Aggregates::Within { before, .. } | Aggregates::Collected(before) => before,
            Aggregates::Refused => Vec::new(),
        };
        let done = done.map(|aggregate| {
            let outputs = aggregate.outputs.clone();
            collected.push(aggregate);
            outputs
        });
        self.aggregates = Aggregates::Collected(collected);
        done
    }

    fn aggregate_parts(
        &mut self,
        span: Span,
        name: &'q Name,
        arguments: &'q [Argument],
        by: &[ColumnId],
    ) -> Bind<Aggregate> {
        let Some((function, signatures)) = aggregates().get_key_value(name.text.as_str()) else {
            return Err(self.fail(name.span, BindError::UnknownFunction { name: name.text.clone(), nearest: None }));
        };
        self.count(span, 1)?;
        match *function {
            "arg_max" | "arg_min" | "argmax" | "argmin" => return self.extreme(function, name, arguments, by),
            "take_any" => return self.any(function, name, arguments, by, ("", "any_")),
            "any" if arguments.len() != 1 || has_star(arguments) => {
                return self.any(function, name, arguments, by, ("any_", ""));
            }
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            if matches!(argument.value.kind, Syntax::Star) {
                return Err(self.fail(argument.value.span, BindError::StarHere));
            }
            values.push(self.value(&argument.value)?);
        }
        let spans: Vec<Span> = arguments.iter().map(|argument| argument.value.span).collect();
        let signature = self.choose(name, &values, &spans, signatures)?;
        if signature.result == Returns::Tuple {
            return self.percentiles(function, arguments, values);
        }
        let ty = self.result_type(name, signature, &values, arguments)?;
        let first = arguments.first().and_then(|argument| result_name(&argument.value, self));
        let text = match signature.naming {
            Naming::Prefix(prefix) => format!("{prefix}_{}", first.unwrap_or_default()),
            Naming::First => first.unwrap_or_default(),
            Naming::None | Naming::Only(_) | Naming::Suffix(_) | Naming::Single | Naming::Column => String::new(),
        };
        let call = self.finish_call(name, signature, values, arguments)?;
        let ExprKind::Call { arguments, .. } = call.kind else {
            return Err(self.fail(name.span, BindError::ConstantWanted));
        };
        Ok(Aggregate { function, arguments, outputs: vec![self.column(text, ty)] })
    }

    /// `percentiles(a, 50, 95)` gives a column for each, `percentiles_array(a, 50, 95)` one.
    fn percentiles(&mut self, function: &'static str, arguments: &'q [Argument], values: Vec<Expr>) -> Bind<Aggregate> {
        let of = arguments.first().and_then(|argument| result_name(&argument.value, self)).unwrap_or_default();
        let ty = match values.first().map_or(Type::Dynamic, |value| value.ty) {
            Type::Int => Type::Long,
            Type::Decimal => Type::Real,
            ty => ty,
        };
        if function.ends_with("_array") {
            let column = self.column(format!("percentiles_{of}"), Type::Dynamic);
            return Ok(Aggregate { function, arguments: values, outputs: vec![column] });
        }
        let skipped = if function.contains("w") { 2 } else { 1 };
        let mut outputs = Vec::new();
        for value in values.iter().skip(skipped) {
            let percentile = value.as_literal().map(percentile_name).unwrap_or_default();
            outputs.push(self.column(format!("percentile_{of}_{percentile}"), ty));
        }
        Ok(Aggregate { function, arguments: values, outputs })
    }

    /// `arg_max(a, b, *)`: the greatest `a`, and what the row that has it is besides.
    fn extreme(
        &mut self,
        function: &'static str,
        name: &'q Name,
        arguments: &'q [Argument],
        by: &[ColumnId],
    ) -> Bind<Aggregate> {
        let Some(first) = arguments.first() else {
            let signatures = format!("{function}(maximized, returned, …) or {function}(maximized, *)");
            let (function, found) = (name.text.clone(), "no argument".to_owned());
            return Err(self.fail(name.span, BindError::Arguments { function, found, signatures }));
        };
        let short = if function.ends_with("max") { "max" } else { "min" };
        let has_star = has_star(arguments);
        let primary = result_name(&first.value, self).unwrap_or_default();
        let prefix = if function.contains('_') { String::new() } else { format!("{short}_") };
        let mut values: Vec<Expr> = Vec::new();
        let mut outputs: Vec<Column> = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            if matches!(argument.value.kind, Syntax::Star) && at > 0 {
                self.all_columns(&mut values, &mut outputs, by, &prefix)?;
                continue;
            }
            let value = self.value(&argument.value)?;
            if at == 0 && !value.ty.is_orderable() && value.ty != Type::Unknown {
                return Err(self.fail(
                    argument.value.span,
                    BindError::Argument {
                        function: name.text.clone(),
                        parameter: "maximized".to_owned(),
                        expected: "a number, datetime, timespan, string or bool".to_owned(),
                        found: value.ty.to_string(),
                    },
                ));
            }
            let is_repeated = at > 0 && has_star && (values.contains(&value) || is_one_of(&value, by));
            if is_repeated {
                continue;
            }
            let own = argument.name.as_ref().map(|name| name.text.clone());
            let text =
                own.or_else(|| result_name(&argument.value, self)).unwrap_or_else(|| match (at, prefix.is_empty()) {
                    (0, true) => format!("{short}_"),
                    (_, true) => format!("{short}_{primary}_arg{at}"),
                    (0, false) => String::new(),
                    (_, false) => format!("arg{at}"),
                });
            let text = if at > 0 && !prefix.is_empty() { format!("{primary}_{text}") } else { text };
            outputs.push(self.column(format!("{prefix}{text}"), value.ty));
            values.push(value);
        }
        Ok(Aggregate { function, arguments: values, outputs })
    }

    /// `take_any(a, *)`: these columns of some row.
    fn any(
        &mut self,
        function: &'static str,
        name: &'q Name,
        arguments: &'q [Argument],
        by: &[ColumnId],
        (prefix, unnamed): (&str, &str),
    ) -> Bind<Aggregate> {
        if arguments.is_empty() {
            let signatures = "take_any(column, …) or take_any(*)".to_owned();
            let (function, found) = (name.text.clone(), "no argument".to_owned());
            return Err(self.fail(name.span, BindError::Arguments { function, found, signatures }));
        }
        let (mut values, mut outputs) = (Vec::new(), Vec::new());
        for (at, argument) in arguments.iter().enumerate() {
            if matches!(argument.value.kind, Syntax::Star) {
                self.all_columns(&mut values, &mut outputs, by, prefix)?;
                continue;
            }
            let value = self.value(&argument.value)?;
            let own = argument.name.as_ref().map(|name| name.text.clone());
            let text =
                own.or_else(|| result_name(&argument.value, self)).unwrap_or_else(|| format!("{unnamed}arg{at}"));
            outputs.push(self.column(format!("{prefix}{text}"), value.ty));
            values.push(value);
        }
        Ok(Aggregate { function, arguments: values, outputs })
    }

    /// The columns that `*` stands for: those that are not there yet.
    fn all_columns(
        &mut self,
        values: &mut Vec<Expr>,
        outputs: &mut Vec<Column>,
        by: &[ColumnId],
        prefix: &str,
    ) -> Bind<()> {
        let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
        for column in columns {
            let value = Expr::new(ExprKind::Column(column.id), column.ty);
            if by.contains(&column.id) || values.contains(&value) {
                continue;
            }
            outputs.push(self.column(format!("{prefix}{}", column.name), column.ty));
            values.push(value);
        }
        Ok(())
    }
}

fn has_star(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| matches!(argument.value.kind, Syntax::Star))
}

fn is_one_of(value: &Expr, columns: &[ColumnId]) -> bool {
    matches!(value.kind, ExprKind::Column(id) if columns.contains(&id))
}
