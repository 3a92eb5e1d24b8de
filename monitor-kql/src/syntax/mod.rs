//! The tree of a query as it is written: no name in it means anything yet.
//!
//! Its depth is bounded (`limits::TREE_DEPTH_MAX`), so that whoever walks it may recurse.

mod expression;
mod operator;
mod statement;

pub use self::{
    expression::{Argument, BinaryOperator, Expr, ExprKind, Literal, Name, Named, StringOperator, UnaryOperator},
    operator::{
        ByClause, EvaluateCall, Find, FindColumn, ForkBranch, JoinCondition, MakeSeries, MvItem, Operator,
        OperatorKind, Order, Parameter, ParameterValue, ParseKind, ParsePart, PartitionBody, ScanStep, SearchScope,
        SeriesAggregate, SeriesRange, SortKey, StepOutput, TopNestedClause,
    },
    statement::{Function, FunctionParameter, Let, LetValue, ParameterType, Query, RowSchema, Statement},
};
