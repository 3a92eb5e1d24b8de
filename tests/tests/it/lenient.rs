//! Requests that are not as RFC 9112 has them, and that real proxies take all the same.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Result, ensure};
use monitor_tests::{expect::blocked, proxy::Kind};

use crate::{probe::Probe, world::World};

/// Whether tinyproxy takes it, too.
#[derive(Clone, Copy, PartialEq)]
enum Takers {
    Both,
    Squid,
}

/// More than one space, an empty line in front, a tab.
const REQUESTS: [(&str, Takers); 4] = [
    ("CONNECT   evil.example:8443 HTTP/1.1\r\n\r\n", Takers::Both),
    ("\r\nCONNECT evil.example:8443 HTTP/1.1\r\n\r\n", Takers::Both),
    ("\n\nCONNECT  evil.example:8443 HTTP/1.1\r\n\r\n", Takers::Squid),
    ("CONNECT\tevil.example:8443 HTTP/1.1\r\n\r\n", Takers::Squid),
];

#[test]
fn what_a_proxy_takes_for_a_request_is_named_and_blocked() -> Result<()> {
    let world = World::new()?;
    let (squid, tinyproxy) = (world.proxy(Kind::Squid)?, world.proxy(Kind::Tinyproxy)?);
    let both = REQUESTS.iter().filter(|(_, takers)| *takers == Takers::Both);
    let cases: Vec<(&str, u16)> = REQUESTS
        .iter()
        .map(|(request, _)| (*request, squid.port()))
        .chain(both.map(|(request, _)| (*request, tinyproxy.port())))
        .collect();
    let ask = |port: u16, request: &str| -> Result<Probe> {
        let mut probe = Probe::start(&world.netns, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        probe.send(request.as_bytes())?;
        Ok(probe)
    };
    for (request, port) in &cases {
        let answer = ask(*port, request)?.answer()?;
        ensure!(answer.contains(" 200 "), "port {port}: {answer} to {}", request.escape_debug());
    }
    let (daemon, line) = world.blocks_evil()?;
    for (request, port) in &cases {
        let probe = ask(*port, request)?;
        let verdict = blocked("evil.example").pid(probe.pid()).additional("HostnameSource", "ConnectAuthority");
        daemon.row(&verdict.additional("IndicatorSource", line.as_str()))?;
        let end = probe.end()?;
        ensure!(end == "ConnectionAborted", "{}: the client was told {end}", request.escape_debug());
    }
    daemon.stop()?;
    Ok(())
}
