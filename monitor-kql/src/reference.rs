//! The reference of the language, written from the tables that the parser and the binder use.

use std::fmt::Write as _;

use crate::{
    evaluate,
    function::{Functions, PLUGINS, REFUSED, aggregates, scalars},
    parser::{OPERATORS, Support},
    syntax::StringOperator,
};

/// `docs/kql.md`: every operator, function, aggregate and plugin that Kusto documents, and how far each is supported.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# KQL\n\nWritten from the tables of `monitor-kql`, which a test compares with this file. *yes*: as Kusto documents it; \
         *partly*: but for what is said; *refused*: a query that uses it is refused with what to use instead. Result columns have \
         the names and types that Kusto gives them.\n\n## Tabular operators\n\n| operator | supported | |\n|---|---|---|\n",
    );
    for entry in OPERATORS {
        let note = match entry.support {
            Support::Yes if entry.name != entry.canonical => format!("another name of `{}`", entry.canonical),
            support => note(support).to_owned(),
        };
        row(&mut text, entry.name, word(entry.support), &note);
    }
    text.push_str("\n## String operators\n\n");
    let words: Vec<String> = StringOperator::WORDS
        .iter()
        .filter(|(operator, _)| *operator != StringOperator::Search)
        .flat_map(|(_, words)| words.iter().map(|word| format!("`{word}`")))
        .collect();
    text.push_str(&words.join(", "));
    text.push_str(
        "\n\n## Scalar functions\n\nA dot in the second column: also evaluated over single rows, in predicates.\n\n\
         | signature | |\n|---|---|\n",
    );
    functions(&mut text, scalars(), |name| if evaluate::is_evaluated(name) { "•" } else { "" });
    text.push_str("\n## Aggregate functions\n\n| signature | |\n|---|---|\n");
    functions(&mut text, aggregates(), |_| "");
    text.push_str("\n## Refused functions\n\n| function | instead |\n|---|---|\n");
    for (name, instead) in REFUSED.iter().filter(|(_, instead)| !instead.is_empty()) {
        let _ = writeln!(text, "| `{name}` | {instead} |");
    }
    text.push_str("\n## Plugins of `evaluate`\n\n| plugin | supported | |\n|---|---|---|\n");
    for plugin in PLUGINS {
        row(&mut text, plugin.name, word(plugin.support), note(plugin.support));
    }
    text
}

const fn word(support: Support) -> &'static str {
    match support {
        Support::Yes => "yes",
        Support::Partly(_) => "partly",
        Support::Refused(_) => "refused",
    }
}

const fn note(support: Support) -> &'static str {
    match support {
        Support::Yes => "",
        Support::Partly(but) | Support::Refused(but) => but,
    }
}

fn row(text: &mut String, name: &str, support: &str, note: &str) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "| `{name}` | {support} | {note} |");
}

fn functions(text: &mut String, functions: &Functions, mark: impl Fn(&str) -> &'static str) {
    let mut names: Vec<_> = functions.iter().collect();
    names.sort_unstable_by_key(|(name, _)| **name);
    for (name, signatures) in names {
        for signature in signatures {
            let line = signature.line.replace('|', ", ");
            let today = signature.today.map(|today| format!("former name of {today}")).unwrap_or_default();
            let _ = writeln!(text, "| `{line}` | {}{today} |", mark(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn the_reference_in_docs_is_that_of_the_tables() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/kql.md");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, super::reference()).unwrap();
        }
        assert!(super::reference() == fs::read_to_string(path).unwrap(), "run with UPDATE=1 and read what changed");
    }
}
