//! Mode audit: a dangerous name is reported and let pass.

use anyhow::{Result, ensure};
use monitor_tests::{
    client::curl,
    expect::{audited, network},
    origin::PAGE,
    proxy::Kind,
};

use crate::world::World;

#[test]
fn an_audited_target_behind_a_proxy_is_reached_and_reported() -> Result<()> {
    let world = World::new()?;
    for kind in [Kind::Tinyproxy, Kind::Squid] {
        let proxy = world.proxy(kind)?;
        let (daemon, line) = world.audits_evil()?;
        let ran = curl(&world.netns, &["-x", &proxy.url(), "https://www.evil.example:8443/"])?;
        ran.got(PAGE)?;
        let verdict = audited("www.evil.example")
            .pid(ran.pid)
            .column("InitiatingProcessFileName", "curl")
            .column("InitiatingProcessCommandLine", ran.command_line.as_str())
            .additional("HostnameSource", "ConnectAuthority")
            .additional("MatchedIndicator", "evil.example")
            .additional("IndicatorSource", line.as_str())
            .additional("ProxyIP", "127.0.0.1")
            .additional("ProxyPort", proxy.port());
        let verdict = daemon.row(&verdict)?;
        let named = network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "www.evil.example");
        let named = daemon.row(&named)?;
        ensure!(verdict.connection_id()? == named.connection_id()?, "two connections: {named} and {verdict}");
        daemon.stop()?;
    }
    Ok(())
}

#[test]
fn an_audited_direct_target_is_reached_and_reported() -> Result<()> {
    let world = World::new()?;
    let (daemon, line) = world.audits_evil()?;
    let requests = [("https://evil.example:8443/", "TlsSni"), ("http://evil.example:8080/", "HttpHost")];
    for (url, source) in requests {
        let ran = curl(&world.netns, &[url])?;
        ran.got(PAGE)?;
        let verdict = audited("evil.example")
            .pid(ran.pid)
            .additional("HostnameSource", source)
            .additional("MatchedIndicator", "evil.example")
            .additional("IndicatorSource", line.as_str());
        daemon.row(&verdict)?;
        daemon.row(&network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "evil.example"))?;
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_target_that_no_line_names_gets_no_verdict() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let (daemon, _) = world.audits_evil()?;
    let ran = curl(&world.netns, &["-x", &proxy.url(), "https://notevil.example:8443/"])?;
    ran.got(PAGE)?;
    daemon.row(&network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "notevil.example"))?;
    let account = daemon.stop()?;
    account.has(0, &audited("notevil.example"))
}
