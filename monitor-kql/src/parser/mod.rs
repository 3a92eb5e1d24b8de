//! Tokens to a tree: recursive descent over the grammar of Kusto's own parser.
//!
//! It reads each token once, but for a few looks ahead, refuses what it does not know, and never leaves anything unread.

mod cursor;
mod error;
mod expression;
mod keyword;
mod literal;
mod operator;
mod postfix;
mod primary;
mod schema;
mod statement;

use self::cursor::Parser;
pub use self::error::SyntaxError;
pub(crate) use self::operator::{CATALOGUE as OPERATORS, Support};
use crate::{
    lexer,
    limits::QUERY_BYTES_MAX,
    message::{Message, Reason},
    span::Span,
    syntax::{Expr, Query},
};

/// Reads a whole query.
///
/// # Errors
/// The first place at which `text` leaves the language, or one of the limits that it passes.
pub fn parse(text: &str) -> Result<Query, Message> {
    let mut parser = parser(text)?;
    parser.query()
}

/// Reads an expression alone: what follows `where`.
///
/// # Errors
/// As [`parse`].
pub fn parse_predicate(text: &str) -> Result<Expr, Message> {
    let mut parser = parser(text)?;
    let expression = parser.expression()?;
    parser.end()?;
    Ok(expression)
}

fn parser(text: &str) -> Result<Parser<'_>, Message> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(Message::new(Span::new(0, 0), Reason::TooLong(text.len())));
    }
    Ok(Parser::new(text, lexer::tokens(text)?))
}

#[cfg(test)]
mod tests;
