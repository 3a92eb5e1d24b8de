//! `AdditionalFields`: a JSON object in a string, for everything that has no column.
//!
//! Protocol facts have Zeek's names (`server_name`, `status_code`); the others are Microsoft's or ours.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use monitor_common::policy::{Mode, Verdict};
use serde::ser::{Serialize, Serializer};

use super::{Record, source_name};
use crate::correlate::{ConnectionId, What};
use crate::decide::{Indicator, IndicatorSource};
use crate::hostname::{Host, HostnameError};
use crate::process::Lookup;

/// The object. A field that does not apply is left out.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AdditionalFields<'a> {
    /// The same in all rows of one connection.
    connection_id: Text<ConnectionId>,
    /// The kernel's name for the socket.
    socket_cookie: u64,
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
    tls: Option<TlsFields<'a>>,
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
    server_name: Text<&'a Host>,
    direction: &'static str,
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
        let http = match &record.what {
            What::Refused(target, _) | What::Challenged(target, _) => {
                Some(HttpFields::connect(&target.host, record.status()))
            }
            What::Connected(_) | What::Reached(_) | What::ServerName(_) | What::Judged { .. } => None,
        };
        let tls = match &record.what {
            What::ServerName(target) => Some(TlsFields { server_name: Text(&target.host), direction: "Out" }),
            What::Connected(_) | What::Reached(_) | What::Refused(..) | What::Challenged(..) | What::Judged { .. } => {
                None
            }
        };
        let verdict = match &record.what {
            What::Judged { verdict, .. } => {
                Some(VerdictFields::new(*verdict, record.mode, record.indicator.as_deref()))
            }
            What::Connected(_) | What::Reached(_) | What::Refused(..) | What::Challenged(..) | What::ServerName(_) => {
                None
            }
        };
        Self {
            connection_id: Text(connection.id),
            socket_cookie: connection.id.cookie,
            hostname_source: target.map(|target| source_name(target.source)),
            hostname_problem: host.and_then(|host| match host {
                Host::Malformed { reason, .. } => Some(Text(*reason)),
                Host::Name(_) | Host::Address(_) => None,
            }),
            target_host: host.filter(|host| !matches!(host, Host::Malformed { .. })).map(Text),
            target_port: target.map(|target| target.port),
            proxy: record.proxy().map(ProxyFields::new),
            http,
            tls,
            verdict,
            initiating_process_current_working_directory: &image.working_directory,
            initiating_process_problem: match image.lookup {
                Lookup::Found => None,
                Lookup::Gone => Some("Gone"),
            },
        }
    }
}

impl ProxyFields {
    fn new(peer: SocketAddr) -> Self {
        Self { ip: peer.ip(), port: peer.port(), kind: "http" }
    }
}

impl<'a> HttpFields<'a> {
    fn connect(host: &'a Host, status: Option<u16>) -> Self {
        Self {
            method: "CONNECT",
            host: Text(host),
            proxied: true,
            direction: "Out",
            status_code: status,
            status_msg: status.map(status_msg),
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

/// The reason phrases of RFC 9110 section 15 that proxies answer with. What the proxy itself wrote there is payload.
fn status_msg(status: u16) -> &'static str {
    match status {
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
