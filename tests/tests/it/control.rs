//! The control socket against those who may not use it, use it too much, or send garbage: it answers the others, and the
//! daemon does not notice.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::curl,
    control::{self, SOCKET},
    daemon::{Daemon, output},
    expect::network,
    origin::PAGE,
    temp::TempDir,
    tool, wait,
};

use crate::world::World;

/// A user without any right.
const NOBODY: &str = "65534";

/// Connections that are served at one moment, as docs/api.md says.
const CONNECTIONS_MAX: usize = 64;

fn as_nobody() -> Result<Command> {
    let mut command = Command::new(tool::path_of("setpriv")?);
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    let curl = control::curl("/v1/status")?;
    command.arg(curl.get_program()).args(curl.get_args());
    Ok(command)
}

/// What the daemon holds in memory, in KiB.
fn resident_kib(daemon: &Daemon) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[test]
fn only_root_may_ask() -> Result<()> {
    let daemon = Daemon::start(&["--mode", "audit"])?;
    let mode = fs::metadata(SOCKET)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "the socket has the mode {mode:o}");
    let kept_out = control::answer(as_nobody()?)?;
    ensure!(kept_out.status == 0 && kept_out.body.is_empty(), "{kept_out:?}");
    // A mode that somebody changed is not what keeps others out.
    fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o666))?;
    let refused = control::answer(as_nobody()?)?;
    ensure!(refused.status == 403 && refused.body.contains("only root"), "{refused:?}");
    ensure!(control::status()?.number("/control/denied")? == 1, "the refusal is not counted");
    daemon.stop()?;
    ensure!(!fs::exists(SOCKET)?, "the socket is left behind");
    Ok(())
}

#[test]
fn what_is_not_known_has_a_reason() -> Result<()> {
    let daemon = Daemon::start(&["--mode", "audit"])?;
    for (path, status, reason) in [
        ("/v1/state", 404, "there is /v1/status, /v1/stream and /metrics"),
        ("/v1/stream?format=xml", 400, "format=xml is not known: it is text or json"),
        ("/v1/stream?where=1", 400, "the parameter where is not known here"),
    ] {
        let answer = control::get(path)?;
        ensure!(answer.status == status && answer.body.contains(reason), "{path}: {answer:?}");
    }
    let mut post = control::curl("/v1/status")?;
    post.args(["-d", "x"]);
    let answer = control::answer(post)?;
    ensure!(answer.status == 405 && answer.body.contains("use GET"), "{answer:?}");
    daemon.stop()?;
    Ok(())
}

#[test]
fn garbage_does_no_harm() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    let mut state = 1_u32;
    for length in (0..60_u32).map(|round| 1 << (round % 16)) {
        let mut stream = UnixStream::connect(SOCKET)?;
        // A linear congruential generator: the same bytes in each run.
        let garbage: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        // The daemon may have heard enough before the end.
        match stream.write_all(&garbage) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe && error.kind() != ErrorKind::ConnectionReset => {
                return Err(error.into());
            }
            Ok(()) | Err(_) => {}
        }
    }
    for request in
        ["GET /v1/status HTTP/1.1\r\n", "GET /v1/stream HTTP/9.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        UnixStream::connect(SOCKET)?.write_all(request.as_bytes())?;
    }
    let mut long = control::curl("/v1/status")?;
    long.args(["-H", &format!("X: {}", "x".repeat(9000))]);
    ensure!(control::answer(long)?.status == 431, "a long header is taken");
    let ran = curl(&world.netns, &["https://good.example:8443/"])?;
    ran.got(PAGE)?;
    daemon.row(&network("ConnectionSuccess").pid(ran.pid).column("RemoteUrl", "good.example"))?;
    ensure!(control::status()?.list("/problems")?.is_empty());
    daemon.stop()?;
    Ok(())
}

#[test]
fn too_many_connections_are_told_so_and_idle_ones_end() -> Result<()> {
    let daemon = Daemon::start(&["--mode", "audit"])?;
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        idle.push(UnixStream::connect(SOCKET)?);
    }
    let refused = control::get("/v1/status")?;
    ensure!(refused.status == 503 && refused.body.contains("too many connections"), "{refused:?}");
    // They end because they ask for nothing.
    for stream in &mut idle {
        stream.set_read_timeout(Some(wait::PATIENCE))?;
        stream.read_to_end(&mut Vec::new())?;
    }
    let status = wait::until("there is room again", || Ok(control::status().ok()))?;
    ensure!(status.number("/control/refused")? >= 1, "{status}");
    let before = resident_kib(&daemon)?;
    for _ in 0..20 {
        let burst: Vec<_> = (0..500).map(|_| UnixStream::connect(SOCKET)).collect::<Result<_, _>>()?;
        drop(burst);
    }
    wait::until("there is room again", || Ok(control::status().ok()))?;
    let after = resident_kib(&daemon)?;
    println!("10,000 connections: {before} KiB before, {after} KiB after");
    ensure!(after < before + 4096, "10,000 connections took {} KiB", after - before);
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_stale_socket_is_replaced() -> Result<()> {
    Daemon::start(&["--mode", "audit"])?.kill()?;
    ensure!(fs::exists(SOCKET)?, "a killed daemon cleans up nothing");
    let refused = output(&["status"])?;
    ensure!(refused.status.code() == Some(3), "somebody answers for the killed daemon: {refused:?}");
    let daemon = Daemon::start(&["--mode", "audit"])?;
    ensure!(*control::status()?.at("/pid") == daemon.pid());
    daemon.stop()?;
    Ok(())
}

#[test]
fn what_belongs_to_others_is_left_alone() -> Result<()> {
    let dir = TempDir::new()?;
    let socket = dir.path().join("live.sock");
    let listener = UnixListener::bind(&socket)?;
    let file = dir.write("file", "precious")?;
    for (path, reason) in [(&socket, "another program answers at"), (&file, "is no socket and is left alone")] {
        let path = path.to_str().context("UTF-8")?;
        let refused = output(&["run", "--mode", "audit", "--control", path])?;
        let stderr = String::from_utf8_lossy(&refused.stderr);
        ensure!(refused.status.code() == Some(3) && stderr.contains(reason), "{}: {stderr}", refused.status);
        ensure!(!stderr.contains("proxysight: attached"), "it attached before it refused: {stderr}");
    }
    ensure!(fs::read_to_string(file)? == "precious");
    drop(listener);
    Ok(())
}
