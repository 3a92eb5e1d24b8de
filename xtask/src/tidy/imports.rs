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
    first_misplaced(source).map(|line| Finding::error(source, line, "imports", ADVICE)).into_iter().collect()
}

/// What the lines are part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Import,
    /// rustfmt sorts re-exports among the imports: they neither begin nor end a group.
    ReExport,
    Other,
}

fn first_misplaced(source: &Source) -> Option<usize> {
    let mut before: Option<Group> = None;
    let mut is_after_blank = true;
    let mut item = Item::Other;
    let mut is_item_open = false;
    for ((text, raw), line) in source.code.iter().zip(&source.lines).zip(1..) {
        if !is_item_open {
            item = item_at(text);
            match item {
                Item::Import => {
                    let group = group(text);
                    if before.is_some_and(|before| is_misplaced(before, group, is_after_blank)) {
                        return Some(line);
                    }
                    before = Some(group);
                }
                // What follows another item is a new run.
                Item::Other if !text.trim().is_empty() => before = None,
                Item::ReExport | Item::Other => {}
            }
        }
        is_item_open = item != Item::Other && !text.contains(';');
        if item != Item::ReExport {
            // A comment is blank in the code but no blank line.
            is_after_blank = raw.trim().is_empty();
        }
    }
    None
}

fn item_at(text: &str) -> Item {
    match text {
        _ if text.starts_with("use ") => Item::Import,
        _ if text.starts_with("pub use ") => Item::ReExport,
        _ => Item::Other,
    }
}

fn group(import: &str) -> Group {
    match import.trim_start_matches("use ").split([':', ';', ' ']).next().unwrap_or_default() {
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
        let text = "use std::fs;\n\npub use b::{\n    C,\n};\nuse b::D;\n\nuse crate::e;\n";
        assert_eq!(fired(check, "a.rs", text), []);
    }

    #[test]
    fn a_wrong_order_fires() {
        assert_eq!(fired(check, "a.rs", "use crate::a;\n\nuse std::fs;\n"), [(3, "imports")]);
    }

    #[test]
    fn a_missing_blank_line_fires() {
        assert_eq!(fired(check, "a.rs", "use std::fs;\nuse anyhow::Result;\n"), [(2, "imports")]);
    }
}
