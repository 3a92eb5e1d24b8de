//! Connections through dante: the target that a program asked for by SOCKS, what the proxy said, and what is inside.

use anyhow::{Result, ensure};
use monitor_tests::{
    client::{Ran, curl},
    daemon::Daemon,
    expect::{Expected, blocked, network},
    origin::PAGE,
    proxy::{CREDENTIALS, Kind, Proxy},
};

use crate::world::World;

const PAGE_OF_GOOD: &str = "https://good.example:8443/";

/// Has curl speak a version of SOCKS, the proxy to resolve the name (`socks5h`, `socks4a`).
fn ask(world: &World, proxy: &Proxy, scheme: &str, credentials: &str, url: &str) -> Result<Ran> {
    // A file and not an argument: the command line belongs into the rows.
    let config = world.policy("curlrc", &format!("proxy-user = \"{credentials}\"\n"))?;
    let address = format!("{scheme}://127.0.0.1:{}", proxy.port());
    curl(&world.netns, &["-K", &config.to_string_lossy(), "-x", &address, url])
}

fn right_credentials() -> String {
    let (user, password) = CREDENTIALS;
    format!("{user}:{password}")
}

/// The TCP row, the target, and the name inside, of one connection.
fn check_rows(daemon: &Daemon, ran: &Ran, proxy: &Proxy, kind: &str) -> Result<()> {
    let of = |action: &str, url: &str| network(action).pid(ran.pid).column("RemoteUrl", url);
    let target = of("ConnectionSuccess", "good.example").column("RemotePort", 8443).column("RemoteIP", "");
    let target = target.additional("HostnameSource", "Socks").additional("ProxyType", kind);
    let target = daemon.row(&target.additional("ProxyIP", "127.0.0.1").additional("ProxyPort", proxy.port()))?;
    let id = target.connection_id()?;
    let same = |expected: Expected| expected.additional("ConnectionId", id.as_str());
    let tcp = of("ConnectionSuccess", "").column("RemoteIP", "127.0.0.1").column("RemotePort", proxy.port());
    daemon.row(&same(tcp))?;
    let inner = of("SslConnectionInspected", "good.example").additional("server_name", "good.example");
    daemon.row(&same(inner.additional("HostnameSource", "TlsSni")))?;
    Ok(())
}

#[test]
fn the_target_behind_a_socks_proxy_is_named() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Dante)?;
    let daemon = world.audits()?;
    let ran = ask(&world, &proxy, "socks5h", ":", PAGE_OF_GOOD)?;
    ran.got(PAGE)?;
    check_rows(&daemon, &ran, &proxy, "socks5")?;
    daemon.stop()?;
    Ok(())
}

/// dante speaks SOCKS4 without names: it takes the address 0.0.0.1, which stands before a name, for the target.
#[test]
fn a_socks4a_target_that_the_proxy_does_not_understand_is_named_and_failed() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Dante)?;
    let daemon = world.audits()?;
    let ran = ask(&world, &proxy, "socks4a", ":", PAGE_OF_GOOD)?;
    ensure!(ran.status == 97, "the proxy reached the target: {ran:#?}");
    let failed =
        network("ConnectionFailed").pid(ran.pid).column("RemoteUrl", "good.example").column("RemotePort", 8443);
    let failed = failed.additional("HostnameSource", "Socks").additional("ProxyType", "socks4a");
    daemon.row(&failed.additional("status_code", 91))?;
    daemon.stop()?;
    Ok(())
}

#[test]
fn the_target_behind_a_socks_proxy_with_a_password_is_named_and_the_password_is_in_no_row() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::DanteWithPassword)?;
    let daemon = world.audits()?;
    let ran = ask(&world, &proxy, "socks5h", &right_credentials(), PAGE_OF_GOOD)?;
    ran.got(PAGE)?;
    check_rows(&daemon, &ran, &proxy, "socks5")?;
    let account = daemon.stop()?;
    let told = account.rows.iter().find(|row| row.to_string().contains(CREDENTIALS.1));
    ensure!(told.is_none(), "a row tells the password: {told:?}");
    Ok(())
}

#[test]
fn a_wrong_password_for_a_socks_proxy_reaches_no_target() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::DanteWithPassword)?;
    let daemon = world.audits()?;
    let ran = ask(&world, &proxy, "socks5h", "someone:else", PAGE_OF_GOOD)?;
    ensure!(ran.status == 97, "the proxy took the password: {ran:#?}");
    daemon.row(&network("ConnectionSuccess").pid(ran.pid).column("RemotePort", proxy.port()))?;
    let account = daemon.stop()?;
    account.has(1, &network("ConnectionSuccess").pid(ran.pid))?;
    account.has(0, &network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "good.example"))
}

#[test]
fn a_target_that_a_socks_proxy_cannot_reach_is_a_failed_connection() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Dante)?;
    let daemon = world.audits()?;
    // Nobody listens there: 5 is "connection refused" (RFC 1928 section 6).
    let ran = ask(&world, &proxy, "socks5h", ":", "https://good.example:9/")?;
    ensure!(ran.status == 97, "the proxy reached the target: {ran:#?}");
    let failed = network("ConnectionFailed").pid(ran.pid).column("RemoteUrl", "good.example").column("RemotePort", 9);
    daemon.row(&failed.additional("HostnameSource", "Socks").additional("status_code", 5))?;
    let account = daemon.stop()?;
    account.has(0, &network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "good.example"))
}

#[test]
fn a_blocked_target_never_reaches_a_socks_proxy() -> Result<()> {
    let world = World::new()?;
    for (kind, credentials) in [(Kind::Dante, ":".to_owned()), (Kind::DanteWithPassword, right_credentials())] {
        let proxy = world.proxy(kind)?;
        let (daemon, line) = world.blocks_evil()?;
        let evil = ask(&world, &proxy, "socks5h", &credentials, "https://evil.example:8443/")?;
        ensure!(evil.status != 0 && evil.status != 28, "the client was not cut off: {evil:#?}");
        let verdict = blocked("evil.example").pid(evil.pid).additional("HostnameSource", "Socks");
        daemon.row(&verdict.additional("IndicatorSource", line.as_str()))?;
        ask(&world, &proxy, "socks5h", &credentials, PAGE_OF_GOOD)?.got(PAGE)?;
        // dante logs addresses only: it passed one connection, and the origin has the name of it.
        let log = proxy.log_with("pass(")?;
        ensure!(log.matches("tcp/connect").count() == 1, "the proxy got a blocked request:\n{log}");
        let asked = world.origin.requests()?;
        ensure!(!asked.contains("evil.example"), "the origin got a blocked request:\n{asked}");
        let account = daemon.stop()?;
        account.has(0, &network("ConnectionSuccess").pid(evil.pid).column("RemoteUrl", "evil.example"))?;
    }
    Ok(())
}
