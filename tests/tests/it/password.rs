//! Proxies that ask for a password: the refusal, and the request that follows it on the same connection.

use anyhow::{Result, ensure};
use monitor_tests::{
    client::{Ran, curl},
    expect::{Expected, network},
    origin::PAGE,
    proxy::{CREDENTIALS, Kind, Proxy},
};

use crate::world::World;

/// Has curl first ask without a password, and then once more when it is told how (`--proxy-anyauth`).
fn curl_with(world: &World, proxy: &Proxy, password: &str) -> Result<Ran> {
    // A file and not an argument: the command line belongs into the rows.
    let config = format!("proxy-user = \"{}:{password}\"\nproxy-anyauth\n", CREDENTIALS.0);
    let config = world.policy("curlrc", &config)?;
    curl(&world.netns, &["-v", "-K", &config.to_string_lossy(), "-x", &proxy.url(), "https://good.example:8443/"])
}

fn challenged(ran: &Ran) -> Expected {
    network("HttpConnectionInspected")
        .pid(ran.pid)
        .column("RemoteUrl", "good.example")
        .additional("method", "CONNECT")
        .additional("host", "good.example")
        .additional("status_code", 407)
        .additional("HostnameSource", "ConnectAuthority")
}

fn connected(ran: &Ran) -> Expected {
    network("ConnectionSuccess").pid(ran.pid)
}

#[test]
fn a_retry_with_the_password_is_followed_on_the_same_connection() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::SquidWithPassword)?;
    let daemon = world.audits()?;
    let ran = curl_with(&world, &proxy, CREDENTIALS.1)?;
    ran.got(PAGE)?;
    ensure!(ran.stderr.matches("Trying ").count() == 1, "curl did not stay on one connection: {ran:#?}");
    let asked = daemon.row(&challenged(&ran))?;
    let tcp = daemon.row(&connected(&ran).column("RemoteUrl", "").column("RemotePort", proxy.port()))?;
    let named = connected(&ran).column("RemoteUrl", "good.example").column("RemotePort", 8443);
    let named = daemon.row(&named.additional("HostnameSource", "ConnectAuthority"))?;
    let inner = network("SslConnectionInspected").pid(ran.pid).additional("server_name", "good.example");
    let inner = daemon.row(&inner)?;
    for row in [&asked, &named, &inner] {
        ensure!(row.connection_id()? == tcp.connection_id()?, "two connections: {tcp} and {row}");
    }
    let account = daemon.stop()?;
    account.has(1, &challenged(&ran))?;
    account.has(2, &connected(&ran))?;
    account.has(0, &network("ConnectionFailed").pid(ran.pid))
}

#[test]
fn a_wrong_password_is_refused_twice_and_connects_nothing() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::SquidWithPassword)?;
    let daemon = world.audits()?;
    let ran = curl_with(&world, &proxy, "wrong")?;
    ensure!(ran.status != 0 && ran.stderr.contains("407"), "the proxy took the password: {ran:#?}");
    daemon.rows(2, &challenged(&ran))?;
    let account = daemon.stop()?;
    account.has(2, &challenged(&ran))?;
    // The connection to the proxy stands, and that is all.
    account.has(1, &connected(&ran))?;
    account.has(0, &connected(&ran).column("RemoteUrl", "good.example"))
}

#[test]
fn a_blocked_name_is_not_even_asked_for_without_a_password() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::SquidWithPassword)?;
    let (daemon, _) = world.blocks_evil()?;
    let ran = curl(
        &world.netns,
        &["--proxy-anyauth", "-U", "someone:else", "-x", &proxy.url(), "https://evil.example:8443/"],
    )?;
    ran.was_cut_off()?;
    let log = proxy.log()?;
    ensure!(!log.contains("evil.example"), "the proxy got a blocked request:\n{log}");
    daemon.stop()?;
    Ok(())
}
