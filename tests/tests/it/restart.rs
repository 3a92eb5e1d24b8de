//! A daemon that ends in any way leaves nothing attached, and the next one works.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Result, ensure};
use monitor_tests::{
    client::{curl, read_to_end, send},
    expect::{blocked, network},
    origin::PAGE,
    proxy::Kind,
    wait,
};

use crate::world::World;

#[test]
fn a_killed_daemon_leaves_nothing_attached_and_the_next_works() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let ask = |host: &str| curl(&world.netns, &["-x", &proxy.url(), &format!("https://{host}:8443/")]);
    let (first, _) = world.blocks_evil()?;
    ask("evil.example")?.was_cut_off()?;
    first.kill()?;
    // The kernel drops the links when the last descriptor goes, which is a moment after the process is reaped.
    wait::until("evil.example is reached once the daemon is gone", || {
        let ran = ask("evil.example")?;
        Ok((ran.status == 0 && ran.stdout.contains(PAGE)).then_some(()))
    })?;

    let (second, _) = world.blocks_evil()?;
    let stopped = ask("evil.example")?;
    stopped.was_cut_off()?;
    second.row(&blocked("evil.example").pid(stopped.pid))?;
    let reached = ask("good.example")?;
    reached.got(PAGE)?;
    second.row(&network("ConnectionSuccess").pid(reached.pid).column("RemoteUrl", "good.example"))?;
    // One of each: what the first had attached would report the same connection again.
    let account = second.stop()?;
    account.has(1, &blocked("evil.example").pid(stopped.pid))?;
    account.has(2, &network("ConnectionSuccess").pid(reached.pid))
}

#[test]
fn a_stopped_daemon_blocks_nothing_from_then_on() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let ask = || curl(&world.netns, &["-x", &proxy.url(), "https://evil.example:8443/"]);
    let (daemon, _) = world.blocks_evil()?;
    ask()?.was_cut_off()?;
    daemon.stop()?;
    ask()?.got(PAGE)
}

#[test]
fn a_connection_made_before_the_daemon_goes_on() -> Result<()> {
    let world = World::new()?;
    let mut stream = world.netns.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))??;
    let (daemon, _) = world.blocks_evil()?;
    send(&mut stream, b"GET / HTTP/1.1\r\nHost: good.example\r\nConnection: close\r\n\r\n")?;
    let answer = String::from_utf8(read_to_end(&mut stream)?)?;
    ensure!(answer.contains(PAGE), "the server answered {answer:?}");
    daemon.stop()?;
    Ok(())
}
