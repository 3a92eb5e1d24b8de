//! Expressions: what has a value or is a table.

use serde_json::Value as Json;

use super::{Operator, RowSchema};
use crate::{span::Span, types::Type, value::Value};

/// A name as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Without quotes and brackets.
    pub text: String,
    /// With them.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is, without parentheses around it.
    pub span: Span,
    /// The levels of the tree below it and its own.
    pub(crate) depth: u16,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A column, table, function or variable.
    Name(Name),
    /// A value of a scalar type.
    Literal(Literal),
    /// `dynamic(…)`
    Dynamic(Json),
    /// `typeof(…)`
    TypeOf(RowSchema),
    /// `f(x, y=1, *)`
    Call {
        /// The function.
        name: Name,
        /// What it is called with.
        arguments: Vec<Argument>,
    },
    /// `a.b`, `a.f(x)`
    Path {
        /// What is before the dot.
        base: Box<Expr>,
        /// A name or a call.
        member: Box<Expr>,
    },
    /// `a[i]`
    Element {
        /// What is before the bracket.
        base: Box<Expr>,
        /// What is between the brackets.
        index: Box<Expr>,
    },
    /// `-a`
    Unary {
        /// The sign.
        operator: UnaryOperator,
        /// What follows it.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// The sign or word.
        operator: BinaryOperator,
        /// Where the sign or word is.
        at: Span,
        /// What is before it.
        left: Box<Expr>,
        /// What follows it.
        right: Box<Expr>,
    },
    /// `a and b and c`
    And(Vec<Expr>),
    /// `a or b or c`
    Or(Vec<Expr>),
    /// `a between (b .. c)`
    Between {
        /// Whether it is `!between`.
        is_negated: bool,
        /// What is compared.
        value: Box<Expr>,
        /// The least that fits.
        low: Box<Expr>,
        /// The most that fits.
        high: Box<Expr>,
    },
    /// `a in (b, c)`, `a has_any (b, c)`
    List {
        /// `in`, `in~`, `!in`, `!in~`, `has_any` or `has_all`.
        operator: StringOperator,
        /// Where the word is.
        at: Span,
        /// What is looked for, or looked into.
        value: Box<Expr>,
        /// What is between the parentheses; one expression may be a table.
        list: Vec<Expr>,
    },
    /// `*`
    Star,
    /// `T | where x | take 1`, or an operator at the beginning such as `print 1`.
    Pipe {
        /// What the first operator reads.
        source: Option<Box<Expr>>,
        /// At least one.
        operators: Vec<Operator>,
    },
    /// `datatable(x:string)["a"]`
    DataTable {
        /// Its columns.
        schema: RowSchema,
        /// Row by row.
        values: Vec<Expr>,
    },
    /// `externaldata(x:string)["file"] with (format="csv")`
    ExternalData {
        /// Its columns.
        schema: RowSchema,
        /// Where the data is.
        sources: Vec<Expr>,
        /// `format`, `ignoreFirstRecord` and the like.
        properties: Vec<(Name, Literal)>,
    },
    /// `toscalar(T | …)`
    ToScalar(Box<Expr>),
    /// `totable(T | …)`
    ToTable(Box<Expr>),
    /// `materialize(T | …)`
    Materialize(Box<Expr>),
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// Its type.
    pub ty: Type,
    /// Its value; null for `int(null)`.
    pub value: Value<'static>,
    /// Where it is.
    pub span: Span,
}

/// What a function is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `y` of `f(y=1)`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// An expression with the names of the columns that it makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// None, one, or those of `(a, b) = f()`.
    pub names: Vec<Name>,
    /// Whether the names are in parentheses.
    pub is_list: bool,
    /// What the columns are.
    pub value: Expr,
}

/// Signs before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// Signs and words between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`, `<>`
    NotEqual,
    /// An operator on strings.
    String(StringOperator),
}

/// Operators on strings and lists of values (Kusto: "String operators").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words of the language, which `name` writes")]
pub enum StringOperator {
    EqualTilde,
    NotEqualTilde,
    Has,
    NotHas,
    HasCs,
    NotHasCs,
    HasPrefix,
    NotHasPrefix,
    HasPrefixCs,
    NotHasPrefixCs,
    HasSuffix,
    NotHasSuffix,
    HasSuffixCs,
    NotHasSuffixCs,
    Contains,
    NotContains,
    ContainsCs,
    NotContainsCs,
    StartsWith,
    NotStartsWith,
    StartsWithCs,
    NotStartsWithCs,
    EndsWith,
    NotEndsWith,
    EndsWithCs,
    NotEndsWithCs,
    Like,
    NotLike,
    LikeCs,
    NotLikeCs,
    MatchesRegex,
    Search,
    In,
    InTilde,
    NotIn,
    NotInTilde,
    HasAny,
    HasAll,
}

impl StringOperator {
    /// Every operator with the words that stand for it; the first of them is its name.
    pub(crate) const WORDS: &[(Self, &[&str])] = &[
        (Self::EqualTilde, &["=~"]),
        (Self::NotEqualTilde, &["!~"]),
        (Self::Has, &["has"]),
        (Self::NotHas, &["!has"]),
        (Self::HasCs, &["has_cs"]),
        (Self::NotHasCs, &["!has_cs"]),
        (Self::HasPrefix, &["hasprefix"]),
        (Self::NotHasPrefix, &["!hasprefix"]),
        (Self::HasPrefixCs, &["hasprefix_cs"]),
        (Self::NotHasPrefixCs, &["!hasprefix_cs"]),
        (Self::HasSuffix, &["hassuffix"]),
        (Self::NotHasSuffix, &["!hassuffix"]),
        (Self::HasSuffixCs, &["hassuffix_cs"]),
        (Self::NotHasSuffixCs, &["!hassuffix_cs"]),
        (Self::Contains, &["contains"]),
        (Self::NotContains, &["!contains", "notcontains"]),
        (Self::ContainsCs, &["contains_cs", "containscs"]),
        (Self::NotContainsCs, &["!contains_cs", "notcontainscs"]),
        (Self::StartsWith, &["startswith"]),
        (Self::NotStartsWith, &["!startswith"]),
        (Self::StartsWithCs, &["startswith_cs"]),
        (Self::NotStartsWithCs, &["!startswith_cs"]),
        (Self::EndsWith, &["endswith"]),
        (Self::NotEndsWith, &["!endswith"]),
        (Self::EndsWithCs, &["endswith_cs"]),
        (Self::NotEndsWithCs, &["!endswith_cs"]),
        (Self::Like, &["like"]),
        (Self::NotLike, &["notlike"]),
        (Self::LikeCs, &["likecs"]),
        (Self::NotLikeCs, &["notlikecs"]),
        (Self::MatchesRegex, &["matches regex"]),
        (Self::Search, &[":"]),
        (Self::In, &["in"]),
        (Self::InTilde, &["in~"]),
        (Self::NotIn, &["!in"]),
        (Self::NotInTilde, &["!in~"]),
        (Self::HasAny, &["has_any"]),
        (Self::HasAll, &["has_all"]),
    ];

    /// The operator that `word` stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(operator, _)| *operator)
    }

    /// The word of the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(operator, _)| *operator == self);
        found.and_then(|(_, words)| words.first()).copied().unwrap_or_default()
    }

    /// Whether it takes a list in parentheses.
    #[must_use]
    pub const fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::InTilde | Self::NotIn | Self::NotInTilde | Self::HasAny | Self::HasAll)
    }
}

impl BinaryOperator {
    /// The sign or word of the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::String(operator) => operator.name(),
        }
    }
}
