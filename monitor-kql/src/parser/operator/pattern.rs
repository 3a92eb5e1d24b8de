//! Operators that take text apart: `parse`, `parse-where`, `parse-kv`; and those over arrays: `mv-expand`, `mv-apply`.

use super::super::{
    SyntaxError,
    cursor::{Parsed, Parser},
};
use crate::{
    lexer::Sign,
    syntax::{MvItem, OperatorKind, ParsePart},
    types::Type,
};

impl Parser<'_> {
    pub(super) fn parse_pattern(&mut self, is_filter: bool) -> Parsed<OperatorKind> {
        let source = self.value()?;
        self.expect_word("with")?;
        let mut parts: Vec<ParsePart> = Vec::new();
        loop {
            let part = if let Some(span) = self.take(Sign::Star) {
                ParsePart::Skip(span)
            } else if let Some((text, span)) = self.string()? {
                ParsePart::Text(text, span)
            } else if self.name_length(0) > 0 {
                let name = self.new_name()?;
                let ty = if self.take(Sign::Colon).is_some() { self.scalar_type()? } else { Type::String };
                ParsePart::Column(name, ty)
            } else if parts.is_empty() {
                return Err(self.expected("a pattern such as * \"from \" Host \" to\""));
            } else {
                return Ok(OperatorKind::Parse { is_filter, source, parts });
            };
            self.check_part(parts.last(), &part)?;
            parts.push(part);
        }
    }

    /// Two parts without text between them would have no end of the first.
    fn check_part(&self, before: Option<&ParsePart>, part: &ParsePart) -> Parsed<()> {
        let (between, span) = match (before, part) {
            (Some(ParsePart::Column(..)), ParsePart::Column(name, _)) => ("two columns", name.span),
            (Some(ParsePart::Skip(_)), ParsePart::Column(name, _)) => ("`*` and a column", name.span),
            (Some(ParsePart::Column(_, Type::String)), ParsePart::Skip(span)) => ("a string column and `*`", *span),
            (Some(ParsePart::Skip(_)), ParsePart::Skip(span)) => ("two `*`", *span),
            _ => return Ok(()),
        };
        Err(self.fail(span, SyntaxError::Pattern(between)))
    }

    pub(super) fn parse_kv(&mut self) -> Parsed<OperatorKind> {
        let source = self.value()?;
        self.expect_word("as")?;
        let keys = self.row_schema()?;
        let properties = if self.take_word("with").is_some() { self.properties("parse-kv")? } else { Vec::new() };
        Ok(OperatorKind::ParseKv { source, keys, properties })
    }

    fn mv_item(&mut self) -> Parsed<MvItem> {
        let value = self.named()?;
        let ty = if self.take_word("to").is_some() { Some(self.element_type()?) } else { None };
        Ok(MvItem { value, ty })
    }

    pub(super) fn mv_expand(&mut self) -> Parsed<OperatorKind> {
        let items = self.list(Self::mv_item)?;
        let limit = if self.take_word("limit").is_some() { Some(self.value()?) } else { None };
        Ok(OperatorKind::MvExpand { items, limit })
    }

    pub(super) fn mv_apply(&mut self) -> Parsed<OperatorKind> {
        let items = self.list(Self::mv_item)?;
        let limit = if self.take_word("limit").is_some() { Some(self.value()?) } else { None };
        self.expect_word("on")?;
        let body = Box::new(self.body_in_parentheses()?);
        Ok(OperatorKind::MvApply { items, limit, body })
    }
}
