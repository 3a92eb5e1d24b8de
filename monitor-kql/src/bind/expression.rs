//! Expressions.

use super::{
    BindError, arithmetic,
    binder::{Bind, Binder},
    convert::convert,
    name::Term,
    row::Row,
};
use crate::{
    bound::{Expr, ExprKind, List, Plan},
    span::Span,
    syntax::{self, BinaryOperator, ExprKind as Syntax, StringOperator, UnaryOperator},
    types::Type,
    value::Value,
};

impl<'q> Binder<'_, 'q> {
    /// A value; a table is none.
    pub(super) fn value(&mut self, expression: &'q syntax::Expr) -> Bind<Expr> {
        match self.term(expression)? {
            Term::Value(value) => Ok(value),
            Term::Table(_) => Err(self.fail(expression.span, BindError::TableAsValue)),
        }
    }

    /// A value of type bool.
    pub(super) fn condition(&mut self, expression: &'q syntax::Expr) -> Bind<Expr> {
        let value = self.value(expression)?;
        self.coerce(expression.span, value, Type::Bool)
    }

    /// A value that is the same for all rows.
    pub(super) fn constant(&mut self, expression: &'q syntax::Expr) -> Bind<Expr> {
        let value = self.value(expression)?;
        if !value.is_constant() {
            return Err(self.fail(expression.span, BindError::ConstantWanted));
        }
        Ok(value)
    }

    /// An integer that is the same for all rows.
    pub(super) fn count_of(&mut self, input: &Plan, expression: &'q syntax::Expr) -> Bind<Expr> {
        let value = self.with_row(Row::of(input), |binder| binder.constant(expression))?;
        if !value.ty.is_integer() && value.ty != Type::Unknown {
            let (expected, found) = ("an integer".to_owned(), value.ty.to_string());
            return Err(self.fail(expression.span, BindError::Wanted { expected, found }));
        }
        Ok(convert(value, Type::Long))
    }

    /// A value or a table.
    pub(super) fn term(&mut self, expression: &'q syntax::Expr) -> Bind<Term> {
        self.deeper(expression.span, |binder| binder.term_here(expression))
    }

    fn term_here(&mut self, expression: &'q syntax::Expr) -> Bind<Term> {
        let span = expression.span;
        let value = match &expression.kind {
            Syntax::Name(name) => return self.name(name),
            Syntax::Call { name, arguments } => return self.call(expression, name, arguments),
            Syntax::Path { base, member } => return self.path(base, member),
            Syntax::Pipe { .. }
            | Syntax::DataTable { .. }
            | Syntax::ExternalData { .. }
            | Syntax::ToTable(_)
            | Syntax::Materialize(_) => return Ok(Term::Table(Box::new(self.table(expression)?))),
            Syntax::Literal(literal) => Expr::literal(literal.value.clone(), literal.ty),
            Syntax::Dynamic(json) => Expr::literal(Value::dynamic(json.clone()), Type::Dynamic),
            Syntax::TypeOf(schema) => {
                let ty = schema.columns.first().map_or(Type::String, |(_, ty)| *ty);
                Expr::literal(Value::string(ty.name()), Type::String)
            }
            Syntax::Element { base, index } => self.element(base, index)?,
            Syntax::Unary { operator, operand } => self.unary(span, *operator, operand)?,
            Syntax::Binary { operator, at, left, right } => self.binary(*operator, *at, left, right)?,
            Syntax::And(operands) => Expr::new(ExprKind::And(self.conditions(operands)?), Type::Bool),
            Syntax::Or(operands) => Expr::new(ExprKind::Or(self.conditions(operands)?), Type::Bool),
            Syntax::Between { is_negated, value, low, high } => self.between(span, *is_negated, value, low, high)?,
            Syntax::List { operator, at, value, list } => self.list(*operator, *at, value, list)?,
            Syntax::ToScalar(inner) => return self.scalar_of(inner),
            Syntax::Star => return Err(self.fail(span, BindError::StarHere)),
        };
        Ok(Term::Value(value))
    }

    fn conditions(&mut self, operands: &'q [syntax::Expr]) -> Bind<Vec<Expr>> {
        operands
            .iter()
            .map(|operand| {
                let value = self.value(operand)?;
                // Unlike `where`, `and` and `or` take dynamic values.
                if value.ty == Type::Dynamic {
                    return Ok(convert(value, Type::Bool));
                }
                self.coerce(operand.span, value, Type::Bool)
            })
            .collect()
    }

    fn unary(&mut self, span: Span, operator: UnaryOperator, operand: &'q syntax::Expr) -> Bind<Expr> {
        let value = self.value(operand)?;
        let sign = if operator == UnaryOperator::Minus { "-" } else { "+" };
        if !value.ty.is_summable() && !matches!(value.ty, Type::Dynamic | Type::Unknown) {
            return Err(self.fail(span, BindError::Sign { operator: sign.to_owned(), operand: value.ty }));
        }
        let ty = if value.ty == Type::Int { Type::Long } else { value.ty };
        let value = convert(value, ty);
        if operator == UnaryOperator::Plus {
            return Ok(value);
        }
        // A number with a sign is a literal, as it is for Kusto.
        let negative = match value.as_literal() {
            Some(Value::Long(number)) => number.checked_neg().map(Value::Long),
            Some(Value::Real(number)) => Some(Value::Real(-number)),
            Some(Value::Timespan(ticks)) => ticks.checked_neg().map(Value::Timespan),
            _ => None,
        };
        Ok(match negative {
            Some(negative) => Expr::literal(negative, ty),
            None => Expr::new(ExprKind::Negate(Box::new(value)), ty),
        })
    }

    fn binary(
        &mut self,
        operator: BinaryOperator,
        at: Span,
        left: &'q syntax::Expr,
        right: &'q syntax::Expr,
    ) -> Bind<Expr> {
        if matches!(left.kind, Syntax::Star) {
            return self.any_column(operator, at, right);
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        if let (BinaryOperator::String(StringOperator::MatchesRegex), Some(pattern)) = (operator, right.as_text()) {
            self.check_regex(at, pattern)?;
        }
        self.apply(operator, at, left, right)
    }

    pub(super) fn apply(&self, operator: BinaryOperator, at: Span, left: Expr, right: Expr) -> Bind<Expr> {
        let types = (left.ty.to_string(), right.ty.to_string());
        match arithmetic::operands(operator, left, right) {
            Some((left, right, ty)) => {
                let (left, right) = (Box::new(left), Box::new(right));
                Ok(Expr::new(ExprKind::Binary { operator, left, right }, ty))
            }
            None => {
                let (left, right) = types;
                Err(self.fail(at, BindError::Operator { operator: operator.name().to_owned(), left, right }))
            }
        }
    }

    pub(super) fn check_regex(&self, span: Span, pattern: &str) -> Bind<()> {
        match regex_syntax_error(pattern) {
            None => Ok(()),
            Some(reason) => Err(self.fail(span, BindError::Regex(pattern.to_owned(), reason))),
        }
    }

    /// `* has "x"`
    pub(super) fn any_column(&mut self, operator: BinaryOperator, at: Span, right: &'q syntax::Expr) -> Bind<Expr> {
        let right = self.value(right)?;
        let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
        let columns = columns.iter().map(|column| column.id).collect();
        let operator = if operator == BinaryOperator::Equal {
            BinaryOperator::Equal
        } else {
            match arithmetic::operands(operator, Expr::literal(Value::string(""), Type::String), right.clone()) {
                Some(_) => operator,
                None => {
                    let (left, right) = ("any column".to_owned(), right.ty.to_string());
                    let operator = operator.name().to_owned();
                    return Err(self.fail(at, BindError::Operator { operator, left, right }));
                }
            }
        };
        let right = Box::new(convert(right, Type::String));
        Ok(Expr::new(ExprKind::AnyColumn { operator, columns, right }, Type::Bool))
    }

    fn between(
        &mut self,
        span: Span,
        is_negated: bool,
        value: &'q syntax::Expr,
        low: &'q syntax::Expr,
        high: &'q syntax::Expr,
    ) -> Bind<Expr> {
        let (value, low, high) = (self.value(value)?, self.value(low)?, self.value(high)?);
        let types = [value.ty, low.ty, high.ty];
        let numbers = |ty: Type| ty.is_number() || matches!(ty, Type::Dynamic | Type::Unknown);
        let ty = if types.iter().all(|ty| numbers(*ty)) {
            let known = types.into_iter().filter(|ty| ty.is_number());
            known.reduce(Type::widest).unwrap_or(value.ty)
        } else if value.ty.is_summable() || value.ty == Type::Unknown {
            let time = types.into_iter().find(|ty| *ty != Type::Unknown).unwrap_or(Type::Unknown);
            let is_same = types[..2].iter().all(|ty| matches!(*ty, Type::Unknown | Type::Dynamic) || *ty == time);
            let last = high.ty;
            let ends = last == time || last == Type::Unknown || (time == Type::DateTime && last == Type::Timespan);
            if !is_same || !ends {
                return Err(self.not_between(span, types));
            }
            time
        } else {
            return Err(self.not_between(span, types));
        };
        // A length of time as the end begins at the start.
        let high = if ty == Type::DateTime && high.ty == Type::Timespan {
            self.count(span, low.size())?;
            self.apply(BinaryOperator::Add, span, low.clone(), high)?
        } else {
            high
        };
        let [value, low, high] = [value, low, high].map(|part| Box::new(convert(part, ty)));
        Ok(Expr::new(ExprKind::Between { is_negated, value, low, high }, Type::Bool))
    }

    fn not_between(&self, span: Span, [value, low, high]: [Type; 3]) -> crate::message::Message {
        let (left, right) = (value.to_string(), format!("({low} .. {high})"));
        self.fail(span, BindError::Operator { operator: "between".to_owned(), left, right })
    }

    fn list(
        &mut self,
        operator: StringOperator,
        at: Span,
        value: &'q syntax::Expr,
        list: &'q [syntax::Expr],
    ) -> Bind<Expr> {
        use StringOperator as S;
        let value = self.value(value)?;
        let is_text = matches!(operator, S::InTilde | S::NotInTilde | S::HasAny | S::HasAll);
        if is_text && !matches!(value.ty, Type::String | Type::Dynamic | Type::Unknown) {
            let (left, right) = (value.ty.to_string(), "a list".to_owned());
            return Err(self.fail(at, BindError::Operator { operator: operator.name().to_owned(), left, right }));
        }
        let value = if is_text { convert(value, Type::String) } else { value };
        let list = match list {
            [one] => match self.without_columns_if_table(one)? {
                Term::Table(plan) => List::Table(plan),
                Term::Value(item) => List::Values(vec![list_item(&value, item)]),
            },
            many => List::Values(
                many.iter().map(|item| Ok(list_item(&value, self.value(item)?))).collect::<Bind<Vec<Expr>>>()?,
            ),
        };
        let value = Box::new(value);
        Ok(Expr::new(ExprKind::List { operator, value, list }, Type::Bool))
    }

    /// A query within parentheses does not see the columns around it, a value does.
    fn without_columns_if_table(&mut self, expression: &'q syntax::Expr) -> Bind<Term> {
        if matches!(expression.kind, Syntax::Pipe { .. }) {
            return self.without_row(|binder| binder.term(expression));
        }
        self.term(expression)
    }

    fn scalar_of(&mut self, inner: &'q syntax::Expr) -> Bind<Term> {
        let term = self.without_row(|binder| binder.term(inner))?;
        Ok(match term {
            Term::Value(value) => Term::Value(value),
            Term::Table(plan) => {
                let ty = plan.columns.first().map_or(Type::Dynamic, |column| column.ty);
                Term::Value(Expr::new(ExprKind::Subquery(plan), ty))
            }
        })
    }
}

/// An item of a list as what it is compared with; a dynamic array stays one.
fn list_item(value: &Expr, item: Expr) -> Expr {
    if item.ty == Type::Dynamic || value.ty == Type::Dynamic {
        return item;
    }
    let (_, item) = arithmetic::same(Expr::new(ExprKind::Absent(String::new()), value.ty), item);
    item
}

/// Why `pattern` is no regular expression.
fn regex_syntax_error(pattern: &str) -> Option<String> {
    let error = regex::RegexBuilder::new(pattern).size_limit(crate::limits::REGEX_BYTES_MAX).build().err()?;
    Some(match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        // The last line of the library's drawing says what is wrong.
        other => {
            let text = other.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    })
}
