//! The keys of `AdditionalFields`, in groups that come together.

use super::Origin::{self, Microsoft, Proxysight, Zeek};

/// Keys of the object in `AdditionalFields` that tell of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdditionalField {
    /// The keys.
    pub keys: &'static [&'static str],
    /// What they tell.
    pub meaning: &'static str,
    /// Whose names they are.
    pub origin: Origin,
    /// The first version that has them.
    pub since: &'static str,
}

const fn field(keys: &'static [&'static str], origin: Origin, meaning: &'static str) -> AdditionalField {
    AdditionalField { keys, meaning, origin, since: "0.1" }
}

/// Every key.
pub const ADDITIONAL_FIELDS: &[AdditionalField] = &[
    field(
        &["ConnectionId", "SocketCookie"],
        Proxysight,
        "the same in all rows of one connection; the kernel's name for the socket",
    ),
    field(
        &["HostnameSource"],
        Proxysight,
        "where `RemoteUrl` was named: ConnectAuthority, AbsoluteUri, HttpHost, TlsSni, QuicSni, Socks; Dns when the connection's own bytes gave no name and its process (in a capture, which tells no processes, its host) was given the address for one name only",
    ),
    field(&["HostnameProblem"], Proxysight, "why what was sent as a host name is none"),
    field(&["TargetHost", "TargetPort"], Proxysight, "the real target"),
    field(
        &["ProxyIP", "ProxyPort", "ProxyType"],
        Proxysight,
        "the proxy of a target behind one: http, socks5, socks4a",
    ),
    field(
        &["ProxyConfigured", "ProxyBypassed"],
        Proxysight,
        "the connection is direct, although its process is configured to use this proxy (host and port; credentials are never recorded)",
    ),
    field(
        &["method", "host", "proxied", "direction", "status_code", "status_msg"],
        Zeek,
        "an HTTP exchange with a proxy (RFC 9110 section 15)",
    ),
    field(
        &["version", "host", "direction", "status_code", "status_msg"],
        Zeek,
        "a SOCKS exchange: the REP of RFC 1928 section 6, or the CD of SOCKS4",
    ),
    field(
        &["server_name", "version", "next_protocol", "ja4", "direction"],
        Zeek,
        "a ClientHello: its name, the highest version and the first protocol it offers, its JA4 fingerprint when it was whole",
    ),
    field(
        &["service"],
        Zeek,
        "on a ClientHello and the verdict on it: the protocol that began in clear text and asked for this TLS (STARTTLS and its like): smtp, imap, pop3, ftp, postgresql, mysql, ldap, xmpp, lmtp or nntp. Left out when the connection began with the hello, or when the client's words are those of several protocols (ManageSieve, or a bare STARTTLS)",
    ),
    field(
        &["EchState"],
        Proxysight,
        "none; grease: the ECH extension is there and nobody is named; offered: it is there next to a name, which may be a cover or, with browsers that always send it, the real one",
    ),
    field(
        &["QuicDowngrade"],
        Proxysight,
        "with `quic = \"downgrade\"`, of a QUIC connection to port 443: Dropped; or Audited, in mode audit, in which it would have been dropped",
    ),
    field(
        &["EncryptedDns", "EncryptedDnsEvidence"],
        Proxysight,
        "DNS goes on behind this ClientHello: DoT, DoH or DoQ, and what tells it: Alpn, Name or Port; see below",
    ),
    field(&["query", "qtype_name", "rcode_name", "answers", "direction"], Zeek, "a name server's answer"),
    field(
        &["HostMismatch", "OuterHost", "OuterSource", "InnerHost", "InnerSource"],
        Proxysight,
        "the two hosts of a mismatch: what the proxy was asked for, and what was asked for inside the tunnel",
    ),
    field(
        &["FailureReason"],
        Proxysight,
        "Refused (RST), TimedOut (no SYN was answered), Unreachable (no route, or a router said so), Abandoned (the program closed the socket first)",
    ),
    field(&["IpProtocol"], Proxysight, "what a raw socket is for, as IANA numbers protocols"),
    field(&["BytesSent", "BytesReceived", "DurationMs"], Proxysight, "payload bytes, and the time since the handshake"),
    field(
        &["EventId", "IsAudit", "ResponseCategory", "DisplayName"],
        Microsoft,
        "a verdict, in Microsoft's words; its ResponseCategory is CustomBlockList for a line of a list, HostMismatch for another name than the proxy was asked for, CustomPolicy for what cannot be read",
    ),
    field(
        &["Verdict", "Mode", "MatchedIndicator", "IndicatorSource"],
        Proxysight,
        "a verdict, and the line that it rests on",
    ),
    field(&["UnreadableReason"], Proxysight, "why a verdict rests on no name: UrgentData (see docs/send-paths.md)"),
    field(
        &["Stage", "Kind", "Count", "From", "To"],
        Proxysight,
        "rows that were lost: where (Stream), why (Full: what comes next was too slow), how many, and when the first and the last of them happened",
    ),
    field(&["InitiatingProcessCurrentWorkingDirectory"], Microsoft, "the directory that the process was in"),
    field(&["InitiatingProcessProblem"], Proxysight, "why the columns of the process are empty: Gone, NotInCapture"),
];
