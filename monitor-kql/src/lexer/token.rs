//! What the lexer cuts a query into.

use crate::{span::Span, types::Type};

/// A word, number, string or sign of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
    /// Nothing, not even a blank, is between this token and the one before it.
    pub(crate) is_joined: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or a keyword: which of them depends on the place.
    Word,
    /// A string in quotes of any kind.
    String,
    /// `12`, `0x1f`
    Long,
    /// `1.5`, `1e3`
    Real,
    /// `10m`, `1.5h`
    Timespan,
    /// A type and its text: `datetime(2024-01-01)`, `int(null)`. `dynamic(…)` is not one: its text is tokens.
    Typed(Type),
    Sign(Sign),
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Pipe,
    Comma,
    Semicolon,
    Colon,
    Dot,
    DotDot,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Equal,
    EqualEqual,
    NotEqual,
    EqualTilde,
    NotTilde,
    Arrow,
    Less,
    LessEqual,
    LessGreater,
    Greater,
    GreaterEqual,
    Bang,
    Tilde,
    At,
    Question,
}
