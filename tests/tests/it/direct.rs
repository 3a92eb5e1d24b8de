//! Connections without a proxy: one row, with the name that the client asked for.

use anyhow::Result;
use monitor_tests::{
    client::{Ran, curl},
    daemon::Daemon,
    expect::{Expected, network},
    netns::Netns,
    origin::{Origin, PAGE, Ports},
};

use crate::world::World;

fn direct(ran: &Ran, host: &str, ip: &str, port: u16, source: &str) -> Expected {
    network("ConnectionSuccess")
        .pid(ran.pid)
        .column("RemoteUrl", host)
        .column("RemoteIP", ip)
        .column("RemotePort", port)
        .column("InitiatingProcessFileName", "curl")
        .column("InitiatingProcessCommandLine", ran.command_line.as_str())
        .additional("HostnameSource", source)
}

/// The wanted row, and no other success of the same client.
fn check_one_row(daemon: Daemon, ran: &Ran, expected: &Expected) -> Result<()> {
    ran.got(PAGE)?;
    daemon.row(expected)?;
    let account = daemon.stop()?;
    account.has(1, expected)?;
    account.has(1, &network("ConnectionSuccess").pid(ran.pid))
}

#[test]
fn a_direct_tls_connection_is_one_row_with_its_server_name() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    let resolve = ["--resolve", "good.example:8443:127.0.0.1", "https://good.example:8443/"];
    let ran = curl(&world.netns, &resolve)?;
    check_one_row(daemon, &ran, &direct(&ran, "good.example", "127.0.0.1", 8443, "TlsSni"))
}

#[test]
fn a_direct_tls_connection_over_ipv6_is_one_row() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    let ran = curl(&world.netns, &["https://six.example:8443/"])?;
    check_one_row(daemon, &ran, &direct(&ran, "six.example", "::1", 8443, "TlsSni"))
}

#[test]
fn a_direct_clear_text_request_is_one_row_with_its_host() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    let ran = curl(&world.netns, &["http://good.example:8080/"])?;
    check_one_row(daemon, &ran, &direct(&ran, "good.example", "127.0.0.1", 8080, "HttpHost"))
}

#[test]
fn a_client_in_the_daemons_own_network_is_seen_too() -> Result<()> {
    let host = Netns::host();
    // Ports that nothing else on the machine is likely to use.
    let origin = Origin::start(&host, Ports { tls: 28443, http: 28080 })?;
    let daemon = Daemon::start(&["--mode", "audit"])?;
    let resolve = ["--resolve", "good.example:28443:127.0.0.1", "https://good.example:28443/"];
    let ran = curl(&host, &resolve)?;
    check_one_row(daemon, &ran, &direct(&ran, "good.example", "127.0.0.1", 28443, "TlsSni"))?;
    drop(origin);
    Ok(())
}
