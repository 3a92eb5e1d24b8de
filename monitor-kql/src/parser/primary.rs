//! Expressions that are whole by themselves: names, literals, calls, parentheses, and tables written out.

use super::{
    cursor::{Parsed, Parser},
    keyword,
};
use crate::{
    lexer::{Sign, TokenKind},
    span::Span,
    syntax::{Argument, Expr, ExprKind, Literal, Name, Named},
};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        if let Some(literal) = self.literal()? {
            let span = literal.span;
            return self.node(ExprKind::Literal(literal), span, 0);
        }
        let start = self.peek().span;
        match self.peek().kind {
            TokenKind::Sign(Sign::OpenParen) => {
                self.advance();
                let inner = self.nested(Self::expression)?;
                self.expect(Sign::CloseParen, "`)`")?;
                Ok(inner)
            }
            TokenKind::Sign(Sign::OpenBracket) => {
                let name = self.bracketed_name()?;
                let span = name.span;
                if self.is_sign(Sign::OpenParen) { self.call(name) } else { self.node(ExprKind::Name(name), span, 0) }
            }
            TokenKind::Word => self.word_expression(start),
            _ => Err(self.expected("a value")),
        }
    }

    fn word_expression(&mut self, start: Span) -> Parsed<Expr> {
        let Some(word) = self.word() else {
            return Err(self.expected("a value"));
        };
        let is_call = self.is_sign_at(1, Sign::OpenParen);
        match word {
            "datatable" => self.datatable(start),
            "externaldata" | "external_data" => self.external_data(start),
            "dynamic" if is_call => self.dynamic(start),
            "typeof" if is_call => {
                self.advance();
                let schema = self.type_of()?;
                self.node(ExprKind::TypeOf(schema), self.since(start), 0)
            }
            "toscalar" | "totable" | "materialize" => self.conversion(start, word),
            _ if is_call => {
                let name = Name { text: word.to_owned(), span: self.advance().span };
                self.call(name)
            }
            _ if keyword::may_refer(word) => {
                let name = Name { text: word.to_owned(), span: self.advance().span };
                self.node(ExprKind::Name(name), start, 0)
            }
            _ => Err(self.no_name()),
        }
    }

    /// `toscalar(…)` and its kin, with `kind=nooptimization` before the parenthesis.
    fn conversion(&mut self, start: Span, word: &str) -> Parsed<Expr> {
        self.advance();
        if self.is_word("kind") && self.is_sign_at(1, Sign::Equal) {
            self.skip(2);
            self.expect_word("nooptimization")?;
        }
        self.expect(Sign::OpenParen, "`(`")?;
        let inner = self.nested(Self::expression)?;
        self.expect(Sign::CloseParen, "`)`")?;
        let below = inner.depth;
        let inner = Box::new(inner);
        let kind = match word {
            "toscalar" => ExprKind::ToScalar(inner),
            "totable" => ExprKind::ToTable(inner),
            _ => ExprKind::Materialize(inner),
        };
        self.node(kind, self.since(start), below)
    }

    /// The arguments of `name`, which has been read.
    pub(super) fn call(&mut self, name: Name) -> Parsed<Expr> {
        let start = name.span;
        self.expect(Sign::OpenParen, "`(`")?;
        let arguments = self.list_until(Sign::CloseParen, "`)`", Self::argument)?;
        let below = arguments.iter().map(|argument| argument.value.depth).max().unwrap_or(0);
        self.node(ExprKind::Call { name, arguments }, self.since(start), below)
    }

    fn argument(&mut self) -> Parsed<Argument> {
        let name = self.name_to_assign()?;
        // A function may take a table, with its pipe.
        let value = self.nested(Self::expression)?;
        Ok(Argument { name, value })
    }

    /// `x`, `y=x`, `(y, z)=x`
    pub(super) fn named(&mut self) -> Parsed<Named> {
        if let Some(name) = self.name_to_assign()? {
            return Ok(Named { names: vec![name], is_list: false, value: self.value()? });
        }
        if self.is_name_list() {
            self.advance();
            let names = self.list_until(Sign::CloseParen, "`)`", Self::new_name)?;
            self.expect(Sign::Equal, "`=`")?;
            return Ok(Named { names, is_list: true, value: self.value()? });
        }
        Ok(Named { names: Vec::new(), is_list: false, value: self.value()? })
    }

    /// Whether `(y, z)=` is next.
    fn is_name_list(&self) -> bool {
        if !self.is_sign(Sign::OpenParen) {
            return false;
        }
        let mut ahead = 1;
        loop {
            let length = self.name_length(ahead);
            if length == 0 {
                return false;
            }
            ahead += length;
            if self.is_sign_at(ahead, Sign::CloseParen) {
                return self.is_sign_at(ahead + 1, Sign::Equal);
            }
            if !self.is_sign_at(ahead, Sign::Comma) {
                return false;
            }
            ahead += 1;
        }
    }

    fn datatable(&mut self, start: Span) -> Parsed<Expr> {
        self.advance();
        let schema = self.row_schema()?;
        self.expect(Sign::OpenBracket, "`[` and the values")?;
        let mut values = Vec::new();
        // A comma before the first or after the last value is let pass, as Kusto does.
        self.take(Sign::Comma);
        while self.take(Sign::CloseBracket).is_none() {
            values.push(self.value()?);
            if self.take(Sign::Comma).is_none() && !self.is_sign(Sign::CloseBracket) {
                return Err(self.expected("`,` or `]`"));
            }
        }
        let below = values.iter().map(|value| value.depth).max().unwrap_or(0);
        self.node(ExprKind::DataTable { schema, values }, self.since(start), below)
    }

    fn external_data(&mut self, start: Span) -> Parsed<Expr> {
        self.advance();
        let schema = self.row_schema()?;
        self.expect(Sign::OpenBracket, "`[` and where the data is")?;
        let sources = self.list_until(Sign::CloseBracket, "`]`", Self::value)?;
        let mut properties = Vec::new();
        if self.take_word("with").is_some() {
            self.expect(Sign::OpenParen, "`(`")?;
            properties = self.list_until(Sign::CloseParen, "`)`", Self::property)?;
        }
        let below = sources.iter().map(|source| source.depth).max().unwrap_or(0);
        self.node(ExprKind::ExternalData { schema, sources, properties }, self.since(start), below)
    }

    /// `format="csv"`, `format=csv`
    fn property(&mut self) -> Parsed<(Name, Literal)> {
        let name = self.new_name()?;
        self.expect(Sign::Equal, "`=`")?;
        if let Some(literal) = self.literal()? {
            return Ok((name, literal));
        }
        let Name { text, span } = self.new_name()?;
        Ok((name, Literal::string(text, span)))
    }
}
