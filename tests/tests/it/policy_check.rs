//! `proxysight policy check`: needs no privilege, attaches nothing, and names each bad line.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::daemon::output;

fn list(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/policy").join(name)
}

fn run(lists: &[&str]) -> Result<Output> {
    let lists: Vec<PathBuf> = lists.iter().map(|name| list(name)).collect();
    let mut arguments = vec!["policy", "check"];
    for path in &lists {
        arguments.push(path.to_str().context("UTF-8")?);
    }
    output(&arguments)
}

/// Everything that it said, on either stream.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn check_good(lists: &[&str]) -> Result<()> {
    let output = run(lists)?;
    ensure!(output.status.code() == Some(0), "a good list ended with {}: {}", output.status, said(&output));
    Ok(())
}

/// The lines of a bad list that end with this word are the bad ones.
const MARK: &str = "# bad";

fn check_bad(name: &str) -> Result<()> {
    let output = run(&[name])?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "a bad list ended with {}: {}", output.status, said(&output));
    let text = std::fs::read_to_string(list(name))?;
    ensure!(text.contains(MARK), "{name} has no bad line");
    for (index, line) in text.lines().enumerate() {
        let at = format!("{}:{}: ", list(name).display(), index + 1);
        let told = stderr.lines().find_map(|told| told.split_once(&at));
        let bad = line.ends_with(MARK);
        ensure!(told.is_some() == bad, "line {} ({line:?}) of {name}: told {told:?} in\n{stderr}", index + 1);
        ensure!(told.is_none_or(|(_, reason)| !reason.trim().is_empty()), "no reason for {line:?}");
    }
    Ok(())
}

#[test]
fn a_list_of_domains_is_good() -> Result<()> {
    check_good(&["domains.txt"])
}

#[test]
fn a_hosts_file_is_good() -> Result<()> {
    check_good(&["hosts"])
}

#[test]
fn several_good_lists_are_good() -> Result<()> {
    check_good(&["domains.txt", "hosts", "empty.txt"])
}

#[test]
fn each_bad_domain_is_named_with_its_line_and_a_reason() -> Result<()> {
    check_bad("bad-domains.txt")
}

#[test]
fn each_bad_line_of_a_hosts_file_is_named_with_a_reason() -> Result<()> {
    check_bad("bad-hosts")
}

#[test]
fn one_bad_list_among_good_ones_is_found() -> Result<()> {
    let output = run(&["domains.txt", "bad-domains.txt", "hosts"])?;
    ensure!(output.status.code() == Some(1), "ended with {}: {}", output.status, said(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let good = list("domains.txt").display().to_string() + ":";
    ensure!(!stderr.contains(&good), "a good list is named:\n{stderr}");
    Ok(())
}

#[test]
fn a_list_that_is_missing_is_no_success() -> Result<()> {
    let output = run(&["no-such-list.txt"])?;
    ensure!(!output.status.success(), "a missing list is checked as good: {}", said(&output));
    ensure!(said(&output).contains("no-such-list.txt"), "the missing list is not named: {}", said(&output));
    Ok(())
}
