//! `AdditionalFields`: a JSON object in a string, for everything that has no column.
//!
//! Protocol facts have Zeek's names (`server_name`, `status_code`); the others are Microsoft's or ours.

use super::{Remote, source_name};
use crate::correlate::{Connection, Host, Target};
use crate::decide::Indicator;
use crate::process::Lookup;
use monitor_common::policy::{Mode, Verdict};
use std::net::{IpAddr, SocketAddr};

/// The object. A field that does not apply is left out.
#[derive(Clone, Debug, Default, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdditionalFields {
    /// The same in all rows of one connection.
    pub connection_id: String,
    /// The kernel's name for the socket.
    pub socket_cookie: u64,
    /// Where the host was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname_source: Option<&'static str>,
    /// Why what was sent is no host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname_problem: Option<String>,
    /// The real target's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_host: Option<String>,
    /// The real target's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_port: Option<u16>,
    #[serde(flatten)]
    pub(super) proxy: Option<ProxyFields>,
    #[serde(flatten)]
    pub(super) http: Option<HttpFields>,
    #[serde(flatten)]
    pub(super) tls: Option<TlsFields>,
    #[serde(flatten)]
    pub(super) verdict: Option<VerdictFields>,
    /// Empty when the process was gone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub initiating_process_current_working_directory: String,
    /// Why process columns are empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiating_process_problem: Option<&'static str>,
}

/// The proxy of a target.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct ProxyFields {
    #[serde(rename = "ProxyIP")]
    ip: IpAddr,
    #[serde(rename = "ProxyPort")]
    port: u16,
    #[serde(rename = "ProxyType")]
    kind: &'static str,
}

/// An HTTP exchange, in Zeek's words.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct HttpFields {
    method: &'static str,
    host: String,
    proxied: bool,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_msg: Option<&'static str>,
}

/// A TLS handshake, in Zeek's words.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct TlsFields {
    server_name: String,
    direction: &'static str,
}

/// What a verdict rests on.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerdictFields {
    event_id: u16,
    is_audit: bool,
    response_category: &'static str,
    verdict: &'static str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_indicator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    indicator_source: Option<String>,
}

impl AdditionalFields {
    pub(super) fn new(connection: &Connection) -> Self {
        let image = &connection.process.image;
        Self {
            connection_id: connection.id.to_string(),
            socket_cookie: connection.id.cookie,
            initiating_process_current_working_directory: image.working_directory.clone(),
            initiating_process_problem: match image.lookup {
                Lookup::Found => None,
                Lookup::Gone => Some("Gone"),
            },
            ..Self::default()
        }
    }

    pub(super) fn target(&mut self, target: &Target) {
        self.hostname_source = Some(source_name(target.source));
        self.target_port = Some(target.port);
        match &target.host {
            Host::Name(_) | Host::Address(_) => self.target_host = Some(target.host.to_string()),
            Host::Malformed { reason, .. } => self.hostname_problem = Some(reason.to_string()),
        }
    }

    pub(super) fn server_name(&mut self, remote: &Remote) {
        self.tls = Some(TlsFields {
            server_name: remote.url.clone(),
            direction: "Out",
        });
    }

    /// The indicator that a verdict rests on, as it was written.
    pub fn matched_indicator(&self) -> Option<(&str, &str)> {
        let verdict = self.verdict.as_ref()?;
        Some((
            verdict.matched_indicator.as_deref()?,
            verdict.indicator_source.as_deref()?,
        ))
    }

    /// The status that the proxy answered with.
    pub fn status_code(&self) -> Option<u16> {
        self.http.as_ref()?.status_code
    }
}

impl ProxyFields {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self {
            ip: peer.ip(),
            port: peer.port(),
            kind: "http",
        }
    }
}

impl HttpFields {
    pub(super) fn connect(target: &Remote, status: Option<u16>) -> Self {
        Self {
            method: "CONNECT",
            host: target.url.clone(),
            proxied: true,
            direction: "Out",
            status_code: status,
            status_msg: status.map(status_msg),
        }
    }
}

impl VerdictFields {
    pub(super) fn new(verdict: Verdict, mode: Mode, indicator: Option<&Indicator>) -> Self {
        let (event_id, is_audit, verdict) = match verdict {
            Verdict::Blocked => (1126, false, "Blocked"),
            Verdict::Unlisted | Verdict::Audited => (1125, true, "Audited"),
        };
        let written = |each: &Indicator| format!("{}{}", if each.exact { "=" } else { "" }, each.name.as_str());
        Self {
            event_id,
            is_audit,
            response_category: "CustomBlockList",
            verdict,
            mode: mode.name(),
            display_name: indicator.map(|each| each.name.as_str().to_owned()),
            matched_indicator: indicator.map(written),
            indicator_source: indicator.map(|each| each.source.to_string()),
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
