//! `cargo xtask tidy`: the architecture as tests: what may be where, and which module may use which.
//!
//! Reads the repository's Rust files and nothing else. It looks at words and paths, not at types: a rule can be got
//! around on purpose, not by accident. Each rule lives in one file with a test that shows it firing.

mod edges;
mod imports;
mod limits;
mod places;
mod shape;
mod source;

use std::{fmt, path::Path};

use anyhow::{Result, bail};

use self::source::Source;
use crate::{cargo, step::Steps};

/// Check the architecture: what may be where, and which module may use which
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask tidy | grep unsafe\n\nFindings print as `path:line: rule: what to do`.")]
pub(crate) struct Arguments {}

pub(crate) fn main(Arguments {}: Arguments) -> Result<()> {
    run(&cargo::root(), &mut Steps::default())
}

/// Reads every file, prints every finding, and fails when one of them is an error.
pub(crate) fn run(root: &Path, steps: &mut Steps) -> Result<()> {
    steps.run("tidy", "do what each line above says", |step| {
        let sources = source::read_all(root)?;
        let findings = check(&sources);
        for finding in &findings {
            step.print(&finding.to_string());
        }
        let errors = findings.iter().filter(|finding| finding.weight == Weight::Error).count();
        step.say(&format!("{} files, {errors} errors, {} warnings", sources.len(), findings.len() - errors));
        if errors > 0 {
            bail!("{errors} of the rules in xtask/src/tidy are broken");
        }
        Ok(())
    })
}

fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = sources
        .iter()
        .flat_map(|source| [places::check(source), edges::check(source), imports::check(source), shape::check(source)])
        .flatten()
        .chain(limits::check(sources))
        .collect();
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    findings
}

/// One line that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    advice: String,
    weight: Weight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Error,
    Warning,
}

impl Finding {
    fn error(source: &Source, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self { path: source.path.clone(), line, rule, advice: advice.into(), weight: Weight::Error }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, advice, weight } = self;
        match weight {
            Weight::Error => write!(f, "{path}:{line}: {rule}: {advice}"),
            Weight::Warning => write!(f, "{path}:{line}: {rule} (warning): {advice}"),
        }
    }
}

/// The rules that fire on one small file, with their lines.
#[cfg(test)]
fn fired(check: impl Fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<(usize, &'static str)> {
    check(&Source::new(path, text)).iter().map(|finding| (finding.line, finding.rule)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_prints_as_path_line_rule_and_what_to_do() {
        let source = Source::new("a/b.rs", "");
        assert_eq!(Finding::error(&source, 3, "unsafe", "move it").to_string(), "a/b.rs:3: unsafe: move it");
    }

    #[test]
    fn a_file_that_keeps_every_rule_has_no_finding() {
        let text = "//! About.\n\nuse std::fs;\n\nuse anyhow::Result;\n\nuse crate::step;\n\nfn a() {}\n";
        assert_eq!(check(&[Source::new("xtask/src/a.rs", text)]), []);
    }
}
