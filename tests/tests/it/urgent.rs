//! Urgent data (`MSG_OOB`, RFC 6093): whether the byte stays in the stream is the receiver's choice, so a name around one
//! can be read in two ways. Nothing is guessed, and in block mode nothing leaves.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{connect_request, to_hex},
    daemon::Daemon,
    expect::{audited, blocked, network},
    hello::hello_with_name_at_the_end,
    sink::Sink,
};

use crate::world::World;

const SINK_PORT: u16 = 9000;

/// Sends the parts on one connection, each in a packet of its own, the middle one as urgent data; each is followed by the
/// wait that a packet in flight needs.
const PYTHON: &str = r#"
import socket, sys, time
host, port, *parts = sys.argv[1:]
before, urgent, after = (bytes.fromhex(part) for part in parts)
connection = socket.create_connection((host, int(port)))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
try:
    for part, flags in (before, 0), (urgent, socket.MSG_OOB), (after, 0):
        connection.send(part, flags)
        time.sleep(0.02)
    print("ended", "sent")
except OSError as error:
    print("ended", type(error).__name__)
"#;

/// Messages whose name a byte `x` is put into, or in front of, and how many bytes precede it.
fn messages() -> Result<Vec<(Vec<u8>, usize)>> {
    let connect = connect_request("www.evil.example");
    let hello = hello_with_name_at_the_end("www.evil.example", 200)?;
    let in_hello = hello.len() - 9;
    let tunnel = connect_request("good.example");
    let (in_tunnel, tunnelled) = (tunnel.len() + in_hello, [tunnel, hello.clone()].concat());
    Ok(vec![(connect.clone(), "CONNECT www.ev".len()), (connect, 0), (hello, in_hello), (tunnelled, in_tunnel)])
}

/// Sends each message; returns the process, how it says that it ended, and how many bytes precede the urgent one.
fn each(world: &World, mut check: impl FnMut(usize, u32, &str, usize, usize) -> Result<()>) -> Result<()> {
    let script = world.policy("urgent.py", PYTHON)?;
    for (number, (message, at)) in messages()?.into_iter().enumerate() {
        let (before, after) = message.split_at(at);
        let mut command = world.netns.command("python3")?;
        command.arg(&script).args([Ipv4Addr::LOCALHOST.to_string(), SINK_PORT.to_string()]);
        let client = command.args([to_hex(before), to_hex(b"x"), to_hex(after)]).stdout(std::process::Stdio::piped());
        let client = client.spawn()?;
        let pid = client.id();
        let end = String::from_utf8(client.wait_with_output()?.stdout)?;
        check(number, pid, end.trim(), at, message.len()).with_context(|| format!("message {number}"))?;
    }
    Ok(())
}

fn no_name_is_told(daemon: Daemon) -> Result<()> {
    let account = daemon.stop()?;
    for name in ["www.evil.example", "www.evxil.example"] {
        account.has(0, &network("ConnectionSuccess").column("RemoteUrl", name))?;
    }
    Ok(())
}

#[test]
fn a_name_with_urgent_data_in_it_does_not_leave_in_block_mode() -> Result<()> {
    let world = World::new()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, SINK_PORT).into())?;
    let (daemon, _) = world.blocks_evil()?;
    each(&world, |number, pid, end, before, _| {
        ensure!(end == "ended ConnectionAbortedError", "the sender was told {end:?}");
        let arrived = sink.wait_for(number, "the connection ends", |connection| connection.ended)?.bytes;
        ensure!(arrived == before, "{arrived} bytes arrived, not {before}");
        let row = blocked("").pid(pid).additional("UnreadableReason", "UrgentData");
        daemon.row(&row.additional("ResponseCategory", "CustomPolicy").column("RemotePort", SINK_PORT))?;
        Ok(())
    })?;
    no_name_is_told(daemon)
}

#[test]
fn a_name_with_urgent_data_in_it_is_not_guessed_in_audit_mode() -> Result<()> {
    let world = World::new()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, SINK_PORT).into())?;
    let (daemon, _) = world.audits_evil()?;
    each(&world, |number, pid, end, _, whole| {
        ensure!(end == "ended sent", "the sender was told {end:?}");
        // The sink does not ask for urgent data in line, so that byte is not among what it reads.
        sink.wait_for(number, "every byte arrives", |connection| connection.bytes == whole)?;
        daemon.row(&audited("").pid(pid).additional("UnreadableReason", "UrgentData"))?;
        Ok(())
    })?;
    no_name_is_told(daemon)
}
