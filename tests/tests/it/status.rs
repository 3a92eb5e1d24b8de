//! What the daemon tells of itself: proxies with what they answered, coverage, the account, and what is wrong.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::curl,
    control::{self, Told},
    daemon::{Daemon, output},
    origin::PAGE,
    proxy::Kind,
    tool, wait,
};
use serde_json::{Value, json};

use crate::world::World;

/// Detaches a link by its id, as whoever has the privilege can (BPF_LINK_DETACH, Linux 5.9).
const DETACH: &str = r#"
import ctypes, struct, sys
BPF, GET_FD_BY_ID, DETACH = 321, 30, 34
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, number):
    attr = ctypes.create_string_buffer(struct.pack("I", number), 128)
    result = libc.syscall(BPF, command, attr, 128)
    if result < 0:
        sys.exit(f"bpf({command}): errno {ctypes.get_errno()}")
    return result
bpf(DETACH, bpf(GET_FD_BY_ID, int(sys.argv[1])))
"#;

/// The names of the hooks that are attached, and of those that are not.
fn hooks(status: &Told) -> Result<(Vec<String>, Vec<String>)> {
    let (mut attached, mut missing) = (Vec::new(), Vec::new());
    for hook in status.list("/hooks")? {
        let name = hook.get("name").and_then(Value::as_str).context("no name")?;
        let is_attached = hook.get("attached").and_then(Value::as_bool).context("neither attached nor not")?;
        if is_attached { attached.push(name.to_owned()) } else { missing.push(name.to_owned()) }
    }
    Ok((attached, missing))
}

/// The proxies of a status, without times, which are checked.
fn proxies(status: &Told) -> Result<Vec<Value>> {
    let without_times = |proxy: &Value| {
        let mut proxy = proxy.as_object().context("no object")?.clone();
        let mut time = |name: &str| -> Result<jiff::Timestamp> {
            let time = proxy.remove(name);
            Ok(time.as_ref().and_then(Value::as_str).context("no time")?.parse()?)
        };
        ensure!(time("first_seen")? <= time("last_seen")?, "it was seen last before it was seen first: {proxy:?}");
        Ok(Value::Object(proxy))
    };
    status.list("/proxies")?.iter().map(without_times).collect()
}

fn proxy(port: u16, kind: &str, [granted, refused, challenged, answered]: [u64; 4]) -> Value {
    json!({
        "address": format!("127.0.0.1:{port}"), "type": kind,
        "granted": granted, "refused": refused, "challenged": challenged, "answered": answered,
    })
}

#[test]
fn proxies_are_known_by_what_they_answered() -> Result<()> {
    let world = World::new()?;
    let [tinyproxy, squid, dante] =
        [Kind::Tinyproxy, Kind::SquidWithPassword, Kind::Dante].map(|kind| world.proxy(kind));
    let (tinyproxy, squid, dante) = (tinyproxy?, squid?, dante?);
    let daemon = world.audits()?;
    ensure!(proxies(&control::status()?)?.is_empty(), "a proxy before anybody asked one");
    let page = "https://good.example:8443/";
    for url in [page, page, "http://good.example:8080/"] {
        curl(&world.netns, &["-x", &tinyproxy.url(), url])?.got(PAGE)?;
    }
    // It lets nobody through to this port.
    curl(&world.netns, &["-x", &tinyproxy.url(), "https://good.example:9999/"])?;
    curl(&world.netns, &["-x", &squid.url(), page])?;
    curl(&world.netns, &["-x", &dante.url(), page])?.got(PAGE)?;
    curl(&world.netns, &["-x", &dante.url(), "https://good.example:9/"])?;
    let socks4a = format!("socks4a://127.0.0.1:{}", dante.port());
    curl(&world.netns, &["-x", &socks4a, page])?;
    // A server is no proxy, whatever it is asked for in origin form.
    curl(&world.netns, &["http://good.example:8080/"])?.got(PAGE)?;
    let expect = [
        proxy(dante.port(), "socks5", [1, 1, 0, 0]),
        proxy(dante.port(), "socks4a", [0, 1, 0, 0]),
        proxy(squid.port(), "http", [0, 0, 1, 0]),
        proxy(tinyproxy.port(), "http", [2, 1, 0, 1]),
    ];
    // The end of the last connection may still be on its way.
    let told = wait::until("every proxy is told", || {
        let told = proxies(&control::status()?)?;
        Ok((told.len() >= expect.len()).then_some(told))
    })?;
    ensure!(told == expect, "the proxies are {told:#?}");
    check_page_and_metrics(tinyproxy.port())?;
    daemon.stop()?;
    Ok(())
}

/// The same for people, and for Prometheus.
fn check_page_and_metrics(port: u16) -> Result<()> {
    let page = output(&["status"])?;
    let text = String::from_utf8(page.stdout)?;
    ensure!(page.status.code() == Some(0) && !text.contains('\x1b'), "{}:\n{text}", page.status);
    let line = text.lines().find(|line| line.contains(&format!("127.0.0.1:{port} ")));
    let line = line.with_context(|| format!("no line of the proxy in\n{text}"))?;
    ensure!(line.contains("http     2 granted, 1 refused, 1 answered without a tunnel;"), "the line is {line:?}");
    let metrics = control::get("/metrics")?;
    let sample =
        format!("proxysight_proxy_answers_total{{proxy=\"127.0.0.1:{port}\",type=\"http\",outcome=\"granted\"}} 2");
    ensure!(metrics.body.lines().any(|line| line == sample), "no line {sample} in\n{}", metrics.body);
    Ok(())
}

#[test]
fn the_status_tells_mode_hooks_policy_account_and_coverage() -> Result<()> {
    let world = World::new()?;
    let (daemon, line) = world.audits_evil()?;
    let before = control::status()?;
    for (url, source) in [("https://good.example:8443/", "TlsSni"), ("http://good.example:8080/", "HttpHost")].repeat(3)
    {
        curl(&world.netns, &[url])?.got(PAGE).with_context(|| format!("a name by {source}"))?;
    }
    let status = wait::until("every connection is counted", || {
        let status = control::status()?;
        let done = status.number("/coverage/by_source/HttpHost").is_ok_and(|count| count >= 3);
        Ok((done && status.number("/events/waiting")? == 0).then_some(status))
    })?;
    ensure!(status.at("/mode") == "audit" && *status.at("/pid") == daemon.pid(), "{status}");
    ensure!(status.number("/policy/rules")? == 1, "{status}");
    ensure!(*status.at("/policy/files") == json!([line.trim_end_matches(":2")]), "{status}");
    ensure!(status.list("/problems")?.is_empty(), "{status}");
    let (attached, missing) = hooks(&status)?;
    let held = links(&daemon)?.len();
    ensure!(
        held > 0 && attached.len() == held && missing.is_empty() && attached.contains(&"first_bytes".to_owned()),
        "{status}"
    );
    let [emitted, recorded, lost] =
        ["/events/emitted", "/events/recorded", "/events/lost"].map(|path| status.number(path));
    ensure!(emitted? == recorded? + lost?, "{status}");
    ensure!(status.number("/counters/kernel/emitted")? > before.number("/counters/kernel/emitted")?, "{status}");
    // What else runs on this host comes along.
    ensure!(status.number("/coverage/by_source/TlsSni")? >= 3, "{status}");
    let [connections, named] = ["/coverage/connections", "/coverage/named"].map(|path| status.number(path));
    let (connections, named) = (connections?, named?);
    ensure!(named >= 6 && connections >= named, "{status}");
    daemon.stop()?;
    Ok(())
}

/// The ids of the links that a daemon holds.
fn links(daemon: &Daemon) -> Result<Vec<String>> {
    let mut links = Vec::new();
    for descriptor in fs::read_dir(format!("/proc/{}/fdinfo", daemon.pid()))? {
        // One that is closed meanwhile is none that is looked for.
        let text = fs::read_to_string(descriptor?.path()).unwrap_or_default();
        links.extend(text.lines().find_map(|line| Some(line.strip_prefix("link_id:")?.trim().to_owned())));
    }
    Ok(links)
}

#[test]
fn a_hook_that_somebody_detached_is_told() -> Result<()> {
    let daemon = Daemon::start(&["--mode", "audit"])?;
    let links = links(&daemon)?;
    let link = links.first().context("no link")?;
    let detached = Command::new(tool::path_of("python3")?).args(["-c", DETACH, link]).output()?;
    ensure!(detached.status.success(), "{}", String::from_utf8_lossy(&detached.stderr));
    let (_, missing) = hooks(&control::status()?)?;
    let [name] = missing.as_slice() else { anyhow::bail!("not one hook is missing: {missing:?}") };
    let page = output(&["status"])?;
    let text = String::from_utf8(page.stdout)?;
    ensure!(page.status.code() == Some(1), "it ended with {}:\n{text}", page.status);
    let count = format!("{} of {} attached", links.len() - 1, links.len());
    for part in ["1 problem\n", "detached by somebody else", &format!("({name})"), &count] {
        ensure!(text.contains(part), "it does not say {part:?}:\n{text}");
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn without_a_daemon_status_and_stream_say_so() -> Result<()> {
    for command in ["status", "stream"] {
        let refused = output(&[command])?;
        let stderr = String::from_utf8_lossy(&refused.stderr);
        ensure!(refused.status.code() == Some(3), "{command} ended with {}: {stderr}", refused.status);
        let told = stderr.contains("no proxysight answers at /run/proxysight/control.sock; start one with");
        ensure!(told && refused.stdout.is_empty(), "{command} said {stderr}");
    }
    Ok(())
}
