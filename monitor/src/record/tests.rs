//! Changes and the rows that they become.

use std::path::Path;

use bytes::BytesMut;
use monitor_common::event::Reason;
use monitor_store::schema::{ACTION_TYPES, ADDITIONAL_FIELDS};
use serde_json::Value;

use super::*;
use crate::correlate::{ConnectionId, Mismatch, Transport};
use crate::decide::PolicyBuilder;
use crate::dns::{EncryptedDns, Evidence};
use crate::hostname::Hostname;
use crate::process::{Image, Lookup, Process};

fn target(host: &str, source: NameSource, proxied: bool) -> Target {
    let proxy = proxied.then_some(ProxyProtocol::Http);
    Target { host: Host::parse(host.as_bytes()).unwrap(), port: 8443, source, proxy }
}

fn connection() -> Connection {
    let image = Image {
        lookup: Lookup::Found,
        file_name: "curl".to_owned(),
        folder_path: "/usr/bin/curl".to_owned(),
        ..Image::default()
    };
    Connection {
        id: ConnectionId { boot: 1, cookie: 2, connect_ns: 3 },
        process: Arc::new(Process { id: 42, image, ..Process::default() }),
        transport: Transport::Tcp,
        local: "127.0.0.1:50000".parse().unwrap(),
        remote: "127.0.0.1:3128".parse().unwrap(),
    }
}

/// The row, and its additional fields.
fn row(what: What) -> (Value, Value) {
    row_of(Arc::new(connection()), what)
}

fn row_of(connection: Arc<Connection>, what: What) -> (Value, Value) {
    let mut policy = PolicyBuilder::default();
    assert_eq!(policy.add_list(Path::new("/etc/evil"), b"\nevil.example"), []);
    let policy = policy.build();
    let device = Device { id: "d".to_owned(), name: "host".to_owned() };
    let mut recorder = Recorder::new(device, Mode::Block);
    let indicator = match &what {
        What::Judged { target, rule, .. } => target.host.name().and_then(|name| policy.explain(*rule, name)).cloned(),
        _ => None,
    };
    let record = recorder.record(Change { time_ns: 0, connection, what }, indicator, Clock::new(0, 0));
    let mut json = BytesMut::new();
    record.write_json(&mut json).unwrap();
    let row: Value = serde_json::from_slice(&json).unwrap();
    let additional = serde_json::from_str(row["AdditionalFields"].as_str().unwrap()).unwrap();
    in_schema(&row, &additional);
    (row, additional)
}

/// What the row says is in the schema: its columns in order, its action type in its table, its additional fields.
fn in_schema(row: &Value, additional: &Value) {
    let table = Table::named(row["Table"].as_str().unwrap()).unwrap();
    let action = ACTION_TYPES.iter().find(|action| action.name == row["ActionType"]).unwrap();
    assert_eq!(action.table, table);
    let columns = row.as_object().unwrap();
    assert!(table.columns().all(|column| columns.contains_key(column.name)));
    assert_eq!(columns.len(), table.columns().count() + 1);
    for key in additional.as_object().unwrap().keys() {
        assert!(ADDITIONAL_FIELDS.iter().any(|field| field.keys.contains(&key.as_str())), "{key}");
    }
}

/// Names and values of some fields.
type Fields<'a> = &'a [(&'a str, Value)];

fn check(value: &Value, expect: Fields<'_>) {
    for (column, expect) in expect {
        assert_eq!(&value[column], expect, "{column}");
    }
}

#[test]
fn the_row_of_a_proxied_connection_is_the_proxy() {
    let (row, additional) = row(What::Connected(None));
    check(
        &row,
        &[
            ("Table", "DeviceNetworkEvents".into()),
            ("ActionType", "ConnectionSuccess".into()),
            ("RemoteIP", "127.0.0.1".into()),
            ("RemotePort", 3128.into()),
            ("RemoteUrl", "".into()),
            ("InitiatingProcessId", 42.into()),
            ("InitiatingProcessFolderPath", "/usr/bin/curl".into()),
            ("Timestamp", "1970-01-01T00:00:00.0000000Z".into()),
        ],
    );
    check(&additional, &[("ConnectionId", "0000000000000001-2-3".into()), ("ProxyIP", Value::Null)]);
}

#[test]
fn the_row_of_a_target_names_it_and_its_proxy() {
    let (row, additional) = row(What::Reached(target("good.example", NameSource::ConnectAuthority, true)));
    check(&row, &[("RemoteUrl", "good.example".into()), ("RemotePort", 8443.into()), ("RemoteIP", "".into())]);
    check(
        &additional,
        &[
            ("ProxyIP", "127.0.0.1".into()),
            ("ProxyPort", 3128.into()),
            ("HostnameSource", "ConnectAuthority".into()),
            ("TargetHost", "good.example".into()),
            ("TargetPort", 8443.into()),
        ],
    );
}

#[test]
fn a_target_by_address_is_the_remote_address() {
    let (row, _) = row(What::Reached(target("192.0.2.7", NameSource::ConnectAuthority, true)));
    check(&row, &[("RemoteIP", "192.0.2.7".into()), ("RemoteIPType", "Reserved".into())]);
}

#[test]
fn a_direct_target_is_the_peer() {
    let (row, additional) = row(What::Connected(Some(target("good.example", NameSource::TlsSni, false))));
    check(&row, &[("RemoteUrl", "good.example".into()), ("RemoteIP", "127.0.0.1".into()), ("RemotePort", 3128.into())]);
    check(&additional, &[("HostnameSource", "TlsSni".into()), ("ProxyIP", Value::Null)]);
}

#[test]
fn a_verdict_names_its_indicator_and_where_it_was_written() {
    let judged = target("www.evil.example", NameSource::ConnectAuthority, true);
    let (row, additional) = row(What::Judged { target: judged, verdict: Verdict::Blocked, rule: 0, service: None });
    check(&row, &[("Table", "DeviceEvents".into()), ("ActionType", "ExploitGuardNetworkProtectionBlocked".into())]);
    check(
        &additional,
        &[
            ("EventId", 1126.into()),
            ("IsAudit", false.into()),
            ("Verdict", "Blocked".into()),
            ("Mode", "block".into()),
            ("MatchedIndicator", "evil.example".into()),
            ("IndicatorSource", "/etc/evil:2".into()),
        ],
    );
}

#[test]
fn a_refusal_tells_the_status() {
    let refused = target("good.example", NameSource::ConnectAuthority, true);
    let (row, additional) = row(What::Refused(refused, Some(Answer { protocol: ProxyProtocol::Http, code: 403 })));
    check(&row, &[("ActionType", "ConnectionFailed".into()), ("RemoteUrl", "good.example".into())]);
    check(
        &additional,
        &[("status_code", 403.into()), ("status_msg", "Forbidden".into()), ("method", "CONNECT".into())],
    );
}

#[test]
fn each_kind_of_row_has_its_facts() {
    let behind = |protocol| {
        let target = target("good.example", NameSource::Socks5, true);
        Target { proxy: Some(protocol), ..target }
    };
    let refused = Answer { protocol: ProxyProtocol::Socks5, code: 5 };
    let inner = target("hidden.example", NameSource::TlsSni, true);
    let mismatch = Mismatch { outer: target("front.example", NameSource::ConnectAuthority, true), inner: Some(inner) };
    let closed = What::Closed { target: None, sent: 7, received: 9, duration_ns: 5_999_999 };
    let dns = Some((EncryptedDns::Https, Evidence::Name));
    let cases: [(What, &str, Fields<'_>); 11] = [
        (What::Attempted, "ConnectionAttempt", &[]),
        (What::Found, "ConnectionFound", &[]),
        (What::Accepted, "InboundConnectionAccepted", &[]),
        (What::NotConnected(Reason::TimedOut), "ConnectionFailed", &[("FailureReason", "TimedOut".into())]),
        (
            What::Unreadable(Verdict::Audited),
            "ExploitGuardNetworkProtectionAudited",
            &[("UnreadableReason", "UrgentData".into()), ("MatchedIndicator", Value::Null)],
        ),
        (closed, "ConnectionClosed", &[("BytesSent", 7.into()), ("BytesReceived", 9.into()), ("DurationMs", 5.into())]),
        (
            What::SocksAnswered(behind(ProxyProtocol::Socks5), refused),
            "SocksConnectionInspected",
            &[("version", 5.into()), ("status_code", 5.into()), ("status_msg", "Connection refused".into())],
        ),
        (
            What::Refused(behind(ProxyProtocol::Socks4), None),
            "ConnectionFailed",
            &[("version", 4.into()), ("ProxyType", "socks4a".into()), ("status_code", Value::Null)],
        ),
        (
            What::Mismatched(mismatch),
            "HostMismatchDetected",
            &[
                ("HostMismatch", true.into()),
                ("OuterHost", "front.example".into()),
                ("OuterSource", "ConnectAuthority".into()),
                ("InnerHost", "hidden.example".into()),
                ("InnerSource", "TlsSni".into()),
            ],
        ),
        (
            What::ServerName { target: None, service: Some(Service::Smtp), hello: None, dns: None },
            "SslConnectionInspected",
            &[
                ("server_name", Value::Null),
                ("ja4", Value::Null),
                ("service", "smtp".into()),
                ("EncryptedDns", Value::Null),
            ],
        ),
        (
            What::ServerName { target: None, service: None, hello: None, dns },
            "SslConnectionInspected",
            &[("EncryptedDns", "DoH".into()), ("EncryptedDnsEvidence", "Name".into())],
        ),
    ];
    for (what, action, expect) in cases {
        let (row, additional) = row(what);
        check(&row, &[("ActionType", action.into())]);
        check(&additional, expect);
    }
    let (row, _) = row(What::Listening);
    check(&row, &[("RemoteIP", "".into()), ("RemotePort", Value::Null), ("LocalPort", 50000.into())]);
}

#[test]
fn a_malformed_host_is_no_url() {
    let host = Host::malformed(b"x y.evil.example", Hostname::parse(b"x y").unwrap_err());
    let judged = Target { host, ..target("evil.example", NameSource::TlsSni, false) };
    let (row, additional) = row(What::Judged { target: judged, verdict: Verdict::Audited, rule: 0, service: None });
    check(&row, &[("RemoteUrl", "".into())]);
    check(
        &additional,
        &[
            ("HostnameProblem", "the character ' ' is not allowed in a name".into()),
            ("TargetHost", Value::Null),
            ("MatchedIndicator", "evil.example".into()),
        ],
    );
}

#[test]
fn no_string_column_is_null() {
    for what in [
        What::Connected(None),
        What::Judged {
            target: target("a.example", NameSource::TlsSni, false),
            verdict: Verdict::Audited,
            rule: 9,
            service: None,
        },
    ] {
        let numbers = ["InitiatingProcessFileSize", "InitiatingProcessParentId", "InitiatingProcessSessionId"];
        let (row, _) = row(what);
        for (column, value) in row.as_object().unwrap() {
            let may_be_null = column.ends_with("Time")
                || numbers.contains(&column.as_str())
                || ["FileSize", "ProcessId", "LogonId"].contains(&column.as_str());
            assert!(may_be_null || !value.is_null(), "{column}");
        }
    }
}

#[test]
fn rows_of_one_process_have_its_columns_in_both_tables() {
    let judged = || target("evil.example", NameSource::TlsSni, false);
    let verdict = || What::Judged { target: judged(), verdict: Verdict::Audited, rule: 0, service: None };
    let connection = Arc::new(connection());
    for (what, fresh) in
        [(verdict(), verdict()), (What::Connected(None), What::Connected(None)), (verdict(), verdict())]
    {
        let (row, _) = row_of(connection.clone(), what);
        let (expect, _) = self::row(fresh);
        assert_eq!(row, expect);
        check(&row, &[("InitiatingProcessFileName", "curl".into()), ("InitiatingProcessId", 42.into())]);
    }
}
