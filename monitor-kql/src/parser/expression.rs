//! Operators between operands, from `or`, which binds least, to `has`, which binds most.
//!
//! The order is Kusto's: string operators bind stronger than arithmetic, and comparisons do not chain.

use super::{
    SyntaxError,
    cursor::{Parsed, Parser},
};
use crate::{
    lexer::{Sign, TokenKind},
    span::Span,
    syntax::{BinaryOperator, Expr, ExprKind, StringOperator},
};

/// How strong an operator binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Equality,
    Relational,
    Additive,
    Multiplicative,
    String,
}

impl Level {
    /// What an operand on the right of this operator may have at least.
    const fn above(self) -> Option<Self> {
        match self {
            Self::Equality => Some(Self::Relational),
            Self::Relational => Some(Self::Additive),
            Self::Additive => Some(Self::Multiplicative),
            Self::Multiplicative => Some(Self::String),
            Self::String => None,
        }
    }

    /// Whether `a op b op c` is `(a op b) op c`.
    const fn chains(self) -> bool {
        matches!(self, Self::Additive | Self::Multiplicative)
    }
}

enum Infix {
    Binary(BinaryOperator),
    List(StringOperator),
    Between { is_negated: bool },
}

impl Parser<'_> {
    /// A value: everything but a pipe.
    pub(super) fn value(&mut self) -> Parsed<Expr> {
        self.nested(Self::or)
    }

    fn or(&mut self) -> Parsed<Expr> {
        let first = self.and()?;
        if !self.is_word("or") {
            return Ok(first);
        }
        let (start, mut below, mut operands) = (first.span, first.depth, vec![first]);
        while self.take_word("or").is_some() {
            let operand = self.and()?;
            below = below.max(operand.depth);
            operands.push(operand);
        }
        self.node(ExprKind::Or(operands), self.since(start), below)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let first = self.infix(Level::Equality)?;
        if !self.is_word("and") {
            return Ok(first);
        }
        let (start, mut below, mut operands) = (first.span, first.depth, vec![first]);
        while self.take_word("and").is_some() {
            let operand = self.infix(Level::Equality)?;
            below = below.max(operand.depth);
            operands.push(operand);
        }
        self.node(ExprKind::And(operands), self.since(start), below)
    }

    /// Operands and the operators between them that bind at least as strong as `least`.
    fn infix(&mut self, least: Level) -> Parsed<Expr> {
        let mut left = self.operand()?;
        let mut most = Level::String;
        while let Some((operator, level, tokens)) = self.peek_infix() {
            if level < least || level > most {
                break;
            }
            let at = self.peek().span;
            let at = at.to(self.peek_at(tokens - 1).span);
            self.skip(tokens);
            let start = left.span;
            left = match operator {
                Infix::Binary(operator) => {
                    let right = match level.above() {
                        Some(above) => self.infix(above)?,
                        None => self.operand()?,
                    };
                    let below = left.depth.max(right.depth);
                    let (left, right) = (Box::new(left), Box::new(right));
                    self.node(ExprKind::Binary { operator, at, left, right }, self.since(start), below)?
                }
                Infix::List(operator) => self.value_list(left, operator, at)?,
                Infix::Between { is_negated } => self.between(left, is_negated)?,
            };
            most = level;
            if !level.chains() && self.peek_infix().is_some_and(|(_, next, _)| next == level) {
                return Err(self.fail(
                    self.peek().span,
                    SyntaxError::Expected {
                        expected: "`and` or the end of the comparison".to_owned(),
                        found: self.found(),
                    },
                ));
            }
        }
        Ok(left)
    }

    /// The operator that is next, how strong it binds and how many tokens it has.
    fn peek_infix(&self) -> Option<(Infix, Level, usize)> {
        let binary = |operator, level| Some((Infix::Binary(operator), level, 1));
        match self.peek().kind {
            TokenKind::Sign(sign) => match sign {
                Sign::EqualEqual => binary(BinaryOperator::Equal, Level::Equality),
                Sign::NotEqual | Sign::LessGreater => binary(BinaryOperator::NotEqual, Level::Equality),
                Sign::Less => binary(BinaryOperator::Less, Level::Relational),
                Sign::LessEqual => binary(BinaryOperator::LessOrEqual, Level::Relational),
                Sign::Greater => binary(BinaryOperator::Greater, Level::Relational),
                Sign::GreaterEqual => binary(BinaryOperator::GreaterOrEqual, Level::Relational),
                Sign::Plus => binary(BinaryOperator::Add, Level::Additive),
                Sign::Minus => binary(BinaryOperator::Subtract, Level::Additive),
                Sign::Star => binary(BinaryOperator::Multiply, Level::Multiplicative),
                Sign::Slash => binary(BinaryOperator::Divide, Level::Multiplicative),
                Sign::Percent => binary(BinaryOperator::Modulo, Level::Multiplicative),
                Sign::EqualTilde => binary(BinaryOperator::String(StringOperator::EqualTilde), Level::String),
                Sign::NotTilde => binary(BinaryOperator::String(StringOperator::NotEqualTilde), Level::String),
                Sign::Colon => binary(BinaryOperator::String(StringOperator::Search), Level::String),
                Sign::Bang if self.peek_at(1).is_joined => self.word_infix(1, "!"),
                _ => None,
            },
            TokenKind::Word => self.word_infix(0, ""),
            _ => None,
        }
    }

    /// `has`, `!in~`, `matches regex`: a word that is `ahead`, with what is before it.
    fn word_infix(&self, ahead: usize, before: &str) -> Option<(Infix, Level, usize)> {
        let word = self.word_at(ahead)?;
        let tokens = ahead + 1;
        if word == "between" {
            return Some((Infix::Between { is_negated: !before.is_empty() }, Level::Equality, tokens));
        }
        let is_with_tilde = word == "in" && self.is_sign_at(tokens, Sign::Tilde) && self.peek_at(tokens).is_joined;
        if is_with_tilde {
            let operator = StringOperator::parse(&format!("{before}in~"))?;
            return Some((Infix::List(operator), Level::Equality, tokens + 1));
        }
        if word == "matches" && before.is_empty() && self.word_at(tokens) == Some("regex") {
            let operator = BinaryOperator::String(StringOperator::MatchesRegex);
            return Some((Infix::Binary(operator), Level::String, tokens + 1));
        }
        let operator = StringOperator::parse(&format!("{before}{word}"))?;
        if operator.takes_list() {
            // `make-series … in range(…)`
            let is_range = word == "in" && self.word_at(tokens) == Some("range");
            return (!is_range).then_some((Infix::List(operator), Level::Equality, tokens));
        }
        Some((Infix::Binary(BinaryOperator::String(operator)), Level::String, tokens))
    }

    fn value_list(&mut self, value: Expr, operator: StringOperator, at: Span) -> Parsed<Expr> {
        self.expect(Sign::OpenParen, "`(` and a list of values")?;
        // Within parentheses a table may stand for its first column.
        let list = self.list_until(Sign::CloseParen, "`)`", |parser| parser.nested(Self::expression))?;
        let below = list.iter().map(|item| item.depth).fold(value.depth, u16::max);
        let span = self.since(value.span);
        self.node(ExprKind::List { operator, at, value: Box::new(value), list }, span, below)
    }

    fn between(&mut self, value: Expr, is_negated: bool) -> Parsed<Expr> {
        self.expect(Sign::OpenParen, "`(` and `from .. to`")?;
        let low = self.value()?;
        self.expect(Sign::DotDot, "`..`")?;
        let high = self.value()?;
        self.expect(Sign::CloseParen, "`)`")?;
        let below = value.depth.max(low.depth).max(high.depth);
        let span = self.since(value.span);
        let (value, low, high) = (Box::new(value), Box::new(low), Box::new(high));
        self.node(ExprKind::Between { is_negated, value, low, high }, span, below)
    }
}
