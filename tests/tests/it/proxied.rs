//! Connections through forward proxies: the real target is in the rows, with who asked for it.

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use monitor_tests::{
    client::{Ran, curl},
    daemon::Daemon,
    expect::{Expected, network},
    origin::PAGE,
    proxy::{CREDENTIALS, Kind},
};

use crate::world::World;

const PAGE_OF_GOOD: &str = "https://good.example:8443/";

/// The process columns that every row of `ran` must have.
fn by(ran: &Ran, expected: Expected) -> Expected {
    expected
        .pid(ran.pid)
        .column("InitiatingProcessFileName", "curl")
        .column("InitiatingProcessFolderPath", "/usr/bin/curl")
        .column("InitiatingProcessCommandLine", ran.command_line.as_str())
        .column("InitiatingProcessAccountName", "root")
        .column("InitiatingProcessParentId", std::process::id())
}

/// The row of the connection to the proxy itself.
fn to_proxy(ran: &Ran, ip: &str, port: u16) -> Expected {
    by(ran, network("ConnectionSuccess"))
        .column("RemoteIP", ip)
        .column("RemotePort", port)
        .column("RemoteUrl", "")
        .column("LocalIP", ip)
        .column("Protocol", "Tcp")
        .column("RemoteIPType", "Loopback")
}

/// The row of the target behind the proxy.
fn to_target(ran: &Ran, host: &str, ip: &str, port: u16, proxy: (&str, u16)) -> Expected {
    by(ran, network("ConnectionSuccess"))
        .column("RemoteUrl", host)
        .column("RemotePort", port)
        .column("RemoteIP", ip)
        .additional("ProxyIP", proxy.0)
        .additional("ProxyPort", proxy.1)
        .additional("ProxyType", "http")
        .additional("HostnameSource", "ConnectAuthority")
        .additional("TargetHost", host)
        .additional("TargetPort", port)
}

/// Waits for the three rows of a proxied TLS connection and checks that they are of one connection.
fn check_three_rows(daemon: &Daemon, ran: &Ran, proxy: (&str, u16)) -> Result<()> {
    let tcp = daemon.row(&to_proxy(ran, proxy.0, proxy.1))?;
    let name = daemon.row(&to_target(ran, "good.example", "", 8443, proxy))?;
    let inner = by(ran, network("SslConnectionInspected"))
        .column("RemoteUrl", "good.example")
        .additional("server_name", "good.example")
        .additional("HostnameSource", "TlsSni")
        .additional("ProxyIP", proxy.0)
        .additional("ProxyPort", proxy.1);
    let inner = daemon.row(&inner)?;
    let id = tcp.connection_id()?;
    ensure!(name.connection_id()? == id, "the name row is of another connection than {tcp}: {name}");
    ensure!(inner.connection_id()? == id, "the row of the inner name is of another connection than {tcp}: {inner}");
    Ok(())
}

fn check(kind: Kind) -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(kind)?;
    let daemon = world.audits()?;
    let ran = curl(&world.netns, &["-x", &proxy.url(), PAGE_OF_GOOD])?;
    ran.got(PAGE)?;
    check_three_rows(&daemon, &ran, ("127.0.0.1", proxy.port()))?;
    let account = daemon.stop()?;
    // Exactly these two: no second name row, and none for a target that was not asked for.
    account.has(2, &network("ConnectionSuccess").pid(ran.pid))?;
    account.has(1, &network("SslConnectionInspected").pid(ran.pid))
}

#[test]
fn the_target_behind_tinyproxy_is_named() -> Result<()> {
    check(Kind::Tinyproxy)
}

#[test]
fn the_target_behind_squid_is_named() -> Result<()> {
    check(Kind::Squid)
}

#[test]
fn the_target_behind_a_proxy_on_ipv6_is_named() -> Result<()> {
    let world = World::new()?;
    for kind in [Kind::Tinyproxy, Kind::Squid] {
        let proxy = world.proxy(kind)?;
        let daemon = world.audits()?;
        let ran = curl(&world.netns, &["-x", &proxy.url_v6(), PAGE_OF_GOOD])?;
        ran.got(PAGE)?;
        check_three_rows(&daemon, &ran, ("::1", proxy.port()))?;
        daemon.stop()?;
    }
    Ok(())
}

#[test]
fn the_process_of_a_row_began_when_the_client_was_started() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = world.audits()?;
    // The kernel counts a start in ticks since boot, which is a little off the clock's time.
    let slack = SignedDuration::from_secs(1);
    let earliest = Timestamp::now() - slack;
    let ran = curl(&world.netns, &["-x", &proxy.url(), PAGE_OF_GOOD])?;
    let latest = Timestamp::now() + slack;
    let row = daemon.row(&to_target(&ran, "good.example", "", 8443, ("127.0.0.1", proxy.port())))?;
    let began: Timestamp = row.text("InitiatingProcessCreationTime")?.parse()?;
    let seen: Timestamp = row.text("Timestamp")?.parse()?;
    ensure!((earliest..=latest).contains(&began), "{began} is not between {earliest} and {latest}");
    ensure!((earliest..=latest).contains(&seen), "{seen} is not between {earliest} and {latest}");
    let own = std::env::current_exe()?;
    let parent = row.text("InitiatingProcessParentFileName")?;
    ensure!(own.file_name().is_some_and(|name| name == parent), "the parent is {}, not {parent}", own.display());
    daemon.stop()?;
    Ok(())
}

#[test]
fn an_address_as_target_is_the_remote_ip() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = world.audits()?;
    for (url, literal) in [("https://127.0.0.1:8443/", "127.0.0.1"), ("https://[::1]:8443/", "::1")] {
        let ran = curl(&world.netns, &["-x", &proxy.url(), url])?;
        ran.got(PAGE)?;
        daemon.row(&to_proxy(&ran, "127.0.0.1", proxy.port()))?;
        daemon.row(&to_target(&ran, literal, literal, 8443, ("127.0.0.1", proxy.port())))?;
    }
    daemon.stop()?;
    Ok(())
}

fn check_refused(kind: Kind, host: &str, port: u16) -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(kind)?;
    let daemon = world.audits()?;
    let ran = curl(&world.netns, &["-x", &proxy.url(), &format!("https://{host}:{port}/")])?;
    ensure!(ran.status != 0 && ran.stderr.contains("403"), "the proxy did not refuse: {ran:#?}");
    let failed = by(&ran, network("ConnectionFailed"))
        .column("RemoteUrl", host)
        .column("RemotePort", port)
        .additional("status_code", 403)
        .additional("HostnameSource", "ConnectAuthority")
        .additional("ProxyPort", proxy.port());
    let failed = daemon.row(&failed)?;
    let tcp = daemon.row(&to_proxy(&ran, "127.0.0.1", proxy.port()))?;
    ensure!(failed.connection_id()? == tcp.connection_id()?, "two connections: {tcp} and {failed}");
    let account = daemon.stop()?;
    // The connection to the proxy, and nothing that says the target was reached.
    account.has(1, &network("ConnectionSuccess").pid(ran.pid))?;
    account.has(1, &network("ConnectionFailed").pid(ran.pid))
}

#[test]
fn a_target_that_squid_refuses_is_a_failed_connection() -> Result<()> {
    check_refused(Kind::Squid, "refused.example", 8443)
}

#[test]
fn a_port_that_tinyproxy_refuses_is_a_failed_connection() -> Result<()> {
    check_refused(Kind::Tinyproxy, "good.example", 9443)
}

#[test]
fn a_proxy_that_asks_for_a_password_has_refused_nothing_yet() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::TinyproxyWithPassword)?;
    let daemon = world.audits()?;
    let ran = curl(&world.netns, &["-x", &proxy.url(), PAGE_OF_GOOD])?;
    ensure!(ran.status != 0 && ran.stderr.contains("407"), "the proxy did not ask for a password: {ran:#?}");
    let asked = by(&ran, network("HttpConnectionInspected"))
        .additional("method", "CONNECT")
        .additional("host", "good.example")
        .additional("status_code", 407);
    daemon.row(&asked)?;
    let account = daemon.stop()?;
    account.has(1, &network("ConnectionSuccess").pid(ran.pid))?;
    account.has(0, &network("ConnectionFailed").pid(ran.pid))
}

#[test]
fn the_password_for_a_proxy_is_in_no_row() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::TinyproxyWithPassword)?;
    let daemon = world.audits()?;
    // A file and not an argument, since the command line belongs into a row.
    let (user, password) = CREDENTIALS;
    let config = world.policy("curlrc", &format!("proxy-user = \"{user}:{password}\"\n"))?;
    let config = config.to_string_lossy();
    let ran = curl(&world.netns, &["-K", &config, "-x", &proxy.url(), PAGE_OF_GOOD])?;
    ran.got(PAGE)?;
    daemon.row(&to_target(&ran, "good.example", "", 8443, ("127.0.0.1", proxy.port())))?;
    let account = daemon.stop()?;
    // The second is how `Proxy-Authorization: Basic` writes the pair.
    for secret in [password, "c29tZW9uZTpub3QtaW4tYW55LXJlY29yZA"] {
        let told = account.rows.iter().find(|row| row.to_string().contains(secret));
        ensure!(told.is_none(), "a row tells the password: {told:?}");
    }
    Ok(())
}

#[test]
fn a_plain_request_through_a_proxy_is_named_by_its_absolute_uri() -> Result<()> {
    let world = World::new()?;
    for kind in [Kind::Tinyproxy, Kind::Squid] {
        let proxy = world.proxy(kind)?;
        let daemon = world.audits()?;
        let ran = curl(&world.netns, &["-x", &proxy.url(), "http://good.example:8080/page"])?;
        ran.got(PAGE)?;
        let named = by(&ran, network("ConnectionSuccess"))
            .column("RemoteUrl", "good.example")
            .column("RemotePort", 8080)
            .column("RemoteIP", "")
            .additional("HostnameSource", "AbsoluteUri")
            .additional("ProxyIP", "127.0.0.1")
            .additional("ProxyPort", proxy.port());
        let named = daemon.row(&named)?;
        let tcp = daemon.row(&to_proxy(&ran, "127.0.0.1", proxy.port()))?;
        ensure!(named.connection_id()? == tcp.connection_id()?, "two connections: {tcp} and {named}");
        daemon.stop()?;
    }
    Ok(())
}
