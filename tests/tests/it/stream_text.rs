//! The live stream for people: one line that says who reached what by which proxy.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{client::curl, daemon::binary, feed::Feed, origin::PAGE, proxy::Kind, running::Running};
use rustix::process::Signal;

use crate::world::World;

/// The line without the padding that aligns it with others.
fn unaligned(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_proxied_connection_is_a_line_with_process_target_and_proxy() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let mut command = Command::new(binary()?);
    command.args(["run", "--mode", "audit", "--stream", "--format", "text"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::spawn("proxysight", &mut command)?;
    let lines = Feed::read(running.child().stdout.take().context("no stdout")?, |line| Ok(line.to_owned()));
    let talk = Feed::read(running.child().stderr.take().context("no stderr")?, |line| Ok(line.to_owned()));
    let attached = |lines: &[String]| lines.iter().any(|line| line.starts_with("proxysight: attached ")).then_some(());
    ensure!(talk.wait_for(attached)?.is_some(), "it did not attach");
    let ran = curl(&world.netns, &["-x", &proxy.url(), "https://good.example:8443/"])?;
    ran.got(PAGE)?;
    let wanted = format!("curl[{}] -> good.example:8443 via 127.0.0.1:{}", ran.pid, proxy.port());
    let found = lines.wait_for(|lines| lines.iter().any(|line| unaligned(line).contains(&wanted)).then_some(()))?;
    running.signal(Signal::TERM)?;
    let status = running.wait_for_end()?;
    let lines = lines.finish()?;
    ensure!(found.is_some(), "no line says {wanted:?}:\n{}", lines.join("\n"));
    ensure!(status.success(), "it ended with {status}: {:?}", talk.finish()?);
    // A pipe is not a terminal: colours would be garbage in it.
    let coloured = lines.iter().find(|line| line.contains('\u{1b}'));
    ensure!(coloured.is_none(), "an escape sequence in a pipe: {coloured:?}");
    Ok(())
}
