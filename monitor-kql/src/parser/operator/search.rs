//! `search` and `find`: looking through several tables.

use super::super::cursor::{Parsed, Parser};
use crate::{
    lexer::Sign,
    syntax::{Expr, Find, FindColumn, OperatorKind, SearchScope},
};

impl Parser<'_> {
    pub(super) fn search(&mut self) -> Parsed<OperatorKind> {
        let tables = self.in_tables()?;
        let predicate = self.value()?;
        Ok(OperatorKind::Search(SearchScope { tables, predicate }))
    }

    /// `in (T, U)`
    fn in_tables(&mut self) -> Parsed<Vec<Expr>> {
        if self.take_word("in").is_none() {
            return Ok(Vec::new());
        }
        self.expect(Sign::OpenParen, "`(` and tables")?;
        let tables = self.list(Self::table)?;
        self.expect(Sign::CloseParen, "`)`")?;
        Ok(tables)
    }

    pub(super) fn find(&mut self) -> Parsed<OperatorKind> {
        let tables = self.in_tables()?;
        if tables.is_empty() {
            self.take_word("where");
        } else {
            self.expect_word("where")?;
        }
        let predicate = self.value()?;
        let mut project = None;
        if self.is_word("project") && !self.is_sign_at(1, Sign::Minus) {
            self.advance();
            project = Some(self.list(Self::find_column)?);
        } else if self.is_dashed("project", "smart") {
            self.skip(3);
        }
        let mut project_away = Vec::new();
        if self.is_dashed("project", "away") {
            self.skip(3);
            project_away = self.list(Self::column_pattern)?;
        }
        Ok(OperatorKind::Find(Box::new(Find { tables, predicate, project, project_away })))
    }

    fn is_dashed(&self, first: &str, second: &str) -> bool {
        self.is_word(first) && self.is_sign_at(1, Sign::Minus) && self.word_at(2) == Some(second)
    }

    fn find_column(&mut self) -> Parsed<FindColumn> {
        let start = self.peek().span;
        if self.is_word("pack") && self.is_sign_at(1, Sign::OpenParen) {
            self.skip(2);
            self.expect(Sign::Star, "`*`")?;
            self.expect(Sign::CloseParen, "`)`")?;
            return Ok(FindColumn::Pack(self.since(start)));
        }
        let name = self.new_name()?;
        let ty = if self.take(Sign::Colon).is_some() { Some(self.scalar_type()?) } else { None };
        Ok(FindColumn::Column(name, ty))
    }
}
