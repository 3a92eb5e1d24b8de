//! The names that `proxysight replay` finds in a capture of mixed flows are those that tshark finds, no more and no less.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    capture::Capture,
    client::{curl, run},
    proxy::Kind,
    row::Row,
    tool,
};

use crate::{
    replay::{replay, stop},
    world::World,
};

/// Rounds of seven flows each; each flow to a proxy that succeeds has a second one from the proxy to the origin.
const ROUNDS: usize = 45;

/// Below the ports that the kernel gives out.
const FIRST_PORT: u16 = 10_000;

/// How often each name was found, by where.
type Names = BTreeMap<(String, String), usize>;

fn of_rows(rows: &[Row]) -> Result<Names> {
    // A name has several rows, such as that of the connection and that of the hello, but each connection asks once.
    let mut told = BTreeSet::new();
    for row in rows {
        if let Some(source) = row.additional("HostnameSource") {
            let source = source.as_str().context("a source in text")?;
            told.insert((row.connection_id()?.to_owned(), source.to_owned(), row.text("RemoteUrl")?.to_owned()));
        }
    }
    let mut names = Names::new();
    for (_, source, name) in told {
        *names.entry((source, name)).or_default() += 1;
    }
    Ok(names)
}

/// What tshark says of the same file, in the words of rows.
fn of_tshark(path: &Path) -> Result<Names> {
    const FIELDS: [&str; 4] =
        ["tls.handshake.extensions_server_name", "http.request.method", "http.request.uri", "http.host"];
    let mut command = Command::new(tool::path_of("tshark")?);
    command.args(["-n", "-T", "fields", "-E", "separator=/t", "-Y", "tls.handshake.type == 1 || http.request"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    command.args(["-d", "tcp.port==8443,tls", "-d", "tcp.port==8888,http", "-r"]).arg(path);
    let ended = command.stdin(Stdio::null()).output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let mut names = Names::new();
    for line in String::from_utf8(ended.stdout)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [sni, method, uri, host] = fields[..] else { continue };
        let (source, name) = match (sni, method) {
            ("", "CONNECT") => ("ConnectAuthority", uri),
            ("", _) => uri.strip_prefix("http://").map_or(("HttpHost", host), |rest| ("AbsoluteUri", rest)),
            (sni, _) => ("TlsSni", sni),
        };
        let name = name.split(['/', ':']).next().unwrap_or_default();
        *names.entry((source.to_owned(), name.to_owned())).or_default() += 1;
    }
    Ok(names)
}

fn round(world: &World, proxy: &str, number: usize) -> Result<()> {
    let host = |kind: &str| format!("{kind}{number}.mixed.example");
    let at = |kind: &str, port: u16, address: &str| format!("{}:{port}:{address}", host(kind));
    let url = |kind: &str, port: u16| {
        let scheme = if port == 8443 { "https" } else { "http" };
        format!("{scheme}://{}:{port}/", host(kind))
    };
    // tshark takes a connection with the ports of an earlier one for the encrypted rest of that: each client has its own.
    let mut port = FIRST_PORT + u16::try_from(number)? * 7;
    let mut own_port = || {
        port += 1;
        port.to_string()
    };
    let mut ask = |arguments: &[&str]| curl(&world.netns, &[&["--local-port", &own_port()], arguments].concat());
    ask(&["--resolve", &at("tls", 8443, "127.0.0.1"), &url("tls", 8443)])?;
    ask(&["--resolve", &at("six", 8443, "::1"), &url("six", 8443)])?;
    ask(&["--resolve", &at("plain", 8080, "127.0.0.1"), &url("plain", 8080)])?;
    // The proxy is asked for another host than the server in the tunnel.
    ask(&["-x", proxy, "--connect-to", "::good.example:8443", &url("inner", 8443)])?;
    // Hosts that the proxy does not find.
    ask(&["-x", proxy, &url("refused", 8443)])?;
    ask(&["-x", proxy, &url("absolute", 8080)])?;
    let version = if number.is_multiple_of(2) { "-tls1_2" } else { "-tls1_3" };
    let bind = format!("127.0.0.1:{}", own_port());
    let server = ["s_client", "-connect", "127.0.0.1:8443", "-bind", &bind];
    run(&world.netns, "openssl", &[&server[..], &["-servername", &host("openssl"), version]].concat())?;
    Ok(())
}

#[test]
fn names_are_those_that_tshark_finds() -> Result<()> {
    let world = World::new()?;
    // The proxy's own connections get theirs from the kernel, which on loopback gives one out again after a second.
    world.netns.sysctl("net.ipv4.tcp_tw_reuse", "0")?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let capture = Capture::start(&world.netns)?;
    for number in 0..ROUNDS {
        round(&world, &proxy.url(), number)?;
    }
    let captured = stop(capture, &world)?;
    let (rows, talk) = replay(&captured.path(), &[], 0)?;
    let (ours, theirs) = (of_rows(&rows)?, of_tshark(&captured.path())?);
    ensure!(ours == theirs, "replay\n{ours:#?}\ntshark\n{theirs:#?}\n{talk}");
    // Seven of a round, twice `good.example` for the tunnel, and one name in it.
    let total: usize = ours.values().sum();
    ensure!(total >= 8 * ROUNDS, "only {total} names");
    println!("{total} names of {} different ones; {talk}", ours.len());
    Ok(())
}
