//! Why tokens are no query.

use crate::{
    limits::{NESTING_MAX, TREE_DEPTH_MAX},
    types::Type,
};

/// Why tokens are no query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Something else must be here.
    #[error("{expected} is expected here, not {found}")]
    Expected {
        /// What may be here.
        expected: String,
        /// What is.
        found: String,
    },
    /// The query ends here and text goes on.
    #[error("the query ends before {0}")]
    LeftOver(String),
    /// A single `=` where values are compared.
    #[error("`=` gives a name and does not compare")]
    Assignment,
    /// No statement gives rows.
    #[error("the query has no part that gives rows")]
    NoResult,
    /// After a pipe.
    #[error("there is no operator `{name}`")]
    UnknownOperator {
        /// As it is written.
        name: String,
        /// An operator of that kind.
        nearest: Option<String>,
    },
    /// An operator of Kusto's that is not supported.
    #[error("`{name}` is not supported")]
    RefusedOperator {
        /// The operator.
        name: &'static str,
        /// What to use.
        instead: &'static str,
    },
    /// A statement of Kusto's that is not supported.
    #[error("`{name}` is not supported")]
    RefusedStatement {
        /// The statement.
        name: &'static str,
        /// What to use.
        instead: &'static str,
    },
    /// An operator that reads rows begins a query.
    #[error("`{0}` reads rows, and none come before it")]
    NoSource(String),
    /// An operator that makes rows follows a pipe.
    #[error("`{0}` makes rows by itself and cannot follow a pipe")]
    NotPiped(String),
    /// A keyword where a name must be.
    #[error("`{0}` is a word of the language and no name")]
    Keyword(String),
    /// `int(x)` with a text that is no int.
    #[error("`{text}` is no {ty}")]
    Literal {
        /// The type.
        ty: Type,
        /// What is between the parentheses.
        text: String,
    },
    /// `kin=inner`
    #[error("`{operator}` has no parameter `{name}`")]
    UnknownParameter {
        /// The operator.
        operator: String,
        /// The parameter.
        name: String,
        /// Those that it has.
        known: String,
    },
    /// `kind=outre`
    #[error("`{value}` is no value of `{name}`")]
    ParameterValue {
        /// The parameter.
        name: String,
        /// As it is written.
        value: String,
        /// Those that it may have.
        known: String,
    },
    /// A parameter twice.
    #[error("`{0}` is given twice")]
    ParameterTwice(String),
    /// An unknown type.
    #[error("there is no type `{0}`")]
    UnknownType(String),
    /// The pattern of `parse` leaves open where a column ends.
    #[error("a pattern needs text between {0}")]
    Pattern(&'static str),
    /// Parentheses, calls and lists within one another.
    #[error("this is nested more than {NESTING_MAX} deep")]
    Nesting,
    /// A chain of operators.
    #[error("this expression is more than {TREE_DEPTH_MAX} levels deep")]
    Depth,
}

impl SyntaxError {
    pub(crate) fn help(&self) -> Option<String> {
        Some(match self {
            Self::Assignment => "write `==` for equal, `=~` for equal in any case".to_owned(),
            Self::NoResult => "end with a table and its operators: DeviceNetworkEvents | take 10".to_owned(),
            Self::UnknownOperator { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownOperator { nearest: None, .. } => {
                "operators are listed in docs/kql.md: where, project, summarize, join, …".to_owned()
            }
            Self::RefusedOperator { instead, .. } | Self::RefusedStatement { instead, .. } => (*instead).to_owned(),
            Self::NoSource(name) => format!("begin with a table: DeviceNetworkEvents | {name} …"),
            Self::NotPiped(_) => "begin a query with it, or join or union with it in parentheses".to_owned(),
            Self::Keyword(word) => format!("a name that is such a word is written ['{word}']"),
            Self::Literal { ty: Type::DateTime, .. } => {
                "write datetime(2024-05-25 10:00), or todatetime() for a value".to_owned()
            }
            Self::Literal { ty, .. } => format!("write to{ty}() to convert a value"),
            Self::UnknownParameter { known, .. } | Self::ParameterValue { known, .. } => format!("there are {known}"),
            Self::UnknownType(_) => {
                "types are bool, datetime, decimal, dynamic, guid, int, long, real, string, timespan".to_owned()
            }
            Self::Pattern(_) => "put the text that separates them in quotes".to_owned(),
            Self::Nesting => "give the inner parts names with `let`".to_owned(),
            Self::Depth => "split it with `extend`".to_owned(),
            Self::Expected { .. } | Self::LeftOver(_) | Self::ParameterTwice(_) => return None,
        })
    }
}
