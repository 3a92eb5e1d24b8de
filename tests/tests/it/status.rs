//! What the daemon tells of itself: proxies with what they answered, coverage, the account, and what is wrong.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    client::curl,
    control,
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

/// The proxies of a status, without times, which are checked.
fn proxies(status: &Value) -> Result<Vec<Value>> {
    let told = status["proxies"].as_array().context("no list of proxies")?;
    told.iter()
        .map(|proxy| {
            let time =
                |name: &str| -> Result<jiff::Timestamp> { Ok(proxy[name].as_str().context("no time")?.parse()?) };
            ensure!(time("first_seen")? <= time("last_seen")?, "it was seen last before it was seen first: {proxy}");
            let mut proxy = proxy.as_object().context("no object")?.clone();
            proxy.retain(|name, _| !name.ends_with("_seen"));
            Ok(Value::Object(proxy))
        })
        .collect()
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
    let number = |status: &Value, path: &str| status.pointer(path).and_then(Value::as_u64).context(path.to_owned());
    let status = wait::until("every connection is counted", || {
        let status = control::status()?;
        let done = number(&status, "/coverage/by_source/HttpHost").is_ok_and(|count| count >= 3);
        Ok((done && number(&status, "/events/waiting")? == 0).then_some(status))
    })?;
    ensure!(status["mode"] == "audit" && status["pid"] == daemon.pid(), "{status:#}");
    ensure!(status["policy"]["rules"] == 1, "{status:#}");
    ensure!(status["policy"]["files"] == json!([line.trim_end_matches(":2")]), "{status:#}");
    ensure!(status["problems"] == json!([]), "{status:#}");
    let hooks = status["hooks"].as_array().context("no hooks")?;
    ensure!(hooks.len() == 10 && hooks.iter().all(|hook| hook["attached"] == true), "{status:#}");
    ensure!(hooks.iter().any(|hook| hook["name"] == "first_bytes"), "{status:#}");
    let [emitted, recorded, lost] =
        ["/events/emitted", "/events/recorded", "/events/lost"].map(|path| number(&status, path));
    ensure!(emitted? == recorded? + lost?, "{status:#}");
    ensure!(number(&status, "/counters/kernel/emitted")? > number(&before, "/counters/kernel/emitted")?);
    // What else runs on this host comes along.
    ensure!(number(&status, "/coverage/by_source/TlsSni")? >= 3, "{status:#}");
    ensure!(number(&status, "/coverage/named")? >= 6, "{status:#}");
    ensure!(number(&status, "/coverage/connections")? >= number(&status, "/coverage/named")?, "{status:#}");
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_hook_that_somebody_detached_is_told() -> Result<()> {
    let daemon = Daemon::start(&["--mode", "audit"])?;
    let mut links = Vec::new();
    for descriptor in fs::read_dir(format!("/proc/{}/fdinfo", daemon.pid()))? {
        // One that is closed meanwhile is none that is looked for.
        let text = fs::read_to_string(descriptor?.path()).unwrap_or_default();
        links.extend(text.lines().find_map(|line| Some(line.strip_prefix("link_id:")?.trim().to_owned())));
    }
    ensure!(links.len() == 10, "the daemon has the links {links:?}");
    let link = links.first().context("no link")?;
    let detached = Command::new(tool::path_of("python3")?).args(["-c", DETACH, link]).output()?;
    ensure!(detached.status.success(), "{}", String::from_utf8_lossy(&detached.stderr));
    let status = control::status()?;
    let missing: Vec<&Value> =
        status["hooks"].as_array().context("no hooks")?.iter().filter(|hook| hook["attached"] == false).collect();
    let [hook] = missing.as_slice() else { anyhow::bail!("not one hook is missing: {status:#}") };
    let page = output(&["status"])?;
    let text = String::from_utf8(page.stdout)?;
    ensure!(page.status.code() == Some(1), "it ended with {}:\n{text}", page.status);
    let name = hook["name"].as_str().context("no name")?;
    for part in ["1 problem\n", "detached by somebody else", &format!("({name})"), "9 of 10 attached"] {
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
