//! Statements: `let`, `set`, `declare query_parameters` and the query itself.

use super::{Expr, Name};
use crate::{span::Span, types::Type};

/// A whole query: statements in their order, of which at least one is an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// In the order in which they are written.
    pub statements: Vec<Statement>,
}

/// What ends at a semicolon.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `let x = …`
    Let(Let),
    /// `set notruncation`
    Set {
        /// The option.
        name: Name,
    },
    /// `declare query_parameters(x:string = "a")`
    Parameters(Vec<FunctionParameter>),
    /// What gives rows.
    Query(Expr),
}

/// A name for a value, a table or a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name.
    pub name: Name,
    /// What it stands for.
    pub value: LetValue,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum LetValue {
    /// A value or a table.
    Expr(Expr),
    /// A function.
    Function(Function),
}

/// `(x:string, y:long=1) { let z = …; T | where a == x }`
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its parameters; tables come first.
    pub parameters: Vec<FunctionParameter>,
    /// Statements before the result.
    pub lets: Vec<Let>,
    /// What a call of it stands for.
    pub result: Expr,
    /// From the parenthesis to the brace.
    pub span: Span,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: ParameterType,
    /// What it is when the call does not say.
    pub default: Option<Expr>,
}

/// The type of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterType {
    /// A value.
    Scalar(Type),
    /// A table that has these columns; `(*)` has none to ask for.
    Table(RowSchema),
}

/// Columns as they are written: `(a:string, b:long)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSchema {
    /// Names and types.
    pub columns: Vec<(Name, Type)>,
    /// Whether there is a `*`: all columns besides those that are named.
    pub has_star: bool,
    /// From parenthesis to parenthesis.
    pub span: Span,
}
