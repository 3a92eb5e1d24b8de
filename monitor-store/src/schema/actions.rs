//! What a row can say happened.

use super::Origin::{self, Microsoft, Proxysight};
use super::Table::{self, DeviceEvents, DeviceNetworkEvents};

/// One value of the column `ActionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionType {
    /// The value.
    pub name: &'static str,
    /// The table whose rows have it.
    pub table: Table,
    /// What happened then.
    pub when: &'static str,
    /// Who has rows of this kind.
    pub origin: Origin,
    /// The first version that has it.
    pub since: &'static str,
}

const fn action(name: &'static str, table: Table, when: &'static str, origin: Origin) -> ActionType {
    ActionType { name, table, when, origin, since: "0.1" }
}

/// Every value.
pub const ACTION_TYPES: &[ActionType] = &[
    action(
        "ConnectionAttempt",
        DeviceNetworkEvents,
        "a TCP connection is on its way; off unless it is configured, since each connection has another row, with the same ConnectionId, that tells how it turned out",
        Microsoft,
    ),
    action(
        "ConnectionSuccess",
        DeviceNetworkEvents,
        "the TCP handshake is done; or the proxy opened the way to the real target, or was sent a request for it",
        Microsoft,
    ),
    action(
        "ConnectionFailed",
        DeviceNetworkEvents,
        "the connection came to nothing (`FailureReason`); or the proxy refused (`status_code`, `status_msg`), or never answered",
        Microsoft,
    ),
    action(
        "ConnectionFound",
        DeviceNetworkEvents,
        "a TCP connection was open when the daemon started, outgoing or incoming: told once, with the process that holds the socket (of several, the one with the lowest id); its end and its names are not followed",
        Microsoft,
    ),
    action(
        "InboundConnectionAccepted",
        DeviceNetworkEvents,
        "a peer has connected; the process is the one that bound the listening socket",
        Microsoft,
    ),
    action("ListeningConnectionCreated", DeviceNetworkEvents, "a socket waits for peers", Microsoft),
    action("HttpConnectionInspected", DeviceNetworkEvents, "the proxy wants credentials (407)", Microsoft),
    action(
        "SslConnectionInspected",
        DeviceNetworkEvents,
        "a TLS ClientHello was sent, inside a tunnel or outside",
        Microsoft,
    ),
    action("DnsConnectionInspected", DeviceNetworkEvents, "a name server answered over UDP or TCP port 53", Microsoft),
    action("SocksConnectionInspected", DeviceNetworkEvents, "a SOCKS proxy answered", Proxysight),
    action(
        "QuicConnectionInspected",
        DeviceNetworkEvents,
        "the ClientHello of a QUIC connection (versions 1 and 2, drafts 22 to 34, and what Facebook made of them) was sent",
        Proxysight,
    ),
    action(
        "HostMismatchDetected",
        DeviceNetworkEvents,
        "what a proxy was asked for and what was asked for inside the tunnel differ (ATT&CK T1090.004)",
        Proxysight,
    ),
    action(
        "RawSocketCreated",
        DeviceNetworkEvents,
        "a program made a raw socket (`IpProtocol`), by which it can send packets that have no rows (see docs/send-paths.md)",
        Proxysight,
    ),
    action(
        "ConnectionClosed",
        DeviceNetworkEvents,
        "a connection is gone, with its bytes and duration: Microsoft has no row for the end",
        Proxysight,
    ),
    action(
        "ExploitGuardNetworkProtectionAudited",
        DeviceEvents,
        "a rule matches and the mode is audit (EventId 1125)",
        Microsoft,
    ),
    action(
        "ExploitGuardNetworkProtectionBlocked",
        DeviceEvents,
        "a rule matches and nothing left the host (EventId 1126)",
        Microsoft,
    ),
    action(
        "SensorEventsLost",
        DeviceEvents,
        "rows are missing here: this reader of a stream was too slow; nobody else lacks them",
        Proxysight,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_there_once() {
        let mut names: Vec<&str> = ACTION_TYPES.iter().map(|action| action.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTION_TYPES.len());
    }
}
