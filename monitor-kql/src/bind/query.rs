//! Whole queries: statements in their order, and what is shown in the end.

use super::{
    BindError,
    binder::{Bind, Binder},
    convert::convert,
    name::Term,
    projector::{Projector, Style},
    row::Symbol,
};
use crate::{
    bound::{Bound, Column, Expr, Plan, PlanKind, ResultSet},
    span::Span,
    suggest,
    syntax::{self, ExprKind as Syntax, FunctionParameter, Name, OperatorKind, ParameterType, Query, Statement},
};

/// Options of `set` that say how a cluster runs a query, and nothing of what it gives.
const OPTIONS: &[&str] = &[
    "best_effort",
    "deferpartialqueryfailures",
    "materialized_view_shuffle",
    "max_memory_consumption_per_query_per_node",
    "maxmemoryconsumptionperiterator",
    "maxoutputcolumns",
    "norequesttimeout",
    "notruncation",
    "push_selection_through_aggregation",
    "query_datascope",
    "query_distribution_nodes_span",
    "query_fanout_nodes_percent",
    "query_fanout_threads_percent",
    "query_max_entities_in_union",
    "query_results_cache_force_refresh",
    "query_results_cache_max_age",
    "query_results_progressive_row_count",
    "query_results_progressive_update_period",
    "query_take_max_records",
    "request_app_name",
    "request_description",
    "request_readonly",
    "request_user",
    "results_progressive_enabled",
    "servertimeout",
    "truncationmaxrecords",
    "truncationmaxsize",
];

impl<'q> Binder<'_, 'q> {
    pub(super) fn query(mut self, query: &'q Query) -> Bind<Bound> {
        let mut results = Vec::new();
        for statement in &query.statements {
            match statement {
                Statement::Let(declaration) => self.let_statement(&declaration.name, &declaration.value)?,
                Statement::Set { name } => self.option(name)?,
                Statement::Parameters(parameters) => self.parameters(parameters)?,
                Statement::Query(expression) => self.result(expression, &mut results)?,
            }
        }
        let Self { shared, values, notices, pending, .. } = self;
        Ok(Bound { results, shared, values, notices, pending })
    }

    fn option(&mut self, name: &Name) -> Bind<()> {
        if !OPTIONS.contains(&name.text.as_str()) {
            let reason = match suggest::nearest(&name.text, OPTIONS.iter().copied()) {
                Some(nearest) => {
                    let instead = format!("did you mean `{nearest}`?");
                    BindError::Refused { name: format!("set {}", name.text), instead }
                }
                None => BindError::UnknownOption(name.text.clone()),
            };
            return Err(self.fail(name.span, reason));
        }
        self.notice(name.span, format!("`set {}` changes nothing here", name.text));
        Ok(())
    }

    fn parameters(&mut self, parameters: &'q [FunctionParameter]) -> Bind<()> {
        for parameter in parameters {
            let (ParameterType::Scalar(ty), Some(default)) = (&parameter.ty, &parameter.default) else {
                return Err(self.fail(parameter.name.span, BindError::ParameterWithoutValue));
            };
            let value = self.constant(default)?;
            let value = self.coerce(default.span, value, *ty)?;
            self.declare(&parameter.name.text, parameter.name.span, Symbol::Value(value))?;
        }
        Ok(())
    }

    /// What a statement shows.
    fn result(&mut self, expression: &'q syntax::Expr, results: &mut Vec<ResultSet>) -> Bind<()> {
        let Syntax::Pipe { source, operators } = &expression.kind else {
            let plan = match self.term(expression)? {
                Term::Table(plan) => *plan,
                // A value alone is shown as `print` shows it.
                Term::Value(value) => self.printed(expression.span, value)?,
            };
            results.push(ResultSet { name: None, plan, render: None });
            return Ok(());
        };
        let (last, before) = match operators.split_last() {
            Some((last, before)) => (Some(last), before),
            None => (None, operators.as_slice()),
        };
        let splits = last.filter(|last| {
            matches!(last.kind, OperatorKind::Fork(_) | OperatorKind::Facet { .. } | OperatorKind::Consume)
        });
        let Some(last) = splits else {
            self.render = None;
            let plan = self.table(expression)?;
            let name = last.and_then(|last| match &last.kind {
                OperatorKind::As(name) => Some(name.text.clone()),
                _ => None,
            });
            results.push(ResultSet { name, plan, render: self.render.take() });
            return Ok(());
        };
        let mut plan = match (source.as_deref(), before.split_first()) {
            (Some(source), _) => self.table(source)?,
            (None, Some((first, _))) => self.without_row(|binder| binder.first_operator(first))?,
            (None, None) => {
                let name = super::operator::name_of(&last.kind).to_owned();
                return Err(crate::message::Message::new(last.keyword, crate::parser::SyntaxError::NoSource(name)));
            }
        };
        let rest = if source.is_some() { before } else { before.get(1..).unwrap_or_default() };
        for operator in rest {
            plan = self.operator(plan, operator)?;
        }
        self.split(plan, last, results)
    }

    fn printed(&mut self, span: Span, value: Expr) -> Bind<Plan> {
        let one_row = self.plan(span, PlanKind::Values(vec![Vec::new()]), Vec::new())?;
        let mut projector = Projector::default();
        let ty = value.ty;
        let column: Column = self.column("print_0", ty);
        projector.add(column, convert(value, ty), Style::Number);
        self.project_plan(span, one_row, projector.columns)
    }
}
