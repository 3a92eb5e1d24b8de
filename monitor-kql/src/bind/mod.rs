//! A tree to a checked query: names are found, types are checked, conversions are written out.
//!
//! The rules are those of Microsoft's own binder, so that result columns have the names and types that analysts know.

mod aggregate;
mod arithmetic;
mod binder;
mod call;
mod convert;
mod error;
mod expression;
mod find;
mod multiple;
mod name;
mod naming;
mod operator;
mod predicate;
mod projector;
mod query;
mod row;
mod source;
mod table;
mod user;

use std::collections::HashMap;

use self::binder::Binder;
pub use self::error::BindError;
pub(crate) use self::predicate::bind_predicate;
use crate::{bound::Bound, message::Message, schema::Schema, span::Span, syntax::Query, types::Type};

/// The columns of plugins that depend on rows, by where their call is: what a planner has found for
/// [`Bound::pending`].
pub type Discovered = HashMap<Span, Vec<(String, Type)>>;

/// Checks `query` against `schema`.
///
/// # Errors
/// The first name that is not found or type that does not fit, or a limit that the query passes.
pub fn bind(query: &Query, schema: &Schema, discovered: &Discovered) -> Result<Bound, Message> {
    Binder::new(schema, discovered).query(query)
}

#[cfg(test)]
mod tests;
