//! Tests of predicates over rows.

use serde_json::json;

use super::{Predicate, Row, function};
use crate::{function::scalars, literal, schema::Table, value::Value};

struct Event;

/// `T` of the tests: what a live record may have.
fn table() -> Table {
    Table::new("T", "name:string, port:int, size:long, more:dynamic, at:datetime, ratio:real, none:int, address:string")
        .with_column_alias("TimeGenerated", "at")
}

impl Row for Event {
    fn value(&self, column: usize) -> Value<'_> {
        match column {
            0 => Value::string("api.Example.test"),
            1 => Value::Int(443),
            2 => Value::Long(1500),
            3 => Value::dynamic(json!({"host": "a.test", "list": [1, 2], "deep": {"x": "1"}})),
            4 => Value::DateTime(literal::datetime("2024-05-25 10:30").unwrap()),
            5 => Value::Real(0.5),
            7 => Value::string("10.1.2.3"),
            _ => Value::Null,
        }
    }
}

fn check(predicate: &str, expected: bool) {
    let now = literal::datetime("2024-05-25 11:00").unwrap();
    let compiled = Predicate::new(predicate, &table()).unwrap_or_else(|message| panic!("{predicate}: {message}"));
    assert_eq!(compiled.matches(&Event, now), expected, "{predicate}");
}

#[test]
fn strings_are_compared_as_kusto_compares_them() {
    check("name == 'api.example.test'", false);
    check("name =~ 'API.example.TEST'", true);
    check("name has 'example'", true);
    check("name has 'exam'", false);
    check("name has 'Example.test'", true);
    check("name has_cs 'example'", false);
    check("name hasprefix 'exam'", true);
    check("name hassuffix 'ample'", true);
    check("name contains 'XAMPL'", true);
    check("name contains_cs 'XAMPL'", false);
    check("name !contains 'zz' and name startswith 'API' and name endswith '.TEST'", true);
    check("name matches regex @'^api\\..*test$'", true);
    check("name in ('a', 'api.Example.test')", true);
    check("name in~ ('API.EXAMPLE.TEST')", true);
    check("name !in~ ('API.EXAMPLE.TEST')", false);
    check("name has_any ('foo', 'api')", true);
    check("name has_all ('test', 'api')", true);
    check("name has_all ('test', 'foo')", false);
    check("name has_any (dynamic(['foo', 'example']))", true);
}

#[test]
fn numbers_times_and_nulls_are_compared() {
    check("port == 443 and size > 1000 and ratio < 0.75", true);
    check("port between (1 .. 443) and port !between (444 .. 500)", true);
    check("port in (80, 443)", true);
    check("port == '443'", true);
    check("at > ago(1h)", true);
    check("at > ago(10m)", false);
    check("TimeGenerated between (datetime(2024-05-25) .. 1d)", true);
    check("none == 5", false);
    check("none != 5", true);
    check("none > 5", false);
    check("not(none > 5)", false);
    check("none > 5 or port == 443", true);
    check("isnull(none) and isnotnull(port) and isempty('') and isnotempty(name)", true);
    check("port + 1 == 444 and size / 1000 == 1 and port % 10 == 3 and -port < 0", true);
    check("port / 0 == 1", false);
}

#[test]
fn dynamic_values_are_looked_into() {
    check("more.host == 'a.test'", true);
    check("more['deep'].x == 1", true);
    check("more.list[1] == 2 and more.list[-1] == 2", true);
    check("isnull(more.nothing.more) and more.list[9] == 3", false);
    check("tostring(more.host) has 'a'", true);
    check("parse_json('{\"k\": [true]}').k[0] == true", true);
    check("array_length(more.list) == 2", true);
    check("set_has_element(more.list, 2)", true);
}

#[test]
fn functions_give_values() {
    check("tolower(name) == 'api.example.test' and strlen(name) == 16", true);
    check("iff(port == 443, 'tls', 'other') == 'tls'", true);
    check("case(port == 80, 'a', port == 443, 'b', 'c') == 'b'", true);
    check("coalesce(none, port) == 443", true);
    check("extract('([a-z]+)[.]Ex', 1, name) == 'api'", true);
    check("extract('([0-9]+)', 1, address, typeof(long)) == 10", true);
    check("replace_regex(name, '^(a)pi', @'\\1b') startswith 'ab.'", true);
    check("replace_string(name, 'api', 'x') == 'x.Example.test'", true);
    check("split(name, '.')[1] == 'Example'", true);
    check("substring(name, 0, 3) == 'api' and indexof(name, 'Ex') == 4", true);
    check("trim('t', 'text') == 'ex'", true);
    check("ipv4_is_private(address) and ipv4_is_in_range(address, '10.0.0.0/8')", true);
    check("ipv4_is_in_any_range(address, '192.168.0.0/16', '10.1.0.0/16')", true);
    check("bin(at, 1h) == datetime(2024-05-25 10:00) and startofday(at) == datetime(2024-05-25)", true);
    check("startofweek(at) == datetime(2024-05-19) and dayofweek(at) == 6d", true);
    check("datetime_diff('minute', now(), at) == 30 and hourofday(at) == 10", true);
    check("strcat(port, '-', size) == '443-1500' and tolong('7') == 7 and isnull(tolong('x'))", true);
}

#[test]
fn any_column_is_searched() {
    check("* has 'example'", true);
    check("* has 'nowhere'", false);
}

#[test]
fn what_needs_more_than_a_row_is_refused() {
    for text in ["port == toscalar(T | count)", "prev(port) == 1", "name in (T)", "hash(name) == 1"] {
        let message = Predicate::new(text, &table()).unwrap_err();
        assert!(!message.to_string().is_empty(), "{text}");
    }
}

#[test]
fn every_function_that_is_evaluated_is_one_of_the_language() {
    for name in function::names() {
        assert!(scalars().contains_key(name), "{name}");
    }
}
