//! Why a well-formed query means nothing.

use crate::{
    limits::{BOUND_NODES_MAX, COLUMNS_MAX, DECLARATIONS_MAX, LITERAL_CELLS_MAX, PLAN_DEPTH_MAX},
    types::Type,
};

/// Why a well-formed query means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what each is; the fields are what they show")]
pub enum BindError {
    #[error("there is no column `{name}` here")]
    UnknownColumn { name: String, nearest: Option<String> },
    #[error("there is no column, table or variable `{name}`")]
    UnknownName { name: String, nearest: Option<String> },
    #[error("there is no table `{name}`")]
    UnknownTable { name: String, nearest: Option<String> },
    #[error("there is no function `{name}`")]
    UnknownFunction { name: String, nearest: Option<String> },
    #[error("there is no plugin `{name}`")]
    UnknownPlugin { name: String, nearest: Option<String> },
    #[error("`{name}` is not supported")]
    Refused { name: String, instead: String },
    #[error("`{0}` is a function: it needs its parentheses")]
    NotCalled(String),
    #[error("`{0}` counts over rows and can only be used in `summarize`, `make-series` and `top-nested`")]
    AggregateHere(String),
    #[error("an aggregate within the aggregate `{0}`")]
    NestedAggregate(String),
    #[error("`{0}` is neither an aggregate nor constant")]
    NotAggregated(String),
    #[error("`{operator}` is not defined for {left} and {right}")]
    Operator { operator: String, left: String, right: String },
    #[error("`{operator}` is not defined for {operand}")]
    Sign { operator: String, operand: Type },
    #[error("{expected} is wanted here, not {found}")]
    Wanted { expected: String, found: String },
    #[error("`{function}` wants {expected} for `{parameter}`, not {found}")]
    Argument { function: String, parameter: String, expected: String, found: String },
    #[error("`{function}` cannot be called with {found}")]
    Arguments { function: String, found: String, signatures: String },
    #[error("`{function}` has no parameter `{name}`")]
    UnknownParameter { function: String, name: String },
    #[error("`{function}` misses its argument `{name}`")]
    MissingArgument { function: String, name: String },
    #[error("the values of `{0}` have no type in common")]
    NoCommonType(String),
    #[error("a table is no value")]
    TableAsValue,
    #[error("a value is no table")]
    ValueAsTable,
    #[error("`{0}` gives several columns")]
    SeveralColumns(String),
    #[error("this gives one column, and there are {0} names")]
    TooManyNames(usize),
    #[error("there is a column `{0}` already")]
    ColumnTwice(String),
    #[error("`{0}` is declared already")]
    DeclaredTwice(String),
    #[error("`{0}` needs rows in an order")]
    NotOrdered(String),
    #[error("{0} has no members")]
    NoMembers(Type),
    #[error("a column is wanted here")]
    ColumnWanted,
    #[error("a value without columns is wanted here")]
    ConstantWanted,
    #[error("a value that is written out is wanted here")]
    LiteralWanted,
    #[error("a column and a new name are wanted: new=old")]
    RenameWanted,
    #[error("{0} cannot be grouped, sorted or compared")]
    NotDynamic(Type),
    #[error("`{value}` is none of the values of `{parameter}`")]
    WordWanted { parameter: String, value: String, known: String },
    #[error("a step of 0 never ends")]
    ZeroStep,
    #[error("{values} values make no rows of {columns} columns")]
    RowShape { values: usize, columns: usize },
    #[error("rows go together by columns: `on a`, or `on $left.a == $right.b`")]
    JoinCondition,
    #[error("`{name}` is not on both sides")]
    JoinColumn { name: String },
    #[error("the two sides of the condition are {left} and {right}")]
    JoinTypes { left: Type, right: Type },
    #[error("the table lacks the column `{name}`, which the function asks for")]
    TableLacks { name: String },
    #[error("the columns that are asserted are not those of the rows: {0}")]
    Assertion(String),
    #[error("`*` stands for columns and is no value here")]
    StarHere,
    #[error("`{0}` ends a query and cannot be followed or used within another one")]
    NotLast(String),
    #[error("`{0}` needs to know its columns before the query runs")]
    Undiscovered(String),
    #[error("`{0}` is a word that `set` does not know")]
    UnknownOption(String),
    #[error("this parameter has no value")]
    ParameterWithoutValue,
    #[error("`{0}` is no regular expression: {1}")]
    Regex(String, String),
    #[error("functions and tables of this query make more than {BOUND_NODES_MAX} parts when written out")]
    TooManyNodes,
    #[error("there are more than {DECLARATIONS_MAX} names of `let` and parameters")]
    TooManyDeclarations,
    #[error("there are more than {COLUMNS_MAX} columns")]
    TooManyColumns,
    #[error("there are more than {LITERAL_CELLS_MAX} values")]
    TooManyValues,
    #[error("more than {PLAN_DEPTH_MAX} operators follow one another")]
    TooDeep,
}

impl BindError {
    pub(crate) fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnknownColumn { nearest: Some(nearest), .. }
            | Self::UnknownName { nearest: Some(nearest), .. }
            | Self::UnknownTable { nearest: Some(nearest), .. }
            | Self::UnknownFunction { nearest: Some(nearest), .. }
            | Self::UnknownPlugin { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownColumn { nearest: None, .. } => "`| getschema` lists the columns".to_owned(),
            Self::UnknownFunction { nearest: None, .. } | Self::UnknownPlugin { nearest: None, .. } => {
                "docs/kql.md lists the functions".to_owned()
            }
            Self::Refused { instead, .. } => instead.clone(),
            Self::NotCalled(name) => format!("write {name}()"),
            Self::NotAggregated(_) => {
                "put it behind `by`, or into an aggregate such as take_any() or make_set()".to_owned()
            }
            Self::AggregateHere(name) => format!("count first: summarize {name}(…), then use its column"),
            Self::Operator { operator, left, right } if operator == "+" && (left == "string" || right == "string") => {
                "strings are joined with strcat()".to_owned()
            }
            Self::Operator { operator, left, right }
                if matches!(operator.as_str(), "<" | "<=" | ">" | ">=") && (left == "string" || right == "string") =>
            {
                "convert with tolong(), todatetime() and the like; strings are compared with strcmp()".to_owned()
            }
            Self::Operator { .. } => "convert one of them: tostring(), tolong(), todatetime(), …".to_owned(),
            Self::Argument { expected, .. } if expected == "string" => "convert it with tostring()".to_owned(),
            Self::Arguments { signatures, .. } => format!("it is {signatures}"),
            Self::TableAsValue => "toscalar(…) gives the first value of a table".to_owned(),
            Self::SeveralColumns(name) => format!("give them names: extend (a, b) = {name}(…)"),
            Self::ColumnTwice(_) => "give one of them another name: new = old".to_owned(),
            Self::NotOrdered(_) => "put `| serialize` or `| sort by …` before it".to_owned(),
            Self::NoMembers(_) => "parse_json() makes a dynamic value of text".to_owned(),
            Self::NotDynamic(_) => "convert it with tostring()".to_owned(),
            Self::WordWanted { known, .. } => format!("there are {known}"),
            Self::JoinColumn { .. } => "name the columns of both sides: on $left.a == $right.b".to_owned(),
            Self::JoinTypes { .. } => "convert one with `extend` before the join".to_owned(),
            Self::Undiscovered(name) => format!("say which columns: evaluate {name}(…) : (a:string, b:long)"),
            Self::ParameterWithoutValue => "give it one: declare query_parameters(x:string = \"…\")".to_owned(),
            Self::TooManyNodes => "materialize() computes a table once".to_owned(),
            Self::Wanted { expected, .. } if expected == "bool" => "compare it with something: x == 1".to_owned(),
            Self::ConstantWanted => "toscalar(…) makes a value of a table".to_owned(),
            _ => return None,
        })
    }
}
