//! Records: rows of Microsoft's advanced-hunting tables `DeviceNetworkEvents` and `DeviceEvents`, with its column names
//! and types. The only module whose types are serialised.
//!
//! Pure: one change of a connection becomes one record. No byte of a payload gets into one: names, addresses, status
//! codes and what /proc says of the process, nothing else.

mod additional;
mod clock;
mod columns;
mod ip_type;

pub use additional::AdditionalFields;
pub use clock::{Clock, Timestamp};

use crate::correlate::{Change, Connection, Host, Target, What};
use crate::decide::Indicator;
use additional::{HttpFields, ProxyFields, VerdictFields};
use monitor_common::policy::{Mode, Verdict};
use monitor_common::wire::NameSource;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The host that the records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// 40 hexadecimal digits, the same as long as the host's machine id is.
    pub id: String,
    /// The host's name.
    pub name: String,
}

/// What a record says happened: `ActionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum ActionType {
    /// A connection stands, or the real target was reached.
    ConnectionSuccess,
    /// The real target was not reached.
    ConnectionFailed,
    /// An HTTP exchange that tells something else: a proxy's challenge.
    HttpConnectionInspected,
    /// A TLS ClientHello with its server name.
    SslConnectionInspected,
    /// A rule matches and the mode is audit (event 1125).
    ExploitGuardNetworkProtectionAudited,
    /// A rule matches and nothing left the host (event 1126).
    ExploitGuardNetworkProtectionBlocked,
}

impl ActionType {
    /// The name, as in the column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionSuccess => "ConnectionSuccess",
            Self::ConnectionFailed => "ConnectionFailed",
            Self::HttpConnectionInspected => "HttpConnectionInspected",
            Self::SslConnectionInspected => "SslConnectionInspected",
            Self::ExploitGuardNetworkProtectionAudited => "ExploitGuardNetworkProtectionAudited",
            Self::ExploitGuardNetworkProtectionBlocked => "ExploitGuardNetworkProtectionBlocked",
        }
    }

    /// Whether the row belongs to `DeviceEvents` rather than to `DeviceNetworkEvents`.
    pub const fn is_verdict(self) -> bool {
        match self {
            Self::ConnectionSuccess
            | Self::ConnectionFailed
            | Self::HttpConnectionInspected
            | Self::SslConnectionInspected => false,
            Self::ExploitGuardNetworkProtectionAudited | Self::ExploitGuardNetworkProtectionBlocked => true,
        }
    }
}

/// The remote end as a row shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The peer's address; the target's when that was asked for by address; none for a target behind a proxy.
    pub ip: Option<IpAddr>,
    /// The peer's port, or the target's.
    pub port: u16,
    /// The real target's host, empty in the row of the TCP connection to a proxy.
    pub url: String,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it happened.
    pub timestamp: Timestamp,
    /// Unique among the records of one run of the daemon.
    pub report_id: u64,
    /// What happened.
    pub action_type: ActionType,
    /// The remote end.
    pub remote: Remote,
    /// The proxy, when the row is about a target behind one.
    pub proxy: Option<SocketAddr>,
    /// Whose connection, from where to where.
    pub connection: Arc<Connection>,
    /// Which host.
    pub device: Arc<Device>,
    /// Everything that has no column.
    pub additional: AdditionalFields,
    clock: Clock,
}

/// Makes records, one after the other.
pub struct Recorder {
    device: Arc<Device>,
    mode: Mode,
    next_report_id: u64,
}

impl Recorder {
    /// For one run of the daemon.
    pub fn new(device: Device, mode: Mode) -> Self {
        Self {
            device: Arc::new(device),
            mode,
            next_report_id: 1,
        }
    }

    /// The record of a change. `indicator` is what a verdict rests on.
    pub fn record(&mut self, change: Change, indicator: Option<&Indicator>, clock: Clock) -> Record {
        let Change {
            time_ns,
            connection,
            what,
        } = change;
        let peer = connection.remote;
        let (action_type, target) = match &what {
            What::Connected(target) => (ActionType::ConnectionSuccess, target.as_ref()),
            What::Reached(target) => (ActionType::ConnectionSuccess, Some(target)),
            What::Refused(target, _) => (ActionType::ConnectionFailed, Some(target)),
            What::Challenged(target, _) => (ActionType::HttpConnectionInspected, Some(target)),
            What::ServerName(target) => (ActionType::SslConnectionInspected, Some(target)),
            What::Judged { target, verdict, .. } => {
                let action = match verdict {
                    Verdict::Blocked => ActionType::ExploitGuardNetworkProtectionBlocked,
                    Verdict::Unlisted | Verdict::Audited => ActionType::ExploitGuardNetworkProtectionAudited,
                };
                (action, Some(target))
            }
        };
        let mut additional = AdditionalFields::new(&connection);
        let mut remote = Remote {
            ip: Some(peer.ip()),
            port: peer.port(),
            url: String::new(),
        };
        let mut proxy = None;
        if let Some(target) = target {
            remote = remote_of(target, peer);
            additional.target(target);
            if target.proxied {
                proxy = Some(peer);
                additional.proxy = Some(ProxyFields::new(peer));
            }
        }
        match &what {
            What::Refused(_, status) => additional.http = Some(HttpFields::connect(&remote, *status)),
            What::Challenged(_, status) => additional.http = Some(HttpFields::connect(&remote, Some(*status))),
            What::ServerName(_) => additional.server_name(&remote),
            What::Judged { verdict, .. } => {
                additional.verdict = Some(VerdictFields::new(*verdict, self.mode, indicator));
            }
            What::Connected(_) | What::Reached(_) => {}
        }
        let report_id = self.next_report_id;
        self.next_report_id += 1;
        Record {
            timestamp: clock.wall(time_ns),
            report_id,
            action_type,
            remote,
            proxy,
            connection,
            device: self.device.clone(),
            additional,
            clock,
        }
    }
}

/// A target behind a proxy has no address of its own, unless it was asked for by address. A direct one is the peer.
fn remote_of(target: &Target, peer: SocketAddr) -> Remote {
    let ip = match &target.host {
        Host::Address(address) if target.proxied => Some(*address),
        Host::Name(_) | Host::Malformed { .. } if target.proxied => None,
        Host::Address(_) | Host::Name(_) | Host::Malformed { .. } => Some(peer.ip()),
    };
    let url = match &target.host {
        Host::Name(name) => name.as_str().to_owned(),
        Host::Address(address) => address.to_string(),
        Host::Malformed { .. } => String::new(),
    };
    Remote {
        ip,
        port: if target.proxied { target.port } else { peer.port() },
        url,
    }
}

/// The name of a source, as `HostnameSource` has it.
pub const fn source_name(source: NameSource) -> &'static str {
    match source {
        NameSource::ConnectAuthority => "ConnectAuthority",
        NameSource::AbsoluteUri => "AbsoluteUri",
        NameSource::HttpHost => "HttpHost",
        NameSource::TlsSni => "TlsSni",
    }
}

#[cfg(test)]
mod tests;
