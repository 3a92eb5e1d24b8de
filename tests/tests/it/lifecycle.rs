//! How connections begin and end, besides what they ask for.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::process::id;
use std::thread;

use anyhow::{Context as _, Result, ensure};
use monitor_tests::client::{curl, run};
use monitor_tests::expect::{Expected, network};
use monitor_tests::wait::PATIENCE;

use crate::world::World;

const PORT: u16 = 9000;

/// Connects with TCP_USER_TIMEOUT (tcp(7)) set to 1.5 s.
const IMPATIENT: &str = "
import errno, socket
s = socket.socket()
s.setsockopt(socket.IPPROTO_TCP, 18, 1500)
try:
    s.connect(('127.0.0.1', 9000))
except OSError as e:
    print(errno.errorcode[e.errno])
";

fn failed(pid: u32, reason: &str) -> Expected {
    network("ConnectionFailed").pid(pid).column("RemoteUrl", "").additional("FailureReason", reason)
}

#[test]
fn a_connection_that_comes_to_nothing_says_why() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    let refused = curl(&world.netns, &["http://127.0.0.1:9/"])?;
    daemon.row(&failed(refused.pid, "Refused").column("RemoteIP", "127.0.0.1").column("RemotePort", 9))?;
    // The namespace has no route but those of the loopback device.
    let unreachable = curl(&world.netns, &["http://192.0.2.1:81/"])?;
    daemon.row(&failed(unreachable.pid, "Unreachable").column("RemoteIP", "192.0.2.1").column("RemotePort", 81))?;
    // The one place of a backlog of none is taken: no further SYN is answered.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let listener = world.netns.listen(address)?;
    rustix::net::listen(&listener, 0)?;
    let _waits = world.netns.connect(address)??;
    let abandoned = curl(&world.netns, &["--max-time", "0.5", &format!("http://{address}/")])?;
    daemon.row(&failed(abandoned.pid, "Abandoned").column("RemotePort", PORT))?;
    let timed_out = run(&world.netns, "python3", &["-c", IMPATIENT])?;
    ensure!(timed_out.stdout.trim() == "ETIMEDOUT", "{timed_out:#?}");
    daemon.row(&failed(timed_out.pid, "TimedOut").column("RemotePort", PORT))?;
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_connection_and_its_listener_have_rows_of_who_they_are_and_what_they_carried() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let listener = world.netns.listen(address)?;
    let server = thread::spawn(move || -> Result<()> {
        let (mut stream, _) = listener.accept()?;
        let mut request = Vec::new();
        stream.read_to_end(&mut request)?;
        stream.write_all(&vec![b'x'; 20_000])?;
        Ok(())
    });
    let mut client = world.netns.connect(address)??;
    client.set_read_timeout(Some(PATIENCE))?;
    client.write_all(&[0; 1234])?;
    client.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    client.read_to_end(&mut answer)?;
    ensure!(answer.len() == 20_000, "{} bytes came", answer.len());
    drop(client);
    server.join().ok().context("the server panicked")??;
    for action in ["ListeningConnectionCreated", "InboundConnectionAccepted"] {
        daemon.row(&network(action).pid(id()).column("LocalPort", PORT).column("LocalIP", "127.0.0.1"))?;
    }
    let closed = network("ConnectionClosed")
        .pid(id())
        .column("RemotePort", PORT)
        .additional("BytesSent", 1234)
        .additional("BytesReceived", 20_000);
    daemon.row(&closed)?;
    daemon.stop()?;
    Ok(())
}

/// A socket that is opened and never used, and one of another kind.
const RAW: &str = "
import socket
socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
";

#[test]
fn a_raw_socket_is_told_with_its_process() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    let made = run(&world.netns, "python3", &["-c", RAW])?;
    let raw = network("RawSocketCreated").pid(made.pid).column("Protocol", "Raw").column("LocalIP", "");
    for protocol in [253, 58] {
        daemon.row(&raw.clone().additional("IpProtocol", protocol))?;
    }
    daemon.stop()?.has(2, &raw)
}
