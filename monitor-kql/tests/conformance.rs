//! The queries of tests/data/kql: what each gives, and what each that is refused is told.
//!
//! A case is a query behind a line `===`, and a line `--- name:type, …` for each table that it shows. `cargo xtask oracle` asks
//! Microsoft's own binder about the same files. With UPDATE=1 in the environment the messages are written anew.

use std::{fs, path::PathBuf};

use monitor_kql::{Discovered, Schema, Style, compile, schema::Table};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/kql")
}

fn read(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema() -> Schema {
    let text = read("tables.txt");
    let lines = text.lines().filter_map(|line| line.strip_suffix(')')?.split_once('('));
    Schema::new(lines.map(|(name, columns)| Table::new(name, columns)).collect()).with_microsoft_tables()
}

fn check(file: &str, least: usize) {
    let (schema, text) = (schema(), read(file));
    let mut cases = 0;
    for case in text.split("===\n").skip(1) {
        let query: Vec<&str> = case.lines().take_while(|line| !line.starts_with("--- ")).collect();
        let query = query.join("\n");
        let expected: Vec<&str> = case.lines().filter_map(|line| line.strip_prefix("--- ")).collect();
        let bound = compile(&query, &schema, &Discovered::new())
            .unwrap_or_else(|message| panic!("{file}\n{}", message.render(&query, Style::Plain)));
        let found: Vec<String> = bound
            .results
            .iter()
            .map(|result| {
                let columns = result.plan.columns.iter().map(|column| format!("{}:{}", column.name, column.ty));
                columns.collect::<Vec<_>>().join(", ")
            })
            .collect();
        assert_eq!(found, expected, "{file}\n{query}");
        cases += 1;
    }
    assert!(cases >= least, "{file} has {cases} cases");
}

#[test]
fn operators_give_the_columns_that_kusto_gives() {
    check("operators.kql", 70);
    check("join.kql", 15);
    check("statements.kql", 20);
}

#[test]
fn expressions_have_the_types_and_names_that_kusto_gives() {
    check("expressions.kql", 70);
    check("summarize.kql", 30);
    check("functions.kql", 350);
}

#[test]
fn queries_of_analysts_are_understood() {
    check("hunting.kql", 35);
}

#[test]
fn what_is_refused_is_told_why_and_where() {
    let schema = schema();
    let mut told = String::new();
    let text = read("refused.kql");
    for query in text.split("\n===\n").map(str::trim_end) {
        let message = compile(query, &schema, &Discovered::new()).map(drop).expect_err(query);
        assert!(message.span.end <= query.len(), "{query}");
        told.push_str(&message.render(query, Style::Plain));
        told.push('\n');
    }
    let expected = folder().join("refused.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&expected, &told).unwrap();
    }
    assert_eq!(told, read("refused.txt"), "run with UPDATE=1 when the messages are right");
}
