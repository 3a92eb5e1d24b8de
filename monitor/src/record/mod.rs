//! Records: rows of Microsoft's advanced-hunting tables `DeviceNetworkEvents` and `DeviceEvents`, with its column names
//! and types. The only module whose types are serialised.
//!
//! Pure: one change of a connection becomes one record. No byte of a payload gets into one: names, addresses, status
//! codes and what /proc says of the process, nothing else.

mod additional;
mod bypass;
mod clock;
mod ip_type;
mod json;
mod lost;
mod schema;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

pub use clock::{Clock, Timestamp};
pub use lost::EventsLost;
use monitor_common::policy::{Mode, Orders, Verdict};
use monitor_common::wire::NameSource;
use monitor_common::wire::starttls::Service;
use monitor_store::schema::Table;

use crate::correlate::{Answer, Change, Connection, ProxyProtocol, Target, Transport, What};
use crate::decide::Indicator;
use crate::hostname::Host;
use crate::process::ProxyAddress;

/// The host that the records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// 40 hexadecimal digits, the same as long as the host's machine id is.
    pub id: String,
    /// The host's name.
    pub name: String,
}

/// What a record says happened: `ActionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionType {
    /// A connection is on its way.
    ConnectionAttempt,
    /// A connection stands, or the real target was reached.
    ConnectionSuccess,
    /// A connection came to nothing, or the real target was not reached.
    ConnectionFailed,
    /// A connection was open when the daemon started.
    ConnectionFound,
    /// A peer has connected.
    InboundConnectionAccepted,
    /// A socket waits for peers.
    ListeningConnectionCreated,
    /// A program made a raw socket. Ours.
    RawSocketCreated,
    /// A connection is gone. Ours: Microsoft has no row for the end.
    ConnectionClosed,
    /// An HTTP exchange that tells something else: a proxy's challenge.
    HttpConnectionInspected,
    /// A SOCKS proxy's answer. Ours.
    SocksConnectionInspected,
    /// A TLS ClientHello.
    SslConnectionInspected,
    /// The ClientHello of a QUIC connection. Ours.
    QuicConnectionInspected,
    /// What a name server answered.
    DnsConnectionInspected,
    /// What a proxy was asked for and what was asked for inside the tunnel differ. Ours.
    HostMismatchDetected,
    /// A rule matches and the mode is audit (event 1125).
    ExploitGuardNetworkProtectionAudited,
    /// A rule matches and nothing left the host (event 1126).
    ExploitGuardNetworkProtectionBlocked,
}

impl ActionType {
    /// The name, as in the column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectionAttempt => "ConnectionAttempt",
            Self::ConnectionSuccess => "ConnectionSuccess",
            Self::ConnectionFailed => "ConnectionFailed",
            Self::ConnectionFound => "ConnectionFound",
            Self::InboundConnectionAccepted => "InboundConnectionAccepted",
            Self::ListeningConnectionCreated => "ListeningConnectionCreated",
            Self::RawSocketCreated => "RawSocketCreated",
            Self::ConnectionClosed => "ConnectionClosed",
            Self::HttpConnectionInspected => "HttpConnectionInspected",
            Self::SocksConnectionInspected => "SocksConnectionInspected",
            Self::SslConnectionInspected => "SslConnectionInspected",
            Self::QuicConnectionInspected => "QuicConnectionInspected",
            Self::DnsConnectionInspected => "DnsConnectionInspected",
            Self::HostMismatchDetected => "HostMismatchDetected",
            Self::ExploitGuardNetworkProtectionAudited => "ExploitGuardNetworkProtectionAudited",
            Self::ExploitGuardNetworkProtectionBlocked => "ExploitGuardNetworkProtectionBlocked",
        }
    }

    /// The table whose rows have it.
    pub const fn table(self) -> Table {
        if matches!(self, Self::ExploitGuardNetworkProtectionAudited | Self::ExploitGuardNetworkProtectionBlocked) {
            Table::DeviceEvents
        } else {
            Table::DeviceNetworkEvents
        }
    }
}

/// The remote end as a row shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote<'a> {
    /// The peer's address; the target's when that was asked for by address; none for a target behind a proxy.
    pub ip: Option<IpAddr>,
    /// The peer's port, or the target's; none for a socket that waits for peers, or is raw.
    pub port: Option<u16>,
    /// The real target's host, empty in the row of the TCP connection to a proxy.
    pub url: Cow<'a, str>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it happened.
    pub timestamp: Timestamp,
    /// Unique among the records of one run of the daemon.
    pub report_id: u64,
    /// Which host.
    pub device: Arc<Device>,
    /// Whose connection, from where to where.
    pub connection: Arc<Connection>,
    /// What happened on it.
    pub what: What,
    /// What a verdict rests on.
    pub indicator: Option<Arc<Indicator>>,
    orders: Orders,
    clock: Clock,
}

/// Makes records, one after the other.
pub struct Recorder {
    device: Arc<Device>,
    orders: Orders,
    next_report_id: u64,
}

impl Recorder {
    /// For one run of the daemon.
    pub fn new(device: Device, orders: impl Into<Orders>) -> Self {
        Self { device: Arc::new(device), orders: orders.into(), next_report_id: 1 }
    }

    /// What a verdict means.
    pub fn mode(&self) -> Mode {
        self.orders.mode
    }

    /// The record of a change. `indicator` is what a verdict rests on.
    pub fn record(&mut self, change: Change, indicator: Option<Arc<Indicator>>, clock: Clock) -> Record {
        let Change { time_ns, connection, what } = change;
        let report_id = self.next_report_id;
        self.next_report_id += 1;
        Record {
            timestamp: clock.wall(time_ns),
            report_id,
            device: self.device.clone(),
            connection,
            what,
            indicator,
            orders: self.orders,
            clock,
        }
    }
}

impl Record {
    /// What the row says happened.
    pub fn action_type(&self) -> ActionType {
        match &self.what {
            What::Attempted => ActionType::ConnectionAttempt,
            What::Connected(_) | What::Reached(_) => ActionType::ConnectionSuccess,
            What::NotConnected(_) | What::Refused(..) => ActionType::ConnectionFailed,
            What::Found => ActionType::ConnectionFound,
            What::Accepted => ActionType::InboundConnectionAccepted,
            What::Listening => ActionType::ListeningConnectionCreated,
            What::RawSocket(_) => ActionType::RawSocketCreated,
            What::Closed { .. } => ActionType::ConnectionClosed,
            What::Challenged(..) => ActionType::HttpConnectionInspected,
            What::SocksAnswered(..) => ActionType::SocksConnectionInspected,
            What::ServerName { .. } => ActionType::SslConnectionInspected,
            What::QuicServerName(..) => ActionType::QuicConnectionInspected,
            What::Resolved(_) => ActionType::DnsConnectionInspected,
            What::Mismatched(_) => ActionType::HostMismatchDetected,
            What::Judged { verdict, .. } | What::Unreadable(verdict) => match verdict {
                Verdict::Blocked | Verdict::Mismatched => ActionType::ExploitGuardNetworkProtectionBlocked,
                Verdict::Unlisted | Verdict::Audited => ActionType::ExploitGuardNetworkProtectionAudited,
            },
        }
    }

    /// The table that the row belongs to.
    pub fn table(&self) -> Table {
        self.action_type().table()
    }

    /// What was asked for; none in the row of the TCP connection to a proxy, or of one that asked for nothing.
    pub fn target(&self) -> Option<&Target> {
        match &self.what {
            What::Connected(target)
            | What::ServerName { target, .. }
            | What::QuicServerName(target, ..)
            | What::Closed { target, .. } => target.as_ref(),
            What::Reached(target)
            | What::Refused(target, _)
            | What::Challenged(target, _)
            | What::SocksAnswered(target, _)
            | What::Judged { target, .. } => Some(target),
            What::Mismatched(mismatch) => Some(&mismatch.outer),
            What::Attempted
            | What::NotConnected(_)
            | What::Found
            | What::Accepted
            | What::Listening
            | What::Resolved(_)
            | What::RawSocket(_)
            | What::Unreadable(_) => None,
        }
    }

    /// The protocol in clear text that turned into the TLS which the row is about.
    pub fn service(&self) -> Option<Service> {
        match &self.what {
            What::ServerName { service, .. } | What::Judged { service, .. } => *service,
            _ => None,
        }
    }

    /// The proxy, when the row is about a target behind one.
    pub fn proxy(&self) -> Option<(SocketAddr, ProxyProtocol)> {
        let protocol = self.target()?.proxy?;
        Some((self.connection.remote, protocol))
    }

    /// What the proxy answered, when that is what the row is about.
    pub fn answer(&self) -> Option<Answer> {
        match &self.what {
            What::Refused(_, answer) => *answer,
            What::Challenged(_, answer) | What::SocksAnswered(_, answer) => Some(*answer),
            _ => None,
        }
    }

    /// The local end; none for a raw socket.
    pub fn local(&self) -> Option<SocketAddr> {
        (self.connection.transport != Transport::Raw).then_some(self.connection.local)
    }

    /// The proxy that the row's connection goes past, although its process is configured to use it.
    pub fn bypassed(&self) -> Option<&ProxyAddress> {
        match &self.what {
            What::Connected(target) | What::QuicServerName(target, ..) => {
                bypass::bypassed(&self.connection.process.proxies, self.connection.remote, target.as_ref())
            }
            _ => None,
        }
    }

    /// What becomes, by the mode, of the QUIC connection whose start the row is about, when QUIC is to be downgraded.
    pub fn downgrade(&self) -> Option<Mode> {
        let is_quic = matches!(self.what, What::QuicServerName(..));
        (is_quic && self.orders.downgrades(self.connection.remote.port())).then_some(self.orders.mode)
    }

    /// The remote end. A target behind a proxy has no address of its own, unless it was asked for by address; a direct
    /// one is the peer.
    pub fn remote(&self) -> Remote<'_> {
        let peer = self.connection.remote;
        if matches!(self.what, What::Listening | What::RawSocket(_)) {
            return Remote { ip: None, port: None, url: Cow::Borrowed("") };
        }
        let Some(target) = self.target() else {
            return Remote { ip: Some(peer.ip()), port: Some(peer.port()), url: Cow::Borrowed("") };
        };
        let url = match &target.host {
            Host::Name(name) => Cow::Borrowed(name.as_str()),
            Host::Address(address) => Cow::Owned(address.to_string()),
            Host::Malformed { .. } => Cow::Borrowed(""),
        };
        if target.proxy.is_none() {
            return Remote { ip: Some(peer.ip()), port: Some(peer.port()), url };
        }
        let ip = match &target.host {
            Host::Address(address) => Some(*address),
            Host::Name(_) | Host::Malformed { .. } => None,
        };
        Remote { ip, port: Some(target.port), url }
    }
}

/// The name of a source, as `HostnameSource` has it.
pub const fn source_name(source: NameSource) -> &'static str {
    match source {
        NameSource::ConnectAuthority => "ConnectAuthority",
        NameSource::AbsoluteUri => "AbsoluteUri",
        NameSource::HttpHost => "HttpHost",
        NameSource::TlsSni => "TlsSni",
        NameSource::QuicSni => "QuicSni",
        NameSource::Dns => "Dns",
        NameSource::Socks5 | NameSource::Socks4 => "Socks",
    }
}

#[cfg(test)]
mod tests;
