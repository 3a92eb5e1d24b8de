//! Predicates over rows, one by one: what `--where` asks of a live record.
//!
//! A predicate is compiled once: functions are looked up, regular expressions built and constants worked out. Evaluating it
//! does no I/O, reads no clock (the time is an argument) and never fails: what has no value is null, and a
//! row for which the predicate is null does not match.

mod arithmetic;
mod compile;
mod convert;
mod dynamic;
mod function;
mod node;
mod text;

use self::{compile::compile, node::Node};
use crate::{bind::bind_predicate, message::Message, parser::parse_predicate, schema::Table, value::Value};

/// Whether a function is evaluated row by row.
pub(crate) fn is_evaluated(name: &str) -> bool {
    compile::is_compiled(name) || function::find(name).is_some()
}

/// A row that can be asked for its values.
pub trait Row {
    /// The value of the table's column at this place, of the column's type or null.
    fn value(&self, column: usize) -> Value<'_>;
}

/// A predicate over the rows of one table.
#[derive(Debug)]
pub struct Predicate {
    node: Node,
}

impl Predicate {
    /// Reads and checks what follows `where`, such as `RemotePort == 443 and RemoteUrl has "example"`.
    ///
    /// # Errors
    /// What is wrong with the text, or a function that needs more than one row or is not evaluated here.
    pub fn new(text: &str, table: &Table) -> Result<Self, Message> {
        let expression = parse_predicate(text)?;
        let bound = bind_predicate(&expression, table)?;
        Ok(Self { node: compile(&bound, expression.span)? })
    }

    /// Whether the predicate is true for `row`. `now` is the time in ticks of 100 ns since 0001-01-01 UTC.
    pub fn matches(&self, row: &impl Row, now: i64) -> bool {
        matches!(self.node.value(row, now), Value::Bool(true))
    }
}

#[cfg(test)]
mod tests;
