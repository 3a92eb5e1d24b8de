//! Every way from a program to the network that the hook sees: the name is read, its process is right, and in block mode
//! nothing leaves. docs/send-paths.md is the table of them.

use std::{io::Write as _, net::Ipv4Addr, path::PathBuf, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::{connect_request, curl, to_hex},
    daemon::Daemon,
    expect::{audited, blocked, network},
    hello::hello_with_name_at_the_end,
    netns::Netns,
    origin::PAGE,
    sink::Sink,
    tool,
    wire::Wire,
};

use crate::world::World;

const EVIL: &str = "www.evil.example";

/// Where the sink listens.
const SINK_PORT: u16 = 9000;

/// The ways of the sender, tests/src/bin/sender.rs.
const WAYS: [&str; 15] = [
    "write",
    "writev",
    "send",
    "send-more",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "sendfile",
    "splice",
    "cork",
    "thread",
    "io_uring",
    "inherited",
    "passed",
    "fast-open",
];

/// Ways that Rust has no safe name for: pages of the program's own (MSG_ZEROCOPY, Linux 4.14), a child that is a copy, and
/// multipath TCP (Linux 5.6), whose first subflow is an ordinary connection.
const PYTHON: &str = r#"
import os, socket, sys
way, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
message = bytes.fromhex(sys.stdin.read())
IPPROTO_MPTCP = 262
connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP if way == "mptcp" else 0)
connection.connect((host, port))
try:
    if way == "mptcp":
        connection.sendall(message)
    elif way == "zerocopy":
        SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
        connection.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
        connection.sendmsg([message], [], MSG_ZEROCOPY)
    elif way == "fork":
        if os.fork():
            os.wait()
            os._exit(0)
        connection.sendall(message)
    connection.settimeout(8)
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    print("ended Answered", connection.recv(4096).decode())
except OSError as error:
    print("ended", type(error).__name__.removesuffix("Error"))
"#;

const PYTHON_WAYS: [&str; 3] = ["zerocopy", "fork", "mptcp"];

/// What each way sends, and where the name in it is found: at the end of the one, at the beginning of the other.
fn messages() -> Result<[(Vec<u8>, &'static str); 2]> {
    Ok([(hello_with_name_at_the_end(EVIL, 200)?, "TlsSni"), (connect_request(EVIL), "ConnectAuthority")])
}

/// How many bytes of a blocked message leave. sendmmsg sends it as two: the first half may go when the name is in the other.
fn harmless(way: &str, source: &str, message: &[u8]) -> usize {
    if way == "sendmmsg" && source == "TlsSni" { message.len() / 2 } else { 0 }
}

/// Runs a client with the message as its stdin; returns its process id and how it says its connection ended.
fn run(netns: &Netns, program: PathBuf, arguments: &[&str], message: &[u8]) -> Result<(u32, String)> {
    let mut command = netns.command_at(&program)?;
    let mut client = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let pid = client.id();
    client.stdin.take().context("no stdin")?.write_all(to_hex(message).as_bytes())?;
    let output = client.wait_with_output()?;
    Ok((pid, String::from_utf8(output.stdout)?.trim().to_owned()))
}

/// Sends a message in every way, one connection after the other, and has each checked: its number, way, process and end.
fn each_way(world: &World, message: &[u8], mut check: impl FnMut(&str, u32, &str) -> Result<()>) -> Result<()> {
    let script = world.policy("sender.py", PYTHON)?;
    let script = script.to_string_lossy();
    let (host, port) = (Ipv4Addr::LOCALHOST.to_string(), SINK_PORT.to_string());
    let address = format!("{host}:{port}");
    for way in WAYS {
        let (pid, end) = run(&world.netns, env!("CARGO_BIN_EXE_sender").into(), &[way, &address], message)?;
        check(way, pid, &end).with_context(|| format!("sent by {way}"))?;
    }
    for way in PYTHON_WAYS {
        let (pid, end) = run(&world.netns, tool::path_of("python3")?, &[&script, way, &host, &port], message)?;
        check(way, pid, &end).with_context(|| format!("sent by {way}"))?;
    }
    Ok(())
}

/// A world in which a SYN may carry data, without a cookie, to any listener: client 1 + 4, server 2 + 0x200 + 0x400.
fn world() -> Result<World> {
    let world = World::new()?;
    world.netns.sysctl("net.ipv4.tcp_fastopen", "0x607")?;
    Ok(world)
}

#[test]
fn every_way_to_send_is_named_with_its_process() -> Result<()> {
    let world = world()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, SINK_PORT).into())?;
    let (daemon, _) = world.audits_evil()?;
    let mut number = 0;
    for (message, source) in messages()? {
        each_way(&world, &message, |_, pid, end| {
            ensure!(end == "ended Answered", "the sender was told {end:?}");
            sink.wait_for(number, "every byte arrives", |connection| connection.bytes == message.len())?;
            number += 1;
            daemon.row(&audited(EVIL).pid(pid).additional("HostnameSource", source))?;
            Ok(())
        })?;
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn every_way_to_send_is_blocked() -> Result<()> {
    let world = world()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, SINK_PORT).into())?;
    let (daemon, _) = world.blocks_evil()?;
    let mut number = 0;
    for (message, source) in messages()? {
        each_way(&world, &message, |way, pid, end| {
            // The kernel keeps the error of a second message to itself when a first one was taken, and reports it once.
            let kept = way == "sendmmsg" && end == "ended BrokenPipe";
            ensure!(end == "ended ConnectionAborted" || kept, "the sender was told {end:?}");
            // With fast open it is the SYN that is dropped: the server hears nothing at all.
            if way != "fast-open" {
                let arrived = sink.wait_for(number, "the connection ends", |connection| connection.ended)?.bytes;
                number += 1;
                let harmless = harmless(way, source, &message);
                ensure!(arrived == harmless, "{arrived} bytes arrived, not {harmless}");
            }
            daemon.row(&blocked(EVIL).pid(pid).additional("HostnameSource", source))?;
            Ok(())
        })?;
    }
    let account = daemon.stop()?;
    account.has(0, &network("ConnectionSuccess").column("RemoteUrl", EVIL))
}

/// curl's own fast open (`TCP_FASTOPEN_CONNECT`): the hello is in the SYN, as the capture shows.
fn check_curl(world: &World, daemon: &Daemon, name: &str) -> Result<(u32, i32, usize)> {
    let wire = Wire::to_port(&world.netns, 8443)?;
    let ran = curl(&world.netns, &["--tcp-fastopen", &format!("https://{name}:8443/")])?;
    if ran.status == 0 {
        ran.got(PAGE)?;
        let named = network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", name);
        daemon.row(&named.additional("HostnameSource", "TlsSni"))?;
    }
    // The capture has all of it when it has this one, too.
    let last = world.netns.connect((Ipv4Addr::LOCALHOST, 8443).into())??;
    (&last).write_all(b"the last")?;
    wire.wait_for_payload_from(last.local_addr()?.port())?;
    let packets = wire.stop()?;
    let in_syn = packets.iter().filter(|packet| packet.syn).map(|packet| packet.payload).sum();
    Ok((ran.pid, ran.status, in_syn))
}

#[test]
fn a_hello_in_the_syn_of_curl_is_named_and_blocked() -> Result<()> {
    let world = world()?;
    let (daemon, _) = world.blocks_evil()?;
    let (_, status, in_syn) = check_curl(&world, &daemon, "good.example")?;
    ensure!(status == 0, "curl ended with {status}");
    ensure!(in_syn > 100, "the SYN had {in_syn} bytes: this is no fast open");
    let (pid, status, in_syn) = check_curl(&world, &daemon, "evil.example")?;
    ensure!(status != 0 && status != 28, "curl ended with {status}");
    ensure!(in_syn == 0, "{in_syn} bytes left in a SYN");
    daemon.row(&blocked("evil.example").pid(pid).additional("HostnameSource", "TlsSni"))?;
    daemon.stop()?;
    Ok(())
}
