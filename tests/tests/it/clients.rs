//! Programs that people run, each behind squid: every one gets the rows that curl gets, with its own process.

use anyhow::{Result, ensure};
use monitor_tests::{
    client::{Ran, curl, run},
    daemon::Daemon,
    expect::{Expected, blocked, network},
    origin::PAGE,
    proxy::{Kind, Proxy},
};

use crate::world::World;

const PYTHON_HTTP_CLIENT: &str = r#"
import http.client, ssl, sys
proxy_port, host = int(sys.argv[1]), sys.argv[2]
context = ssl._create_unverified_context()
connection = http.client.HTTPSConnection("127.0.0.1", proxy_port, context=context)
connection.set_tunnel(host, 8443)
connection.request("GET", "/")
print(connection.getresponse().read().decode())
"#;

const PYTHON_URLLIB: &str = r#"
import ssl, sys, urllib.request
proxy = urllib.request.ProxyHandler({"https": "http://127.0.0.1:" + sys.argv[1]})
tls = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
print(urllib.request.build_opener(proxy, tls).open("https://" + sys.argv[2] + ":8443/").read().decode())
"#;

const NODE_HTTP: &str = r#"
const http = require("http"), https = require("https");
const [port, host] = process.argv.slice(2);
const fail = (error) => { console.error(error); process.exit(1); };
http.request({ host: "127.0.0.1", port, method: "CONNECT", path: host + ":8443" })
  .on("connect", (answer, socket) => {
    const options = { host, servername: host, socket, agent: false, rejectUnauthorized: false };
    https.get(options, (page) => page.pipe(process.stdout)).on("error", fail);
  }).on("error", fail).end();
"#;

const NODE_SOCKETS: &str = r#"
const net = require("net"), tls = require("tls");
const [port, host] = process.argv.slice(2);
const fail = (error) => { console.error(error); process.exit(1); };
const socket = net.connect(port, "127.0.0.1", () => {
  socket.write("CONNECT " + host + ":8443 HTTP/1.1\r\nHost: " + host + ":8443\r\n\r\n");
  socket.once("data", () => {
    const inner = tls.connect({ socket, servername: host, rejectUnauthorized: false }, () => {
      inner.write("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
      inner.pipe(process.stdout);
    }).on("error", fail);
  });
}).on("error", fail);
"#;

/// The TCP row, the name, and the name inside the tunnel are of one connection and of this process.
pub(crate) fn check_rows(daemon: &Daemon, proxy: &Proxy, process: impl Fn(Expected) -> Expected) -> Result<()> {
    // From the name on: a browser has connections that it made in advance.
    let name = process(network("ConnectionSuccess")).column("RemoteUrl", "good.example").column("RemotePort", 8443);
    let name = daemon.row(&name.additional("HostnameSource", "ConnectAuthority"))?;
    let id = name.connection_id()?;
    let of = |action| process(network(action)).additional("ConnectionId", id.as_str());
    let tcp = of("ConnectionSuccess").column("RemoteIP", "127.0.0.1").column("RemotePort", proxy.port());
    daemon.row(&tcp.column("RemoteUrl", ""))?;
    let inner = of("SslConnectionInspected").column("RemoteUrl", "good.example");
    daemon.row(&inner.additional("server_name", "good.example").additional("HostnameSource", "TlsSni"))?;
    Ok(())
}

fn of(ran: &Ran, program: &str) -> impl Fn(Expected) -> Expected {
    move |expected| {
        let expected = expected.pid(ran.pid).column_contains("InitiatingProcessFileName", program);
        expected.column("InitiatingProcessCommandLine", ran.command_line.as_str())
    }
}

/// A script of a program in both modes: it gets `good.example`, and is cut off when it asks for `evil.example`.
fn check_script(program: &str, script: &str) -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Squid)?;
    let (daemon, _) = world.blocks_evil()?;
    let script = world.policy("script", script)?;
    let ask = |host: &str| run(&world.netns, program, &[&script.to_string_lossy(), &proxy.port().to_string(), host]);
    let ran = ask("good.example")?;
    ran.got(PAGE)?;
    check_rows(&daemon, &proxy, of(&ran, program))?;
    let evil = ask("evil.example")?;
    ensure!(evil.status != 0 && !evil.stdout.contains(PAGE), "the client got a blocked page: {evil:#?}");
    ensure!(evil.stderr.contains("ECONNABORTED") || evil.stderr.contains("connection abort"), "not told: {evil:#?}");
    daemon.row(&blocked("evil.example").pid(evil.pid).additional("HostnameSource", "ConnectAuthority"))?;
    let log = proxy.log_with("good.example")?;
    ensure!(!log.contains("evil.example"), "the proxy got a blocked request:\n{log}");
    daemon.stop()?;
    Ok(())
}

#[test]
fn curl_with_http_2_inside_its_tunnel_has_its_rows() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Squid)?;
    let daemon = world.audits()?;
    for (version, spoken) in [("--http2", "HTTP/2.0"), ("--http1.1", "HTTP/1.1")] {
        let ran = curl(&world.netns, &[version, "-x", &proxy.url(), "https://good.example:8443/"])?;
        ran.got(PAGE)?;
        let asked = world.origin.requests()?;
        ensure!(
            asked.lines().last().is_some_and(|line| line.contains(spoken)),
            "curl did not speak {spoken}:\n{asked}"
        );
        check_rows(&daemon, &proxy, of(&ran, "curl"))?;
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn openssl_behind_a_proxy_has_its_rows() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Squid)?;
    let daemon = world.audits()?;
    let address = format!("127.0.0.1:{}", proxy.port());
    let arguments = ["s_client", "-proxy", &address, "-connect", "good.example:8443", "-servername", "good.example"];
    let ran = run(&world.netns, "openssl", &arguments)?;
    ran.got("BEGIN CERTIFICATE")?;
    check_rows(&daemon, &proxy, of(&ran, "openssl"))?;
    daemon.stop()?;
    Ok(())
}

#[test]
fn python_with_a_tunnel_of_its_own_has_its_rows_and_is_blocked() -> Result<()> {
    check_script("python3", PYTHON_HTTP_CLIENT)
}

#[test]
fn python_with_urllib_has_its_rows_and_is_blocked() -> Result<()> {
    check_script("python3", PYTHON_URLLIB)
}

#[test]
fn node_with_an_http_connect_has_its_rows_and_is_blocked() -> Result<()> {
    check_script("node", NODE_HTTP)
}

#[test]
fn node_with_bare_sockets_has_its_rows_and_is_blocked() -> Result<()> {
    check_script("node", NODE_SOCKETS)
}
