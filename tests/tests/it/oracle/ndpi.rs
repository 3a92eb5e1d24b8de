//! What ndpiReader says of a capture: one name a flow.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::tool;

use super::{
    Flow, Protocol,
    traffic::{QUIC_PORT, ROUNDS, SOCKS_PORT, is_of_version_2},
};

pub(super) fn names(path: &Path) -> Result<BTreeMap<Flow, String>> {
    let mut command = Command::new(tool::path_of("ndpiReader")?);
    command.args(["-v", "2", "-i"]).arg(path);
    let ended = command.stdin(Stdio::null()).output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let mut names = BTreeMap::new();
    // Some of what it prints is payload.
    for line in String::from_utf8_lossy(&ended.stdout).lines() {
        let Some((_, rest)) = line.split_once("[Hostname/SNI: ") else {
            continue;
        };
        let (name, _) = rest.split_once(']').with_context(|| format!("a name without an end: {line}"))?;
        names.insert(flow(line)?, name.to_owned());
    }
    Ok(names)
}

/// The flow of a line such as `17 TCP 127.0.0.1:10001 <-> 127.0.0.1:8443 [proto: …`.
fn flow(line: &str) -> Result<Flow> {
    let words: Vec<&str> = line.split_whitespace().take(5).collect();
    let [_, protocol, from, _, to] = words[..] else {
        anyhow::bail!("no flow in {line}");
    };
    let protocol = if protocol == "TCP" { Protocol::Tcp } else { Protocol::Udp };
    let port = |end: &str| -> Result<u16> { Ok(end.rsplit(':').next().context("an end without a port")?.parse()?) };
    Ok(Flow::new(protocol, port(from)?, port(to)?))
}

/// Why ndpiReader has no name for a flow that has these.
pub(super) fn explanation(flow: Flow, ours: &BTreeSet<(String, String)>) -> Option<&'static str> {
    let all_from = |source: &str| ours.iter().all(|(from, _)| from == source);
    match (flow.protocol, flow.server) {
        (Protocol::Tcp, SOCKS_PORT) if ours.iter().any(|(from, _)| from == "Socks") => Some(SOCKS),
        (Protocol::Udp, QUIC_PORT) if all_from("QuicSni") && ours.iter().all(|(_, name)| is_of_version_2(name)) => {
            Some(VERSION_2)
        }
        (Protocol::Tcp | Protocol::Udp, _) => None,
    }
}

/// What the rules explain, and how often.
pub(super) const EXPLAINED: [(&str, usize); 2] = [(SOCKS, 3 * ROUNDS), (VERSION_2, ROUNDS)];

const SOCKS: &str = "nDPI does not read whom a SOCKS proxy is asked for, nor what is in its tunnel";
const VERSION_2: &str = "nDPI 4.2 is older than QUIC version 2";
