//! The configuration file: it has the say where the command line has none, and a bad one starts nothing.

use std::path::Path;
use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use monitor_tests::client::{Ran, curl};
use monitor_tests::daemon::{Daemon, output};
use monitor_tests::expect::{Expected, blocked, network};
use monitor_tests::origin::PAGE;
use monitor_tests::proxy::{Kind, Proxy};
use monitor_tests::temp::TempDir;

use crate::world::World;

/// Runs `proxysight` with arguments and a file, and gives its status, stdout and stderr.
fn said(arguments: &[&str], file: &Path) -> Result<(Option<i32>, String, String)> {
    let file = file.to_str().context("a temporary path in UTF-8")?;
    let Output { status, stdout, stderr } = output(&[arguments, &[file]].concat())?;
    Ok((status.code(), String::from_utf8(stdout)?, String::from_utf8(stderr)?))
}

/// A daemon that has all settings from a file next to the policy `evil.txt`.
fn configured(world: &World, config: &str, more: &[&str]) -> Result<Daemon> {
    world.policy("evil.txt", "evil.example\n")?;
    let file = world.policy("config.toml", config)?;
    let file = file.to_str().context("a temporary path in UTF-8")?;
    Daemon::start(&[&["--config", file], more].concat())
}

#[test]
fn a_file_sets_mode_and_policy_by_a_path_beside_it() -> Result<()> {
    let world = World::new()?;
    let daemon = configured(&world, "mode = \"block\"\npolicy = [\"evil.txt\"]\n", &[])?;
    let evil = curl(&world.netns, &["https://evil.example:8443/"])?;
    evil.was_cut_off()?;
    daemon.row(&blocked("evil.example").pid(evil.pid))?;
    daemon.stop()?;
    Ok(())
}

#[test]
fn the_command_line_wins_over_the_file() -> Result<()> {
    let world = World::new()?;
    let daemon = configured(&world, "mode = \"block\"\npolicy = [\"evil.txt\"]\n", &["--mode", "audit"])?;
    curl(&world.netns, &["https://evil.example:8443/"])?.got(PAGE)?;
    daemon.stop()?;
    Ok(())
}

#[test]
fn families_that_are_switched_off_have_no_rows() -> Result<()> {
    let world = World::new()?;
    let daemon = configured(&world, "mode = \"audit\"\n[records]\nends = false\ninbound = false\n", &[])?;
    let ran = curl(&world.netns, &["https://good.example:8443/"])?;
    ran.got(PAGE)?;
    daemon.row(&network("SslConnectionInspected").pid(ran.pid))?;
    let account = daemon.stop()?;
    account.has(0, &network("ConnectionClosed"))?;
    account.has(0, &network("InboundConnectionAccepted"))
}

/// Asks the proxy for one name and the origin behind it for another.
fn fronted(world: &World, proxy: &Proxy) -> Result<Ran> {
    let elsewhere = "good.example:8443:other.example:8443";
    let ran = curl(&world.netns, &["-x", &proxy.url(), "--connect-to", elsewhere, "https://good.example:8443/"])?;
    ran.got(PAGE)?;
    Ok(ran)
}

fn mismatch(ran: &Ran) -> Expected {
    network("HostMismatchDetected").pid(ran.pid).additional("OuterHost", "other.example")
}

#[test]
fn a_mismatch_has_a_row_unless_that_is_off() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = configured(&world, "mode = \"audit\"\n", &[])?;
    let ran = fronted(&world, &proxy)?;
    daemon.row(&mismatch(&ran).additional("InnerHost", "good.example"))?;
    daemon.stop()?;

    let daemon = configured(&world, "mode = \"audit\"\non_mismatch = \"off\"\n", &[])?;
    let ran = fronted(&world, &proxy)?;
    daemon.row(&network("SslConnectionInspected").pid(ran.pid))?;
    let account = daemon.stop()?;
    account.has(0, &mismatch(&ran))
}

#[test]
fn each_problem_of_a_file_is_told_with_its_place_and_nothing_starts() -> Result<()> {
    let files = TempDir::new()?;
    let file = files.write("config.toml", "mdoe = \"block\"\n\n[records]\nends = 1\n")?;
    let places = [
        format!("{}:1:1: there is no key \"mdoe\"; the nearest one is `mode`\n", file.display()),
        format!("{}:4:8: `records.ends`: an integer where true or false belongs\n", file.display()),
    ];
    for (arguments, expect) in [
        (&["config", "check"][..], 1),
        (&["config", "show", "--config"], 2),
        (&["run", "--mode", "audit", "--config"], 2),
    ] {
        let (status, stdout, stderr) = said(arguments, &file)?;
        ensure!(status == Some(expect), "{arguments:?} ended with {status:?}: {stderr}");
        ensure!(places.iter().all(|place| stderr.contains(place)), "{arguments:?} said {stderr}");
        ensure!(stdout.is_empty() && !stderr.contains("attached"), "{arguments:?} went on: {stdout}{stderr}");
    }
    Ok(())
}

#[test]
fn a_file_is_good_when_its_policy_files_are() -> Result<()> {
    let files = TempDir::new()?;
    let file = files.write("config.toml", "policy = [\"list\"]\n")?;
    let (status, _, stderr) = said(&["config", "check"], &file)?;
    ensure!(status == Some(2) && stderr.contains("/list"), "a missing policy file: {status:?} {stderr}");
    files.write("list", "evil.example\nbad name\n")?;
    let (status, _, stderr) = said(&["config", "check"], &file)?;
    ensure!(status == Some(1) && stderr.contains("/list:2: "), "a bad policy file: {status:?} {stderr}");
    files.write("list", "evil.example\n")?;
    let (status, stdout, stderr) = said(&["config", "check"], &file)?;
    ensure!(status == Some(0) && stdout.contains(": good"), "a good one: {status:?} {stdout}{stderr}");
    Ok(())
}

#[test]
fn settings_are_shown_with_where_they_come_from() -> Result<()> {
    let files = TempDir::new()?;
    let file = files.write("config.toml", "# Ours.\nmode = \"audit\"\n[records]\nattempts = true\n")?;
    let (status, stdout, _) = said(&["config", "show", "--format", "json", "--config"], &file)?;
    ensure!(status == Some(0), "{stdout}");
    let shows = |setting: &str, origin: &str| {
        stdout.lines().any(|line| line.starts_with(setting) && line.ends_with(&format!("  # {origin}")))
    };
    let at = |line: u32| format!("{}:{line}", file.display());
    ensure!(shows("mode = \"audit\"", &at(2)) && shows("attempts = true", &at(4)), "{stdout}");
    ensure!(shows("format = \"json\"", "command line") && shows("on_mismatch = \"audit\"", "default"), "{stdout}");
    Ok(())
}

#[test]
fn a_file_that_was_named_has_to_be_there_and_of_a_sane_size() -> Result<()> {
    let files = TempDir::new()?;
    let (status, _, stderr) = said(&["run", "--config"], &files.path().join("none.toml"))?;
    ensure!(status == Some(2) && stderr.contains("none.toml"), "{status:?} {stderr}");
    let long = files.write("long.toml", &"#\n".repeat(1 << 20))?;
    let (status, _, stderr) = said(&["run", "--config"], &long)?;
    ensure!(status == Some(2) && stderr.contains("longer than 1048576 bytes"), "{status:?} {stderr}");
    Ok(())
}
