//! `cargo xtask oracle`: the cases of tests/data/kql, asked of Microsoft's own parser and binder.
//!
//! The library is `@kusto/language-service-next`, in JavaScript, fetched by npm into target/oracle in one version. It has
//! to accept each case with the very columns that the case expects, and to refuse each query of refused.kql. Where it does not,
//! `tests/data/kql/differences.txt` has the query with the reason; a line there that is no difference is an error too.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{cargo, step::Steps};

/// Compare the KQL cases with Microsoft's own parser and binder (needs node and npm)
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask oracle\n\nThe cases are tests/data/kql/*.kql.")]
pub(crate) struct Arguments {}

const PACKAGE: &str = "@kusto/language-service-next";
const VERSION: &str = "12.4.1";
const FOLDER: &str = "target/oracle";
const CASES: &str = "tests/data/kql";
const MICROSOFT: &str = "monitor-kql/src/schema/microsoft.txt";
const FILES: [&str; 7] = ["operators", "join", "statements", "expressions", "summarize", "functions", "hunting"];

pub(crate) fn main(Arguments {}: Arguments) -> Result<()> {
    let root = cargo::root();
    let mut steps = Steps::default();
    let done = run(&root, &mut steps);
    steps.summarise();
    done
}

fn run(root: &Path, steps: &mut Steps) -> Result<()> {
    let folder = root.join(FOLDER);
    steps.run("npm", "install npm (Debian: `apt install npm`), then run this again", |step| {
        if folder.join("node_modules").join(PACKAGE).is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&folder)?;
        let mut npm = Command::new("npm");
        npm.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
        step.capture(npm.arg(format!("{PACKAGE}@{VERSION}"))).map(drop)
    })?;
    steps.run("oracle", "mend the binder, or give the reason in tests/data/kql/differences.txt", |step| {
        let cases = cases(root)?;
        let answers = ask(&folder, root, cases.iter().map(|case| case.query.as_str()).collect())?;
        ensure!(answers.len() == cases.len(), "{} answers to {} queries", answers.len(), cases.len());
        let reasons = reasons(root)?;
        let mut unexplained = 0;
        let mut explained = Vec::new();
        for (case, answer) in cases.iter().zip(&answers) {
            let Some(difference) = difference(case, answer) else { continue };
            if reasons.contains_key(&case.query) {
                explained.push(&case.query);
                continue;
            }
            unexplained += 1;
            step.print(&format!("{}\n  {difference}", case.query));
        }
        let idle: Vec<&String> = reasons.keys().filter(|query| !explained.contains(query)).collect();
        step.say(&format!(
            "{} cases: {} as Microsoft's binder has them, {} different for a reason, {unexplained} without one",
            cases.len(),
            cases.len() - explained.len() - unexplained,
            explained.len()
        ));
        ensure!(idle.is_empty(), "no difference, but a reason for one: {idle:?}");
        ensure!(unexplained == 0, "{unexplained} cases differ");
        Ok(())
    })
}

struct Case {
    query: String,
    /// The columns of each table that it shows; `None` when it is refused.
    columns: Option<Vec<String>>,
}

fn cases(root: &Path) -> Result<Vec<Case>> {
    let read = |name: &str| {
        let path = root.join(CASES).join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    let mut cases = Vec::new();
    for file in FILES {
        for case in read(&format!("{file}.kql"))?.split("===\n").skip(1) {
            let query: Vec<&str> = case.lines().take_while(|line| !line.starts_with("--- ")).collect();
            let columns = case.lines().filter_map(|line| line.strip_prefix("--- ")).map(str::to_owned).collect();
            cases.push(Case { query: query.join("\n"), columns: Some(columns) });
        }
    }
    let refused = read("refused.kql")?;
    cases.extend(refused.split("\n===\n").map(|query| Case { query: query.trim_end().to_owned(), columns: None }));
    Ok(cases)
}

/// What Microsoft's binder says otherwise.
fn difference(case: &Case, answer: &Value) -> Option<String> {
    let refused = answer["refused"].as_array().and_then(|refused| refused.first()).and_then(Value::as_str);
    match (&case.columns, refused) {
        (Some(_), Some(reason)) => Some(format!("Microsoft refuses it: {reason}")),
        (None, None) => Some("Microsoft accepts it".to_owned()),
        (None, Some(_)) => None,
        (Some(expected), None) => {
            let found: Vec<&str> = answer["columns"].as_array()?.iter().filter_map(Value::as_str).collect();
            // Of several statements Microsoft's binder tells the last one's result.
            let last = expected.len().saturating_sub(found.len().max(1));
            let expected: Vec<&str> = expected.iter().skip(last).map(String::as_str).collect();
            (!found.is_empty() && found != expected).then(|| format!("Microsoft: {}", found.join(" and ")))
        }
    }
}

/// A reason and the query that it is for: `# reason`, then the query up to an empty line.
fn reasons(root: &Path) -> Result<BTreeMap<String, String>> {
    let path = root.join(CASES).join("differences.txt");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut reasons = BTreeMap::new();
    let mut reason = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ") {
            Some(text) => reason = text.to_owned(),
            None => {
                reasons.insert(line.to_owned(), reason.clone());
            }
        }
    }
    Ok(reasons)
}

fn ask(folder: &Path, root: &Path, queries: Vec<&str>) -> Result<Vec<Value>> {
    let input = json!({
        "package": folder.join("node_modules").join(PACKAGE),
        "tables": tables(root)?,
        "queries": queries,
    });
    let mut node = Command::new("node")
        .args(["-e", include_str!("binder.js")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start node: install it (Debian: `apt install nodejs`)")?;
    let text = input.to_string();
    let mut stdin = node.stdin.take().context("node has no stdin")?;
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = node.wait_with_output()?;
    if !output.status.success() || !matches!(writer.join(), Ok(Ok(()))) {
        bail!("node failed: {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("read what node says")
}

/// The tables of the cases and Microsoft's, each name with `(column:type, …)`.
fn tables(root: &Path) -> Result<BTreeMap<String, String>> {
    const FORMER: [(&str, &str); 2] =
        [("NetworkCommunicationEvents", "DeviceNetworkEvents"), ("MiscEvents", "DeviceEvents")];
    const FORMER_COLUMNS: [(&str, &str, &str); 3] = [
        ("TimeGenerated", "Timestamp", "datetime"),
        ("EventTime", "Timestamp", "datetime"),
        ("ComputerName", "DeviceName", "string"),
    ];
    let mut tables = BTreeMap::new();
    for file in [MICROSOFT.to_owned(), format!("{CASES}/tables.txt")] {
        let text = fs::read_to_string(root.join(&file)).with_context(|| format!("read {file}"))?;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, columns)) = line.trim_end_matches(')').split_once('(') else { continue };
            let mut columns: Vec<String> = columns
                .split(", ")
                .filter_map(|column| column.split_once(':'))
                .map(|(name, ty)| format!("['{name}']:{ty}"))
                .collect();
            let has = |columns: &[String], name: &str| {
                columns.iter().any(|column| column.starts_with(&format!("['{name}']")))
            };
            for (former, today, ty) in FORMER_COLUMNS {
                if has(&columns, today) && !has(&columns, former) {
                    columns.push(format!("['{former}']:{ty}"));
                }
            }
            tables.insert(name.to_owned(), format!("({})", columns.join(", ")));
        }
    }
    for (former, today) in FORMER {
        if let Some(columns) = tables.get(today).cloned() {
            tables.insert(former.to_owned(), columns);
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_seen_and_agreement_is_not_one() {
        let case = |columns: Option<&[&str]>| Case {
            query: String::new(),
            columns: columns.map(|columns| columns.iter().map(|&columns| columns.to_owned()).collect()),
        };
        let answer = |refused: &[&str], columns: &str| json!({"refused": refused, "columns": [columns]});
        assert_eq!(difference(&case(Some(&["a:int"])), &answer(&[], "a:int")), None);
        assert_eq!(difference(&case(Some(&["b:int", "a:int"])), &answer(&[], "a:int")), None);
        assert!(difference(&case(Some(&["a:int"])), &answer(&[], "a:long")).is_some());
        assert!(difference(&case(Some(&["a:int"])), &answer(&["no"], "a:int")).is_some());
        assert_eq!(difference(&case(None), &answer(&["no"], "")), None);
        assert!(difference(&case(None), &answer(&[], "a:int")).is_some());
    }
}
