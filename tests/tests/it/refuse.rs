//! Starts that must not succeed, and say why: the reason, and what to do.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::curl,
    daemon::{Daemon, binary, output},
    expect::blocked,
    feed::Feed,
    origin::PAGE,
    running::Running,
    temp::TempDir,
    tool,
};
use rustix::process::Signal;

use crate::world::World;

/// Checks the exit status and that stderr says all of `parts`.
fn check(output: &Output, status: i32, parts: &[&str]) -> Result<()> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(status), "ended with {}, not {status}; it said:\n{stderr}", output.status);
    for part in parts {
        ensure!(stderr.contains(part), "it does not say {part:?}:\n{stderr}");
    }
    ensure!(!stderr.contains("proxysight: attached"), "it attached before it refused:\n{stderr}");
    ensure!(output.stdout.is_empty(), "a refusal is talk, not data: {}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

#[test]
fn a_second_daemon_refuses_and_the_first_goes_on() -> Result<()> {
    let world = World::new()?;
    let (first, _) = world.blocks_evil()?;
    let second = output(&["run", "--mode", "audit"])?;
    check(&second, 3, &[&format!("another proxysight is running (pid {})", first.pid())])?;
    let ran = curl(&world.netns, &["https://evil.example:8443/"])?;
    ran.was_cut_off()?;
    first.row(&blocked("evil.example").pid(ran.pid))?;
    first.stop()?;
    Ok(())
}

#[test]
fn a_bad_policy_line_refuses_and_changes_nothing() -> Result<()> {
    let world = World::new()?;
    let policy = world.policy("bad.txt", "evil.example\nbad..example\n")?;
    let policy = policy.to_str().context("UTF-8")?;
    let refused = output(&["run", "--mode", "block", "--policy", policy])?;
    check(&refused, 2, &[&format!("{policy}:2: ")])?;
    ensure!(
        !String::from_utf8_lossy(&refused.stderr).contains(&format!("{policy}:1: ")),
        "line 1 is good: {refused:?}"
    );
    curl(&world.netns, &["https://evil.example:8443/"])?.got(PAGE)
}

#[test]
fn with_lenient_the_rest_of_a_bad_policy_is_in_force() -> Result<()> {
    let world = World::new()?;
    let policy = world.policy("bad.txt", "evil.example\nbad..example\nother.example\n")?;
    let policy = policy.to_str().context("UTF-8")?;
    let daemon = Daemon::start(&["--mode", "block", "--lenient", "--policy", policy])?;
    for host in ["evil.example", "other.example"] {
        let ran = curl(&world.netns, &[&format!("https://{host}:8443/")])?;
        ran.was_cut_off()?;
        daemon.row(&blocked(host).pid(ran.pid))?;
    }
    let account = daemon.stop()?;
    let talk = account.talk.join("\n");
    ensure!(talk.contains(&format!("{policy}:2: ")), "it does not name the line that it left out:\n{talk}");
    let counted = talk.lines().any(|line| line.contains("left out") && line.split(' ').any(|word| word == "1"));
    ensure!(counted, "it does not count what it left out:\n{talk}");
    Ok(())
}

#[test]
fn a_policy_file_that_is_missing_refuses() -> Result<()> {
    let dir = TempDir::new()?;
    let missing = dir.path().join("missing.txt");
    let missing = missing.to_str().context("UTF-8")?;
    check(&output(&["run", "--mode", "audit", "--policy", missing])?, 2, &[missing])
}

#[test]
fn a_user_without_privilege_is_told_what_is_missing() -> Result<()> {
    // A copy, since the build's folder may be closed to other users.
    let dir = TempDir::new()?;
    let copy = dir.path().join("proxysight");
    fs::copy(binary()?, &copy)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
    let mut command = Command::new(tool::path_of("setpriv")?);
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(copy);
    let refused = command.args(["run", "--mode", "audit"]).stdin(Stdio::null()).output()?;
    check(&refused, 3, &["proxysight: ", "root"])
}

#[test]
fn an_unknown_mode_is_a_usage_error() -> Result<()> {
    check(&output(&["run", "--mode", "sometimes"])?, 2, &["sometimes"])
}

/// Runs without a mode (or with `--mode off`) and sees a policy not enforced.
fn check_off(mode: &[&str]) -> Result<()> {
    let world = World::new()?;
    let policy = world.policy("evil.txt", "evil.example\n")?;
    let mut command = Command::new(binary()?);
    command.args(["run", "--stream", "--format", "json", "--policy"]).arg(policy).args(mode);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::spawn("proxysight", &mut command)?;
    let rows = Feed::read(running.child().stdout.take().context("no stdout")?, |line| Ok(line.to_owned()));
    let talk = Feed::read(running.child().stderr.take().context("no stderr")?, |line| Ok(line.to_owned()));
    let beginning = "proxysight: mode off: nothing is attached";
    let said = talk.wait_for(|lines| lines.iter().any(|line| line.starts_with(beginning)).then_some(()))?;
    ensure!(said.is_some(), "it did not say that it is off");
    curl(&world.netns, &["https://evil.example:8443/"])?.got(PAGE)?;
    running.signal(Signal::TERM)?;
    let status = running.wait_for_end()?;
    ensure!(status.success(), "it ended with {status}");
    let rows = rows.finish()?;
    ensure!(rows.is_empty(), "off, and yet there are rows: {rows:?}");
    let talk = talk.finish()?;
    ensure!(!talk.iter().any(|line| line.starts_with("proxysight: attached")), "off, and yet attached: {talk:?}");
    Ok(())
}

#[test]
fn without_a_mode_nothing_is_attached_and_it_says_so() -> Result<()> {
    check_off(&[])
}

#[test]
fn mode_off_attaches_nothing_and_says_so() -> Result<()> {
    check_off(&["--mode", "off"])
}

#[test]
fn of_a_flag_given_twice_the_last_counts() -> Result<()> {
    check_off(&["--mode", "block", "--mode", "off"])
}
