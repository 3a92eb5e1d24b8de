//! `scan`: steps over ordered rows.

use super::super::cursor::{Parsed, Parser};
use crate::{
    lexer::Sign,
    syntax::{Expr, Name, OperatorKind, ScanStep, StepOutput},
    types::Type,
};

impl Parser<'_> {
    pub(super) fn scan(&mut self) -> Parsed<OperatorKind> {
        let mut sort = Vec::new();
        if self.take_word("order").is_some() {
            self.expect_word("by")?;
            sort = self.list(Self::sort_key)?;
        }
        let mut partition = Vec::new();
        if self.take_word("partition").is_some() {
            self.expect_word("by")?;
            partition = self.list(Self::value)?;
        }
        let mut declare = Vec::new();
        if self.take_word("declare").is_some() {
            self.expect(Sign::OpenParen, "`(`")?;
            declare = self.list_until(Sign::CloseParen, "`)`", Self::scan_declaration)?;
        }
        self.expect_word("with")?;
        self.expect(Sign::OpenParen, "`(` and steps")?;
        let mut steps = Vec::new();
        while self.take(Sign::CloseParen).is_none() {
            steps.push(self.scan_step()?);
        }
        if steps.is_empty() {
            return Err(self.expected("a step before `)`"));
        }
        Ok(OperatorKind::Scan { sort, partition, declare, steps })
    }

    fn scan_declaration(&mut self) -> Parsed<(Name, Type, Option<Expr>)> {
        let (name, ty) = self.typed_name()?;
        let default = if self.take(Sign::Equal).is_some() { Some(self.value()?) } else { None };
        Ok((name, ty, default))
    }

    fn scan_step(&mut self) -> Parsed<ScanStep> {
        self.expect_word("step")?;
        let name = self.new_name()?;
        let is_optional = self.take_word("optional").is_some();
        let mut output = StepOutput::All;
        if self.take_word("output").is_some() {
            self.expect(Sign::Equal, "`=`")?;
            output = match self.word() {
                Some("all") => StepOutput::All,
                Some("last") => StepOutput::Last,
                Some("none") => StepOutput::None,
                _ => return Err(self.expected("`all`, `last` or `none`")),
            };
            self.advance();
        }
        self.expect(Sign::Colon, "`:` and a condition")?;
        let condition = self.value()?;
        let mut assignments = Vec::new();
        if self.take(Sign::Arrow).is_some() {
            assignments = self.list(|parser| {
                let name = parser.new_name()?;
                parser.expect(Sign::Equal, "`=`")?;
                Ok((name, parser.value()?))
            })?;
        }
        self.expect(Sign::Semicolon, "`;`")?;
        Ok(ScanStep { name, is_optional, output, condition, assignments })
    }
}
