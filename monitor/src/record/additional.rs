//! `AdditionalFields`: a JSON object in a string, for everything that has no column.
//!
//! Protocol facts have Zeek's names (`server_name`, `status_code`); the others are Microsoft's or ours.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use monitor_common::event::Reason;
use monitor_common::policy::{Mode, Verdict};
use serde::ser::{Serialize, Serializer};

use super::{Record, source_name};
use crate::correlate::{Answer, ConnectionId, Mismatch, ProxyProtocol, Target, What};
use crate::decide::{Indicator, IndicatorSource};
use crate::dns::{Data, Response};
use crate::hello::{ClientHello, Ech, Version};
use crate::hostname::{Host, HostnameError};
use crate::process::Lookup;

/// The object. A field that does not apply is left out.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AdditionalFields<'a> {
    /// The same in all rows of one connection.
    connection_id: Text<ConnectionId>,
    /// The kernel's name for the socket; left out when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    socket_cookie: Option<u64>,
    /// Where the host was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname_source: Option<&'static str>,
    /// Why what was sent is no host.
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname_problem: Option<Text<HostnameError>>,
    /// The real target's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_host: Option<Text<&'a Host>>,
    /// The real target's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_port: Option<u16>,
    #[serde(flatten)]
    proxy: Option<ProxyFields>,
    #[serde(flatten)]
    http: Option<HttpFields<'a>>,
    #[serde(flatten)]
    socks: Option<SocksFields<'a>>,
    #[serde(flatten)]
    tls: Option<TlsFields<'a>>,
    #[serde(flatten)]
    dns: Option<DnsFields<'a>>,
    #[serde(flatten)]
    mismatch: Option<MismatchFields<'a>>,
    /// Why a connection came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    #[serde(flatten)]
    end: Option<EndFields>,
    #[serde(flatten)]
    verdict: Option<VerdictFields<'a>>,
    /// Left out when the process was gone.
    #[serde(skip_serializing_if = "str::is_empty")]
    initiating_process_current_working_directory: &'a str,
    /// Why process columns are empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    initiating_process_problem: Option<&'static str>,
}

/// The proxy of a target.
#[derive(serde::Serialize)]
struct ProxyFields {
    #[serde(rename = "ProxyIP")]
    ip: IpAddr,
    #[serde(rename = "ProxyPort")]
    port: u16,
    #[serde(rename = "ProxyType")]
    kind: &'static str,
}

/// An HTTP exchange, in Zeek's words.
#[derive(serde::Serialize)]
struct HttpFields<'a> {
    method: &'static str,
    host: Text<&'a Host>,
    proxied: bool,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_msg: Option<&'static str>,
}

/// A TLS handshake, in Zeek's words.
#[derive(serde::Serialize)]
struct TlsFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<Text<&'a Host>>,
    direction: &'static str,
    /// The highest that is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Text<Version>>,
    /// The first that is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_protocol: Option<String>,
    /// Left out when the hello is not whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<String>,
    #[serde(rename = "EchState", skip_serializing_if = "Option::is_none")]
    ech: Option<&'static str>,
}

impl<'a> TlsFields<'a> {
    fn new(target: Option<&'a Target>, hello: Option<&ClientHello>) -> Self {
        Self {
            server_name: target.map(|target| Text(&target.host)),
            direction: "Out",
            version: hello.map(|hello| Text(hello.offered_version())),
            next_protocol: hello.and_then(|hello| hello.protocols.first()),
            ja4: hello.and_then(ClientHello::ja4),
            ech: hello.map(|hello| match hello.ech {
                Ech::None => "none",
                Ech::Grease => "grease",
                Ech::Offered => "offered",
            }),
        }
    }
}

/// A name server's answer, in Zeek's words.
#[derive(serde::Serialize)]
struct DnsFields<'a> {
    query: &'a str,
    qtype_name: &'a str,
    rcode_name: &'a str,
    answers: Vec<String>,
    direction: &'static str,
}

impl<'a> DnsFields<'a> {
    fn new(response: &'a Response) -> Self {
        let answers = response.answers.iter().filter_map(|answer| match &answer.data {
            Data::Address(address) => Some(address.to_string()),
            Data::Alias(name) => Some(name.to_string()),
            Data::Service(service) => Some(service.target.to_string()),
            Data::Other => None,
        });
        Self {
            query: response.query.as_str(),
            qtype_name: &response.qtype_name,
            rcode_name: &response.rcode_name,
            answers: answers.collect(),
            direction: "In",
        }
    }
}

/// A SOCKS exchange.
#[derive(serde::Serialize)]
struct SocksFields<'a> {
    version: u8,
    host: Text<&'a Host>,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_msg: Option<&'static str>,
}

/// Two hosts that should be one.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct MismatchFields<'a> {
    host_mismatch: bool,
    outer_host: Text<&'a Host>,
    outer_source: &'static str,
    /// Left out when the hello inside the tunnel has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    inner_host: Option<Text<&'a Host>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inner_source: Option<&'static str>,
}

/// The end of a connection.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct EndFields {
    bytes_sent: u64,
    bytes_received: u64,
    duration_ms: u64,
}

/// What a verdict rests on.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct VerdictFields<'a> {
    event_id: u16,
    is_audit: bool,
    response_category: &'static str,
    verdict: &'static str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_indicator: Option<Text<&'a Indicator>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    indicator_source: Option<Text<&'a IndicatorSource>>,
}

/// A value that is written as the text it displays.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What most objects stay below, so that their buffer does not grow.
const USUAL_BYTES: usize = 512;

impl<'a> AdditionalFields<'a> {
    /// The object as text. Numbers and text only: serialising them cannot fail, and an empty object would be what is left.
    pub(super) fn to_json(&self) -> String {
        let mut json = Vec::with_capacity(USUAL_BYTES);
        match serde_json::to_writer(&mut json, self) {
            Ok(()) => String::from_utf8(json).unwrap_or_default(),
            Err(_) => "{}".to_owned(),
        }
    }

    pub(super) fn of(record: &'a Record) -> Self {
        let connection = &record.connection;
        let image = &connection.process.image;
        let target = record.target();
        let host = target.map(|target| &target.host);
        let answer = record.answer();
        let http = match &record.what {
            What::Refused(target, _) | What::Challenged(target, _) if target.proxy == Some(ProxyProtocol::Http) => {
                Some(HttpFields::connect(&target.host, answer))
            }
            _ => None,
        };
        let socks = match &record.what {
            What::Refused(target, _) | What::SocksAnswered(target, _) => SocksFields::of(target, answer),
            _ => None,
        };
        let tls = match &record.what {
            What::ServerName(target, hello) => Some(TlsFields::new(target.as_ref(), hello.as_deref())),
            What::QuicServerName(target, hello) => Some(TlsFields::new(target.as_ref(), Some(hello))),
            _ => None,
        };
        let dns = match &record.what {
            What::Resolved(response) => Some(DnsFields::new(response)),
            _ => None,
        };
        let mismatch = match &record.what {
            What::Mismatched(mismatch) => Some(MismatchFields::new(mismatch)),
            _ => None,
        };
        let failure = match &record.what {
            What::NotConnected(reason) => Some(reason_name(*reason)),
            _ => None,
        };
        let end = match &record.what {
            What::Closed { sent, received, duration_ns, .. } => {
                Some(EndFields { bytes_sent: *sent, bytes_received: *received, duration_ms: duration_ns / 1_000_000 })
            }
            _ => None,
        };
        let verdict = match &record.what {
            What::Judged { verdict, .. } => {
                Some(VerdictFields::new(*verdict, record.mode, record.indicator.as_deref()))
            }
            _ => None,
        };
        Self {
            connection_id: Text(connection.id),
            socket_cookie: (image.lookup != Lookup::NotInCapture).then_some(connection.id.cookie),
            hostname_source: target.map(|target| source_name(target.source)),
            hostname_problem: host.and_then(|host| match host {
                Host::Malformed { reason, .. } => Some(Text(*reason)),
                Host::Name(_) | Host::Address(_) => None,
            }),
            target_host: host.filter(|host| !matches!(host, Host::Malformed { .. })).map(Text),
            target_port: target.map(|target| target.port),
            proxy: record.proxy().map(ProxyFields::new),
            http,
            socks,
            tls,
            dns,
            mismatch,
            failure_reason: failure,
            end,
            verdict,
            initiating_process_current_working_directory: &image.working_directory,
            initiating_process_problem: match image.lookup {
                Lookup::Found => None,
                Lookup::Gone => Some("Gone"),
                Lookup::NotInCapture => Some("NotInCapture"),
            },
        }
    }
}

impl ProxyFields {
    fn new((peer, protocol): (SocketAddr, ProxyProtocol)) -> Self {
        let kind = match protocol {
            ProxyProtocol::Http => "http",
            ProxyProtocol::Socks5 => "socks5",
            ProxyProtocol::Socks4 => "socks4a",
        };
        Self { ip: peer.ip(), port: peer.port(), kind }
    }
}

impl<'a> SocksFields<'a> {
    fn of(target: &'a Target, answer: Option<Answer>) -> Option<Self> {
        let version = match target.proxy? {
            ProxyProtocol::Http => return None,
            ProxyProtocol::Socks5 => 5,
            ProxyProtocol::Socks4 => 4,
        };
        Some(Self {
            version,
            host: Text(&target.host),
            direction: "Out",
            status_code: answer.map(|answer| answer.code),
            status_msg: answer.map(status_msg),
        })
    }
}

impl<'a> MismatchFields<'a> {
    fn new(mismatch: &'a Mismatch) -> Self {
        let inner = mismatch.inner.as_ref();
        Self {
            host_mismatch: true,
            outer_host: Text(&mismatch.outer.host),
            outer_source: source_name(mismatch.outer.source),
            inner_host: inner.map(|inner| Text(&inner.host)),
            inner_source: inner.map(|inner| source_name(inner.source)),
        }
    }
}

impl<'a> HttpFields<'a> {
    fn connect(host: &'a Host, answer: Option<Answer>) -> Self {
        Self {
            method: "CONNECT",
            host: Text(host),
            proxied: true,
            direction: "Out",
            status_code: answer.map(|answer| answer.code),
            status_msg: answer.map(status_msg),
        }
    }
}

impl<'a> VerdictFields<'a> {
    fn new(verdict: Verdict, mode: Mode, indicator: Option<&'a Indicator>) -> Self {
        let (event_id, is_audit, verdict) = match verdict {
            Verdict::Blocked => (1126, false, "Blocked"),
            Verdict::Unlisted | Verdict::Audited => (1125, true, "Audited"),
        };
        Self {
            event_id,
            is_audit,
            response_category: "CustomBlockList",
            verdict,
            mode: mode.name(),
            display_name: indicator.map(|each| each.name.as_str()),
            matched_indicator: indicator.map(Text),
            indicator_source: indicator.map(|each| Text(&each.source)),
        }
    }
}

/// What an answer's code means. What the proxy itself wrote there is payload.
fn status_msg(answer: Answer) -> &'static str {
    match (answer.protocol, answer.code) {
        (ProxyProtocol::Http, code) => reason_phrase(code),
        (ProxyProtocol::Socks5, code) => socks5_reply(code),
        (ProxyProtocol::Socks4, 90) => "request granted",
        (ProxyProtocol::Socks4, _) => "request rejected or failed",
    }
}

/// The replies of RFC 1928 section 6.
fn socks5_reply(code: u16) -> &'static str {
    match code {
        0 => "succeeded",
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "Network unreachable",
        4 => "Host unreachable",
        5 => "Connection refused",
        6 => "TTL expired",
        7 => "Command not supported",
        8 => "Address type not supported",
        _ => "unassigned",
    }
}

fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Refused => "Refused",
        Reason::TimedOut => "TimedOut",
        Reason::Unreachable => "Unreachable",
        Reason::Abandoned => "Abandoned",
    }
}

/// The reason phrases of RFC 9110 section 15 that proxies answer with.
fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => match status / 100 {
            3 => "Redirection",
            4 => "Client Error",
            5 => "Server Error",
            _ => "Unassigned",
        },
    }
}
