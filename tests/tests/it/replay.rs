//! `proxysight replay` on captures of real clients: the rows that the daemon made at the same time, and damaged files.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    capture::{Capture, Captured},
    client::{Ran, curl},
    daemon::{binary, output},
    expect::{blocked, network},
    origin::PAGE,
    proxy::Kind,
    row::Row,
    tool,
};
use serde_json::Value;

use crate::world::World;

/// An open port of every world.
const ORIGIN: ([u8; 4], u16) = ([127, 0, 0, 1], 8080);

pub(crate) fn stop(capture: Capture, world: &World) -> Result<Captured> {
    capture.stop(&world.netns, ORIGIN.into())
}

/// Replays a file with more arguments and checks the exit status.
pub(crate) fn replay(path: &Path, arguments: &[&str], status: i32) -> Result<(Vec<Row>, String)> {
    let path = path.to_str().context("a path in UTF-8")?;
    let Output { status: ended, stdout, stderr } = output(&[&["replay"], arguments, &[path]].concat())?;
    let talk = String::from_utf8(stderr)?;
    ensure!(ended.code() == Some(status), "replay ended with {ended} and said:\n{talk}");
    Ok((String::from_utf8(stdout)?.lines().map(Row::parse).collect::<Result<_>>()?, talk))
}

/// A port that the proxy refuses.
const REFUSED_PORT: u16 = 9443;

/// The port of clear-text requests. Their clients end when the server has sent all, so that the socket has taken what the
/// capture shows; the others close while the server may still send, such as the end of TLS.
const CLEAR_PORT: u16 = ORIGIN.1;

/// What a row says apart from who, when and on which host.
fn facts(row: &Row) -> String {
    let columns = ["Table", "ActionType", "RemoteIP", "RemotePort", "RemoteUrl", "LocalIP", "LocalPort", "Protocol"];
    let keys = ["HostnameSource", "TargetHost", "TargetPort", "ProxyIP", "ProxyPort", "status_code"];
    let bytes = ["BytesSent", "BytesReceived"];
    let is_clear = row.column("RemotePort") == Some(&CLEAR_PORT.into());
    let columns = columns.iter().map(|name| row.column(name));
    let keys = keys.iter().chain(bytes.iter().filter(|_| is_clear)).map(|name| row.additional(name));
    columns.chain(keys).map(|value| value.unwrap_or(&Value::Null).to_string()).collect::<Vec<_>>().join(" ")
}

/// The rows of connections that these clients opened.
fn facts_of<'a>(rows: impl Iterator<Item = &'a Row>) -> BTreeSet<String> {
    rows.map(facts).collect()
}

fn traffic(world: &World, proxy: &str) -> Result<Vec<Ran>> {
    let refused = format!("https://good.example:{REFUSED_PORT}/");
    let urls: [&[&str]; 6] = [
        &["-x", proxy, "https://good.example:8443/"],
        &["-x", proxy, "http://good.example:8080/"],
        &["https://good.example:8443/"],
        &["http://good.example:8080/", "http://good.example:8080/again"],
        &["https://six.example:8443/"],
        &["-x", proxy, &refused],
    ];
    urls.iter().map(|arguments| curl(&world.netns, arguments)).collect()
}

#[test]
fn a_capture_gives_the_rows_that_the_daemon_gave() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = world.audits()?;
    let capture = Capture::start(&world.netns)?;
    let clients = traffic(&world, &proxy.url())?;
    for client in &clients[..5] {
        client.got(PAGE)?;
    }
    daemon.row(&network("ConnectionFailed").pid(clients[5].pid))?;
    let captured = stop(capture, &world)?;
    let account = daemon.stop()?;
    let pids: Vec<Value> = clients.iter().map(|client| client.pid.into()).collect();
    let by_clients = |row: &&Row| row.column("InitiatingProcessId").is_some_and(|pid| pids.contains(pid));
    let live: Vec<&Row> = account.rows.iter().filter(by_clients).collect();
    let ports: Vec<&Value> = live.iter().filter_map(|row| row.column("LocalPort")).collect();
    let (rows, talk) = replay(&captured.path(), &[], 0)?;
    let replayed = rows.iter().filter(|row| row.column("LocalPort").is_some_and(|port| ports.contains(&port)));
    let (live, replayed) = (facts_of(live.into_iter()), facts_of(replayed));
    let differing: Vec<&String> = live.symmetric_difference(&replayed).collect();
    ensure!(differing.is_empty(), "only live or only replayed: {differing:#?}");
    // Three for the tunnel, two for the request to the proxy, two for the refused one, two for each direct hello, one for the
    // direct request; and the end of each of the six.
    ensure!(live.len() == 18, "{live:#?}");
    ensure!(talk.contains(", packets skipped 0"), "{talk}");
    Ok(())
}

#[test]
fn replay_needs_no_privilege_and_rows_have_no_process() -> Result<()> {
    let world = World::new()?;
    let capture = Capture::start(&world.netns)?;
    curl(&world.netns, &["https://good.example:8443/"])?.got(PAGE)?;
    let captured = stop(capture, &world)?;
    let mut command = Command::new(tool::path_of("setpriv")?);
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all"]);
    // The folder of the build may be closed to others.
    let copy = captured.beside("proxysight");
    fs::copy(binary()?, &copy)?;
    command.arg(&copy).arg("replay").arg(captured.path()).stdin(Stdio::null());
    let ended = command.output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let text = String::from_utf8(ended.stdout)?;
    let rows: Vec<Row> = text.lines().map(Row::parse).collect::<Result<_>>()?;
    let expected = network("ConnectionSuccess")
        .column("RemoteUrl", "good.example")
        .column("DeviceName", "")
        .column("InitiatingProcessId", Value::Null)
        .column("InitiatingProcessFileName", "")
        .column("InitiatingProcessAccountName", "")
        .additional("InitiatingProcessProblem", "NotInCapture");
    ensure!(rows.iter().any(|row| expected.matches(row)), "{}", expected.nearest(rows.iter()));
    Ok(())
}

#[test]
fn block_mode_shows_what_would_have_been_blocked() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let capture = Capture::start(&world.netns)?;
    curl(&world.netns, &["-x", &proxy.url(), "https://evil.example:8443/"])?;
    let captured = stop(capture, &world)?;
    let policy = world.policy("evil.txt", "# One dangerous domain.\nevil.example\n")?;
    let policy = policy.to_str().context("a temporary path in UTF-8")?;
    let (rows, _) = replay(&captured.path(), &["--mode", "block", "--policy", policy], 0)?;
    let expected = blocked("evil.example")
        .additional("HostnameSource", "ConnectAuthority")
        .additional("IndicatorSource", format!("{policy}:2"));
    ensure!(rows.iter().any(|row| expected.matches(row)), "{}", expected.nearest(rows.iter()));
    let success =
        network("ConnectionSuccess").column("RemoteUrl", "evil.example").additional("ProxyPort", proxy.port());
    ensure!(!rows.iter().any(|row| success.matches(row)), "a row says that the target was reached");
    Ok(())
}

#[test]
fn a_damaged_file_gives_what_is_before_the_damage_and_status_3() -> Result<()> {
    let world = World::new()?;
    let capture = Capture::start(&world.netns)?;
    for name in ["good.example", "six.example"] {
        curl(&world.netns, &[&format!("https://{name}:8443/")])?.got(PAGE)?;
    }
    let captured = stop(capture, &world)?;
    let whole = fs::read(captured.path())?;
    let (rows, _) = replay(&captured.path(), &[], 0)?;
    let cut = captured.beside("cut.pcap");
    // In the middle of the last packet, and in the middle of the file.
    for len in [whole.len() - 1, packet_end(&whole, whole.len() / 2)? - 1] {
        fs::write(&cut, &whole[..len])?;
        let (before, talk) = replay(&cut, &[], 3)?;
        ensure!(!before.is_empty() && before.len() <= rows.len(), "{} of {} rows", before.len(), rows.len());
        let first = network("ConnectionSuccess").column("RemoteUrl", "good.example");
        ensure!(before.iter().any(|row| first.matches(row)), "{}", first.nearest(before.iter()));
        ensure!(talk.contains("byte ") && talk.contains("the file ends in the middle of a packet"), "{talk}");
    }
    fs::write(&cut, "no capture")?;
    let (none, talk) = replay(&cut, &[], 3)?;
    ensure!(none.is_empty() && talk.contains("this is no pcap or pcapng file"), "{talk}");
    let (_, talk) = replay(&captured.beside("missing.pcap"), &[], 2)?;
    ensure!(talk.contains("missing.pcap"), "{talk}");
    Ok(())
}

/// Where the first packet ends that goes beyond `at`, in a file that tcpdump wrote here.
fn packet_end(file: &[u8], at: usize) -> Result<usize> {
    let mut end = 24;
    while end <= at {
        let len = file.get(end + 8..end + 12).context("a packet's header")?;
        end += 16 + usize::try_from(u32::from_ne_bytes(len.try_into()?))?;
    }
    Ok(end)
}
