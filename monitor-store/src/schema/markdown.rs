//! The tables of docs/records.md.

use std::fmt::Write as _;

use super::{ACTION_TYPES, ADDITIONAL_FIELDS, Column, Table};

/// The parts of docs/records.md that [`section`] writes.
pub const SECTIONS: &[&str] = &["columns", "action types", "additional fields"];

/// One of the [`SECTIONS`], in Markdown; none for another name.
#[must_use]
pub fn section(name: &str) -> Option<String> {
    match name {
        "columns" => Some(columns()),
        "action types" => Some(action_types()),
        "additional fields" => Some(additional_fields()),
        _ => None,
    }
}

// Writing to a string cannot fail, so its results are dropped.

fn columns() -> String {
    let mut text = String::from("| column | type | in | meaning | since |\n|---|---|---|---|---|\n");
    let [network, events] = Table::ALL;
    for column in network.columns() {
        let tables = match events.column(column.name) {
            Some(other) if other.meaning == column.meaning => "both",
            _ => network.name(),
        };
        row(&mut text, column, tables);
    }
    let is_new = |column: &&Column| network.column(column.name).is_none_or(|other| other.meaning != column.meaning);
    for column in events.columns().filter(is_new) {
        row(&mut text, column, events.name());
    }
    text
}

fn row(text: &mut String, column: &Column, tables: &str) {
    let Column { name, r#type, meaning, since } = column;
    let _ = writeln!(text, "| {name} | {} | {tables} | {meaning} | {since} |", r#type.name());
}

fn action_types() -> String {
    let mut text = String::from("| ActionType | table | when | from | since |\n|---|---|---|---|---|\n");
    for action in ACTION_TYPES {
        let (table, origin) = (action.table.name(), action.origin.name());
        let _ = writeln!(text, "| {} | {table} | {} | {origin} | {} |", action.name, action.when, action.since);
    }
    text
}

fn additional_fields() -> String {
    let mut text = String::from("| keys | meaning | names from | since |\n|---|---|---|---|\n");
    for field in ADDITIONAL_FIELDS {
        let (keys, origin) = (field.keys.join(", "), field.origin.name());
        let _ = writeln!(text, "| {keys} | {} | {origin} | {} |", field.meaning, field.since);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_is_told_of_once_where_it_means_one_thing() {
        let text = columns();
        let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(lines("| Timestamp | datetime | both |"), 1);
        assert_eq!(lines("| Timestamp "), 1);
        assert_eq!(lines("| RemoteUrl "), 2);
        assert!(SECTIONS.iter().all(|name| section(name).is_some()) && section("else").is_none());
    }
}
