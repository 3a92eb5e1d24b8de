//! Any number of streams of one daemon: each gets every row, and one that does not read loses its own and is told.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::net::UnixListener,
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    thread,
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::curl,
    control,
    daemon::{Daemon, binary},
    feed::Feed,
    netns::Netns,
    origin::PAGE,
    proxy::Kind,
    row::Row,
    running::Running,
    temp::TempDir,
    wait,
};
use serde_json::Value;

use crate::world::World;

const PORT: u16 = 9500;
const CONNECTIONS: usize = 5000;

/// Connections after which the streams that read are waited for: how far they may be behind is not what is tested.
const CONNECTIONS_AT_ONCE: usize = 250;

/// What counts of a row: 15,000 of them in ten streams are too many to keep whole.
#[derive(Clone, Copy, Debug)]
struct Seen {
    report_id: u64,
    /// Rows that are missing in its place.
    lost: u64,
    /// Whether it tells of the end of a connection of this test.
    is_end: bool,
}

fn parse(line: &str) -> Result<Seen> {
    let row = Row::parse(line)?;
    let is = |column, value: &str| row.column(column).is_some_and(|text| text == value);
    let lost = if is("ActionType", "SensorEventsLost") {
        let where_and_why =
            [row.additional("Stage"), row.additional("Kind")].map(|value| value.and_then(Value::as_str));
        ensure!(where_and_why == [Some("Stream"), Some("Full")], "a loss elsewhere: {row}");
        row.additional("Count").and_then(Value::as_u64).context("no count")?
    } else {
        0
    };
    let is_end = is("ActionType", "ConnectionClosed") && row.column("RemotePort").is_some_and(|port| *port == PORT);
    Ok(Seen { report_id: row.column("ReportId").and_then(Value::as_u64).context("no ReportId")?, lost, is_end })
}

/// A stream that is read.
struct Stream {
    running: Running,
    rows: Feed<Seen>,
    ends: usize,
    looked_at: usize,
}

impl Stream {
    fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running::spawn("a stream", &mut command)?;
        let rows = Feed::read(running.child().stdout.take().context("no stdout")?, parse);
        Ok(Self { running, rows, ends: 0, looked_at: 0 })
    }

    fn wait_for_ends(&mut self, wanted: usize) -> Result<()> {
        let Self { rows, ends, looked_at, .. } = self;
        let found = rows.wait_for(|rows| {
            *ends += rows.iter().skip(*looked_at).filter(|row| row.is_end).count();
            *looked_at = rows.len();
            (*ends >= wanted).then_some(())
        })?;
        found.with_context(|| format!("{ends} ends of connections came, not {wanted}"))
    }

    /// Every row, when the daemon has ended.
    fn finish(mut self) -> Result<Vec<Seen>> {
        let status = self.running.wait_for_end()?;
        ensure!(status.success(), "a stream ended with {status}");
        self.rows.finish()
    }
}

fn stream(form: &str) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command.args(["stream", "--format", form]);
    Ok(command)
}

/// Accepts and hangs up, until it is dropped.
struct Server {
    stop: Arc<AtomicBool>,
    netns: Netns,
}

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);

impl Server {
    fn start() -> Result<Self> {
        let netns = Netns::new()?;
        let listener: TcpListener = netns.listen(ADDRESS)?;
        let stop = Arc::<AtomicBool>::default();
        let stopped = stop.clone();
        thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // The client's end is what counts.
                drop(listener.accept());
            }
        });
        Ok(Self { stop, netns })
    }

    fn connect(&self, times: usize) -> Result<()> {
        for _ in 0..times {
            drop(self.netns.connect(ADDRESS)??);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes it up; that it is gone already would be as well.
        drop(self.netns.connect(ADDRESS));
    }
}

/// Checks that no row is missing up to the `last` one, but for those that are told to be lost, in their place; gives the lost.
fn check_whole(rows: &[Seen], last: u64) -> Result<u64> {
    let first = rows.iter().find(|row| row.lost == 0).context("no row")?.report_id;
    let (mut next, mut lost) = (first, 0);
    for row in rows {
        ensure!(row.lost != 0 || row.report_id == next, "row {} stands where {next} should", row.report_id);
        next += row.lost.max(1);
        lost += row.lost;
    }
    ensure!(next == last + 1, "it ends before row {next}, and the last one is {last}");
    Ok(lost)
}

fn wait_for_streams(wanted: u64) -> Result<()> {
    wait::until(&format!("there are {wanted} streams"), || {
        Ok((control::status()?.number("/control/streams")? == wanted).then_some(()))
    })
}

#[test]
fn nine_streams_get_every_row_while_the_tenth_does_not_read() -> Result<()> {
    let server = Server::start()?;
    let daemon = Daemon::start(&["--mode", "audit"])?;
    let mut readers = Vec::new();
    for number in 0..9 {
        let command = if number % 2 == 0 { stream("json")? } else { control::curl("/v1/stream")? };
        readers.push(Stream::start(command)?);
    }
    let mut tenth = control::curl("/v1/stream")?;
    tenth.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut tenth = Running::spawn("the stream that is not read", &mut tenth)?;
    wait_for_streams(10)?;
    for made in (CONNECTIONS_AT_ONCE..=CONNECTIONS).step_by(CONNECTIONS_AT_ONCE) {
        server.connect(CONNECTIONS_AT_ONCE)?;
        readers.iter_mut().try_for_each(|reader| reader.wait_for_ends(made))?;
    }
    let told = control::status()?.number("/control/rows_lost")?;
    ensure!(told > 0, "the stream that is not read lost nothing: the test does not test it");
    // Now it does read.
    let rows = Feed::read(tenth.child().stdout.take().context("no stdout")?, parse);
    let heard = rows.wait_for(|rows| {
        let lost: u64 = rows.iter().map(|row| row.lost).sum();
        (lost >= told).then_some(lost)
    })?;
    ensure!(heard == Some(told), "it lost {told} rows and heard of {heard:?}");
    let account = daemon.stop()?;
    ensure!(account.lost == 0, "the daemon lost {} events", account.lost);
    let last = account.rows.last().and_then(|row| row.column("ReportId")?.as_u64()).context("no last row")?;
    for reader in readers {
        let rows = reader.finish()?;
        ensure!(check_whole(&rows, last)? == 0, "a stream that was read lost rows");
        ensure!(rows.iter().filter(|row| row.is_end).count() >= CONNECTIONS);
    }
    tenth.wait_for_end()?;
    let rows = rows.finish()?;
    let lost = check_whole(&rows, last)?;
    println!("the tenth stream got {} rows and lost {lost}", rows.len());
    ensure!(lost == told);
    Ok(())
}

#[test]
fn a_stream_is_lines_for_people_and_ends_with_the_daemon() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Tinyproxy)?;
    let daemon = world.audits()?;
    let mut command = stream("text")?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::spawn("proxysight stream", &mut command)?;
    let lines = Feed::read(running.child().stdout.take().context("no stdout")?, |line| Ok(line.to_owned()));
    let talk = Feed::read(running.child().stderr.take().context("no stderr")?, |line| Ok(line.to_owned()));
    wait_for_streams(1)?;
    let ran = curl(&world.netns, &["-x", &proxy.url(), "https://good.example:8443/"])?;
    ran.got(PAGE)?;
    let wanted = format!("curl[{}] -> good.example:8443 via 127.0.0.1:{}", ran.pid, proxy.port());
    let unaligned = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = lines.wait_for(|lines| lines.iter().find(|line| unaligned(line).contains(&wanted)).cloned())?;
    let found = found.with_context(|| format!("no line says {wanted:?}"))?;
    ensure!(!found.contains('\u{1b}'), "an escape sequence in a pipe: {found:?}");
    daemon.stop()?;
    let status = running.wait_for_end()?;
    ensure!(status.code() == Some(0), "the stream ended with {status}");
    ensure!(talk.finish()? == ["proxysight: the daemon has ended"]);
    lines.finish().map(drop)
}

#[test]
fn a_stream_whose_daemon_is_killed_says_that_it_broke_off() -> Result<()> {
    let daemon = Daemon::start(&["--mode", "audit"])?;
    let mut command = stream("json")?;
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    wait_for_streams(1)?;
    daemon.kill()?;
    let output = child.wait_with_output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(3) && stderr.contains("broke off"), "{}: {stderr}", output.status);
    Ok(())
}

/// A far end that answers and then says nothing, since there is always something to tell of a real host.
#[test]
fn a_stream_ends_with_its_reader_also_when_no_row_comes() -> Result<()> {
    let dir = TempDir::new()?;
    let socket = dir.path().join("silent.sock");
    let listener = UnixListener::bind(&socket)?;
    let mut command = stream("text")?;
    command.arg("--control").arg(&socket).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut running = Running::spawn("proxysight stream", &mut command)?;
    let (mut silent, _) = listener.accept()?;
    // An answer before the question is none.
    let mut request = [0; 4096];
    ensure!(silent.read(&mut request)? > 0, "it asked for nothing");
    silent.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nrow 1\r\n")?;
    let mut out = running.child().stdout.take().context("no stdout")?;
    let mut row = [0; 5];
    out.read_exact(&mut row)?;
    ensure!(row == *b"row 1", "it passed on {row:?}");
    drop(out);
    let status = running.wait_for_end()?;
    ensure!(status.code() == Some(0), "the stream ended with {status}");
    Ok(())
}
