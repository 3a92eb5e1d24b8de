//! Nothing of a blocked request is on the wire, a thousand times over.

use std::{
    io::Read as _,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{connect_request, send},
    expect::{blocked, network},
    netns::Netns,
    proxy::Kind,
    wait::PATIENCE,
    wire::{Packet, Wire},
};

use crate::{probe, world::World};

const TRIES: usize = 1000;

fn open(netns: &Netns, port: u16) -> Result<(TcpStream, u16)> {
    let stream = netns.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))??;
    let own_port = stream.local_addr()?.port();
    Ok((stream, own_port))
}

#[test]
fn no_byte_of_a_thousand_blocked_requests_reaches_the_proxy() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let (daemon, _) = world.blocks_evil()?;
    let wire = Wire::to_port(&world.netns, proxy.port())?;

    let address = format!("127.0.0.1:{}", proxy.port());
    let begun = Instant::now();
    let probe =
        probe::command(&world.netns)?.args(["connects", &address, &TRIES.to_string(), "evil.example"]).spawn()?;
    let pid = probe.id();
    let output = probe.wait_with_output()?;
    println!("{TRIES} tries took {} ms", begun.elapsed().as_millis());
    let ends = String::from_utf8(output.stdout)?;
    // An answer or a reset by the other side would mean that the other side was asked.
    for (number, end) in ends.lines().enumerate() {
        ensure!(end == "ended ConnectionAborted", "try {number}: {end}");
    }
    ensure!(output.status.success() && ends.lines().count() == TRIES, "the probe gave up:\n{ends}");

    // The control: an allowed request to the same port shows up, so the capture can see what the check looks for. It
    // comes last, and packets come in order, so the capture then has all of the thousand.
    let (mut control, control_port) = open(&world.netns, proxy.port())?;
    send(&mut control, &connect_request("good.example"))?;
    wire.wait_for_payload_from(control_port)?;
    proxy.log_with("good.example")?;
    // The row of the target waits for the answer, which a client that is gone does not get.
    control.set_read_timeout(Some(PATIENCE))?;
    ensure!(control.read(&mut [0; 64])? != 0, "the proxy did not answer");
    drop(control);

    let packets = wire.stop()?;
    let opens_control = |packet: &Packet| packet.syn && packet.from_port == control_port;
    let start = packets.iter().rposition(opens_control).context("the control was not seen to connect")?;
    let (tries, after) = packets.split_at(start);
    let opened = tries.iter().filter(|packet| packet.syn).count();
    ensure!(opened >= TRIES, "the capture saw only {opened} connections of {TRIES}");
    let late = after.iter().filter(|packet| packet.from_port != control_port);
    let leaked: Vec<_> = tries.iter().chain(late).filter(|packet| packet.payload > 0).collect();
    ensure!(leaked.is_empty(), "payload left blocked sockets: {leaked:?}");
    let log = proxy.log()?;
    ensure!(!log.contains("evil.example"), "the proxy got a blocked request:\n{log}");

    let own = std::process::id();
    daemon.row(&network("ConnectionSuccess").pid(own).column("RemoteUrl", "good.example"))?;
    let account = daemon.stop()?;
    for number in 0..TRIES {
        account.has(1, &blocked(&format!("h{number}.evil.example")).pid(pid))?;
    }
    ensure!(account.lost == 0, "{} events were lost", account.lost);
    Ok(())
}
