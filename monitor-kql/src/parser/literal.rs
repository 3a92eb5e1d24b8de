//! Literals: numbers, strings, typed values and the JSON of `dynamic(…)`.

use serde_json::{Map, Value as Json};

use super::{
    SyntaxError,
    cursor::{Parsed, Parser},
};
use crate::{
    lexer::{Sign, TokenKind},
    literal,
    message::Message,
    span::Span,
    syntax::{Expr, ExprKind, Literal},
    types::Type,
    value::Value,
};

impl Literal {
    pub(super) fn string(text: String, span: Span) -> Self {
        Self { ty: Type::String, value: Value::string(text), span }
    }
}

impl Parser<'_> {
    /// The literal that is next, when one is.
    pub(super) fn literal(&mut self) -> Parsed<Option<Literal>> {
        let token = self.peek();
        let text = token.span.of(self.text);
        let ty = match token.kind {
            TokenKind::String => {
                let string = self.string()?;
                return Ok(string.map(|(text, span)| Literal::string(text, span)));
            }
            TokenKind::Long => Type::Long,
            TokenKind::Real => Type::Real,
            TokenKind::Timespan => Type::Timespan,
            TokenKind::Typed(ty) => ty,
            TokenKind::Word => match text {
                "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Type::Bool,
                _ => return Ok(None),
            },
            TokenKind::Sign(_) | TokenKind::End => return Ok(None),
        };
        self.advance();
        let inner = match token.kind {
            TokenKind::Typed(_) => {
                let open = text.find('(').map_or(0, |at| at + 1);
                text.get(open..text.len().saturating_sub(1)).unwrap_or_default()
            }
            _ => text,
        };
        let Some(value) = literal::typed(ty, inner) else {
            let text = inner.trim().to_owned();
            return Err(self.fail(token.span, SyntaxError::Literal { ty, text }));
        };
        Ok(Some(Literal { ty, value, span: token.span }))
    }

    /// A number with its sign, for bounds of charts and the like.
    pub(super) fn signed_literal(&mut self) -> Parsed<Option<Literal>> {
        let start = self.peek().span;
        let is_number = |kind| matches!(kind, TokenKind::Long | TokenKind::Real | TokenKind::Timespan);
        if self.is_sign(Sign::Minus) && is_number(self.peek_at(1).kind) {
            self.advance();
            let Some(literal) = self.literal()? else {
                return Ok(None);
            };
            let value = match literal.value {
                Value::Long(value) => Value::Long(value.wrapping_neg()),
                Value::Real(value) => Value::Real(-value),
                Value::Timespan(value) => Value::Timespan(value.wrapping_neg()),
                other => other,
            };
            return Ok(Some(Literal { ty: literal.ty, value, span: self.since(start) }));
        }
        self.literal()
    }

    pub(super) fn dynamic(&mut self, start: Span) -> Parsed<Expr> {
        self.advance();
        self.expect(Sign::OpenParen, "`(`")?;
        let json = self.nested(Self::json)?;
        self.expect(Sign::CloseParen, "`)`")?;
        self.node(ExprKind::Dynamic(json), self.since(start), 0)
    }

    fn json(&mut self) -> Parsed<Json> {
        match self.peek().kind {
            TokenKind::Sign(Sign::OpenBracket) => {
                self.advance();
                let items = self.list_until(Sign::CloseBracket, "`]`", |parser| parser.nested(Self::json))?;
                Ok(Json::Array(items))
            }
            TokenKind::Sign(Sign::OpenBrace) => {
                self.advance();
                let pairs = self.list_until(Sign::CloseBrace, "`}`", |parser| parser.nested(Self::json_pair))?;
                Ok(Json::Object(pairs.into_iter().collect::<Map<String, Json>>()))
            }
            TokenKind::Word if self.is_word("null") => {
                self.advance();
                Ok(Json::Null)
            }
            TokenKind::Word if self.is_word("dynamic") => {
                self.advance();
                self.expect(Sign::OpenParen, "`(`")?;
                let json = self.nested(Self::json)?;
                self.expect(Sign::CloseParen, "`)`")?;
                Ok(json)
            }
            _ => {
                let literal = self.signed_literal()?;
                literal.map(|literal| literal.value.to_json()).ok_or_else(|| self.no_json())
            }
        }
    }

    fn no_json(&self) -> Message {
        self.expected("a JSON value: a number, a string, true, false, null, […] or {…}")
    }

    fn json_pair(&mut self) -> Parsed<(String, Json)> {
        let Some((key, _)) = self.string()? else {
            return Err(self.expected("a key in quotes"));
        };
        self.expect(Sign::Colon, "`:`")?;
        Ok((key, self.json()?))
    }
}
