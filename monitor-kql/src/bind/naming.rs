//! The names of columns that expressions make when the query gives none.

use super::binder::Binder;
use crate::{
    function::{Naming, aggregates, scalars},
    syntax::{Argument, Expr, ExprKind, Name},
    value::Value,
};

/// The name that Kusto gives the column of `expression`; `None` when it has none of its own.
pub(super) fn result_name(expression: &Expr, binder: &Binder<'_, '_>) -> Option<String> {
    match &expression.kind {
        ExprKind::Name(name) => Some(name.text.clone()),
        ExprKind::Path { base, member } => {
            let member = result_name(member, binder);
            let side = match &base.kind {
                ExprKind::Name(name) => name.text.starts_with('$') || is_step(binder, &name.text),
                _ => false,
            };
            if side { member } else { joined(result_name(base, binder), member) }
        }
        ExprKind::Element { base, index } => {
            let index = match &index.kind {
                ExprKind::Literal(literal) => match &literal.value {
                    Value::String(text) => Some(text.clone().into_owned()),
                    Value::Long(number) => Some(number.to_string()),
                    Value::Int(number) => Some(number.to_string()),
                    _ => None,
                },
                _ => None,
            };
            joined(result_name(base, binder), index)
        }
        ExprKind::Call { name, arguments } => call_name(name, arguments, binder),
        ExprKind::Literal(_)
        | ExprKind::Dynamic(_)
        | ExprKind::TypeOf(_)
        | ExprKind::Unary { .. }
        | ExprKind::Binary { .. }
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Between { .. }
        | ExprKind::List { .. }
        | ExprKind::Star
        | ExprKind::Pipe { .. }
        | ExprKind::DataTable { .. }
        | ExprKind::ExternalData { .. }
        | ExprKind::ToScalar(_)
        | ExprKind::ToTable(_)
        | ExprKind::Materialize(_) => None,
    }
}

fn is_step(binder: &Binder<'_, '_>, name: &str) -> bool {
    binder.row.as_ref().is_some_and(|row| row.steps.iter().any(|(step, _)| step == name))
}

/// `a.b` makes `a_b`; without a name before the dot it is `b`, and without one behind it `a_`.
fn joined(left: Option<String>, right: Option<String>) -> Option<String> {
    match (left, right) {
        (Some(left), right) => Some(format!("{left}_{}", right.unwrap_or_default())),
        (None, right) => right,
    }
}

fn call_name(name: &Name, arguments: &[Argument], binder: &Binder<'_, '_>) -> Option<String> {
    // A function of the query has no rule of its own.
    if binder.symbol(&name.text).is_some() {
        return None;
    }
    let is_aggregating = binder.is_aggregating();
    let aggregate = is_aggregating.then(|| aggregates().get(name.text.as_str())).flatten();
    let signature = aggregate.or_else(|| scalars().get(name.text.as_str()))?.first()?;
    let first = arguments.first();
    let first_name = || first.and_then(|argument| result_name(&argument.value, binder));
    match signature.naming {
        Naming::None => None,
        Naming::First => first_name(),
        Naming::Prefix(prefix) => Some(format!("{prefix}_{}", first_name().unwrap_or_default())),
        Naming::Only(name) => Some(name.to_owned()),
        Naming::Suffix(suffix) => first_name().map(|name| format!("{name}_{suffix}")),
        Naming::Single if arguments.len() == 1 => first_name(),
        Naming::Single => None,
        Naming::Column => {
            let ExprKind::Literal(literal) = &first?.value.kind else {
                return None;
            };
            let Value::String(column) = &literal.value else {
                return None;
            };
            let is_there = binder.row.as_ref().is_some_and(|row| row.find(column).is_some());
            is_there.then(|| column.clone().into_owned())
        }
    }
}

/// A percentile in the name of its column: `99.9` is `99_9`.
pub(super) fn percentile_name(value: &Value<'_>) -> String {
    value.to_string().trim_end_matches(".0").replace(['.', '-'], "_")
}
