//! `kind=inner`, `hint.strategy=shuffle`: parameters between an operator's keyword and what it is about.
//!
//! Hints say how a cluster runs a query and never what it gives: their names and values are checked, and that is all.

use super::{
    super::{
        SyntaxError,
        cursor::{Parsed, Parser},
    },
    Parameter,
};
use crate::{
    lexer::Sign,
    syntax::{Name, ParameterValue},
    types::Type,
};

/// What the value of a parameter may be.
#[derive(Clone, Copy)]
enum Takes {
    /// One of these words.
    Word(&'static [&'static str]),
    /// A word, or a number.
    WordOrNumber,
    /// Any word: flags of regular expressions.
    AnyWord,
    Bool,
    Number,
    Text,
    /// A name for a column that is made.
    NewColumn,
    /// Columns with commas between them.
    Columns,
    /// A literal of any type.
    Literal,
}

type Known = (&'static str, Takes);

const SHUFFLE_KEY: Known = ("hint.shufflekey", Takes::Columns);
const PARTITIONS: Known = ("hint.num_partitions", Takes::Number);
const MATERIALIZED: Known = ("hint.materialized", Takes::Bool);
const CONCURRENCY: Known = ("hint.concurrency", Takes::WordOrNumber);
const SPREAD: Known = ("hint.spread", Takes::WordOrNumber);
const REMOTE: Known = ("hint.remote", Takes::Word(&["auto", "left", "local", "right", "unresolved"]));
const STRATEGY: Known =
    ("hint.strategy", Takes::Word(&["auto", "broadcast", "centralized", "shuffle", "native", "legacy"]));
const ITEM_INDEX: Known = ("with_itemindex", Takes::NewColumn);
const PASS: Known = ("hint.pass_filters", Takes::AnyWord);
const PASS_COLUMN: Known = ("hint.pass_filters_column", Takes::Columns);

const JOIN_KINDS: &[&str] = &[
    "inner",
    "innerunique",
    "leftouter",
    "rightouter",
    "fullouter",
    "leftsemi",
    "rightsemi",
    "leftanti",
    "leftantisemi",
    "anti",
    "rightanti",
    "rightantisemi",
];
const CHART_KINDS: &[&str] = &["default", "unstacked", "stacked", "stacked100", "map"];

/// The parameters of an operator.
fn known(operator: &str) -> &'static [Known] {
    match operator {
        "as" => &[MATERIALIZED],
        "consume" => &[("decodeblocks", Takes::Bool)],
        "distinct" => &[SHUFFLE_KEY, STRATEGY, PARTITIONS],
        "evaluate" => &[
            ("hint.distribution", Takes::Word(&["single", "per_node", "per_shard", "default"])),
            ("hint.remote", Takes::Word(&["auto", "local"])),
            PASS,
            PASS_COLUMN,
        ],
        "find" => &[("withsource", Takes::NewColumn)],
        "getschema" => &[("kind", Takes::Word(&["csl"]))],
        "join" => &[("kind", Takes::Word(JOIN_KINDS)), REMOTE, SHUFFLE_KEY, STRATEGY, PARTITIONS, PASS, PASS_COLUMN],
        "lookup" => &[("kind", Takes::Word(&["inner", "leftouter"])), REMOTE, SHUFFLE_KEY, STRATEGY, PARTITIONS],
        "make-series" => &[("kind", Takes::Word(&["nonempty"])), SHUFFLE_KEY],
        "mv-apply" => &[ITEM_INDEX],
        "mv-expand" => {
            &[("kind", Takes::Word(&["bag", "array"])), ("bagexpansion", Takes::Word(&["bag", "array"])), ITEM_INDEX]
        }
        "parse" | "parse-where" => &[("kind", Takes::Word(&["simple", "regex", "relaxed"])), ("flags", Takes::AnyWord)],
        "partition" => &[CONCURRENCY, SPREAD, MATERIALIZED, SHUFFLE_KEY, STRATEGY],
        "reduce" => &[("kind", Takes::Word(&["source"]))],
        "scan" => &[("kind", Takes::Word(&["partial", "full"])), ("with_match_id", Takes::NewColumn)],
        "search" => &[("kind", Takes::Word(&["default", "case_insensitive", "case_sensitive"]))],
        "sort" => &[("hint.strategy", Takes::Word(&["splitBlock", "multipleBlocks"]))],
        "summarize" => &[SHUFFLE_KEY, ("hint.strategy", Takes::Word(&["shuffle", "auto"])), PARTITIONS],
        "top" => &[("hint.progressive_top", Takes::Bool)],
        "union" => &[
            ("kind", Takes::Word(&["inner", "outer"])),
            ("withsource", Takes::NewColumn),
            ("with_source", Takes::NewColumn),
            ("isfuzzy", Takes::Bool),
            ("best_effort", Takes::Bool),
            CONCURRENCY,
            SPREAD,
        ],
        "render" => &[
            ("kind", Takes::Word(CHART_KINDS)),
            ("title", Takes::Text),
            ("accumulate", Takes::Bool),
            ("xcolumn", Takes::Columns),
            ("ycolumns", Takes::Columns),
            ("anomalycolumns", Takes::Columns),
            ("series", Takes::Columns),
            ("xtitle", Takes::Text),
            ("ytitle", Takes::Text),
            ("xaxis", Takes::Word(&["linear", "log"])),
            ("yaxis", Takes::Word(&["linear", "log"])),
            ("legend", Takes::Word(&["visible", "hidden"])),
            ("ysplit", Takes::Word(&["none", "axes", "panels"])),
            ("ymin", Takes::Literal),
            ("ymax", Takes::Literal),
            ("xmin", Takes::Literal),
            ("xmax", Takes::Literal),
        ],
        "reduce with" => &[("threshold", Takes::Number), ("characters", Takes::Text)],
        "parse-kv" => &[
            ("pair_delimiter", Takes::Text),
            ("kv_delimiter", Takes::Text),
            ("regex", Takes::Text),
            ("quote", Takes::Text),
            ("escape", Takes::Text),
            ("greedy", Takes::Bool),
        ],
        _ => &[],
    }
}

/// Operators in which a name and an equals sign can only be a parameter.
const UNNAMED: &[&str] =
    &["join", "lookup", "union", "parse", "parse-where", "partition", "search", "find", "scan", "as"];

impl Parser<'_> {
    /// The parameters that follow the keyword of `operator`.
    pub(super) fn parameters(&mut self, operator: &str) -> Parsed<Vec<Parameter>> {
        let mut parameters = Vec::new();
        // Those of `render` and `parse-kv` are in parentheses behind it.
        if !matches!(operator, "render" | "parse-kv") {
            while let Some(parameter) = self.parameter(operator, &parameters)? {
                parameters.push(parameter);
            }
        }
        Ok(parameters)
    }

    /// `(name=value, …)`
    pub(super) fn properties(&mut self, operator: &str) -> Parsed<Vec<Parameter>> {
        self.expect(Sign::OpenParen, "`(`")?;
        let mut properties: Vec<Parameter> = Vec::new();
        self.take(Sign::Comma);
        while self.take(Sign::CloseParen).is_none() {
            match self.parameter(operator, &properties)? {
                Some(property) => properties.push(property),
                None => return Err(self.unknown_parameter(operator)),
            }
            if self.take(Sign::Comma).is_none() && !self.is_sign(Sign::CloseParen) {
                return Err(self.expected("`,` or `)`"));
            }
        }
        Ok(properties)
    }

    /// The parameter that is next, when one is.
    pub(super) fn parameter(&mut self, operator: &str, before: &[Parameter]) -> Parsed<Option<Parameter>> {
        let Some(word) = self.word() else {
            return Ok(None);
        };
        let is_hint = word == "hint" && self.is_sign_at(1, Sign::Dot);
        let tokens = if is_hint { 3 } else { 1 };
        let text = if is_hint { format!("hint.{}", self.word_at(2).unwrap_or_default()) } else { word.to_owned() };
        if !self.is_sign_at(tokens, Sign::Equal) {
            return Ok(None);
        }
        let Some((_, takes)) = known(operator).iter().find(|(name, _)| *name == text) else {
            let is_parameter = is_hint || UNNAMED.contains(&operator);
            return if is_parameter { Err(self.unknown_parameter(operator)) } else { Ok(None) };
        };
        let start = self.peek().span;
        self.skip(tokens);
        let name = Name { text, span: self.since(start) };
        self.advance();
        let is_repeatable = matches!(name.text.as_str(), "hint.shufflekey" | "quote" | "escape");
        if !is_repeatable && before.iter().any(|other| other.name.text == name.text) {
            return Err(self.fail(name.span, SyntaxError::ParameterTwice(name.text)));
        }
        let value = self.parameter_value(operator, &name, *takes)?;
        Ok(Some(Parameter { name, value }))
    }

    fn unknown_parameter(&self, operator: &str) -> crate::message::Message {
        let known: Vec<&str> = known(operator).iter().map(|(name, _)| *name).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let Some(word) = self.word() else {
            return self.expected("the name of a parameter");
        };
        let name = match self.word_at(2) {
            Some(hint) if word == "hint" && self.is_sign_at(1, Sign::Dot) => format!("hint.{hint}"),
            _ => word.to_owned(),
        };
        let operator = operator.to_owned();
        self.fail(self.peek().span, SyntaxError::UnknownParameter { operator, name, known })
    }

    fn parameter_value(&mut self, operator: &str, name: &Name, takes: Takes) -> Parsed<ParameterValue> {
        match takes {
            Takes::Word(known) => {
                let value = self.one_word()?;
                if !known.contains(&value.text.as_str()) {
                    return Err(self.fail(
                        value.span,
                        SyntaxError::ParameterValue {
                            name: name.text.clone(),
                            value: value.text,
                            known: known.join(", "),
                        },
                    ));
                }
                Ok(ParameterValue::Words(vec![value]))
            }
            Takes::WordOrNumber => match self.literal()? {
                Some(number) => Ok(ParameterValue::Literal(number)),
                None => Ok(ParameterValue::Words(vec![self.one_word()?])),
            },
            Takes::AnyWord => Ok(ParameterValue::Words(vec![self.one_word()?])),
            Takes::NewColumn => Ok(ParameterValue::Words(vec![self.new_name()?])),
            Takes::Columns => {
                let mut columns = vec![self.new_name()?];
                // A comma may also begin the next property.
                while self.is_sign(Sign::Comma) && self.name_length(1) > 0 && !self.is_next_property(operator) {
                    self.advance();
                    columns.push(self.new_name()?);
                }
                Ok(ParameterValue::Words(columns))
            }
            Takes::Text => match self.literal()? {
                Some(text) if text.ty == Type::String => Ok(ParameterValue::Literal(text)),
                Some(other) => Ok(ParameterValue::Literal(other)),
                None => Ok(ParameterValue::Words(vec![self.one_word()?])),
            },
            Takes::Bool | Takes::Number | Takes::Literal => {
                let literal = self.signed_literal()?.ok_or_else(|| self.expected("a value such as true or 10"))?;
                let fits = match takes {
                    Takes::Bool => literal.ty == Type::Bool || literal.ty.is_integer(),
                    Takes::Number => literal.ty.is_number(),
                    _ => true,
                };
                if fits {
                    return Ok(ParameterValue::Literal(literal));
                }
                let known = if matches!(takes, Takes::Bool) { "true, false" } else { "numbers" }.to_owned();
                let value = literal.span.of(self.text).to_owned();
                Err(self.fail(literal.span, SyntaxError::ParameterValue { name: name.text.clone(), value, known }))
            }
        }
    }

    /// Whether a comma is next and behind it a property's name and its equals sign.
    fn is_next_property(&self, operator: &str) -> bool {
        let is_known = self.word_at(1).is_some_and(|word| known(operator).iter().any(|(name, _)| *name == word));
        is_known && self.is_sign_at(2, Sign::Equal)
    }

    fn one_word(&mut self) -> Parsed<Name> {
        let Some(word) = self.word() else {
            return Err(self.expected("a word"));
        };
        let span = self.advance().span;
        Ok(Name { text: word.to_owned(), span })
    }
}
