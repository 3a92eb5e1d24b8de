//! KQL, the Kusto query language, without an engine.
//!
//! [`parse`] makes a tree of a text, [`bind`] checks it against a [`Schema`] and gives a [`bound::Bound`] that a planner can
//! follow without looking up a name again. Nothing here does I/O or reads a clock; no input makes it panic, and what it
//! does not understand it refuses with a [`Message`] that names the place and the way on.

mod bind;
pub mod bound;
mod evaluate;
mod function;
mod lexer;
pub mod limits;
pub mod literal;
mod message;
mod parser;
mod reference;
pub mod schema;
mod span;
mod suggest;
pub mod syntax;
mod types;
pub mod value;

pub use self::{
    bind::{BindError, Discovered, bind},
    evaluate::{Predicate, Row},
    function::is_window,
    lexer::LexError,
    message::{Message, Reason, Style},
    parser::{SyntaxError, parse, parse_predicate},
    reference::reference,
    schema::Schema,
    span::Span,
    types::Type,
    value::Value,
};

/// Reads and checks a query.
///
/// # Errors
/// As [`parse`] and [`bind`].
pub fn compile(text: &str, schema: &Schema, discovered: &Discovered) -> Result<bound::Bound, Message> {
    bind(&parse(text)?, schema, discovered)
}
