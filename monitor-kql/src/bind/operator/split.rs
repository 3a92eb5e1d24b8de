//! Operators that end a query with several tables, or none: `fork`, `facet`, `consume`.

use super::super::{
    BindError,
    binder::{Bind, Binder},
    row::Row,
};
use crate::{
    bound::{Aggregate, Column, Plan, Projection, ResultSet},
    span::Span,
    syntax::{self, ForkBranch, Operator, OperatorKind},
    types::Type,
};

impl<'q> Binder<'_, 'q> {
    /// What `plan` shows at the end of a query.
    pub(in crate::bind) fn split(
        &mut self,
        plan: Plan,
        operator: &'q Operator,
        results: &mut Vec<ResultSet>,
    ) -> Bind<()> {
        match &operator.kind {
            OperatorKind::Fork(branches) => self.fork(operator.span, plan, branches, results),
            OperatorKind::Facet { by, with } => self.facet(operator.span, plan, by, with.as_deref(), results),
            // The rows are read and thrown away.
            OperatorKind::Consume => {
                let mut plan = self.count_rows(operator.span, plan, None)?;
                plan = self.project_plan(operator.span, plan, Vec::new())?;
                results.push(ResultSet { name: None, plan, render: None });
                Ok(())
            }
            other => Err(self.fail(operator.keyword, BindError::NotLast(super::name_of(other).to_owned()))),
        }
    }

    fn fork(&mut self, span: Span, plan: Plan, branches: &'q [ForkBranch], results: &mut Vec<ResultSet>) -> Bind<()> {
        let shared = self.share("fork", plan, true);
        for branch in branches {
            let source = self.shared_plan(span, shared)?;
            let plan = self.over(source, &branch.body)?;
            results.push(ResultSet { name: branch.name.as_ref().map(|name| name.text.clone()), plan, render: None });
        }
        Ok(())
    }

    /// Operators of a body over a plan that stands for their source.
    fn over(&mut self, source: Plan, body: &'q syntax::Expr) -> Bind<Plan> {
        let syntax::ExprKind::Pipe { operators, .. } = &body.kind else {
            return Err(self.fail(body.span, BindError::ValueAsTable));
        };
        operators.iter().try_fold(source, |plan, operator| self.operator(plan, operator))
    }

    fn facet(
        &mut self,
        span: Span,
        plan: Plan,
        by: &'q [syntax::Expr],
        with: Option<&'q syntax::Expr>,
        results: &mut Vec<ResultSet>,
    ) -> Bind<()> {
        let shared = self.share("facet", plan, true);
        if let Some(with) = with {
            let source = self.shared_plan(span, shared)?;
            let plan = self.over(source, with)?;
            results.push(ResultSet { name: None, plan, render: None });
        }
        for expression in by {
            let source = self.shared_plan(span, shared)?;
            let column = self.with_row(Row::of(&source), |binder| binder.column_of(expression))?;
            if column.ty == Type::Dynamic {
                return Err(self.fail(expression.span, BindError::NotDynamic(column.ty)));
            }
            let plan = self.counted(span, source, &column)?;
            results.push(ResultSet { name: Some(column.name.to_string()), plan, render: None });
        }
        Ok(())
    }

    /// How many rows there are of each value of a column.
    fn counted(&mut self, span: Span, source: Plan, column: &Column) -> Bind<Plan> {
        let count = self.column(format!("count_{}", column.name), Type::Long);
        let by: Vec<Projection> = vec![super::columns::keep(column)];
        let aggregate = Aggregate { function: "count", arguments: Vec::new(), outputs: vec![count] };
        self.summarized(span, source, by, vec![aggregate])
    }
}
