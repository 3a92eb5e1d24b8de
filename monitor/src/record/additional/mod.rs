//! `AdditionalFields`: a JSON object in a string, for everything that has no column.
//!
//! Protocol facts have Zeek's names (`server_name`, `status_code`); the others are Microsoft's or ours.

mod facts;
mod words;

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use facts::Facts;
use monitor_common::wire::starttls::Service;
use serde::ser::{Serialize, Serializer};

use super::{Record, source_name};
use crate::correlate::{ConnectionId, ProxyProtocol};
use crate::hostname::{Host, HostnameError};
use crate::process::{Lookup, ProxyAddress};

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
    /// The protocol that turned into TLS, in Zeek's word for one.
    #[serde(rename = "service", skip_serializing_if = "Option::is_none")]
    service: Option<&'static str>,
    #[serde(flatten)]
    bypass: Option<BypassFields<'a>>,
    #[serde(flatten)]
    facts: Option<Facts<'a>>,
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

/// A proxy that was gone past.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct BypassFields<'a> {
    proxy_configured: Text<&'a ProxyAddress>,
    proxy_bypassed: bool,
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
            bypass: record.bypassed().map(|proxy| BypassFields { proxy_configured: Text(proxy), proxy_bypassed: true }),
            service: record.service().map(Service::name),
            facts: Facts::of(record),
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
        Self { ip: peer.ip(), port: peer.port(), kind: protocol.name() }
    }
}
