//! Walking over tokens: looking, taking, and saying what was expected.

use super::{SyntaxError, keyword};
use crate::{
    lexer::{self, Sign, Token, TokenKind},
    limits::{NESTING_MAX, TREE_DEPTH_MAX},
    message::Message,
    span::Span,
    syntax::{Expr, ExprKind, Name},
};

pub(super) type Parsed<T> = Result<T, Message>;

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    nesting: u32,
    /// The deepest expression since the innermost pipeline began.
    pub(super) deepest: u16,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, tokens: Vec<Token>) -> Self {
        Self { text, tokens, at: 0, nesting: 0, deepest: 0 }
    }

    pub(super) fn peek(&self) -> Token {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Token {
        let end = Token { kind: TokenKind::End, span: Span::new(self.text.len(), self.text.len()), is_joined: false };
        self.tokens.get(self.at + ahead).copied().unwrap_or(end)
    }

    pub(super) fn advance(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    pub(super) fn skip(&mut self, tokens: usize) {
        for _ in 0..tokens {
            self.advance();
        }
    }

    /// The text of the token that is `ahead`, when it is a word.
    pub(super) fn word_at(&self, ahead: usize) -> Option<&'a str> {
        let token = self.peek_at(ahead);
        (token.kind == TokenKind::Word).then(|| token.span.of(self.text))
    }

    pub(super) fn word(&self) -> Option<&'a str> {
        self.word_at(0)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub(super) fn is_sign(&self, sign: Sign) -> bool {
        self.is_sign_at(0, sign)
    }

    pub(super) fn is_sign_at(&self, ahead: usize, sign: Sign) -> bool {
        self.peek_at(ahead).kind == TokenKind::Sign(sign)
    }

    /// Takes the word when it is next.
    pub(super) fn take_word(&mut self, word: &str) -> Option<Span> {
        self.is_word(word).then(|| self.advance().span)
    }

    /// Takes the sign when it is next.
    pub(super) fn take(&mut self, sign: Sign) -> Option<Span> {
        self.is_sign(sign).then(|| self.advance().span)
    }

    pub(super) fn expect(&mut self, sign: Sign, expected: &str) -> Parsed<Span> {
        self.take(sign).ok_or_else(|| self.expected(expected))
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Parsed<Span> {
        self.take_word(word).ok_or_else(|| self.expected(&format!("`{word}`")))
    }

    /// What is next is not what must be here.
    pub(super) fn expected(&self, expected: &str) -> Message {
        if self.is_sign(Sign::Equal) {
            return self.fail(self.peek().span, SyntaxError::Assignment);
        }
        let found = self.found();
        self.fail(self.peek().span, SyntaxError::Expected { expected: expected.to_owned(), found })
    }

    pub(super) fn found(&self) -> String {
        let token = self.peek();
        match token.kind {
            TokenKind::End => "the end".to_owned(),
            TokenKind::String => "a string".to_owned(),
            _ => format!("`{}`", token.span.of(self.text)),
        }
    }

    #[expect(clippy::unused_self, reason = "reads like the other ways to fail")]
    pub(super) fn fail(&self, span: Span, reason: SyntaxError) -> Message {
        Message::new(span, reason)
    }

    /// The end of what was read last.
    pub(super) fn end_of_last(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    /// Everything from `start` to what was read last.
    pub(super) fn since(&self, start: Span) -> Span {
        Span::new(start.start, self.end_of_last().max(start.start))
    }

    pub(super) fn end(&self) -> Parsed<()> {
        if self.peek().kind == TokenKind::End {
            return Ok(());
        }
        if self.is_sign(Sign::Equal) {
            return Err(self.fail(self.peek().span, SyntaxError::Assignment));
        }
        Err(self.fail(self.peek().span, SyntaxError::LeftOver(self.found())))
    }

    /// Reads something within something else.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= NESTING_MAX {
            return Err(self.fail(self.peek().span, SyntaxError::Nesting));
        }
        self.nesting += 1;
        let done = read(self);
        self.nesting -= 1;
        done
    }

    /// An expression over parts of which the deepest is `below` deep.
    pub(super) fn node(&mut self, kind: ExprKind, span: Span, below: u16) -> Parsed<Expr> {
        let depth = below.saturating_add(1);
        if depth > TREE_DEPTH_MAX {
            return Err(self.fail(span, SyntaxError::Depth));
        }
        self.deepest = self.deepest.max(depth);
        Ok(Expr { kind, span, depth })
    }

    /// One or more, with commas between them.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![read(self)?];
        while self.take(Sign::Comma).is_some() {
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// None or more, with commas between them, up to `close`, which is taken.
    pub(super) fn list_until<T>(
        &mut self,
        close: Sign,
        expected: &str,
        mut read: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut list = Vec::new();
        while self.take(close).is_none() {
            if !list.is_empty() {
                self.expect(Sign::Comma, &format!("`,` or {expected}"))?;
            }
            list.push(read(self)?);
        }
        Ok(list)
    }

    /// A string in quotes; strings that follow one another are one.
    pub(super) fn string(&mut self) -> Parsed<Option<(String, Span)>> {
        let start = self.peek().span;
        let mut text: Option<String> = None;
        while self.peek().kind == TokenKind::String {
            let token = self.advance();
            let part = lexer::decode(token.span.of(self.text)).map_err(|reason| Message::new(token.span, reason))?;
            text.get_or_insert_default().push_str(&part);
        }
        Ok(text.map(|text| (text, self.since(start))))
    }

    /// How many tokens the name that is `ahead` has: a word, or `['x']`; none when there is no name.
    pub(super) fn name_length(&self, ahead: usize) -> usize {
        match self.peek_at(ahead).kind {
            TokenKind::Word if keyword::may_declare(self.peek_at(ahead).span.of(self.text)) => 1,
            TokenKind::Sign(Sign::OpenBracket)
                if self.peek_at(ahead + 1).kind == TokenKind::String
                    && self.is_sign_at(ahead + 2, Sign::CloseBracket) =>
            {
                3
            }
            _ => 0,
        }
    }

    /// A name for something new.
    pub(super) fn new_name(&mut self) -> Parsed<Name> {
        match self.name_length(0) {
            0 => Err(self.no_name()),
            1 => {
                let token = self.advance();
                Ok(Name { text: token.span.of(self.text).to_owned(), span: token.span })
            }
            _ => self.bracketed_name(),
        }
    }

    /// The name in front of `=`, and that sign, if both are next.
    pub(super) fn name_to_assign(&mut self) -> Parsed<Option<Name>> {
        let length = self.name_length(0);
        if length == 0 || !self.is_sign_at(length, Sign::Equal) {
            return Ok(None);
        }
        let name = self.new_name()?;
        self.advance();
        Ok(Some(name))
    }

    pub(super) fn no_name(&self) -> Message {
        match self.word() {
            Some(word) => self.fail(self.peek().span, SyntaxError::Keyword(word.to_owned())),
            None => self.expected("a name"),
        }
    }

    /// `['x']`
    pub(super) fn bracketed_name(&mut self) -> Parsed<Name> {
        let start = self.expect(Sign::OpenBracket, "`[`")?;
        let Some((text, _)) = self.string()? else {
            return Err(self.expected("a name in quotes"));
        };
        let close = self.expect(Sign::CloseBracket, "`]`")?;
        Ok(Name { text, span: start.to(close) })
    }
}
