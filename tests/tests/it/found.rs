//! ConnectionFound: what was open when the daemon started has one row each, with its process and its ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::client::curl;
use monitor_tests::daemon::Daemon;
use monitor_tests::expect::{Expected, network};
use monitor_tests::origin::PAGE;
use monitor_tests::running::Running;

use crate::world::World;

const PORT: u16 = 9000;

/// Connects to a listener of the test's own and waits for its end; prints its own port.
const CLIENT: &str = "
import socket, sys
s = socket.create_connection(('127.0.0.1', 9000))
print(s.getsockname()[1], flush=True)
s.recv(1)
";

fn found(pid: u32, local: u16, remote: u16) -> Expected {
    network("ConnectionFound")
        .pid(pid)
        .column("LocalIP", "127.0.0.1")
        .column("LocalPort", local)
        .column("RemoteIP", "127.0.0.1")
        .column("RemotePort", remote)
        .column("RemoteUrl", "")
        .column("Protocol", "Tcp")
}

#[test]
fn what_was_open_at_the_start_has_one_row_for_each_end() -> Result<()> {
    let world = World::new()?;
    let listener = world.netns.listen(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)))?;
    let mut command: Command = world.netns.command("python3")?;
    command.args(["-c", CLIENT]).stdin(Stdio::null()).stdout(Stdio::piped());
    let client = Running::spawn("python3", &mut command)?;
    let (accepted, peer) = listener.accept()?;
    // `ip netns exec` has become Python once it has connected.
    let port = peer.port();
    let daemon = world.audits()?;
    let own = std::process::id();
    let outgoing =
        daemon.row(&found(client.pid(), port, PORT).column_contains("InitiatingProcessFileName", "python3"))?;
    let incoming = daemon.row(&found(own, PORT, port).column_contains("InitiatingProcessFileName", "it-"))?;
    ensure!(outgoing.connection_id()? != incoming.connection_id()?, "one connection: {outgoing} and {incoming}");
    ensure!(outgoing.text("InitiatingProcessAccountName")? == "root", "{outgoing}");
    // What begins later is not found.
    let later = curl(&world.netns, &["http://good.example:8080/"])?;
    later.got(PAGE)?;
    drop(accepted);
    let account = daemon.stop()?;
    account.has(1, &found(client.pid(), port, PORT))?;
    account.has(1, &found(own, PORT, port))?;
    account.has(0, &network("ConnectionFound").pid(later.pid))?;
    account.has(0, &network("ConnectionClosed").pid(client.pid()))
}

#[test]
fn a_connection_made_while_the_daemon_starts_is_told_of_once() -> Result<()> {
    let world = World::new()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let mut open = vec![world.netns.connect(address)??];
    let daemon = world.audits()?;
    for _ in 0..50 {
        open.push(world.netns.connect(address)??);
    }
    let own = || network("ConnectionFound").pid(std::process::id());
    daemon.row(&own())?;
    let ports: Vec<u16> =
        open.iter().map(|stream| Ok(stream.local_addr()?.port())).collect::<Result<_>>().context("a local port")?;
    for port in ports.iter().skip(1) {
        daemon.row(&network("ConnectionSuccess").pid(std::process::id()).column("LocalPort", *port))?;
    }
    let account = daemon.stop()?;
    for (number, port) in ports.into_iter().enumerate() {
        let at = |action| network(action).pid(std::process::id()).column("LocalPort", port);
        account.has(usize::from(number == 0), &at("ConnectionFound"))?;
        account.has(usize::from(number != 0), &at("ConnectionSuccess"))?;
    }
    Ok(())
}

#[test]
fn without_the_switch_nothing_is_found() -> Result<()> {
    let world = World::new()?;
    let _open = world.netns.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))??;
    let config = world.policy("config.toml", "mode = \"audit\"\nrecords.found = false\n")?;
    let config = config.to_str().context("a temporary path in UTF-8")?;
    let daemon = Daemon::start(&["--config", config])?;
    curl(&world.netns, &["http://good.example:8080/"])?.got(PAGE)?;
    let account = daemon.stop()?;
    account.has(0, &network("ConnectionFound"))
}
