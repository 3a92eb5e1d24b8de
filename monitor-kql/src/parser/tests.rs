//! Tests of the parser.

use super::{SyntaxError, parse};
use crate::{
    limits::{NESTING_MAX, QUERY_BYTES_MAX, TREE_DEPTH_MAX},
    message::Reason,
    syntax::{BinaryOperator, ExprKind, OperatorKind, Statement, StringOperator},
};

fn refused(text: &str) -> SyntaxError {
    match *parse(text).unwrap_err().reason {
        Reason::Syntax(reason) => reason,
        other => panic!("{text}: {other}"),
    }
}

fn predicate(text: &str) -> ExprKind {
    let query = parse(&format!("T | where {text}")).unwrap();
    let Some(Statement::Query(expression)) = query.statements.into_iter().next() else {
        panic!("{text}");
    };
    let ExprKind::Pipe { operators, .. } = expression.kind else {
        panic!("{text}");
    };
    match operators.into_iter().next().map(|operator| operator.kind) {
        Some(OperatorKind::Filter(predicate)) => predicate.kind,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn string_operators_bind_stronger_than_arithmetic_and_comparisons_do_not_chain() {
    let ExprKind::Binary { operator: BinaryOperator::Add, right, .. } = predicate("a + b contains 'x'") else {
        panic!("the sum is the outermost");
    };
    let contains = BinaryOperator::String(StringOperator::Contains);
    assert!(matches!(right.kind, ExprKind::Binary { operator, .. } if operator == contains));
    assert!(matches!(predicate("a == 1 and b == 2 or c"), ExprKind::Or(operands) if operands.len() == 2));
    assert!(matches!(refused("T | where a == b == c"), SyntaxError::Expected { .. }));
    assert!(matches!(refused("T | where a < b < c"), SyntaxError::Expected { .. }));
}

#[test]
fn strings_that_follow_one_another_are_one() {
    assert!(matches!(predicate("a == 'x' @\"y\" h'z'"), ExprKind::Binary { right, .. }
        if matches!(&right.kind, ExprKind::Literal(literal) if literal.value.to_string() == "xyz")));
}

#[test]
fn nothing_is_left_unread() {
    assert!(matches!(refused("T | take 1 take 2"), SyntaxError::LeftOver(_)));
    assert!(matches!(refused("T | where a = 1"), SyntaxError::Assignment));
    assert!(matches!(refused("T | where (a == 1"), SyntaxError::Expected { .. }));
    assert!(matches!(refused("T | join kin=inner U on a"), SyntaxError::UnknownParameter { .. }));
    assert!(matches!(refused("T | join kind=iner U on a"), SyntaxError::ParameterValue { .. }));
    assert!(matches!(refused("let x = 1;"), SyntaxError::NoResult));
}

#[test]
fn an_operator_that_is_not_supported_is_named() {
    assert!(matches!(
        refused("T | graph-match (a)-->(b) project a"),
        SyntaxError::RefusedOperator { name: "graph-match", .. }
    ));
    assert!(matches!(
        refused("T | projct a"),
        SyntaxError::UnknownOperator { nearest: Some(nearest), .. } if nearest == "project"
    ));
}

/// A thread with the stack of a small one: what is refused for its depth must be refused before the stack ends.
fn in_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn depth_is_refused_and_not_a_crash() {
    in_a_small_stack(|| {
        let deep = usize::try_from(NESTING_MAX).unwrap() * 10;
        for (open, close) in
            [("(", ")"), ("f(", ")"), ("-", ""), ("dynamic([", "])"), ("(T | where ", ")"), ("x[", "]")]
        {
            let text = format!("print {}1{}", open.repeat(deep), close.repeat(deep));
            assert!(parse(&text).is_err(), "{open}");
        }
        let chain = usize::from(TREE_DEPTH_MAX) * 10;
        assert_eq!(refused(&format!("print 1{}", "+1".repeat(chain))), SyntaxError::Depth);
        assert_eq!(refused(&format!("print a{}", ".b".repeat(chain))), SyntaxError::Depth);
        // Lists of alternatives are long and not deep.
        assert!(parse(&format!("T | where a == 1{}", " or a == 1".repeat(5000))).is_ok());
    });
}

#[test]
fn a_query_that_is_too_long_is_refused() {
    let text = " ".repeat(QUERY_BYTES_MAX + 1);
    assert!(matches!(*parse(&text).unwrap_err().reason, Reason::TooLong(_)));
}
