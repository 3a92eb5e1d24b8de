//! Tests of the binder: what a planner relies on, and the limits.

use super::{BindError, Discovered};
use crate::{
    bound::{Bound, ExprKind, JoinKind, PlanKind},
    compile,
    message::Reason,
    schema::{Schema, Table},
    span::Span,
    types::Type,
};

fn schema() -> Schema {
    let columns = "a:string, b:int, c:long, d:dynamic, Timestamp:datetime";
    Schema::new(vec![
        Table::new("T", columns).with_alias("Old").with_former_names(),
        Table::new("U", "a:string, b:long, x:string"),
        Table::new("Proxies", "RemoteIP:string").as_function(),
    ])
}

fn bound(text: &str) -> Bound {
    compile(text, &schema(), &Discovered::new()).unwrap_or_else(|message| panic!("{text}: {message}"))
}

fn refused(text: &str) -> BindError {
    match *compile(text, &schema(), &Discovered::new()).expect_err(text).reason {
        Reason::Bind(reason) => reason,
        other => panic!("{text}: {other}"),
    }
}

fn columns(text: &str) -> String {
    let bound = bound(text);
    let columns = &bound.results.last().unwrap().plan.columns;
    columns.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect::<Vec<_>>().join(", ")
}

#[test]
fn operators_are_written_with_few() {
    let plan = bound("T | top 3 by c").results.remove(0).plan;
    assert!(matches!(&plan.kind, PlanKind::Take { input, .. } if matches!(input.kind, PlanKind::Sort { .. })));
    let plan = bound("T | distinct a").results.remove(0).plan;
    assert!(matches!(&plan.kind, PlanKind::Summarize { aggregates, .. } if aggregates.is_empty()));
    let plan = bound("T | lookup U on a").results.remove(0).plan;
    assert!(matches!(&plan.kind, PlanKind::Project { input, .. }
        if matches!(&input.kind, PlanKind::Join(join) if join.kind == JoinKind::LeftOuter)));
    let plan = bound("T | summarize count() + 1 by a").results.remove(0).plan;
    assert!(matches!(&plan.kind, PlanKind::Project { input, .. } if matches!(input.kind, PlanKind::Summarize { .. })));
}

#[test]
fn conversions_are_written_out() {
    let plan = bound("T | where b == 1.5").results.remove(0).plan;
    let PlanKind::Filter { predicate, .. } = plan.kind else { panic!() };
    let ExprKind::Binary { left, right, .. } = predicate.kind else { panic!() };
    assert_eq!((left.ty, right.ty), (Type::Real, Type::Real));
    assert!(matches!(left.kind, ExprKind::Convert(_)));
}

#[test]
fn former_names_stand_for_columns() {
    assert_eq!(
        columns("Old | where EventTime > ago(1d) | project TimeGenerated, a"),
        "TimeGenerated:datetime, a:string"
    );
    assert_eq!(columns("T | summarize count() by bin(TimeGenerated, 1h)"), "TimeGenerated:datetime, count_:long");
    assert_eq!(columns("T | join kind=inner (T) on a | project TimeGenerated1"), "TimeGenerated1:datetime");
}

#[test]
fn a_function_of_the_schema_is_a_table() {
    assert_eq!(columns("T | where a !in (Proxies()) | project a"), "a:string");
    assert!(matches!(refused("T | where a in (Proxies)"), BindError::NotCalled(_)));
}

#[test]
fn a_plugin_whose_columns_are_not_known_waits_for_them() {
    let text = "T | evaluate bag_unpack(d) | where found == 1 | project found";
    let first = bound(text);
    let [pending] = first.pending.as_slice() else { panic!() };
    assert_eq!((pending.name, pending.span.of(text)), ("bag_unpack", "bag_unpack(d)"));
    let discovered = Discovered::from([(pending.span, vec![("found".to_owned(), Type::Long)])]);
    let second = compile(text, &schema(), &discovered).unwrap();
    assert!(!second.is_open());
    assert_eq!(second.results[0].plan.columns[0].ty, Type::Long);
    let other = Discovered::from([(pending.span, Vec::new())]);
    assert!(compile(text, &schema(), &other).is_err());
}

#[test]
fn names_that_are_not_found_have_a_suggestion_and_a_place() {
    let text = "T | where Timestmp > ago(1d)";
    let message = compile(text, &schema(), &Discovered::new()).unwrap_err();
    assert_eq!(message.span, Span::new(10, 18));
    assert_eq!(message.to_string(), "there is no column `Timestmp` here; did you mean `Timestamp`?");
    assert!(matches!(refused("Tt | take 1"), BindError::UnknownTable { .. }));
    assert!(
        matches!(refused("T | extend x = tolwer(a)"), BindError::UnknownFunction { nearest: Some(name), .. } if name == "tolower()")
    );
}

#[test]
fn functions_that_double_are_refused_before_they_fill_the_memory() {
    let mut text = "let f0 = () { T | union T };\n".to_owned();
    for level in 1..40 {
        text.push_str(&format!("let f{level} = () {{ f{0}() | union (f{0}()) }};\n", level - 1));
    }
    text.push_str("f39()");
    assert!(matches!(refused(&text), BindError::TooManyNodes | BindError::TooDeep));
    let mut text = "let f0 = (x:long) { x + x };\n".to_owned();
    for level in 1..60 {
        text.push_str(&format!("let f{level} = (x:long) {{ f{0}(f{0}(x)) }};\n", level - 1));
    }
    text.push_str("T | extend y = f59(c)");
    assert!(matches!(refused(&text), BindError::TooManyNodes | BindError::TooDeep));
}

#[test]
fn a_long_pipeline_and_a_deep_one_are_bounded_in_a_small_stack() {
    let work = || {
        let long = format!("T{}", " | where b > 1".repeat(5000));
        assert_eq!(refused(&long), BindError::TooDeep);
        assert!(!bound(&format!("T{}", " | where b > 1".repeat(300))).results.is_empty());
        let deep = format!("print x = 1{}", " + 1".repeat(150));
        assert!(!bound(&deep).results.is_empty());
        let nested = format!("print x = {}1{}", "toscalar(print ".repeat(90), ")".repeat(90));
        drop(compile(&nested, &schema(), &Discovered::new()));
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}
