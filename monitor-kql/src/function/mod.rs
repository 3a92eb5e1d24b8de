//! The functions of the language: what they take and what they give.
//!
//! The tables are text, one signature a line (`scalar.txt`, `aggregate.txt`), so that they can be read and compared with
//! Kusto's documentation. What Kusto documents and a host cannot do is in [`REFUSED`], with what to use instead.

mod plugin;
mod refused;
mod signature;
mod tuple;

use std::{collections::HashMap, sync::LazyLock};

pub(crate) use self::{
    plugin::PLUGINS,
    refused::{REFUSED, refusal},
    signature::{Class, Naming, Parameter, Place, Returns, Signature},
    tuple::tuple,
};

/// The signatures of each function, by name.
pub(crate) type Functions = HashMap<&'static str, Vec<Signature>>;

static SCALARS: LazyLock<Functions> = LazyLock::new(|| read(include_str!("scalar.txt")));
static AGGREGATES: LazyLock<Functions> = LazyLock::new(|| read(include_str!("aggregate.txt")));

/// The functions that give a value for each row.
pub(crate) fn scalars() -> &'static Functions {
    &SCALARS
}

/// The functions that give a value for a group of rows.
pub(crate) fn aggregates() -> &'static Functions {
    &AGGREGATES
}

/// Functions whose value depends on the rows around it: they need rows in an order.
const WINDOW: [&str; 8] =
    ["next", "prev", "row_cumsum", "row_number", "row_rank", "row_rank_dense", "row_rank_min", "row_window_session"];

/// Whether a function's value depends on the rows around it.
#[must_use]
pub fn is_window(name: &str) -> bool {
    WINDOW.contains(&name)
}

fn read(table: &'static str) -> Functions {
    let mut functions = Functions::new();
    for line in table.lines() {
        if let Some(signature) = Signature::parse(line) {
            functions.entry(signature.name).or_default().push(signature);
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_a_signature() {
        for table in [include_str!("scalar.txt"), include_str!("aggregate.txt")] {
            for line in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
                assert!(Signature::parse(line).is_some(), "{line}");
            }
        }
    }

    #[test]
    fn a_name_of_today_is_a_function() {
        for functions in [scalars(), aggregates()] {
            for signature in functions.values().flatten() {
                for today in signature.today.iter().flat_map(|names| names.split(", ")) {
                    assert!(functions.contains_key(today), "{today}");
                }
            }
        }
    }

    #[test]
    fn arguments_are_laid_out_over_parameters() {
        let names = |name: &str, count: usize| {
            let signature = &scalars().get(name).unwrap()[0];
            signature.layout(count).map(|layout| layout.iter().map(|parameter| parameter.name).collect::<Vec<_>>())
        };
        assert_eq!(names("substring", 2), Some(vec!["string", "start"]));
        assert_eq!(names("substring", 4), None);
        assert_eq!(names("case", 5), Some(vec!["predicate", "then", "predicate", "then", "else"]));
        assert_eq!(names("case", 4), None);
        assert_eq!(names("strcat", 3), Some(vec!["arg", "arg", "arg"]));
        assert_eq!(names("now", 0), Some(vec![]));
    }
}
