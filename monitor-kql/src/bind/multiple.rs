//! Operators over several tables: `union` and `search`.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    binder::{Bind, Binder},
    convert::convert,
    operator::{is_match, word},
    projector::same,
    row::Row,
};
use crate::{
    bound::{Expr, ExprKind, Plan, PlanKind, Projection},
    schema::Form,
    span::Span,
    syntax::{
        self, BinaryOperator, ExprKind as Syntax, Name, Operator, Parameter, ParameterValue, SearchScope,
        StringOperator,
    },
    types::Type,
    value::Value,
};

/// A table of several, with the name that `withsource` shows.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) plan: Plan,
}

impl<'q> Binder<'_, 'q> {
    pub(super) fn union(
        &mut self,
        input: Option<Plan>,
        tables: &'q [syntax::Expr],
        operator: &'q Operator,
    ) -> Bind<Plan> {
        let parameters = &operator.parameters;
        let is_fuzzy = is_true(parameters, "isfuzzy") || is_true(parameters, "best_effort");
        let mut sources = Vec::new();
        if let Some(plan) = input {
            sources.push(Source { name: name_of(&plan), plan });
        }
        for table in tables {
            self.union_table(table, is_fuzzy, &mut sources)?;
        }
        let is_inner = word(parameters, "kind").is_some_and(|kind| kind.text == "inner");
        let with_source = word(parameters, "withsource").or_else(|| word(parameters, "with_source"));
        let source_column = with_source.map(|name| name.text.as_str());
        let mut columns = unified(&sources);
        if is_inner {
            let everywhere = |column: &Unified| {
                sources.iter().all(|source| source.plan.columns.iter().any(|other| *other.name == *column.source))
            };
            columns.retain(everywhere);
        }
        self.united(operator.span, sources, &columns, source_column)
    }

    /// The tables that an operand of `union` names; patterns may name several.
    fn union_table(&mut self, table: &'q syntax::Expr, is_fuzzy: bool, sources: &mut Vec<Source>) -> Bind<()> {
        if let Syntax::Name(name) = &table.kind {
            if name.text.contains('*') {
                let before = sources.len();
                self.matching_tables(name, sources)?;
                if sources.len() == before && !is_fuzzy {
                    return Err(self.unknown_table(name));
                }
                return Ok(());
            }
            let is_known = self.symbol(&name.text).is_some() || self.schema.find(&name.text, Form::Table).is_some();
            if is_fuzzy && !is_known {
                self.notice(name.span, format!("there is no table `{}`: the union goes without it", name.text));
                return Ok(());
            }
        }
        let outer = self.context.take();
        let plan = self.without_row(|binder| binder.table(table));
        self.context = outer;
        let plan = plan?;
        let name = match &table.kind {
            Syntax::Name(name) => name.text.clone(),
            _ => name_of(&plan),
        };
        sources.push(Source { name, plan });
        Ok(())
    }

    fn matching_tables(&mut self, pattern: &Name, sources: &mut Vec<Source>) -> Bind<()> {
        let places: Vec<(usize, String)> = self
            .schema
            .tables()
            .iter()
            .enumerate()
            .filter(|(_, table)| table.form == Form::Table && is_match(&pattern.text, &table.name))
            .map(|(place, table)| (place, table.name.clone()))
            .collect();
        for (place, name) in places {
            let plan = self.table_plan(pattern.span, place)?;
            sources.push(Source { name, plan });
        }
        Ok(())
    }

    /// The tables that `find` and `search` look through: those that are named, or all.
    pub(super) fn scope_tables(&mut self, span: Span, tables: &'q [syntax::Expr]) -> Bind<Vec<Source>> {
        let mut sources = Vec::new();
        for table in tables {
            self.union_table(table, false, &mut sources)?;
        }
        if tables.is_empty() {
            self.matching_tables(&Name { text: "*".to_owned(), span }, &mut sources)?;
        }
        Ok(sources)
    }

    /// All rows of all sources with these columns, which are filled up with nulls.
    pub(super) fn united(
        &mut self,
        span: Span,
        sources: Vec<Source>,
        columns: &[Unified],
        source_column: Option<&str>,
    ) -> Bind<Plan> {
        let mut shown = Vec::with_capacity(columns.len() + 1);
        if let Some(name) = source_column {
            shown.push(self.column(name, Type::String));
        }
        for column in columns {
            shown.push(self.column(column.name.clone(), column.ty));
        }
        let is_open = sources.iter().any(|source| source.plan.is_open);
        let mut inputs = Vec::with_capacity(sources.len());
        for Source { name, plan } in sources {
            let mut projections = Vec::with_capacity(shown.len());
            if let Some(column) = source_column {
                let column = self.column(column, Type::String);
                projections.push(Projection { column, value: Expr::literal(Value::string(name), Type::String) });
            }
            for column in columns {
                let own = plan.columns.iter().find(|own| *own.name == *column.source && column.takes(own.ty));
                let value = match own {
                    Some(own) => convert(same(own), column.ty),
                    None => Expr::literal(Value::absent(column.ty), column.ty),
                };
                projections.push(Projection { column: self.column(column.name.clone(), column.ty), value });
            }
            inputs.push(self.project_plan(span, plan, projections)?);
        }
        let mut plan = if inputs.is_empty() {
            self.plan(span, PlanKind::Values(Vec::new()), shown)?
        } else {
            self.plan(span, PlanKind::Union(inputs), shown)?
        };
        plan.is_ordered = false;
        plan.is_open = is_open;
        plan.aliases = Vec::new();
        Ok(plan)
    }

    pub(super) fn search(
        &mut self,
        input: Option<Plan>,
        search: &'q SearchScope,
        operator: &'q Operator,
    ) -> Bind<Plan> {
        let is_exact = word(&operator.parameters, "kind").is_some_and(|kind| kind.text == "case_sensitive");
        let sources = match input {
            Some(plan) if search.tables.is_empty() => vec![Source { name: name_of(&plan), plan }],
            _ => self.scope_tables(operator.span, &search.tables)?,
        };
        let columns = unified(&sources);
        let united = self.united(operator.span, sources, &columns, Some("$table"))?;
        let mut row = Row::of(&united);
        // What is searched for is not the name of the table.
        row.columns.retain(|column| *column.name != *"$table");
        let predicate = self.with_row(row, |binder| binder.search_predicate(&search.predicate, is_exact))?;
        let columns = united.columns.clone();
        self.plan(operator.span, PlanKind::Filter { input: Box::new(united), predicate }, columns)
    }

    /// A predicate in which a string alone means that some column has it as a term.
    pub(super) fn search_predicate(&mut self, predicate: &'q syntax::Expr, is_exact: bool) -> Bind<Expr> {
        match &predicate.kind {
            Syntax::Literal(literal) if literal.ty == Type::String => {
                let (operator, text) = term_operator(&literal.value.to_string(), is_exact);
                let columns = self.row.as_ref().map(|row| row.columns.clone()).unwrap_or_default();
                let columns = columns.iter().map(|column| column.id).collect();
                let right = Box::new(Expr::literal(Value::string(text), Type::String));
                let operator = BinaryOperator::String(operator);
                Ok(Expr::new(ExprKind::AnyColumn { operator, columns, right }, Type::Bool))
            }
            Syntax::Star => Ok(Expr::literal(Value::Bool(true), Type::Bool)),
            Syntax::And(parts) => Ok(Expr::new(ExprKind::And(self.search_parts(parts, is_exact)?), Type::Bool)),
            Syntax::Or(parts) => Ok(Expr::new(ExprKind::Or(self.search_parts(parts, is_exact)?), Type::Bool)),
            Syntax::Binary { operator: BinaryOperator::String(StringOperator::Search), at, left, right } => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                let Some(text) = right.as_text() else {
                    return self.apply(BinaryOperator::String(StringOperator::Has), *at, left, right);
                };
                let (operator, text) = term_operator(text, is_exact);
                let right = Expr::literal(Value::string(text), Type::String);
                let left = convert(left, Type::String);
                self.apply(BinaryOperator::String(operator), *at, left, right)
            }
            Syntax::Call { name, arguments } if name.text == "not" => match arguments.as_slice() {
                [argument] => {
                    let inner =
                        self.deeper(predicate.span, |binder| binder.search_predicate(&argument.value, is_exact))?;
                    Ok(Expr::new(ExprKind::Call { function: "not", arguments: vec![inner] }, Type::Bool))
                }
                _ => self.condition(predicate),
            },
            _ => self.condition(predicate),
        }
    }

    fn search_parts(&mut self, parts: &'q [syntax::Expr], is_exact: bool) -> Bind<Vec<Expr>> {
        let one = |part: &'q syntax::Expr| self.deeper(part.span, |binder| binder.search_predicate(part, is_exact));
        parts.iter().map(one).collect()
    }
}

/// A column of several tables.
#[derive(Debug)]
pub(super) struct Unified {
    pub(super) name: Arc<str>,
    pub(super) ty: Type,
    /// What the tables call it.
    pub(super) source: Arc<str>,
    /// Whether tables disagree about its type, so that each type is a column.
    pub(super) is_split: bool,
}

impl Unified {
    fn takes(&self, ty: Type) -> bool {
        !self.is_split || self.ty == ty
    }
}

/// The columns of all tables: one for each name, or one for each name and type when the types differ.
fn unified(sources: &[Source]) -> Vec<Unified> {
    let mut columns: Vec<Unified> = Vec::new();
    let mut seen = HashSet::new();
    let all = || sources.iter().flat_map(|source| &source.plan.columns);
    let mut types: HashMap<Arc<str>, Vec<Type>> = HashMap::new();
    for column in all() {
        let types = types.entry(column.name.clone()).or_default();
        if !types.contains(&column.ty) {
            types.push(column.ty);
        }
    }
    for column in all() {
        if !seen.insert(column.name.clone()) {
            continue;
        }
        let types = types.get(&column.name).map(Vec::as_slice).unwrap_or_default();
        for ty in types {
            let is_split = types.len() > 1;
            let name = if is_split { format!("{}_{ty}", column.name).into() } else { column.name.clone() };
            columns.push(Unified { name, ty: *ty, source: column.name.clone(), is_split });
        }
    }
    columns
}

fn name_of(plan: &Plan) -> String {
    match &plan.kind {
        PlanKind::Table { name, .. } => name.clone(),
        _ => plan.inputs().first().map_or_else(|| "union_arg0".to_owned(), |input| name_of(input)),
    }
}

fn is_true(parameters: &[Parameter], name: &str) -> bool {
    let found = parameters.iter().find(|parameter| parameter.name.text == name);
    match found.map(|parameter| &parameter.value) {
        Some(ParameterValue::Literal(literal)) => {
            matches!(literal.value, Value::Bool(true)) || matches!(literal.value, Value::Long(number) if number != 0)
        }
        _ => false,
    }
}

/// What a term with stars around it means.
fn term_operator(text: &str, is_exact: bool) -> (StringOperator, String) {
    use StringOperator as S;
    let inner = text.trim_matches('*').to_owned();
    let operator = match (text.starts_with('*'), text.ends_with('*'), is_exact) {
        (false, false, false) => S::Has,
        (false, false, true) => S::HasCs,
        (false, true, false) => S::HasPrefix,
        (false, true, true) => S::HasPrefixCs,
        (true, false, false) => S::HasSuffix,
        (true, false, true) => S::HasSuffixCs,
        (true, true, false) => S::Contains,
        (true, true, true) => S::ContainsCs,
    };
    (operator, inner)
}
