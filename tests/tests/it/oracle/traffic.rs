//! A thousand flows of real clients, servers and proxies, recorded.

use std::{
    fmt::Write as _,
    io::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Result, anyhow, ensure};
use monitor_tests::{
    capture::Capture,
    client::{curl, position, run, to_hex},
    hello::post_quantum_hello,
    name_server::NameServer,
    netns::Netns,
    proxy::{CREDENTIALS, Kind, Proxy},
    quic::{QuicServer, ask, ask_in_version_2},
};

use crate::{probe, world::World};

/// Flows that have a name at least; each through a proxy that succeeds has a second one from the proxy to the origin.
pub(super) const FLOWS_MIN: usize = 1_000;

pub(super) const ROUNDS: usize = 38;
/// At a time: two cores have enough to do.
const ROUNDS_AT_ONCE: usize = 4;

/// Where dante listens.
pub(super) const SOCKS_PORT: u16 = 1080;
/// Where the QUIC server listens.
pub(super) const QUIC_PORT: u16 = 8443;
/// How hosts are called that are asked for in version 2 of QUIC.
const VERSION_2: &str = "version-two";

/// Below the ports that the kernel gives out.
const FIRST_PORT: u16 = 10_000;
/// Ports that one round has for itself.
const PORTS: u16 = 32;

/// Hosts of each round that the proxies find, all but the last at 127.0.0.1.
const HOSTS: [&str; 13] = [
    "tls", "plain", "openssl", "connect", "absolute", "inner", "retry", "first", "second", "socks5", "socks4",
    "pieces", "six",
];

struct Proxies {
    tinyproxy: Proxy,
    squid: Proxy,
    dante: Proxy,
    /// The name and password of squid, as curl reads them.
    credentials: String,
}

fn host(kind: &str, number: usize) -> String {
    format!("{kind}{number}.mixed.example")
}

/// Whether a host is asked for in version 2 of QUIC.
pub(super) fn is_of_version_2(host: &str) -> bool {
    host.starts_with(VERSION_2)
}

/// Has everybody ask for everything; the capture still runs.
pub(super) fn record(world: &World) -> Result<Capture> {
    // The proxies' own connections get their ports from the kernel, which on loopback gives one out again after a second.
    world.netns.sysctl("net.ipv4.tcp_tw_reuse", "0")?;
    let mut hosts = "127.0.0.1 localhost good.example\n::1 localhost\n".to_owned();
    for number in 0..ROUNDS {
        for kind in HOSTS {
            let address = if kind == "six" { "::1" } else { "127.0.0.1" };
            writeln!(hosts, "{address} {}", host(kind, number))?;
        }
    }
    world.netns.etc("hosts", &hosts)?;
    let (user, password) = CREDENTIALS;
    let credentials = world.policy("curlrc", &format!("proxy-user = \"{user}:{password}\"\n"))?;
    let proxies = Proxies {
        tinyproxy: world.proxy(Kind::Tinyproxy)?,
        squid: world.proxy(Kind::SquidWithPassword)?,
        dante: world.proxy(Kind::Dante)?,
        credentials: credentials.to_string_lossy().into_owned(),
    };
    let _name_server = NameServer::start(&world.netns)?;
    let quic = QuicServer::start(&world.netns, QUIC_PORT)?;
    let capture = Capture::start(&world.netns)?;
    ask_name_server(&world.netns)?;
    ask_by_quic(&world.netns, &quic)?;
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= ROUNDS {
                return Ok(());
            }
            round(world, &proxies, number)?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..ROUNDS_AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a thread panicked"))?)
    })?;
    Ok(capture)
}

/// A query by UDP and one by TCP for each round, each from a socket of its own.
fn ask_name_server(netns: &Netns) -> Result<()> {
    for way in ["+notcp", "+tcp"] {
        let names: Vec<String> = (0..ROUNDS).map(|number| format!("n{number}.dns.example")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let dig = run(netns, "dig", &[&["@127.0.0.1", way, "+tries=1"], names.as_slice()].concat())?;
        ensure!(dig.status == 0, "{dig:#?}");
    }
    Ok(())
}

/// A connection in each version for each round.
fn ask_by_quic(netns: &Netns, server: &QuicServer) -> Result<()> {
    for number in 0..ROUNDS {
        ask(&netns.datagrams()?, server.address(), &host("quic", number))?;
        ask_in_version_2(&netns.datagrams()?, server.address(), &host(VERSION_2, number))?;
    }
    Ok(())
}

fn round(world: &World, proxies: &Proxies, number: usize) -> Result<()> {
    let first_port = FIRST_PORT + u16::try_from(number)? * PORTS;
    let mut port = first_port;
    let mut own_port = || {
        port += 1;
        port.to_string()
    };
    let tls = |kind: &str| format!("https://{}:8443/", host(kind, number));
    let clear = |kind: &str| format!("http://{}:8080/", host(kind, number));
    let mut ask = |arguments: &[&str]| curl(&world.netns, &[&["--local-port", &own_port()], arguments].concat());
    ask(&[&tls("tls")])?;
    ask(&[&tls("six")])?;
    ask(&[&clear("plain"), &clear("plain")])?;
    let tinyproxy = proxies.tinyproxy.url();
    ask(&["-x", &tinyproxy, &tls("connect")])?;
    ask(&["-x", &tinyproxy, &clear("absolute")])?;
    // The proxy is asked for another host than the server in the tunnel.
    ask(&["-x", &tinyproxy, "--connect-to", "::good.example:8443", &tls("inner")])?;
    // A host that the proxy does not find.
    ask(&["-x", &tinyproxy, &tls("refused")])?;
    // First without a password, and then once more on the same connection.
    let squid = proxies.squid.url();
    let with = ["-K", &proxies.credentials];
    ask(&[&with[..], &["--proxy-anyauth", "-x", &squid, &tls("retry")]].concat())?;
    // Two hosts on one connection.
    ask(&[&with[..], &["--proxy-basic", "-x", &squid, &clear("first"), &clear("second")]].concat())?;
    let dante = |scheme: &str| format!("{scheme}://127.0.0.1:{}", proxies.dante.port());
    ask(&["-x", &dante("socks5h"), &tls("socks5")])?;
    // dante takes 0.0.0.1, which stands before a name in SOCKS4a, for the target.
    ask(&["-x", &dante("socks4a"), &tls("socks4")])?;
    // The client resolves the name.
    ask(&["-x", &dante("socks5"), &tls("socks5")])?;
    let version = if number.is_multiple_of(2) { "-tls1_2" } else { "-tls1_3" };
    let bind = format!("127.0.0.1:{}", own_port());
    let server = ["s_client", "-connect", "127.0.0.1:8443", "-bind", &bind, version, "-servername"];
    run(&world.netns, "openssl", &[&server[..], &[&host("openssl", number)]].concat())?;
    send_in_pieces(&world.netns, &host("pieces", number), first_port + PORTS / 2)
}

/// A post-quantum hello, whole and cut in several places. The origin answers, and hears no more.
fn send_in_pieces(netns: &Netns, name: &str, first_port: u16) -> Result<()> {
    let hello = post_quantum_hello(name)?;
    let at = position(&hello, name)?;
    let cuts = [
        format!("{}", hello.len()),
        format!("{}", at + 3),
        format!("3 {}", at + 5),
        format!("{at} {}", at + name.len()),
    ];
    let mut command = probe::command(netns)?;
    let mut probe = command.args(["cuts", "127.0.0.1:8443", &first_port.to_string()]).spawn()?;
    if let Some(stdin) = &mut probe.stdin {
        writeln!(stdin, "{}\n{}", to_hex(&hello), cuts.join("\n"))?;
    }
    // Closes its stdin.
    let ended = probe.wait_with_output()?;
    ensure!(ended.status.success(), "the probe ended with {}", ended.status);
    Ok(())
}
