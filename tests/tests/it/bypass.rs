//! Processes that go direct although a proxy is configured for them, and those that do not.

use anyhow::{Result, ensure};
use monitor_tests::client::{Ran, run};
use monitor_tests::daemon::Daemon;
use monitor_tests::expect::{Expected, network};
use monitor_tests::origin::PAGE;
use monitor_tests::proxy::{Kind, Proxy};

use crate::world::World;

const URL: &str = "https://good.example:8443/";

/// Speaks TLS by itself: no library looks at the environment.
const DIRECT: &str = "
import socket, ssl
context = ssl._create_unverified_context()
with socket.create_connection(('good.example', 8443)) as plain:
    with context.wrap_socket(plain, server_hostname='good.example') as s:
        s.sendall(b'GET / HTTP/1.0\\r\\nHost: good.example\\r\\n\\r\\n')
        print(s.makefile().read())
";

/// A library that looks at the environment.
const LIBRARY: &str = "
import ssl, urllib.request
context = ssl._create_unverified_context()
print(urllib.request.urlopen('https://good.example:8443/', context=context).read().decode())
";

/// Runs a client with variables set.
fn with(world: &World, variables: &[&str], client: &[&str]) -> Result<Ran> {
    let ran = run(&world.netns, "env", &[variables, client].concat())?;
    ran.got(PAGE)?;
    Ok(ran)
}

fn reached(ran: &Ran) -> Expected {
    network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "good.example")
}

fn is_flagged(daemon: &Daemon, ran: &Ran, proxy: &str) -> Result<()> {
    let row = daemon.row(&reached(ran))?;
    let is = row.additional("ProxyConfigured") == Some(&proxy.into())
        && row.additional("ProxyBypassed") == Some(&true.into());
    ensure!(is && row.additional("ProxyIP").is_none(), "not told to go past {proxy}: {row}");
    Ok(())
}

fn world() -> Result<(World, Proxy, Daemon)> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = world.audits()?;
    Ok((world, proxy, daemon))
}

#[test]
fn who_goes_past_the_configured_proxy_is_told_without_its_password() -> Result<()> {
    let (world, proxy, daemon) = world()?;
    let address = format!("127.0.0.1:{}", proxy.port());
    let variable = format!("HTTPS_PROXY=http://user:secret@{address}/");
    let curl = with(&world, &[&variable], &["curl", "-sSk", "--noproxy", "*", URL])?;
    is_flagged(&daemon, &curl, &address)?;
    let python = with(&world, &[&variable.to_lowercase()], &["python3", "-c", DIRECT])?;
    is_flagged(&daemon, &python, &address)?;
    let any = with(&world, &["ALL_PROXY=socks5h://p.example"], &["python3", "-c", DIRECT])?;
    is_flagged(&daemon, &any, "p.example:1080")?;
    let account = daemon.stop()?;
    for row in account.rows.iter().filter(|row| row.column("InitiatingProcessFileName") != Some(&"env".into())) {
        ensure!(!row.text("AdditionalFields")?.contains("secret"), "a password is recorded: {row}");
    }
    Ok(())
}

#[test]
fn who_goes_through_the_proxy_or_is_exempt_is_not_told() -> Result<()> {
    let (world, proxy, daemon) = world()?;
    let variable = format!("https_proxy=http://127.0.0.1:{}", proxy.port());
    let through =
        [with(&world, &[&variable], &["curl", "-sSk", URL])?, with(&world, &[&variable], &["python3", "-c", LIBRARY])?];
    let exempt = [
        with(&world, &[&variable, "NO_PROXY=.example"], &["curl", "-sSk", URL])?,
        with(&world, &["http_proxy=http://127.0.0.1:3128"], &["python3", "-c", DIRECT])?,
    ];
    for ran in &through {
        daemon.row(&reached(ran).additional("ProxyIP", "127.0.0.1"))?;
    }
    for ran in &exempt {
        daemon.row(&reached(ran))?;
    }
    let account = daemon.stop()?;
    for ran in through.iter().chain(&exempt) {
        account.has(0, &network("ConnectionSuccess").pid(ran.pid).additional("ProxyBypassed", true))?;
    }
    Ok(())
}
