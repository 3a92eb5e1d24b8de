//! Checked expressions to compiled ones.

use regex::{Regex, RegexBuilder};

use super::{
    Row, function,
    node::{Node, as_text},
    text::TextOperator,
};
use crate::{
    bind::BindError,
    bound::{Expr, ExprKind, List},
    limits::REGEX_BYTES_MAX,
    message::Message,
    span::Span,
    syntax::{BinaryOperator, StringOperator},
    types::Type,
    value::Value,
};

type Compiled = Result<Node, Message>;

pub(super) fn compile(expression: &Expr, span: Span) -> Compiled {
    Compiler { span }.node(expression)
}

struct Compiler {
    /// The predicate: what a refusal is about.
    span: Span,
}

impl Compiler {
    fn refuse(&self, name: &str) -> Message {
        let instead = "rows are looked at one by one here: use `proxysight hunt` for it".to_owned();
        Message::new(self.span, BindError::Refused { name: name.to_owned(), instead })
    }

    fn boxed(&self, expression: &Expr) -> Result<Box<Node>, Message> {
        self.node(expression).map(Box::new)
    }

    fn all(&self, expressions: &[Expr]) -> Result<Vec<Node>, Message> {
        expressions.iter().map(|expression| self.node(expression)).collect()
    }

    fn node(&self, expression: &Expr) -> Compiled {
        let node = match &expression.kind {
            ExprKind::Column(id) => return Ok(Node::Column(usize::try_from(id.0).unwrap_or(usize::MAX))),
            ExprKind::Literal(value) => return Ok(Node::Constant(value.clone())),
            ExprKind::Absent(_) => return Ok(Node::Constant(Value::Null)),
            ExprKind::Shared(_) | ExprKind::Subquery(_) => return Err(self.refuse("toscalar()")),
            ExprKind::Call { function, arguments } => self.call(function, arguments)?,
            ExprKind::Binary { operator, left, right } => self.binary(*operator, left, right)?,
            ExprKind::And(operands) => Node::And(self.all(operands)?),
            ExprKind::Or(operands) => Node::Or(self.all(operands)?),
            ExprKind::Negate(value) => Node::Negate(self.boxed(value)?),
            ExprKind::Between { is_negated, value, low, high } => Node::Between {
                is_negated: *is_negated,
                value: self.boxed(value)?,
                low: self.boxed(low)?,
                high: self.boxed(high)?,
            },
            ExprKind::List { operator, value, list } => self.list(*operator, value, list)?,
            ExprKind::Member { base, key } => Node::Member(self.boxed(base)?, key.clone()),
            ExprKind::Element { base, index } => Node::Element(self.boxed(base)?, self.boxed(index)?),
            ExprKind::Convert(value) => Node::Convert(expression.ty, self.boxed(value)?),
            ExprKind::AnyColumn { operator, columns, right } => {
                let operator = match operator {
                    BinaryOperator::String(operator) => {
                        Some(TextOperator::new(*operator).ok_or_else(|| self.refuse(operator.name()))?)
                    }
                    _ => None,
                };
                let columns = columns.iter().map(|id| usize::try_from(id.0).unwrap_or(usize::MAX)).collect();
                Node::AnyColumn(operator, columns, self.boxed(right)?)
            }
        };
        Ok(folded(node, expression))
    }

    fn binary(&self, operator: BinaryOperator, left: &Expr, right: &Expr) -> Compiled {
        let BinaryOperator::String(text) = operator else {
            return Ok(Node::Binary(operator, self.boxed(left)?, self.boxed(right)?));
        };
        match (text, TextOperator::new(text)) {
            (StringOperator::MatchesRegex, _) => Ok(Node::Regex(self.boxed(left)?, self.regex(right)?)),
            (_, Some(text)) => Ok(Node::Text(text, self.boxed(left)?, self.boxed(right)?)),
            (_, None) => Err(self.refuse(text.name())),
        }
    }

    fn regex(&self, pattern: &Expr) -> Result<Regex, Message> {
        let Some(text) = pattern.as_text() else {
            return Err(self.refuse("a regular expression that is not written out"));
        };
        let regex = RegexBuilder::new(text).size_limit(REGEX_BYTES_MAX).build();
        regex.map_err(|error| Message::new(self.span, BindError::Regex(text.to_owned(), error.to_string())))
    }

    fn list(&self, operator: StringOperator, value: &Expr, list: &List) -> Compiled {
        use StringOperator as S;
        let List::Values(list) = list else {
            return Err(self.refuse("a list that is a table"));
        };
        let (value, list) = (self.boxed(value)?, self.all(list)?);
        Ok(match operator {
            S::HasAny | S::HasAll => Node::HasAny { needs_all: operator == S::HasAll, value, list },
            _ => Node::In {
                is_negated: matches!(operator, S::NotIn | S::NotInTilde),
                is_exact: matches!(operator, S::In | S::NotIn),
                value,
                list,
            },
        })
    }

    fn call(&self, name: &'static str, arguments: &[Expr]) -> Compiled {
        match (name, arguments) {
            ("now", arguments) => Ok(Node::Now(1, arguments.first().map(|offset| self.boxed(offset)).transpose()?)),
            ("ago", [offset]) => Ok(Node::Now(-1, Some(self.boxed(offset)?))),
            ("iff" | "iif" | "case", arguments) => {
                let Some((otherwise, branches)) = arguments.split_last() else {
                    return Err(self.refuse(name));
                };
                let mut compiled = Vec::with_capacity(branches.len() / 2);
                for pair in branches.chunks(2) {
                    if let [condition, value] = pair {
                        compiled.push((self.node(condition)?, self.node(value)?));
                    }
                }
                Ok(Node::Case(compiled, self.boxed(otherwise)?))
            }
            ("coalesce", arguments) => Ok(Node::Coalesce(self.all(arguments)?)),
            ("extract", [pattern, group, source, ..]) => {
                let call = Node::RegexCall(extract, self.regex(pattern)?, vec![self.node(group)?, self.node(source)?]);
                let ty = arguments.get(3).and_then(Expr::as_text).and_then(Type::parse);
                // Without a type the text itself is wanted.
                Ok(Node::Convert(ty.unwrap_or(Type::String), Box::new(call)))
            }
            ("replace_regex", [source, pattern, rewrite]) => {
                Ok(Node::RegexCall(replace, self.regex(pattern)?, vec![self.node(source)?, self.node(rewrite)?]))
            }
            ("trim" | "trim_start" | "trim_end", [pattern, source]) => {
                let text = pattern.as_text().ok_or_else(|| self.refuse(name))?;
                let whole = match name {
                    "trim_start" => format!("^(?:{text})*"),
                    "trim_end" => format!("(?:{text})*$"),
                    _ => format!("^(?:{text})*|(?:{text})*$"),
                };
                let pattern = Expr::literal(Value::string(whole), Type::String);
                let rewrite = Node::Constant(Value::string(""));
                Ok(Node::RegexCall(replace, self.regex(&pattern)?, vec![self.node(source)?, rewrite]))
            }
            _ => match function::find(name) {
                Some(function) => Ok(Node::Call(function, self.all(arguments)?)),
                None => Err(self.refuse(name)),
            },
        }
    }
}

/// Functions that are compiled and not looked up.
const COMPILED: [&str; 11] =
    ["ago", "case", "coalesce", "extract", "iff", "iif", "now", "replace_regex", "trim", "trim_end", "trim_start"];

pub(super) fn is_compiled(name: &str) -> bool {
    COMPILED.contains(&name)
}

/// The value of what does not depend on rows or the time, worked out here and now.
fn folded(node: Node, expression: &Expr) -> Node {
    if !expression.is_constant() || has_time(&node) {
        return node;
    }
    Node::Constant(node.value(&NoRow, 0).into_owned())
}

fn has_time(node: &Node) -> bool {
    match node {
        Node::Column(_) | Node::Constant(_) => false,
        Node::Now(..) => true,
        Node::Binary(_, left, right) | Node::Text(_, left, right) | Node::Element(left, right) => {
            has_time(left) || has_time(right)
        }
        Node::Regex(value, _) | Node::Negate(value) | Node::Member(value, _) | Node::Convert(_, value) => {
            has_time(value)
        }
        Node::RegexCall(_, _, nodes) | Node::And(nodes) | Node::Or(nodes) | Node::Coalesce(nodes) => {
            nodes.iter().any(has_time)
        }
        Node::Call(_, nodes) => nodes.iter().any(has_time),
        Node::Between { value, low, high, .. } => has_time(value) || has_time(low) || has_time(high),
        Node::In { value, list, .. } | Node::HasAny { value, list, .. } => has_time(value) || list.iter().any(has_time),
        Node::Case(branches, otherwise) => {
            has_time(otherwise) || branches.iter().any(|(condition, value)| has_time(condition) || has_time(value))
        }
        Node::AnyColumn(_, _, right) => has_time(right),
    }
}

/// What a constant is evaluated over.
struct NoRow;

impl Row for NoRow {
    fn value(&self, _column: usize) -> Value<'_> {
        Value::Null
    }
}

/// The text of a group, or nothing.
fn extract(regex: &Regex, values: &[Value<'_>]) -> Value<'static> {
    let [group, source] = values else {
        return Value::string("");
    };
    let source = as_text(source);
    let group = super::arithmetic::long(group).and_then(|group| usize::try_from(group).ok());
    let found = regex.captures(&source).zip(group).and_then(|(captures, group)| captures.get(group));
    Value::string(found.map(|found| found.as_str().to_owned()).unwrap_or_default())
}

/// Every match rewritten; `\1` is the first group.
fn replace(regex: &Regex, values: &[Value<'_>]) -> Value<'static> {
    let [source, rewrite] = values else {
        return Value::string("");
    };
    let rewrite = rewritten(&as_text(rewrite));
    Value::string(regex.replace_all(&as_text(source), rewrite.as_str()).into_owned())
}

/// `\1` of RE2 as `${1}` of the library, whose own sign is doubled.
fn rewritten(rewrite: &str) -> String {
    let mut text = String::with_capacity(rewrite.len());
    let mut chars = rewrite.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek().copied()) {
            ('$', _) => text.push_str("$$"),
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                chars.next();
                text.push_str(&format!("${{{digit}}}"));
            }
            ('\\', Some('\\')) => {
                chars.next();
                text.push('\\');
            }
            (char, _) => text.push(char),
        }
    }
    text
}
