//! Predicates alone: `--where`.

use super::{
    Discovered,
    binder::{Bind, Binder},
    row::Row,
};
use crate::{
    bound::{Expr, ExprKind},
    limits::COLUMNS_MAX,
    message::Message,
    schema::{Schema, Table},
    syntax,
};

/// Checks an expression against the columns of `table`; the numbers of its columns are their places there.
///
/// # Errors
/// The first name that is not found or type that does not fit; sub-queries are refused, since there is no store.
pub(crate) fn bind_predicate(expression: &syntax::Expr, table: &Table) -> Result<Expr, Message> {
    let (schema, discovered) = (Schema::default(), Discovered::new());
    let mut binder = Binder::new(&schema, &discovered);
    let columns: Vec<_> =
        table.columns.iter().take(COLUMNS_MAX).map(|column| binder.column(column.name.as_str(), column.ty)).collect();
    let alias = |(alias, name): &(String, String)| {
        let column = columns.iter().find(|column| *column.name == **name)?;
        Some((alias.as_str().into(), column.id))
    };
    let aliases = table.column_aliases.iter().filter_map(alias).collect();
    let row = Row { columns, aliases, is_open: false, is_ordered: false, right: None, steps: Vec::new() };
    binder.with_row(row, |binder| -> Bind<Expr> {
        let predicate = binder.condition(expression)?;
        match needs_store(&predicate) {
            Some(what) => Err(binder.fail(
                expression.span,
                super::BindError::Refused {
                    name: what.to_owned(),
                    instead: "rows are looked at one by one here: use `proxysight hunt` for it".to_owned(),
                },
            )),
            None => Ok(predicate),
        }
    })
}

/// What of an expression needs more than one row.
fn needs_store(expression: &Expr) -> Option<&'static str> {
    match &expression.kind {
        ExprKind::Subquery(_) => return Some("toscalar()"),
        ExprKind::List { list: crate::bound::List::Table(_), .. } => return Some("a list that is a table"),
        ExprKind::Call { function, .. } if crate::function::is_window(function) => return Some(function),
        _ => {}
    }
    expression.children().into_iter().find_map(needs_store)
}
