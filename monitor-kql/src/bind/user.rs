//! Calls of functions that the query declares: each is written out where it is called.

use super::{
    BindError,
    binder::{Bind, Binder},
    name::Term,
    row::Symbol,
};
use crate::{
    bound::Plan,
    span::Span,
    syntax::{self, Argument, FunctionParameter, LetValue, Name, ParameterType},
};

/// What a parameter is given.
enum Given<'q> {
    Argument(&'q syntax::Expr),
    Table(Box<Plan>),
    Default(&'q syntax::Expr),
}

impl<'q> Binder<'_, 'q> {
    pub(super) fn user_call(&mut self, name: &Name, arguments: &'q [Argument]) -> Bind<Term> {
        self.user_call_over(name, None, arguments)
    }

    /// Calls a function of the query, with `table` for its first parameter when there is one (`invoke`).
    pub(super) fn user_call_over(&mut self, name: &Name, table: Option<Plan>, arguments: &'q [Argument]) -> Bind<Term> {
        let Some(Symbol::Function { function, scope, .. }) = self.symbol(&name.text) else {
            return Err(self.fail(name.span, BindError::NotCalled(name.text.clone())));
        };
        let given = self.given(name, &function.parameters, table, arguments)?;
        let mut symbols = Vec::with_capacity(given.len());
        for (parameter, given) in function.parameters.iter().zip(given) {
            symbols.push((parameter, self.parameter_symbol(name.span, parameter, given)?));
        }
        self.deeper(name.span, |binder| {
            binder.in_body(scope, |binder| {
                // Values of arguments may name columns; what the body itself names is declared in it.
                for (parameter, symbol) in symbols {
                    binder.declare(&parameter.name.text, parameter.name.span, symbol)?;
                }
                for declaration in &function.lets {
                    binder.let_statement(&declaration.name, &declaration.value)?;
                }
                binder.without_row(|binder| binder.term(&function.result))
            })
        })
    }

    fn given(
        &self,
        name: &Name,
        parameters: &'q [FunctionParameter],
        table: Option<Plan>,
        arguments: &'q [Argument],
    ) -> Bind<Vec<Given<'q>>> {
        let mut given: Vec<Option<Given<'q>>> = parameters.iter().map(|_| None).collect();
        let mut next = 0;
        if let (Some(table), Some(first)) = (table, given.first_mut()) {
            *first = Some(Given::Table(Box::new(table)));
            next = 1;
        }
        for argument in arguments {
            let at = match &argument.name {
                Some(named) => parameters.iter().position(|parameter| parameter.name.text == named.text),
                None => Some(next),
            };
            let Some(slot) = at.and_then(|at| given.get_mut(at)) else {
                let function = name.text.clone();
                let name = argument.name.as_ref().map_or_else(|| "one more".to_owned(), |named| named.text.clone());
                return Err(self.fail(argument.value.span, BindError::UnknownParameter { function, name }));
            };
            *slot = Some(Given::Argument(&argument.value));
            if argument.name.is_none() {
                next += 1;
            }
        }
        parameters
            .iter()
            .zip(given)
            .map(|(parameter, given)| match (given, &parameter.default) {
                (Some(given), _) => Ok(given),
                (None, Some(default)) => Ok(Given::Default(default)),
                (None, None) => {
                    let (function, parameter) = (name.text.clone(), parameter.name.text.clone());
                    Err(self.fail(name.span, BindError::MissingArgument { function, name: parameter }))
                }
            })
            .collect()
    }

    fn parameter_symbol(&mut self, span: Span, parameter: &'q FunctionParameter, given: Given<'q>) -> Bind<Symbol<'q>> {
        match (&parameter.ty, given) {
            (ParameterType::Scalar(ty), Given::Argument(argument) | Given::Default(argument)) => {
                let value = self.value(argument)?;
                // Kusto converts what a function is given to what it asks for.
                Ok(Symbol::Value(super::convert::convert(value, *ty)))
            }
            (ParameterType::Scalar(_), Given::Table(_)) => Err(self.fail(span, BindError::TableAsValue)),
            (ParameterType::Table(schema), given) => {
                let (at, plan) = match given {
                    Given::Table(plan) => (span, *plan),
                    Given::Argument(argument) | Given::Default(argument) => {
                        (argument.span, self.without_row(|binder| binder.table(argument))?)
                    }
                };
                for (name, ty) in &schema.columns {
                    let is_there = plan.columns.iter().any(|column| *column.name == *name.text && column.ty == *ty);
                    if !is_there && !plan.is_open {
                        return Err(self.fail(at, BindError::TableLacks { name: name.text.clone() }));
                    }
                }
                // A function sees the columns that it asks for, unless it asks for all that there are.
                Ok(Symbol::Table(self.share(&parameter.name.text, plan, false)))
            }
        }
    }

    /// `let name = value`
    pub(super) fn let_statement(&mut self, name: &'q Name, value: &'q LetValue) -> Bind<()> {
        let symbol = match value {
            LetValue::Function(function) => {
                Symbol::Function { function, scope: self.scope.clone(), is_bare: function.parameters.is_empty() }
            }
            LetValue::Expr(expression) => self.let_value(&name.text, expression)?,
        };
        self.declare(&name.text, name.span, symbol)
    }

    fn let_value(&mut self, name: &str, expression: &'q syntax::Expr) -> Bind<Symbol<'q>> {
        let is_materialized = matches!(expression.kind, syntax::ExprKind::Materialize(_));
        // The name of a function may get another name.
        if let syntax::ExprKind::Name(other) = &expression.kind
            && let Some(function @ Symbol::Function { .. }) = self.symbol(&other.text)
        {
            return Ok(function);
        }
        Ok(match self.term(expression)? {
            Term::Table(plan) => Symbol::Table(self.share(name, *plan, is_materialized)),
            Term::Value(value) if value.as_literal().is_some() => Symbol::Value(value),
            // What depends on a parameter is written out where it is used; what does not is computed once.
            Term::Value(value) if !value.is_constant() => Symbol::Value(value),
            Term::Value(value) => Symbol::Value(self.share_value(value)),
        })
    }
}
