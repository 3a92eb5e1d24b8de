//! The shape of a file: it says what it is about, and it is short enough to be read.

use super::{Finding, Weight, source::Source};

const LINES_MAX: usize = 800;
const LINES_WARN: usize = 400;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let first = source.lines.iter().zip(1..).find(|(text, _)| !text.is_empty() && !text.starts_with("#!["));
    if !first.is_some_and(|(text, _)| text.starts_with("//!")) {
        let line = first.map_or(1, |(_, line)| line);
        findings.push(Finding::error(source, line, "doc", "begin the file with `//!`: what it does and never does"));
    }
    let count = source.lines.len();
    if count > LINES_WARN {
        let advice = format!("{count} lines: split it by idea ({LINES_WARN} is long, {LINES_MAX} the end)");
        let weight = if count > LINES_MAX { Weight::Error } else { Weight::Warning };
        findings.push(Finding { weight, ..Finding::error(source, count, "size", advice) });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(text: &str) -> Vec<(&'static str, Weight)> {
        check(&Source::new("a.rs", text)).iter().map(|finding| (finding.rule, finding.weight)).collect()
    }

    #[test]
    fn a_file_without_doc_fires() {
        assert_eq!(weights("fn a() {}\n"), [("doc", Weight::Error)]);
        assert_eq!(weights(""), [("doc", Weight::Error)]);
        assert_eq!(weights("#![no_std]\n//! About.\n"), []);
    }

    #[test]
    fn a_long_file_warns_and_a_longer_one_fires() {
        let file = |lines: usize| format!("//! About.\n{}", "\n".repeat(lines - 1));
        assert_eq!(weights(&file(400)), []);
        assert_eq!(weights(&file(401)), [("size", Weight::Warning)]);
        assert_eq!(weights(&file(801)), [("size", Weight::Error)]);
    }
}
