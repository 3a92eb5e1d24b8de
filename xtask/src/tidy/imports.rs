//! Imports come in the order std, external, crate, with a blank line between.
//!
//! rustfmt sorts inside a group; only nightly's can order the groups, which is how to mend a file. The first misplaced
//! import of a file is reported. Re-exports and imports inside items are left alone.

use super::{Finding, source::Source};

const ADVICE: &str = "order imports std, external, crate with a blank line between: \
                      `cargo +nightly fmt -- --config group_imports=StdExternalCrate`";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Std,
    External,
    Crate,
}

pub(super) fn check(source: &Source) -> Vec<Finding> {
    first_misplaced(source)
        .map(|line| Finding::error(source, line, "imports", ADVICE))
        .into_iter()
        .collect()
}

fn first_misplaced(source: &Source) -> Option<usize> {
    let mut before: Option<Group> = None;
    let mut is_after_blank = true;
    let mut is_inside = false;
    for ((text, raw), line) in source.code.iter().zip(&source.lines).zip(1..) {
        if is_inside {
            is_inside = !text.contains(';');
        } else if text.starts_with("pub use ") {
            // rustfmt sorts re-exports among the imports: they neither begin nor end a group.
            is_inside = !text.contains(';');
            continue;
        } else if let Some(path) = text.strip_prefix("use ") {
            let group = group(path);
            if before.is_some_and(|before| is_misplaced(before, group, is_after_blank)) {
                return Some(line);
            }
            before = Some(group);
            is_inside = !text.contains(';');
        } else if !text.trim().is_empty() {
            // Another item: what follows is a new run.
            before = None;
        }
        // A comment is blank in the code but no blank line.
        is_after_blank = raw.trim().is_empty();
    }
    None
}

fn group(path: &str) -> Group {
    match path.split([':', ';', ' ']).next().unwrap_or_default() {
        "std" | "core" | "alloc" => Group::Std,
        "crate" | "self" | "super" => Group::Crate,
        _ => Group::External,
    }
}

fn is_misplaced(before: Group, group: Group, is_after_blank: bool) -> bool {
    group < before || (group > before && !is_after_blank)
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
    fn a_re_export_between_imports_is_left_alone() {
        let text = "use std::fs;\n\npub use b::C;\nuse b::D;\n\nuse crate::e;\n";
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
