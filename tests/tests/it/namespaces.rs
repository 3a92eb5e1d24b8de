//! A socket stays in the network namespace that it was made in, and its process need not be there: a thread can enter a
//! namespace, make a socket and be gone. The test process is such a one.

use std::{io::ErrorKind, net::Ipv4Addr};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{connect_request, curl, read_to_end, send},
    expect::blocked,
    proxy::{Kind, Proxy},
};

use crate::world::World;

/// Asks for a tunnel to the blocked name from the test process itself, and returns how the connection ended.
fn ask_from_outside(world: &World, proxy: &Proxy) -> Result<ErrorKind> {
    let mut stream = world.netns.connect((Ipv4Addr::LOCALHOST, proxy.port()).into())??;
    let ended = send(&mut stream, &connect_request("evil.example")).and_then(|()| read_to_end(&mut stream));
    Ok(ended.err().context("the blocked request was answered")?.kind())
}

#[test]
fn a_process_outside_of_its_sockets_namespace_is_cut_off() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let (daemon, _) = world.blocks_evil()?;
    let end = ask_from_outside(&world, &proxy)?;
    daemon.row(&blocked("evil.example").pid(std::process::id()))?;
    ensure!(end == ErrorKind::ConnectionAborted, "it ended with {end:?}");
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_process_outside_does_not_keep_those_inside_from_being_cut_off() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let (daemon, _) = world.blocks_evil()?;
    ask_from_outside(&world, &proxy)?;
    curl(&world.netns, &["--max-time", "6", "-x", &proxy.url(), "https://evil.example:8443/"])?.was_cut_off()?;
    daemon.stop()?;
    Ok(())
}
