//! Imports come in the order std, external, crate, with a blank line between.
//!
//! rustfmt sorts inside a group; only nightly's can order the groups. Re-exports and imports inside items are left alone.

use super::{Finding, source::Source};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Std,
    External,
    Crate,
}

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before: Option<Group> = None;
    let mut is_after_blank = true;
    let mut is_inside = false;
    for (text, line) in source.code.iter().zip(1..) {
        // A comment is blank in the code but no blank line.
        let is_blank = source.lines.get(line - 1).is_some_and(|raw| raw.trim().is_empty());
        if is_inside {
            is_inside = !text.contains(';');
        } else if let Some(path) = text.strip_prefix("use ") {
            let group = group(path);
            if let Some(message) = before.and_then(|before| misplaced(before, group, is_after_blank)) {
                findings.push(Finding::error(source, line, "imports", message));
            }
            before = Some(group);
            is_inside = !text.contains(';');
        } else if !is_blank && !text.trim().is_empty() && !text.starts_with("pub use ") {
            // Another item: what follows is a new run.
            before = None;
        }
        is_after_blank = is_blank;
    }
    findings
}

fn group(path: &str) -> Group {
    match path.split([':', ';', ' ']).next().unwrap_or_default() {
        "std" | "core" | "alloc" => Group::Std,
        "crate" | "self" | "super" => Group::Crate,
        _ => Group::External,
    }
}

fn misplaced(before: Group, group: Group, is_after_blank: bool) -> Option<&'static str> {
    if group < before {
        return Some("order imports std, external, crate");
    }
    (group > before && !is_after_blank).then_some("put a blank line between std, external and crate")
}

#[cfg(test)]
mod tests {
    use super::{super::fired, *};

    #[test]
    fn imports_in_order_with_blank_lines_pass() {
        let text = "use std::{\n    fs,\n    io,\n};\n\nuse anyhow::Result;\nuse clap::Args;\n\nuse super::a;\nuse crate::b;\n";
        assert_eq!(fired(check, "a.rs", text), []);
    }

    #[test]
    fn a_wrong_order_fires() {
        assert_eq!(
            fired(check, "a.rs", "use crate::a;\n\nuse std::fs;\n"),
            [(3, "imports")]
        );
    }

    #[test]
    fn a_missing_blank_line_fires() {
        assert_eq!(
            fired(check, "a.rs", "use std::fs;\nuse anyhow::Result;\n"),
            [(2, "imports")]
        );
    }
}
