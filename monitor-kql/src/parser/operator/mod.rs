//! Tabular operators: which one is next, and what it takes.

mod catalogue;
mod columns;
mod group;
mod join;
mod parameters;
mod pattern;
mod scan;
mod search;
mod series;

pub(crate) use self::catalogue::{CATALOGUE, Support};
use super::{
    SyntaxError,
    cursor::{Parsed, Parser},
};
use crate::{
    lexer::Sign,
    message::Message,
    span::Span,
    suggest,
    syntax::{ExprKind, Operator, OperatorKind, Parameter},
};

impl Parser<'_> {
    /// Whether an operator begins here that makes rows by itself, or one that cannot but is meant.
    pub(super) fn is_first_operator(&self) -> bool {
        let (name, tokens) = self.dashed_word(0);
        match name.as_str() {
            "print" | "union" | "find" | "search" => true,
            "range" => self.name_length(1) > 0 && self.word_at(1 + self.name_length(1)) == Some("from"),
            "evaluate" => self.word_at(1).is_some(),
            // Other words may be names: what follows tells.
            "where" | "project" | "sample" | "invoke" | "as" => self.word_at(1).is_some(),
            _ => tokens > 1 && CATALOGUE.iter().any(|entry| entry.name == name),
        }
    }

    /// A word with the words that dashes join to it, such as `mv-expand`, and how many tokens it has.
    fn dashed_word(&self, ahead: usize) -> (String, usize) {
        let Some(word) = self.word_at(ahead) else {
            return (String::new(), 0);
        };
        let mut name = word.to_owned();
        let mut tokens = 1;
        loop {
            let dash = self.peek_at(ahead + tokens);
            let next = self.peek_at(ahead + tokens + 1);
            let is_part = dash.kind == crate::lexer::TokenKind::Sign(Sign::Minus)
                && dash.is_joined
                && next.is_joined
                && next.kind == crate::lexer::TokenKind::Word;
            let longer = format!("{name}-{}", next.span.of(self.text));
            if !is_part || !CATALOGUE.iter().any(|entry| entry.name.starts_with(&longer)) {
                return (name, tokens);
            }
            name = longer;
            tokens += 2;
        }
    }

    /// The operator after a pipe.
    pub(super) fn piped_operator(&mut self) -> Parsed<Operator> {
        let at = self.peek().span;
        let operator = self.operator()?;
        match operator.kind {
            OperatorKind::Print(_) | OperatorKind::Range { .. } => {
                Err(self.fail(at, SyntaxError::NotPiped(at.of(self.text).to_owned())))
            }
            _ => Ok(operator),
        }
    }

    /// The operator that is next.
    pub(super) fn operator(&mut self) -> Parsed<Operator> {
        let start = self.peek().span;
        let (name, tokens) = self.dashed_word(0);
        if tokens == 0 {
            return Err(self.expected("an operator such as where, project or summarize"));
        }
        let keyword = start.to(self.peek_at(tokens - 1).span);
        let Some(entry) = catalogue::find(&name) else {
            return Err(self.unknown_operator(&name, keyword));
        };
        if let Support::Refused(instead) = entry.support {
            return Err(self.fail(keyword, SyntaxError::RefusedOperator { name: entry.name, instead }));
        }
        self.skip(tokens);
        let (kind, parameters) = self.nested(|parser| parser.operator_kind(entry.canonical, keyword))?;
        Ok(Operator { kind, span: self.since(start), keyword, parameters })
    }

    fn unknown_operator(&self, name: &str, keyword: Span) -> Message {
        let names = CATALOGUE.iter().map(|entry| entry.name);
        // `project away` is nearer to `project-away` than the first word alone.
        let nearest = suggest::nearest(name, names);
        self.fail(keyword, SyntaxError::UnknownOperator { name: name.to_owned(), nearest })
    }

    fn operator_kind(&mut self, name: &'static str, keyword: Span) -> Parsed<(OperatorKind, Vec<Parameter>)> {
        let parameters = self.parameters(name)?;
        let kind = match name {
            "as" => OperatorKind::As(self.new_name()?),
            "assert-schema" => OperatorKind::AssertSchema(self.row_schema()?),
            "consume" => OperatorKind::Consume,
            "count" => {
                let name = if self.take_word("as").is_some() { Some(self.new_name()?) } else { None };
                OperatorKind::Count { name }
            }
            "distinct" => OperatorKind::Distinct(self.list(Self::named)?),
            "evaluate" => self.evaluate()?,
            "extend" => OperatorKind::Extend(self.list(Self::named)?),
            "facet" => self.facet()?,
            "find" => self.find()?,
            "fork" => self.fork()?,
            "getschema" => OperatorKind::GetSchema,
            "invoke" => OperatorKind::Invoke(self.invoked()?),
            "join" | "lookup" => self.join(name)?,
            "make-series" => self.make_series()?,
            "mv-apply" => self.mv_apply()?,
            "mv-expand" => self.mv_expand()?,
            "parse" => self.parse_pattern(false)?,
            "parse-kv" => self.parse_kv()?,
            "parse-where" => self.parse_pattern(true)?,
            "partition" => self.partition()?,
            "print" => OperatorKind::Print(self.list(Self::named)?),
            "project" => OperatorKind::Project(self.optional_list()?),
            "project-away" => OperatorKind::ProjectAway(self.list(Self::column_pattern)?),
            "project-by-names" => OperatorKind::ProjectByNames(self.list(Self::value)?),
            "project-keep" => OperatorKind::ProjectKeep(self.list(Self::column_pattern)?),
            "project-rename" => OperatorKind::ProjectRename(self.list(Self::named)?),
            "project-reorder" => OperatorKind::ProjectReorder(self.list(Self::ordered_pattern)?),
            "range" => self.range()?,
            "reduce" => self.reduce()?,
            "render" => self.render()?,
            "sample" => OperatorKind::Sample(self.value()?),
            "sample-distinct" => {
                let count = self.value()?;
                self.expect_word("of")?;
                OperatorKind::SampleDistinct { count, of: self.named()? }
            }
            "scan" => self.scan()?,
            "search" => self.search()?,
            "serialize" => OperatorKind::Serialized(self.optional_list()?),
            "sort" => {
                self.expect_word("by")?;
                OperatorKind::Sort(self.list(Self::sort_key)?)
            }
            "summarize" => self.summarize()?,
            "take" => OperatorKind::Take(self.value()?),
            "top" => self.top()?,
            "top-hitters" => self.top_hitters()?,
            "top-nested" => self.top_nested()?,
            "union" => OperatorKind::Union(self.list(Self::table)?),
            "where" => OperatorKind::Filter(self.value()?),
            _ => return Err(self.unknown_operator(name, keyword)),
        };
        Ok((kind, parameters))
    }

    /// A call after `invoke`: `f(x)`, `a.f(x)`.
    fn invoked(&mut self) -> Parsed<crate::syntax::Expr> {
        let call = self.path()?;
        match call.kind {
            ExprKind::Call { .. } | ExprKind::Path { .. } => Ok(call),
            _ => Err(self.expected("`(` and the function's arguments")),
        }
    }
}
