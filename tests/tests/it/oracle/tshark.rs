//! What tshark says of a capture, in the words of rows.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use monitor_tests::tool;

use super::{Flow, Names, Protocol};

const FIELDS: [&str; 13] = [
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "tls.handshake.extensions_server_name",
    "http.request.method",
    "http.request.uri",
    "http.host",
    "socks.remote_name",
    "socks.v4a_dns_name",
    "socks.dst",
    "dns.flags.response",
    "dns.qry.name",
];

/// What has a name in it: a hello, a request, an answer of a name server.
const FILTER: &str = "tls.handshake.type == 1 || http.request || socks.command || dns.flags.response == 1";

/// Ports that tell tshark nothing by themselves.
const DECODE_AS: [&str; 4] =
    ["tcp.port==8443,tls", "tcp.port==8888,http", "tcp.port==3128,http", "udp.port==8443,quic"];

pub(super) fn names(path: &Path) -> Result<Names> {
    let mut command = Command::new(tool::path_of("tshark")?);
    command.args(["-n", "-T", "fields", "-E", "separator=/t", "-Y", FILTER]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    command.args(DECODE_AS.iter().flat_map(|rule| ["-d", rule])).arg("-r").arg(path);
    let ended = command.stdin(Stdio::null()).output()?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let mut names = Names::new();
    for line in String::from_utf8(ended.stdout)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [
            tcp_from,
            tcp_to,
            udp_from,
            udp_to,
            sni,
            method,
            uri,
            host,
            remote_name,
            name_v4a,
            remote,
            response,
            query,
        ] = fields[..]
        else {
            anyhow::bail!("not the fields that were asked for: {line}");
        };
        let flow = match tcp_from {
            "" => Flow::new(Protocol::Udp, udp_from.parse()?, udp_to.parse()?),
            _ => Flow::new(Protocol::Tcp, tcp_from.parse()?, tcp_to.parse()?),
        };
        let mut add = |source: &str, name: &str| {
            names.entry(flow).or_default().insert((source.to_owned(), name.to_owned()));
        };
        if !sni.is_empty() {
            add(if flow.protocol == Protocol::Udp { "QuicSni" } else { "TlsSni" }, sni);
        }
        match (method, uri.strip_prefix("http://")) {
            ("", _) => {}
            ("CONNECT", _) => add("ConnectAuthority", host_of(uri)?),
            (_, Some(rest)) => add("AbsoluteUri", host_of(rest)?),
            (_, None) => add("HttpHost", host_of(host)?),
        }
        // In SOCKS4a the address 0.0.0.1 says that a name follows.
        match [remote_name, name_v4a, remote] {
            ["", "", ""] => {}
            ["", "", address] => add("Socks", address),
            ["", name, _] | [name, ..] => add("Socks", name),
        }
        if matches!(response, "1" | "True") {
            add("Query", query);
        }
    }
    Ok(names)
}

fn host_of(authority: &str) -> Result<&str> {
    authority.split(['/', ':']).next().with_context(|| format!("no host in {authority}"))
}
