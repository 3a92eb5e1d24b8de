//! A tunnel whose inner name is not the one that the proxy was asked for: told, or, where that is configured, kept from
//! leaving. What is ordinary passes.

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{Ran, connect_request, curl, run},
    daemon::Daemon,
    expect::{Expected, blocked, network},
    origin::PAGE,
    proxy::{Kind, Proxy},
    wire::Wire,
};

use crate::world::World;

/// A daemon with these settings.
fn configured(world: &World, config: &str) -> Result<Daemon> {
    let file = world.policy("config.toml", config)?;
    Daemon::start(&["--config", file.to_str().context("a temporary path in UTF-8")?])
}

/// Asks the proxy for `outer` and the origin behind it for `inner`.
fn fronted(world: &World, proxy: &Proxy, outer: &str, inner: &str) -> Result<Ran> {
    let to = format!("{inner}:8443:{outer}:8443");
    curl(&world.netns, &["-x", &proxy.url(), "--connect-to", &to, &format!("https://{inner}:8443/")])
}

fn told(ran: &Ran) -> Expected {
    let row = network("HostMismatchDetected").pid(ran.pid).additional("OuterHost", "good.example");
    row.additional("InnerHost", "other.example").additional("OuterSource", "ConnectAuthority")
}

fn stopped(ran: &Ran) -> Expected {
    blocked("other.example").pid(ran.pid).additional("ResponseCategory", "HostMismatch")
}

#[test]
fn another_name_inside_a_tunnel_does_not_leave_where_that_is_blocked() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = configured(&world, "mode = \"block\"\non_mismatch = \"block\"\n")?;
    let wire = Wire::to_port(&world.netns, proxy.port())?;
    let ran = fronted(&world, &proxy, "good.example", "other.example")?;
    ran.was_cut_off()?;
    // The control comes last, and packets come in order.
    fronted(&world, &proxy, "good.example", "good.example")?.got(PAGE)?;
    let detected = daemon.row(&told(&ran))?;
    let verdict = daemon.row(&stopped(&ran).additional("ProxyPort", proxy.port()))?;
    ensure!(detected.connection_id()? == verdict.connection_id()?, "two connections: {detected} and {verdict}");
    ensure!(verdict.additional("MatchedIndicator").is_none(), "no line made this verdict: {verdict}");

    let packets = wire.stop()?;
    let first = packets.iter().find(|packet| packet.payload > 0).context("the request for the tunnel was not seen")?;
    let left: usize =
        packets.iter().filter(|packet| packet.from_port == first.from_port).map(|packet| packet.payload).sum();
    ensure!(left < connect_request("good.example").len() + 200, "{left} bytes left: more than a request for a tunnel");
    let asked = world.origin.requests()?;
    ensure!(asked.lines().count() == 1 && !asked.contains("other.example"), "the origin was asked:\n{asked}");

    let account = daemon.stop()?;
    account.has(1, &told(&ran))?;
    account.has(1, &stopped(&ran))?;
    account.has(0, &network("SslConnectionInspected").pid(ran.pid))?;
    ensure!(!account.talk.iter().any(|line| line.contains("verdicts whose rule")), "{:#?}", account.talk);
    Ok(())
}

#[test]
fn another_name_inside_a_tunnel_passes_unless_both_settings_block() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    for (mode, on_mismatch) in [("block", "audit"), ("block", "off"), ("audit", "block")] {
        let daemon = configured(&world, &format!("mode = \"{mode}\"\non_mismatch = \"{on_mismatch}\"\n"))?;
        let ran = fronted(&world, &proxy, "good.example", "other.example")?;
        ran.got(PAGE)?;
        let ssl = network("SslConnectionInspected").pid(ran.pid).additional("server_name", "other.example");
        daemon.row(&ssl)?;
        let account = daemon.stop()?;
        account.has(usize::from(on_mismatch != "off"), &told(&ran))?;
        account.has(0, &stopped(&ran))?;
    }
    Ok(())
}

#[test]
fn what_is_ordinary_passes_where_a_mismatch_is_blocked() -> Result<()> {
    let world = World::new()?;
    let (http, socks) = (world.proxy(Kind::Tinyproxy)?, world.proxy(Kind::Dante)?);
    let daemon = configured(&world, "mode = \"block\"\non_mismatch = \"block\"\n")?;
    for proxy in [&http, &socks] {
        for outer in ["good.example", "127.0.0.1", "[::1]"] {
            fronted(&world, proxy, outer, "good.example")?.got(PAGE).with_context(|| outer.to_owned())?;
        }
    }
    // In capitals, and requests in absolute form for one name after the other, which are no tunnel.
    fronted(&world, &http, "GOOD.example", "good.example")?.got(PAGE)?;
    let urls = ["http://good.example:8080/", "http://other.example:8080/"];
    curl(&world.netns, &[&["-x", &http.url()][..], &urls].concat())?.got(PAGE)?;
    let account = daemon.stop()?;
    account.has(0, &network("HostMismatchDetected"))
}

/// It hides nothing that a name would show: it is told and passes.
#[test]
fn a_hello_without_a_name_is_told_and_never_blocked() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = configured(&world, "mode = \"block\"\non_mismatch = \"block\"\n")?;
    let address = format!("127.0.0.1:{}", proxy.port());
    let arguments = ["s_client", "-proxy", &address, "-connect", "good.example:8443", "-noservername", "-brief"];
    let ran = run(&world.netns, "openssl", &arguments)?;
    ensure!(ran.status == 0 && ran.stderr.contains("CN = good.example"), "there was no TLS: {ran:#?}");
    let row = daemon.row(&network("HostMismatchDetected").pid(ran.pid).additional("OuterHost", "good.example"))?;
    ensure!(row.additional("InnerHost").is_none(), "a name that nobody gave: {row}");
    daemon.stop()?;
    Ok(())
}
