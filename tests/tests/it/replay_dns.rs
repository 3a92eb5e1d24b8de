//! What a capture tells of name servers, and of DNS that is encrypted: the rows that the daemon made at the same time.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use monitor_tests::{
    capture::Capture,
    client::{curl, run},
    name_server::{ALIAS, HOST, LOCAL, NOBODY, NameServer},
    row::Row,
};
use serde_json::Value;

use crate::{
    replay::{replay, stop},
    world::World,
};

/// What a row says of names, apart from who, when and on which host.
fn facts(row: &Row) -> String {
    let columns = ["ActionType", "RemoteIP", "RemotePort", "RemoteUrl", "LocalIP", "LocalPort", "Protocol"];
    let keys =
        ["HostnameSource", "query", "qtype_name", "rcode_name", "answers", "EncryptedDns", "EncryptedDnsEvidence"];
    let columns = columns.iter().map(|name| row.column(name));
    let values = columns.chain(keys.iter().map(|name| row.additional(name)));
    values.map(|value| value.unwrap_or(&Value::Null).to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_capture_tells_of_name_servers_what_the_daemon_told() -> Result<()> {
    let world = World::new()?;
    let _server = NameServer::start(&world.netns)?;
    let daemon = world.audits()?;
    let capture = Capture::start(&world.netns)?;
    let mut pids = BTreeSet::new();
    for way in ["+notcp", "+tcp"] {
        // Not the name of the address that everybody here connects to: in a capture all of them are one host.
        for name in [HOST.0, ALIAS, NOBODY] {
            for kind in ["A", "AAAA"] {
                pids.insert(run(&world.netns, "dig", &["@127.0.0.1", way, name, kind])?.pid);
            }
        }
    }
    // Telnet says nothing first, and the server waits for a hello.
    pids.insert(curl(&world.netns, &["--max-time", "1", &format!("telnet://{}:8443", LOCAL.0)])?.pid);
    for protocol in ["dot", "h2"] {
        let hello = ["s_client", "-connect", "127.0.0.1:8443", "-servername", "good.example", "-alpn", protocol];
        pids.insert(run(&world.netns, "openssl", &hello)?.pid);
    }
    let captured = stop(capture, &world)?;
    let account = daemon.stop()?;
    let pids: Vec<Value> = pids.into_iter().map(Value::from).collect();
    let by_clients = |row: &&Row| row.column("InitiatingProcessId").is_some_and(|pid| pids.contains(pid));
    let live: Vec<&Row> = account.rows.iter().filter(by_clients).collect();
    let ports: Vec<&Value> = live.iter().filter_map(|row| row.column("LocalPort")).collect();
    let (rows, talk) = replay(&captured.path(), &[], 0)?;
    let replayed = rows.iter().filter(|row| row.column("LocalPort").is_some_and(|port| ports.contains(&port)));
    let (live, replayed): (BTreeSet<String>, BTreeSet<String>) =
        (live.into_iter().map(facts).collect(), replayed.map(facts).collect());
    let differing: Vec<&String> = live.symmetric_difference(&replayed).collect();
    ensure!(differing.is_empty(), "only live or only replayed: {differing:#?}\n{talk}");
    let count = |word: &str| live.iter().filter(|facts| facts.contains(word)).count();
    // Twelve of dig, and two of curl, which asks for both kinds of addresses.
    ensure!(count("\"DnsConnectionInspected\"") == 14, "{live:#?}");
    // The connection, and its end.
    let named = live.iter().find(|facts| facts.contains("\"Dns\"")).context("no row is named by DNS")?;
    ensure!(named.contains("\"ConnectionSuccess\"") && named.contains(LOCAL.0), "{named}");
    ensure!(count("\"DoT\" \"Alpn\"") == 1 && count("\"DoH\"") == 0, "{live:#?}");
    Ok(())
}
