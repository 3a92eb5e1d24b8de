//! QUIC: real Initials of a real client are named, and in mode block those of a listed name do not leave.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use monitor_tests::daemon::Daemon;
use monitor_tests::expect::{audited, blocked, network};
use monitor_tests::netns::Netns;
use monitor_tests::row::Row;
use monitor_tests::running::Running;

use crate::world::World;

const QUIC: &str = env!("CARGO_BIN_EXE_quic");

/// A client that asks for a name at a socket that never answers.
fn client(netns: &Netns, server: &UdpSocket, name: &str, seconds: &str) -> Result<Running> {
    let mut command: Command = netns.command(QUIC)?;
    command.args([&server.local_addr()?.to_string(), name, seconds]);
    Running::spawn("quic", &mut command)
}

/// How many datagrams lie there.
fn arrived(server: &UdpSocket) -> Result<usize> {
    server.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut buffer = [0; 2048];
    Ok(std::iter::from_fn(|| server.recv(&mut buffer).ok()).count())
}

#[test]
fn a_quic_connection_is_named_with_its_process() -> Result<()> {
    let world = World::new()?;
    let (daemon, line) = world.audits_evil()?;
    let server = world.netns.datagrams()?;
    let port = server.local_addr()?.port();
    for (name, is_listed) in [("good.example", false), ("www.evil.example", true)] {
        let mut client = client(&world.netns, &server, name, "1")?;
        let row = network("QuicConnectionInspected")
            .pid(client.pid())
            .column("RemoteUrl", name)
            .column("RemoteIP", "127.0.0.1")
            .column("RemotePort", port)
            .column("Protocol", "Udp")
            .column("InitiatingProcessFileName", "quic")
            .additional("HostnameSource", "QuicSni")
            .additional("server_name", name)
            .additional("next_protocol", "h3")
            .additional("version", "TLSv13");
        let row = daemon.row(&row)?;
        let ja4 = row.additional("ja4").context("no JA4")?;
        ensure!(ja4.as_str().is_some_and(|ja4| ja4.starts_with("q13d")), "JA4 {ja4}");
        if is_listed {
            let verdict = audited(name).pid(client.pid()).additional("IndicatorSource", line.as_str());
            daemon.row(&verdict)?;
        }
        client.wait_for_end()?;
        ensure!(arrived(&server)? > 0, "mode audit let nothing of {name} through");
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_blocked_quic_connection_does_not_leave_and_another_one_does() -> Result<()> {
    let world = World::new()?;
    let (daemon, line) = world.blocks_evil()?;
    let server = world.netns.datagrams()?;
    let mut evil = client(&world.netns, &server, "evil.example", "3")?;
    let verdict = blocked("evil.example").pid(evil.pid()).additional("IndicatorSource", line.as_str());
    daemon.row(&verdict.additional("HostnameSource", "QuicSni"))?;
    evil.wait_for_end()?;
    ensure!(arrived(&server)? == 0, "an Initial for a blocked name left");

    let mut good = client(&world.netns, &server, "good.example", "4")?;
    daemon.row(&network("QuicConnectionInspected").pid(good.pid()).column("RemoteUrl", "good.example"))?;
    good.wait_for_end().context("the client that may go on")?;
    ensure!(arrived(&server)? > 0, "no Initial for a name that is not listed left");
    daemon.stop()?;
    Ok(())
}

/// A daemon with a configuration, and a client that asks a socket at a port for good.example.
fn downgrade(mode: &str, port: u16) -> Result<(Row, usize, String)> {
    let world = World::new()?;
    let config = world.policy("config.toml", "quic = \"downgrade\"\n")?;
    let config = config.to_str().context("a temporary path in UTF-8")?;
    let daemon = Daemon::start(&["--config", config, "--mode", mode])?;
    let server = world.netns.datagrams_at(port)?;
    let mut client = client(&world.netns, &server, "good.example", "4")?;
    let row = network("QuicConnectionInspected").pid(client.pid()).column("RemoteUrl", "good.example");
    let row = daemon.row(&row.column("RemotePort", port))?;
    client.wait_for_end()?;
    let arrived = arrived(&server)?;
    let talk = daemon.stop()?.talk.join("\n");
    Ok((row, arrived, talk))
}

#[test]
fn a_downgraded_quic_connection_does_not_begin() -> Result<()> {
    let (row, arrived, talk) = downgrade("block", 443)?;
    ensure!(row.additional("QuicDowngrade") == Some(&"Dropped".into()), "{row}");
    ensure!(arrived == 0, "{arrived} datagrams left");
    ensure!(talk.contains("QUIC packets were dropped, so that their clients use TCP"), "{talk}");
    Ok(())
}

#[test]
fn in_mode_audit_a_downgrade_is_only_told() -> Result<()> {
    let (row, arrived, talk) = downgrade("audit", 443)?;
    ensure!(row.additional("QuicDowngrade") == Some(&"Audited".into()), "{row}");
    ensure!(arrived > 0, "nothing left");
    ensure!(!talk.contains("QUIC packets were dropped"), "{talk}");
    Ok(())
}

#[test]
fn quic_to_another_port_is_not_downgraded() -> Result<()> {
    let (row, arrived, _) = downgrade("block", 8443)?;
    ensure!(row.additional("QuicDowngrade").is_none(), "{row}");
    ensure!(arrived > 0, "nothing left");
    Ok(())
}
