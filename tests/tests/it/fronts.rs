//! Proxies that no client was told of: haproxy in front of the origin. It and its clients have rows of their own.

use anyhow::{Result, ensure};
use monitor_tests::{client::curl, expect::network, origin::PAGE, proxy::Kind};

use crate::world::World;

fn check(kind: Kind, scheme: &str, origin_port: u16, source: &str) -> Result<()> {
    let world = World::new()?;
    let front = world.proxy(kind)?;
    let daemon = world.audits()?;
    let ran = curl(&world.netns, &[&format!("{scheme}://good.example:{}/", front.port())])?;
    ran.got(PAGE)?;
    let named =
        || network("ConnectionSuccess").column("RemoteUrl", "good.example").additional("HostnameSource", source);
    let of_curl = daemon.row(&named().pid(ran.pid).column("RemotePort", front.port()))?;
    let of_front = daemon.row(&named().pid(front.pid()).column("RemotePort", origin_port))?;
    ensure!(of_curl.connection_id()? != of_front.connection_id()?, "one connection: {of_curl} and {of_front}");
    ensure!(of_curl.additional("ProxyIP").is_none(), "the client knows no proxy: {of_curl}");
    let account = daemon.stop()?;
    account.has(1, &network("ConnectionSuccess").pid(ran.pid))
}

fn check_blocked(kind: Kind, scheme: &str) -> Result<()> {
    let world = World::new()?;
    let front = world.proxy(kind)?;
    let (daemon, _) = world.blocks_evil()?;
    curl(&world.netns, &[&format!("{scheme}://evil.example:{}/", front.port())])?.was_cut_off()?;
    let asked = world.origin.requests()?;
    ensure!(asked.is_empty(), "the origin got a blocked request:\n{asked}");
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_front_that_passes_on_what_it_gets_has_the_name_too() -> Result<()> {
    check(Kind::HaproxyTcp, "https", 8443, "TlsSni")
}

#[test]
fn a_front_that_reads_requests_has_the_name_too() -> Result<()> {
    check(Kind::HaproxyHttp, "http", 8080, "HttpHost")
}

#[test]
fn a_blocked_name_does_not_pass_a_front() -> Result<()> {
    check_blocked(Kind::HaproxyTcp, "https")?;
    check_blocked(Kind::HaproxyHttp, "http")
}

/// The request for the target is inside the TLS that the client speaks with its proxy: what can be seen is the proxy's name.
#[test]
fn a_proxy_that_speaks_tls_is_named_itself() -> Result<()> {
    let world = World::new()?;
    let _behind = world.proxy(Kind::Tinyproxy)?;
    let front = world.proxy(Kind::HaproxyTls)?;
    let daemon = world.audits()?;
    let proxy = format!("https://other.example:{}", front.port());
    let ran = curl(&world.netns, &["--proxy-insecure", "-x", &proxy, "https://good.example:8443/"])?;
    ran.got(PAGE)?;
    let named = network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "other.example");
    let named = named.column("RemotePort", front.port()).column("RemoteIP", "127.0.0.1");
    daemon.row(&named.additional("HostnameSource", "TlsSni"))?;
    daemon.stop()?;
    Ok(())
}
