//! ConnectionAttempt, behind its switch: a connection that is on its way, then how it turned out.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::client::curl;
use monitor_tests::daemon::Daemon;
use monitor_tests::expect::{Expected, network};
use monitor_tests::origin::PAGE;
use monitor_tests::running::Running;

use crate::world::World;

fn with_attempts(world: &World) -> Result<Daemon> {
    let config = world.policy("config.toml", "mode = \"audit\"\nrecords.attempts = true\n")?;
    Daemon::start(&["--config", config.to_str().context("a temporary path in UTF-8")?])
}

fn attempt(pid: u32) -> Expected {
    network("ConnectionAttempt").pid(pid).column("RemoteUrl", "").column("Protocol", "Tcp")
}

#[test]
fn an_attempt_is_followed_by_how_it_turned_out() -> Result<()> {
    let world = World::new()?;
    let daemon = with_attempts(&world)?;
    let open = curl(&world.netns, &["http://good.example:8080/"])?;
    open.got(PAGE)?;
    let refused = curl(&world.netns, &["http://127.0.0.1:9/"])?;
    // The namespace has no route there.
    let unreachable = curl(&world.netns, &["http://192.0.2.1:81/"])?;
    for (ran, ip, port, outcome) in [
        (&open, "127.0.0.1", 8080, network("ConnectionSuccess")),
        (&refused, "127.0.0.1", 9, network("ConnectionFailed").additional("FailureReason", "Refused")),
        (&unreachable, "192.0.2.1", 81, network("ConnectionFailed").additional("FailureReason", "Unreachable")),
    ] {
        let at = |expected: Expected| expected.pid(ran.pid).column("RemoteIP", ip).column("RemotePort", port);
        let first = daemon.row(&at(attempt(ran.pid)))?;
        let then = daemon.row(&at(outcome))?;
        ensure!(first.connection_id()? == then.connection_id()?, "two connections: {first} and {then}");
        ensure!(first.text("Timestamp")? <= then.text("Timestamp")?, "{then} came before {first}");
    }
    let account = daemon.stop()?;
    for ran in [open, refused, unreachable] {
        account.has(1, &network("ConnectionAttempt").pid(ran.pid))?;
    }
    Ok(())
}

#[test]
fn an_attempt_has_its_row_before_it_has_turned_out() -> Result<()> {
    let world = World::new()?;
    let daemon = with_attempts(&world)?;
    // The one place of a backlog of none is taken: no further SYN is answered.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 9000));
    let listener = world.netns.listen(address)?;
    rustix::net::listen(&listener, 0)?;
    let _waits = world.netns.connect(address)??;
    let mut command = world.netns.command("curl")?;
    let mut waiting = Running::spawn("curl", command.args(["-s", &format!("http://{address}/")]))?;
    let first = daemon.row(&attempt(waiting.pid()).column("RemotePort", 9000))?;
    ensure!(first.column("LocalPort").is_some_and(|port| *port != 0), "no local port: {first}");
    ensure!(waiting.ended()?.is_none(), "the connection has turned out already");
    drop(waiting);
    let abandoned = network("ConnectionFailed").additional("FailureReason", "Abandoned");
    let then = daemon.row(&abandoned.column("RemotePort", 9000))?;
    ensure!(first.connection_id()? == then.connection_id()?, "two connections: {first} and {then}");
    daemon.stop()?;
    Ok(())
}

#[test]
fn without_the_switch_there_is_no_attempt() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    curl(&world.netns, &["http://good.example:8080/"])?.got(PAGE)?;
    let account = daemon.stop()?;
    account.has(0, &network("ConnectionAttempt"))
}
