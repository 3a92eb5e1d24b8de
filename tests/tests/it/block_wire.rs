//! Nothing of a blocked request is on the wire, a thousand times over.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{read_to_end, send},
    expect::{blocked, network},
    netns::Netns,
    proxy::Kind,
    wire::{Packet, Wire},
};

use crate::world::World;

const TRIES: usize = 1000;

fn open(netns: &Netns, port: u16) -> Result<(TcpStream, u16)> {
    let stream = netns.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))??;
    let own_port = stream.local_addr()?.port();
    Ok((stream, own_port))
}

fn connect_request(host: &str) -> Vec<u8> {
    format!("CONNECT {host}:8443 HTTP/1.1\r\nHost: {host}:8443\r\n\r\n").into_bytes()
}

/// Sends one CONNECT and says how the connection ended.
fn try_once(netns: &Netns, port: u16, host: &str) -> Result<ErrorKind> {
    let (mut stream, _) = open(netns, port)?;
    let ended = send(&mut stream, &connect_request(host)).and_then(|()| read_to_end(&mut stream));
    let error = ended.err().with_context(|| format!("{host} was answered"))?;
    Ok(error.kind())
}

#[test]
fn no_byte_of_a_thousand_blocked_requests_reaches_the_proxy() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let (daemon, _) = world.blocks_evil()?;
    let wire = Wire::to_port(&world.netns, proxy.port())?;

    let mut longest = Duration::ZERO;
    for number in 0..TRIES {
        let begun = Instant::now();
        let error = try_once(&world.netns, proxy.port(), &format!("h{number}.evil.example"))?;
        longest = longest.max(begun.elapsed());
        // A reset by the other side would mean that the other side was asked.
        ensure!(
            error == ErrorKind::ConnectionAborted,
            "try {number} ended with {error:?}"
        );
    }
    println!(
        "{TRIES} tries were cut off, the slowest after {} ms",
        longest.as_millis()
    );

    // The control: an allowed request to the same port shows up, so the capture can see what the check looks for. It
    // comes last, and packets come in order, so the capture then has all of the thousand.
    let (mut control, control_port) = open(&world.netns, proxy.port())?;
    send(&mut control, &connect_request("good.example"))?;
    wire.wait_for_payload_from(control_port)?;
    proxy.log_with("good.example")?;
    drop(control);

    let packets = wire.stop()?;
    let opens_control = |packet: &Packet| packet.syn && packet.from_port == control_port;
    let start = packets
        .iter()
        .rposition(opens_control)
        .context("the control was not seen to connect")?;
    let (tries, after) = packets.split_at(start);
    let opened = tries.iter().filter(|packet| packet.syn).count();
    ensure!(opened >= TRIES, "the capture saw only {opened} connections of {TRIES}");
    let late = after.iter().filter(|packet| packet.from_port != control_port);
    let leaked: Vec<_> = tries.iter().chain(late).filter(|packet| packet.payload > 0).collect();
    ensure!(leaked.is_empty(), "payload left blocked sockets: {leaked:?}");
    let log = proxy.log()?;
    ensure!(!log.contains("evil.example"), "the proxy got a blocked request:\n{log}");

    let own = std::process::id();
    daemon.row(
        &network("ConnectionSuccess")
            .pid(own)
            .column("RemoteUrl", "good.example"),
    )?;
    let account = daemon.stop()?;
    for number in 0..TRIES {
        account.has(1, &blocked(&format!("h{number}.evil.example")).pid(own))?;
    }
    ensure!(account.lost == 0, "{} events were lost", account.lost);
    Ok(())
}
