//! The account at the end: every event is recorded or counted as lost.

use std::time::Instant;

use anyhow::{Result, ensure};
use monitor_tests::{client::curl, expect::network, origin::PAGE, proxy::Kind};
use rustix::process::Signal;

use crate::world::World;

const REQUESTS: u64 = 10;

fn check(signal: Signal) -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let begun = Instant::now();
    let daemon = world.audits()?;
    println!("attached after {} ms", begun.elapsed().as_millis());
    let mut last = 0;
    for _ in 0..REQUESTS {
        let ran = curl(&world.netns, &["-x", &proxy.url(), "https://good.example:8443/"])?;
        ran.got(PAGE)?;
        last = ran.pid;
    }
    // At once: what is still on its way must be drained before the account is made.
    let account = daemon.stop_by(signal)?;
    ensure!(account.lost == 0, "{} events of so few were lost", account.lost);
    // Each request is at least a connection, a CONNECT, its answer's effect or the inner hello.
    ensure!(account.emitted >= 3 * REQUESTS, "only {} events for {REQUESTS} requests", account.emitted);
    account.has(1, &network("SslConnectionInspected").pid(last))?;
    account.has(2, &network("ConnectionSuccess").pid(last))
}

#[test]
fn sigterm_drains_and_accounts_for_every_event() -> Result<()> {
    check(Signal::TERM)
}

#[test]
fn sigint_drains_and_accounts_for_every_event() -> Result<()> {
    check(Signal::INT)
}
