//! Operators that group rows: `summarize`, `top-hitters`, `top-nested`, `reduce`, `partition`, `facet`, `fork`, and
//! `evaluate` and `render`, which end a query.

use super::super::{
    SyntaxError,
    cursor::{Parsed, Parser},
};
use crate::{
    lexer::Sign,
    suggest,
    syntax::{EvaluateCall, Expr, ExprKind, ForkBranch, Name, OperatorKind, PartitionBody, TopNestedClause},
};

/// Kinds of charts, also those that a terminal shows as a table.
const CHARTS: &[&str] = &[
    "table",
    "list",
    "barchart",
    "piechart",
    "ladderchart",
    "timechart",
    "linechart",
    "anomalychart",
    "pivotchart",
    "areachart",
    "stackedareachart",
    "scatterchart",
    "timepivot",
    "columnchart",
    "timeline",
    "3Dchart",
    "card",
    "treemap",
    "plotly",
    "graph",
    "sankey",
];

impl Parser<'_> {
    pub(super) fn summarize(&mut self) -> Parsed<OperatorKind> {
        let aggregates = if self.is_word("by") { Vec::new() } else { self.optional_list()? };
        let by = if self.take_word("by").is_some() { Some(self.list(Self::named)?) } else { None };
        if aggregates.is_empty() && by.is_none() {
            return Err(self.expected("an aggregate such as count()"));
        }
        Ok(OperatorKind::Summarize { aggregates, by })
    }

    pub(super) fn top_hitters(&mut self) -> Parsed<OperatorKind> {
        let count = self.value()?;
        self.expect_word("of")?;
        let of = self.named()?;
        let by = if self.take_word("by").is_some() { Some(self.value()?) } else { None };
        Ok(OperatorKind::TopHitters { count, of, by })
    }

    /// Clauses with `top-nested` before each of them; the keyword of the first has been read.
    pub(super) fn top_nested(&mut self) -> Parsed<OperatorKind> {
        let mut clauses = vec![self.top_nested_clause()?];
        while self.take(Sign::Comma).is_some() {
            self.expect_word("top")?;
            self.expect(Sign::Minus, "`top-nested`")?;
            self.expect_word("nested")?;
            clauses.push(self.top_nested_clause()?);
        }
        Ok(OperatorKind::TopNested(clauses))
    }

    fn top_nested_clause(&mut self) -> Parsed<TopNestedClause> {
        let count = if self.is_word("of") { None } else { Some(self.value()?) };
        self.expect_word("of")?;
        let of = self.named()?;
        let others = if self.take_word("with").is_some() {
            self.expect_word("others")?;
            self.expect(Sign::Equal, "`=`")?;
            Some(self.value()?)
        } else {
            None
        };
        self.expect_word("by")?;
        let by = self.named()?;
        Ok(TopNestedClause { count, of, others, by, order: self.order() })
    }

    pub(super) fn reduce(&mut self) -> Parsed<OperatorKind> {
        self.expect_word("by")?;
        let source = self.value()?;
        let mut properties = Vec::new();
        if self.take_word("with").is_some() {
            while let Some(property) = self.parameter("reduce with", &properties)? {
                properties.push(property);
                if self.take(Sign::Comma).is_none() {
                    break;
                }
            }
            if properties.is_empty() {
                return Err(self.expected("threshold=… or characters=…"));
            }
        }
        Ok(OperatorKind::Reduce { source, properties })
    }

    pub(super) fn partition(&mut self) -> Parsed<OperatorKind> {
        self.expect_word("by")?;
        let by = self.entity()?;
        if self.take(Sign::OpenBrace).is_some() {
            let query = self.nested(Self::expression)?;
            self.expect(Sign::CloseBrace, "`}`")?;
            return Ok(OperatorKind::Partition { by, body: PartitionBody::Query(Box::new(query)) });
        }
        let body = self.body_in_parentheses()?;
        Ok(OperatorKind::Partition { by, body: PartitionBody::Operators(Box::new(body)) })
    }

    /// A column: a parenthesis behind it is not a call.
    fn entity(&mut self) -> Parsed<Expr> {
        let name = self.new_name()?;
        let span = name.span;
        self.node(ExprKind::Name(name), span, 0)
    }

    pub(super) fn facet(&mut self) -> Parsed<OperatorKind> {
        self.expect_word("by")?;
        let by = self.list(Self::entity)?;
        let mut with = None;
        if self.take_word("with").is_some() {
            let body =
                if self.is_sign(Sign::OpenParen) { self.body_in_parentheses()? } else { self.nested(Self::body)? };
            with = Some(Box::new(body));
        }
        Ok(OperatorKind::Facet { by, with })
    }

    pub(super) fn fork(&mut self) -> Parsed<OperatorKind> {
        let mut branches = Vec::new();
        loop {
            let name = self.name_to_assign()?;
            if name.is_none() && !self.is_sign(Sign::OpenParen) && !branches.is_empty() {
                return Ok(OperatorKind::Fork(branches));
            }
            branches.push(ForkBranch { name, body: self.body_in_parentheses()? });
        }
    }

    pub(super) fn evaluate(&mut self) -> Parsed<OperatorKind> {
        let Some(word) = self.word() else {
            return Err(self.expected("the name of a plugin"));
        };
        let name = Name { text: word.to_owned(), span: self.advance().span };
        let call = self.call(name)?;
        let schema = if self.take(Sign::Colon).is_some() { Some(self.row_schema()?) } else { None };
        Ok(OperatorKind::Evaluate(EvaluateCall { call, schema }))
    }

    pub(super) fn render(&mut self) -> Parsed<OperatorKind> {
        let start = self.peek().span;
        // `3Dchart` begins with a digit and is one word all the same.
        let Some(word) = self.word() else {
            return Err(self.expected("a kind of chart such as timechart"));
        };
        self.advance();
        if !CHARTS.contains(&word) {
            let nearest = suggest::nearest(word, CHARTS.iter().copied());
            let known = nearest.map_or_else(|| CHARTS.join(", "), |nearest| format!("`{nearest}` and others"));
            return Err(self.fail(
                start,
                SyntaxError::ParameterValue { name: "render".to_owned(), value: word.to_owned(), known },
            ));
        }
        let chart = Name { text: word.to_owned(), span: start };
        let mut properties = Vec::new();
        // The older form has its properties without parentheses.
        while let Some(property) = self.parameter("render", &properties)? {
            properties.push(property);
        }
        if self.take_word("with").is_some() {
            properties.extend(self.properties("render")?);
        }
        Ok(OperatorKind::Render { chart, properties })
    }
}
