//! Mode block: the client fails at once, and what it wanted to say never leaves it.

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{Ran, curl, run},
    daemon::{Account, Daemon},
    expect::{blocked, network},
    netns::Netns,
    origin::{Origin, PAGE, Ports},
    proxy::Kind,
    temp::TempDir,
};

use crate::world::World;

/// The verdict row is there, and no row says that the client reached the name.
fn check_verdict(account: &Account, ran: &Ran, host: &str, source: &str, line: &str) -> Result<()> {
    let verdict = blocked(host)
        .pid(ran.pid)
        .additional("HostnameSource", source)
        .additional("MatchedIndicator", "evil.example")
        .additional("IndicatorSource", line);
    account.has(1, &verdict)?;
    account.has(0, &network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", host))
}

fn check_behind(kind: Kind) -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(kind)?;
    let (daemon, line) = world.blocks_evil()?;
    let ask = |url: &str| curl(&world.netns, &["-x", &proxy.url(), url]);
    let evil = ask("https://evil.example:8443/")?;
    evil.was_cut_off()?;
    let below = ask("https://www.evil.example:8443/")?;
    below.was_cut_off()?;
    let plain = ask("http://evil.example:8080/")?;
    plain.was_cut_off()?;
    let other = ask("https://notevil.example:8443/")?;
    other.got(PAGE)?;
    // The allowed name is in the log, so a blocked one that had reached the proxy would be there before it.
    let log = proxy.log_with("notevil.example")?;
    ensure!(!log.replace("notevil.example", "").contains("evil.example"), "the proxy got a blocked request:\n{log}");
    let asked = world.origin.requests()?.replace("notevil.example", "");
    ensure!(!asked.contains("evil.example"), "the origin got a blocked request:\n{asked}");
    let account = daemon.stop()?;
    check_verdict(&account, &evil, "evil.example", "ConnectAuthority", &line)?;
    check_verdict(&account, &below, "www.evil.example", "ConnectAuthority", &line)?;
    check_verdict(&account, &plain, "evil.example", "AbsoluteUri", &line)?;
    account.has(0, &blocked("notevil.example"))
}

#[test]
fn a_blocked_target_never_reaches_tinyproxy() -> Result<()> {
    check_behind(Kind::Tinyproxy)
}

#[test]
fn a_blocked_target_never_reaches_squid() -> Result<()> {
    check_behind(Kind::Squid)
}

#[test]
fn a_blocked_target_never_reaches_a_proxy_on_ipv6() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let (daemon, line) = world.blocks_evil()?;
    let evil = curl(&world.netns, &["-x", &proxy.url_v6(), "https://evil.example:8443/"])?;
    evil.was_cut_off()?;
    let good = curl(&world.netns, &["-x", &proxy.url_v6(), "https://good.example:8443/"])?;
    good.got(PAGE)?;
    let log = proxy.log_with("good.example")?;
    ensure!(!log.contains("evil.example"), "the proxy got a blocked request:\n{log}");
    check_verdict(&daemon.stop()?, &evil, "evil.example", "ConnectAuthority", &line)
}

#[test]
fn a_direct_connection_is_blocked_by_the_name_it_asks_for() -> Result<()> {
    let world = World::new()?;
    let (daemon, line) = world.blocks_evil()?;
    let tls = ["--resolve", "evil.example:8443:127.0.0.1", "https://evil.example:8443/"];
    let tls = curl(&world.netns, &tls)?;
    tls.was_cut_off()?;
    let tls_v6 = ["--resolve", "www.evil.example:8443:[::1]", "https://www.evil.example:8443/"];
    let tls_v6 = curl(&world.netns, &tls_v6)?;
    tls_v6.was_cut_off()?;
    let http = curl(&world.netns, &["http://evil.example:8080/"])?;
    http.was_cut_off()?;
    curl(&world.netns, &["https://good.example:8443/"])?.got(PAGE)?;
    curl(&world.netns, &["http://good.example:8080/"])?.got(PAGE)?;
    let asked = world.origin.requests()?;
    ensure!(asked.lines().count() == 2, "the origin was asked for more than the two allowed pages:\n{asked}");
    let account = daemon.stop()?;
    check_verdict(&account, &tls, "evil.example", "TlsSni", &line)?;
    check_verdict(&account, &tls_v6, "www.evil.example", "TlsSni", &line)?;
    check_verdict(&account, &http, "evil.example", "HttpHost", &line)
}

/// The tunnel to `good.example` is allowed and made; the name inside is what is blocked.
fn check_tunnel(daemon: Daemon, world: &World, ran: &Ran, line: &str, port: u16) -> Result<()> {
    ran.was_cut_off()?;
    let asked = world.origin.requests()?;
    ensure!(!asked.contains("evil.example"), "the origin got a blocked request:\n{asked}");
    let account = daemon.stop()?;
    check_verdict(&account, ran, "evil.example", "TlsSni", line)?;
    let verdict = blocked("evil.example").pid(ran.pid).additional("ProxyIP", "127.0.0.1").additional("ProxyPort", port);
    account.has(1, &verdict)?;
    account.has(1, &network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "good.example"))
}

#[test]
fn a_blocked_name_inside_an_allowed_tunnel_is_blocked() -> Result<()> {
    let world = World::new()?;
    for kind in [Kind::Tinyproxy, Kind::Squid] {
        let proxy = world.proxy(kind)?;
        let (daemon, line) = world.blocks_evil()?;
        let detour = ["--connect-to", "evil.example:8443:good.example:8443"];
        let request = ["-x", &proxy.url(), "https://evil.example:8443/"];
        let ran = curl(&world.netns, &[&detour[..], &request[..]].concat())?;
        check_tunnel(daemon, &world, &ran, &line, proxy.port())?;
    }
    Ok(())
}

#[test]
fn openssl_is_blocked_inside_a_tunnel_as_curl_is() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Squid)?;
    let (daemon, line) = world.blocks_evil()?;
    let proxy_address = format!("127.0.0.1:{}", proxy.port());
    let tunnel = ["s_client", "-proxy", &proxy_address, "-connect", "good.example:8443"];
    let allowed = run(&world.netns, "openssl", &[&tunnel[..], &["-servername", "good.example"]].concat())?;
    ensure!(allowed.stdout.contains("BEGIN CERTIFICATE"), "the allowed name was not served: {allowed:#?}");
    let ran = run(&world.netns, "openssl", &[&tunnel[..], &["-servername", "evil.example"]].concat())?;
    ensure!(!ran.stdout.contains("BEGIN CERTIFICATE"), "the blocked name was served: {ran:#?}");
    daemon.row(&blocked("evil.example").pid(ran.pid))?;
    // openssl says so by its error number alone: 103 is ECONNABORTED.
    ensure!(ran.stderr.contains("errno=103"), "openssl was not cut off: {ran:#?}");
    let account = daemon.stop()?;
    check_verdict(&account, &ran, "evil.example", "TlsSni", &line)?;
    account.has(0, &blocked("good.example"))
}

#[test]
fn a_later_request_on_the_same_connection_is_blocked_by_its_own_name() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Squid)?;
    let (daemon, line) = world.blocks_evil()?;
    let urls = ["http://good.example:8080/first", "http://evil.example:8080/second"];
    let ran = curl(&world.netns, &["-x", &proxy.url(), urls[0], urls[1]])?;
    ensure!(ran.stdout.matches(PAGE).count() == 1, "not exactly the first page came: {ran:#?}");
    ran.was_cut_off()?;
    let verdict = blocked("evil.example").pid(ran.pid).additional("HostnameSource", "AbsoluteUri");
    daemon.row(&verdict.additional("IndicatorSource", line.as_str()))?;
    let log = proxy.log_with("good.example")?;
    ensure!(!log.contains("evil.example"), "the proxy got a blocked request:\n{log}");
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_name_is_blocked_in_any_case() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let policy = world.policy("case.txt", "Evil.EXAMPLE\n")?;
    let (daemon, line) = (
        Daemon::start(&["--mode".as_ref(), "block".as_ref(), "--policy".as_ref(), policy.as_os_str()])?,
        format!("{}:1", policy.display()),
    );
    // curl writes the name of a CONNECT request as it was typed.
    let ran = curl(&world.netns, &["-x", &proxy.url(), "https://EVIL.exaMPle:8443/"])?;
    ran.was_cut_off()?;
    check_verdict(&daemon.stop()?, &ran, "evil.example", "ConnectAuthority", &line)
}

#[test]
fn several_policy_files_add_up_and_each_kind_of_line_counts() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let first = world.policy("domains.txt", "\n# Only this name, not what is below it.\n=exact.example # Why.\n")?;
    let second = world.policy("hosts", "127.0.0.1 localhost\n0.0.0.0 other.example evil.example\n")?;
    let (first, second) = (first.to_str().context("UTF-8")?, second.to_str().context("UTF-8")?);
    let daemon = Daemon::start(&["--mode", "block", "--policy", first, "--policy", second])?;
    let ask = |host: &str| curl(&world.netns, &["-x", &proxy.url(), &format!("https://{host}:8443/")]);
    ask("www.exact.example")?.got(PAGE)?;
    ask("good.example")?.got(PAGE)?;
    let cases = [
        ("exact.example", "exact.example", format!("{first}:3")),
        ("other.example", "other.example", format!("{second}:2")),
        ("evil.example", "evil.example", format!("{second}:2")),
    ];
    for (host, indicator, line) in cases {
        let ran = ask(host)?;
        ran.was_cut_off()?;
        let verdict = blocked(host).pid(ran.pid);
        let row = daemon.row(&verdict.additional("IndicatorSource", line.as_str()))?;
        let told = row.additional("MatchedIndicator").and_then(|value| value.as_str());
        ensure!(told.is_some_and(|told| told.trim_start_matches('=') == indicator), "{told:?} is not {indicator}");
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_client_in_the_daemons_own_network_is_blocked_too() -> Result<()> {
    let host = Netns::host();
    let origin = Origin::start(&host, Ports { tls: 28443, http: 28080 })?;
    let policies = TempDir::new()?;
    let policy = policies.write("evil.txt", "evil.example\n")?;
    let policy = policy.to_str().context("UTF-8")?;
    let daemon = Daemon::start(&["--mode", "block", "--policy", policy])?;
    let ask = |host_name: &str| {
        let resolve = format!("{host_name}:28443:127.0.0.1");
        curl(&host, &["--resolve", &resolve, &format!("https://{host_name}:28443/")])
    };
    let ran = ask("evil.example")?;
    ran.was_cut_off()?;
    ask("good.example")?.got(PAGE)?;
    ensure!(!origin.requests()?.contains("evil.example"), "the origin got a blocked request");
    check_verdict(&daemon.stop()?, &ran, "evil.example", "TlsSni", &format!("{policy}:1"))
}
