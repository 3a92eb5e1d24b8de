//! Operators that choose and order columns and rows: `project-away a*`, `sort by a desc`, `top 3 by a`, `range`.

use super::super::{
    SyntaxError,
    cursor::{Parsed, Parser},
    keyword,
};
use crate::{
    lexer::{Sign, TokenKind},
    syntax::{Name, Named, OperatorKind, Order, SortKey},
};

impl Parser<'_> {
    /// None or more: `serialize` and `project` may stand alone.
    pub(super) fn optional_list(&mut self) -> Parsed<Vec<Named>> {
        let is_end = match self.peek().kind {
            TokenKind::End => true,
            TokenKind::Sign(sign) => {
                matches!(sign, Sign::Pipe | Sign::CloseParen | Sign::CloseBrace | Sign::Semicolon)
            }
            _ => false,
        };
        if is_end { Ok(Vec::new()) } else { self.list(Self::named) }
    }

    /// A column, or a pattern of columns with stars in it.
    pub(super) fn column_pattern(&mut self) -> Parsed<Name> {
        let is_bracketed = self.is_sign(Sign::OpenBracket);
        let is_quoted = is_bracketed && self.peek_at(1).kind == TokenKind::String;
        if is_quoted {
            return self.bracketed_name();
        }
        if is_bracketed {
            self.advance();
        }
        let start = self.peek().span;
        loop {
            let token = self.peek();
            let is_part = match token.kind {
                TokenKind::Word | TokenKind::Long => true,
                TokenKind::Sign(sign) => sign == Sign::Star,
                _ => false,
            };
            if !is_part || (token.span != start && !token.is_joined) {
                break;
            }
            self.advance();
        }
        let span = self.since(start);
        let text = span.of(self.text).to_owned();
        if span.end <= start.start || (!text.contains('*') && !keyword::may_declare(&text)) {
            return Err(if self.end_of_last() <= start.start {
                self.no_name()
            } else {
                self.fail(span, SyntaxError::Keyword(text))
            });
        }
        if is_bracketed {
            self.expect(Sign::CloseBracket, "`]`")?;
        }
        Ok(Name { text, span })
    }

    pub(super) fn ordered_pattern(&mut self) -> Parsed<(Name, Option<Order>)> {
        Ok((self.column_pattern()?, self.order()))
    }

    pub(super) fn order(&mut self) -> Option<Order> {
        let (order, tokens) = match (self.word(), self.word_at(2)) {
            (Some("asc"), _) => (Order::Ascending, 1),
            (Some("desc"), _) => (Order::Descending, 1),
            (Some("granny"), Some("asc")) if self.is_sign_at(1, Sign::Minus) => (Order::GrannyAscending, 3),
            (Some("granny"), Some("desc")) if self.is_sign_at(1, Sign::Minus) => (Order::GrannyDescending, 3),
            _ => return None,
        };
        self.skip(tokens);
        Some(order)
    }

    /// `a desc nulls last`
    pub(super) fn sort_key(&mut self) -> Parsed<SortKey> {
        let value = self.named()?;
        let order = self.order();
        let mut are_nulls_first = None;
        if self.take_word("nulls").is_some() {
            let is_first = self.take_word("first").is_some();
            if !is_first && self.take_word("last").is_none() {
                return Err(self.expected("`first` or `last`"));
            }
            are_nulls_first = Some(is_first);
        }
        Ok(SortKey { value, order, are_nulls_first })
    }

    pub(super) fn top(&mut self) -> Parsed<OperatorKind> {
        let count = self.value()?;
        self.expect_word("by")?;
        Ok(OperatorKind::Top { count, key: self.sort_key()? })
    }

    pub(super) fn range(&mut self) -> Parsed<OperatorKind> {
        let name = self.new_name()?;
        self.expect_word("from")?;
        let from = self.value()?;
        self.expect_word("to")?;
        let to = self.value()?;
        self.expect_word("step")?;
        Ok(OperatorKind::Range { name, from, to, step: self.value()? })
    }
}
