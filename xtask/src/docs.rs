//! `cargo xtask docs`: the tables of docs/records.md are written from the schema, between two comments each.
//!
//! The schema's own example program prints a table; nothing outside the comments is touched.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{
    cargo,
    step::{Step, Steps},
};

/// Write the tables of docs/records.md from the schema
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask docs --check   fails when a table is not what the schema says")]
pub(crate) struct Arguments {
    /// Change nothing; fail when something would change
    #[arg(long)]
    check: bool,
}

/// What is done about a table that is out of date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Do {
    Write,
    Check,
}

const PAGE: &str = "docs/records.md";
const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

pub(crate) fn main(Arguments { check }: Arguments) -> Result<()> {
    run(&cargo::root(), if check { Do::Check } else { Do::Write }, &mut Steps::default())
}

/// Writes the tables, or fails when one is not as it should be.
pub(crate) fn run(root: &Path, what: Do, steps: &mut Steps) -> Result<()> {
    steps.run("docs", "`cargo xtask docs`, and commit what it changed", |step| {
        let path = root.join(PAGE);
        let old = fs::read_to_string(&path).with_context(|| format!("read {PAGE}"))?;
        let new = with_tables(&old, |name| table(root, name, step))?;
        if old == new {
            return Ok(());
        }
        match what {
            Do::Write => fs::write(&path, new).with_context(|| format!("write {PAGE}")),
            Do::Check => bail!("the tables of {PAGE} are not what the schema says"),
        }
    })
}

fn table(root: &Path, name: &str, step: &Step) -> Result<String> {
    let mut run = cargo::host(root, "run");
    step.capture(run.args(["--release", "--quiet", "-p", "monitor-store", "--example", "records", "--", name]))
}

/// The page with each generated part made anew.
fn with_tables(page: &str, mut table: impl FnMut(&str) -> Result<String>) -> Result<String> {
    let mut new = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after.split_once(" -->\n").context("a generated part has no name")?;
        let (_, after) = after.split_once(END).with_context(|| format!("the part `{name}` has no end"))?;
        new.push_str(&format!("{before}{BEGIN}{name} -->\n{}{END}", table(name)?));
        rest = after;
    }
    new.push_str(rest);
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_comments_changes() {
        let page = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n<!-- generated: y -->\n<!-- end -->\n";
        let new = with_tables(page, |name| Ok(format!("new {name}\n"))).unwrap();
        assert_eq!(
            new,
            "a\n<!-- generated: x -->\nnew x\n<!-- end -->\nb\n<!-- generated: y -->\nnew y\n<!-- end -->\n"
        );
        assert_eq!(with_tables(&new, |name| Ok(format!("new {name}\n"))).unwrap(), new);
        assert!(with_tables("<!-- generated: x -->\n", |_| Ok(String::new())).is_err());
    }
}
