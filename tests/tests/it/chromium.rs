//! A browser behind squid: its hello is post-quantum, its pages come over HTTP/2, and its names are resolved by the proxy.

use anyhow::{Result, ensure};
use monitor_tests::{
    client::{Ran, run},
    expect::{Expected, blocked, network},
    origin::PAGE,
    proxy::{Kind, Proxy},
    temp::TempDir,
};

use crate::{clients::check_rows, world::World};

/// Nothing of its own accord: no updates, no accounts, no lists, no first page.
const QUIET: [&str; 14] = [
    "--headless=new",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--metrics-recording-only",
    "--ignore-certificate-errors",
];

fn chromium(world: &World, proxy: &Proxy, url: &str) -> Result<Ran> {
    let profile = TempDir::new()?;
    let profile = format!("--user-data-dir={}", profile.path().display());
    let server = format!("--proxy-server={}", proxy.url());
    run(&world.netns, "chromium", &[&QUIET[..], &[&profile, &server, "--dump-dom", url]].concat())
}

/// The rows of its network service, a process of its own below the one that was started.
fn of(ran: &Ran) -> impl Fn(Expected) -> Expected {
    move |expected| {
        let expected = expected.column("InitiatingProcessParentId", ran.pid);
        let expected = expected.column("InitiatingProcessFolderPath", "/usr/lib/chromium/chromium");
        expected.column_contains("InitiatingProcessCommandLine", "network.mojom.NetworkService")
    }
}

#[test]
fn chromium_behind_squid_has_its_rows_and_is_blocked() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Squid)?;
    let (daemon, _) = world.blocks_evil()?;
    let good = chromium(&world, &proxy, "https://good.example:8443/")?;
    good.got(PAGE)?;
    let asked = world.origin.requests()?;
    ensure!(asked.contains("8443 good.example good.example \"GET / HTTP/2.0\""), "not over HTTP/2:\n{asked}");
    check_rows(&daemon, &proxy, of(&good))?;

    let evil = chromium(&world, &proxy, "https://evil.example:8443/")?;
    ensure!(!evil.stdout.contains(PAGE), "the browser got a blocked page: {evil:#?}");
    daemon.row(&of(&evil)(blocked("evil.example")).additional("HostnameSource", "ConnectAuthority"))?;
    let log = proxy.log_with("good.example")?;
    ensure!(!log.contains("evil.example"), "the proxy got a blocked request:\n{log}");
    let account = daemon.stop()?;
    account.has(0, &of(&evil)(network("ConnectionSuccess")).column("RemoteUrl", "evil.example"))
}
