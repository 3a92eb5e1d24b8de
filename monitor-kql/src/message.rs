//! What is wrong with a query, where, and what to write instead.
//!
//! A [`Message`] is the only error of this crate: one place, one reason, one way on. Each module has the enum of its
//! own reasons; [`Message::render`] draws the line of the query with a caret.

use std::fmt;

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};

use crate::{bind::BindError, lexer::LexError, limits::QUERY_BYTES_MAX, parser::SyntaxError, span::Span};

/// Why a query was refused: the reason, its place and, where there is one, the way on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What part of the query it is about.
    pub span: Span,
    /// What is wrong.
    pub reason: Box<Reason>,
}

/// The reasons of all modules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The text is too long to be read.
    #[error("the query has {0} bytes, and at most {QUERY_BYTES_MAX} are read")]
    TooLong(usize),
    /// It cannot be cut into words.
    #[error(transparent)]
    Lex(#[from] LexError),
    /// The words are not in the order of the language.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A name or a type does not fit.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl Message {
    /// A message about the text at `span`.
    pub(crate) fn new(span: Span, reason: impl Into<Reason>) -> Self {
        Self { span, reason: Box::new(reason.into()) }
    }

    /// What to do about it, when there is a way on that is worth a line.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match &*self.reason {
            Reason::TooLong(_) => Some("put long lists into a file and read it with `externaldata`".to_owned()),
            Reason::Lex(reason) => reason.help(),
            Reason::Syntax(reason) => reason.help(),
            Reason::Bind(reason) => reason.help(),
        }
    }

    /// The message with the line of `query` it is about, as plain text or with the terminal's colours.
    #[must_use]
    pub fn render(&self, query: &str, style: Style) -> String {
        let config = Config::default()
            .with_index_type(IndexType::Byte)
            .with_char_set(CharSet::Unicode)
            .with_color(style == Style::Colour);
        let span = self.span.start.min(query.len())..self.span.end.min(query.len());
        let mut label = Label::new(("query", span.clone())).with_message(&self.reason);
        if style == Style::Colour {
            label = label.with_color(Color::Red);
        }
        let mut report = Report::build(ReportKind::Error, ("query", span))
            .with_config(config)
            .with_message(&self.reason)
            .with_label(label);
        if let Some(help) = self.help() {
            report = report.with_help(help);
        }
        let mut text = Vec::new();
        // INVARIANT: writing into a vector cannot fail, and ariadne has no other failure than writing.
        let drawn = report.finish().write(("query", Source::from(query)), &mut text);
        match drawn {
            Ok(()) => String::from_utf8_lossy(&text).into_owned(),
            Err(_) => self.to_string(),
        }
    }
}

/// How [`Message::render`] draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Letters alone.
    Plain,
    /// With the terminal's colours.
    Colour,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        match self.help() {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Message {}
