//! Types and columns as they are written: `(a:string, b:long)`, `typeof(long)`.

use super::{
    SyntaxError,
    cursor::{Parsed, Parser},
};
use crate::{
    lexer::{Sign, TokenKind},
    span::Span,
    syntax::{Name, ParameterType, RowSchema},
    types::Type,
};

impl Parser<'_> {
    pub(super) fn scalar_type(&mut self) -> Parsed<Type> {
        let Some(word) = self.word() else {
            return Err(self.expected("a type"));
        };
        let Some(ty) = Type::parse(word) else {
            return Err(self.fail(self.peek().span, SyntaxError::UnknownType(word.to_owned())));
        };
        self.advance();
        Ok(ty)
    }

    /// `a:string`
    pub(super) fn typed_name(&mut self) -> Parsed<(Name, Type)> {
        let name = self.new_name()?;
        self.expect(Sign::Colon, "`:` and a type")?;
        Ok((name, self.scalar_type()?))
    }

    /// `(a:string, b:long)`, `(*)`, `(*, a:string)`
    pub(super) fn row_schema(&mut self) -> Parsed<RowSchema> {
        let start = self.expect(Sign::OpenParen, "`(` and columns with their types")?;
        self.schema_columns(start)
    }

    fn schema_columns(&mut self, start: Span) -> Parsed<RowSchema> {
        let mut schema = RowSchema::default();
        self.take(Sign::Comma);
        if self.take(Sign::Star).is_some() {
            schema.has_star = true;
            self.take(Sign::Comma);
        }
        schema.columns = self.list_until(Sign::CloseParen, "`)`", Self::typed_name)?;
        schema.span = self.since(start);
        Ok(schema)
    }

    /// What follows the word `typeof`: one type, or columns.
    pub(super) fn type_of(&mut self) -> Parsed<RowSchema> {
        let start = self.expect(Sign::OpenParen, "`(`")?;
        let is_alone = self.peek().kind == TokenKind::Word && self.is_sign_at(1, Sign::CloseParen);
        if !is_alone {
            return self.schema_columns(start);
        }
        let name = Name { text: String::new(), span: self.peek().span };
        let ty = self.scalar_type()?;
        self.advance();
        Ok(RowSchema { columns: vec![(name, ty)], has_star: false, span: self.since(start) })
    }

    /// `typeof(long)` after `to`.
    pub(super) fn element_type(&mut self) -> Parsed<Type> {
        self.expect_word("typeof")?;
        self.expect(Sign::OpenParen, "`(`")?;
        let ty = self.scalar_type()?;
        self.expect(Sign::CloseParen, "`)`")?;
        Ok(ty)
    }

    pub(super) fn parameter_type(&mut self) -> Parsed<ParameterType> {
        if self.is_sign(Sign::OpenParen) {
            return Ok(ParameterType::Table(self.row_schema()?));
        }
        Ok(ParameterType::Scalar(self.scalar_type()?))
    }
}
