//! Statements, functions and pipelines.

use super::{
    SyntaxError,
    cursor::{Parsed, Parser},
};
use crate::{
    lexer::{Sign, TokenKind},
    span::Span,
    syntax::{Expr, ExprKind, Function, FunctionParameter, Let, LetValue, Operator, ParameterType, Query, Statement},
};

/// Statements of Kusto's that a host has no use for, and what to write instead.
const REFUSED: [(&str, &str); 2] = [
    ("alias", "a host has one database: leave the statement out"),
    ("restrict", "a host has one database, and its files' permissions say who reads it: leave the statement out"),
];

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Parsed<Query> {
        let mut statements = Vec::new();
        loop {
            if self.peek().kind == TokenKind::End {
                break;
            }
            statements.push(self.statement()?);
            if self.take(Sign::Semicolon).is_none() {
                self.end()?;
            }
            while self.take(Sign::Semicolon).is_some() {}
        }
        if !statements.iter().any(|statement| matches!(statement, Statement::Query(_))) {
            let reason = SyntaxError::NoResult;
            return Err(self.fail(self.peek().span, reason));
        }
        Ok(Query { statements })
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let is_name_next = matches!(self.peek_at(1).kind, TokenKind::Word);
        match self.word() {
            Some("let") => Ok(Statement::Let(self.let_statement()?)),
            Some("set") => self.set_statement(),
            Some("declare") if is_name_next => self.declare_statement(),
            Some(word) if is_name_next => match REFUSED.iter().find(|(name, _)| *name == word) {
                Some((name, instead)) => {
                    Err(self.fail(self.peek().span, SyntaxError::RefusedStatement { name, instead }))
                }
                None => Ok(Statement::Query(self.expression()?)),
            },
            _ => Ok(Statement::Query(self.expression()?)),
        }
    }

    /// `set name`, `set name=value`: the value is checked for being one and then of no account.
    fn set_statement(&mut self) -> Parsed<Statement> {
        self.advance();
        let name = self.new_name()?;
        if self.take(Sign::Equal).is_some() && self.signed_literal()?.is_none() {
            self.new_name()?;
        }
        Ok(Statement::Set { name })
    }

    fn declare_statement(&mut self) -> Parsed<Statement> {
        let keyword = self.advance().span;
        if self.is_word("pattern") {
            let instead = "write a function: let f = (x:string) { … };";
            return Err(self.fail(keyword, SyntaxError::RefusedStatement { name: "declare pattern", instead }));
        }
        self.expect_word("query_parameters")?;
        self.expect(Sign::OpenParen, "`(`")?;
        Ok(Statement::Parameters(self.list_until(Sign::CloseParen, "`)`", Self::function_parameter)?))
    }

    fn let_statement(&mut self) -> Parsed<Let> {
        self.expect_word("let")?;
        let name = self.new_name()?;
        self.expect(Sign::Equal, "`=`")?;
        let value = if self.is_function() {
            LetValue::Function(self.nested(Self::function)?)
        } else {
            LetValue::Expr(self.expression()?)
        };
        Ok(Let { name, value })
    }

    /// Whether parameters of a function are next, and not an expression in parentheses.
    fn is_function(&self) -> bool {
        let ahead = usize::from(self.is_word("view"));
        if !self.is_sign_at(ahead, Sign::OpenParen) {
            return false;
        }
        let first = ahead + 1;
        let length = self.name_length(first);
        (self.is_sign_at(first, Sign::CloseParen) && self.is_sign_at(first + 1, Sign::OpenBrace))
            || (length > 0 && self.is_sign_at(first + length, Sign::Colon))
    }

    fn function(&mut self) -> Parsed<Function> {
        self.take_word("view");
        let start = self.expect(Sign::OpenParen, "`(`")?;
        let parameters = self.list_until(Sign::CloseParen, "`)`", Self::function_parameter)?;
        self.expect(Sign::OpenBrace, "`{` and what the function gives")?;
        let mut lets = Vec::new();
        while self.is_word("let") && self.name_length(1) > 0 {
            lets.push(self.let_statement()?);
            self.expect(Sign::Semicolon, "`;`")?;
        }
        let result = self.expression()?;
        self.take(Sign::Semicolon);
        self.expect(Sign::CloseBrace, "`}`")?;
        Ok(Function { parameters, lets, result, span: self.since(start) })
    }

    fn function_parameter(&mut self) -> Parsed<FunctionParameter> {
        let name = self.new_name()?;
        self.expect(Sign::Colon, "`:` and a type")?;
        let ty = self.parameter_type()?;
        let default = match ty {
            ParameterType::Scalar(_) if self.take(Sign::Equal).is_some() => Some(self.value()?),
            ParameterType::Scalar(_) | ParameterType::Table(_) => None,
        };
        Ok(FunctionParameter { name, ty, default })
    }

    /// A value or a table, with the operators that follow it.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        let start = self.peek().span;
        let before = std::mem::take(&mut self.deepest);
        let mut operators = Vec::new();
        let source = if self.is_first_operator() {
            operators.push(self.operator()?);
            None
        } else {
            Some(self.value()?)
        };
        while self.take(Sign::Pipe).is_some() {
            operators.push(self.piped_operator()?);
        }
        match source {
            Some(source) if operators.is_empty() => {
                self.deepest = self.deepest.max(before);
                Ok(source)
            }
            source => self.pipe(start, before, source, operators),
        }
    }

    /// Operators without a source: they read what the operator around them gives them.
    pub(super) fn body(&mut self) -> Parsed<Expr> {
        let start = self.peek().span;
        let before = std::mem::take(&mut self.deepest);
        let mut operators = vec![self.operator()?];
        while self.take(Sign::Pipe).is_some() {
            operators.push(self.piped_operator()?);
        }
        self.pipe(start, before, None, operators)
    }

    fn pipe(&mut self, start: Span, before: u16, source: Option<Expr>, operators: Vec<Operator>) -> Parsed<Expr> {
        let source = source.map(Box::new);
        let expression = self.node(ExprKind::Pipe { source, operators }, self.since(start), self.deepest)?;
        self.deepest = self.deepest.max(before);
        Ok(expression)
    }

    /// Operators in parentheses.
    pub(super) fn body_in_parentheses(&mut self) -> Parsed<Expr> {
        self.expect(Sign::OpenParen, "`(` and operators")?;
        let body = self.nested(Self::body)?;
        self.expect(Sign::CloseParen, "`)`")?;
        Ok(body)
    }
}
