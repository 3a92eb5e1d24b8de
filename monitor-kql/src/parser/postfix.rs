//! Operands: a sign, a primary expression, and what is after its dots and brackets.

use super::{
    cursor::{Parsed, Parser},
    keyword,
};
use crate::{
    lexer::{Sign, TokenKind},
    syntax::{Expr, ExprKind, Name, UnaryOperator},
};

impl Parser<'_> {
    pub(super) fn operand(&mut self) -> Parsed<Expr> {
        let start = self.peek().span;
        let operator = match self.peek().kind {
            TokenKind::Sign(Sign::Minus) => UnaryOperator::Minus,
            TokenKind::Sign(Sign::Plus) => UnaryOperator::Plus,
            TokenKind::Sign(Sign::Star) => {
                self.advance();
                return self.node(ExprKind::Star, start, 0);
            }
            _ => return self.path(),
        };
        self.advance();
        let operand = self.nested(Self::path)?;
        let below = operand.depth;
        let operand = Box::new(operand);
        self.node(ExprKind::Unary { operator, operand }, self.since(start), below)
    }

    /// A primary expression with its members and elements.
    pub(super) fn path(&mut self) -> Parsed<Expr> {
        let mut base = self.primary()?;
        loop {
            let start = base.span;
            if self.take(Sign::Dot).is_some() {
                let member = self.member()?;
                let below = base.depth.max(member.depth);
                let (left, member) = (Box::new(base), Box::new(member));
                base = self.node(ExprKind::Path { base: left, member }, self.since(start), below)?;
            } else if self.take(Sign::OpenBracket).is_some() {
                let index = self.value()?;
                self.expect(Sign::CloseBracket, "`]`")?;
                let below = base.depth.max(index.depth);
                let (left, index) = (Box::new(base), Box::new(index));
                base = self.node(ExprKind::Element { base: left, index }, self.since(start), below)?;
            } else {
                return Ok(base);
            }
        }
    }

    /// What is after a dot: a name or a call.
    fn member(&mut self) -> Parsed<Expr> {
        if self.is_sign(Sign::OpenBracket) {
            let name = self.bracketed_name()?;
            let span = name.span;
            return self.node(ExprKind::Name(name), span, 0);
        }
        let is_call = self.is_sign_at(1, Sign::OpenParen);
        match self.word() {
            Some(word) if is_call || keyword::may_declare(word) => {
                let token = self.advance();
                let name = Name { text: word.to_owned(), span: token.span };
                if is_call { self.call(name) } else { self.node(ExprKind::Name(name), token.span, 0) }
            }
            _ => Err(self.no_name()),
        }
    }
}
