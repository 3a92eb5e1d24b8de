//! Operators over several tables: `join`, `lookup`, and the tables of `union`.

use super::super::cursor::{Parsed, Parser};
use crate::{
    lexer::{Sign, TokenKind},
    syntax::{Expr, ExprKind, JoinCondition, Name, OperatorKind},
};

impl Parser<'_> {
    pub(super) fn join(&mut self, name: &str) -> Parsed<OperatorKind> {
        let right = Box::new(self.nested(Self::path)?);
        let condition = if self.take_word("where").is_some() {
            JoinCondition::Where(self.value()?)
        } else {
            self.expect_word("on")?;
            JoinCondition::On(self.list(Self::value)?)
        };
        Ok(match name {
            "lookup" => OperatorKind::Lookup { right, condition },
            _ => OperatorKind::Join { right, condition },
        })
    }

    /// A table of `union`, `find` or `search`: a name, a pattern with stars, a call, or a query in parentheses.
    pub(super) fn table(&mut self) -> Parsed<Expr> {
        let is_word = self.peek().kind == TokenKind::Word;
        let is_pattern =
            self.is_sign(Sign::Star) || (is_word && self.is_sign_at(1, Sign::Star) && self.peek_at(1).is_joined);
        if is_pattern {
            let Name { text, span } = self.column_pattern()?;
            return self.node(ExprKind::Name(Name { text, span }), span, 0);
        }
        self.nested(Self::path)
    }
}
