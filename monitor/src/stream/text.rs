//! A record as a line for people: when, what, who, and the real target with the proxy behind it.

use monitor_common::policy::{Mode, Verdict};

use crate::correlate::What;
use crate::process::Lookup;
use crate::record::{ActionType, EventsLost, Record};

/// The widest process that still keeps the columns aligned.
const PROCESS_WIDTH: usize = 22;

/// Without a line end. Characters that could steer a terminal are escaped: process names come from anyone.
pub(super) fn line(record: &Record) -> String {
    let process = &record.connection.process;
    let who = match process.image.lookup {
        Lookup::Found | Lookup::Gone => format!("{}[{}]", escaped(&process.image.file_name), process.id),
        // Nobody knows the process: the client's own end tells the connections apart.
        Lookup::NotInCapture => record.connection.local.to_string(),
    };
    let time = record.timestamp.time_of_day();
    let what = word(record.action_type());
    let via = record.proxy().map_or_else(String::new, |(proxy, _)| format!(" via {proxy}"));
    format!("{time}  {what:<8} {who:<PROCESS_WIDTH$} -> {}{via}{}", target(record), why(record))
}

/// The same for rows that are missing.
pub(super) fn lost_line(lost: &EventsLost) -> String {
    let (to, from) = (lost.to.time_of_day(), lost.from.time_of_day());
    format!("{to}  {:<8} {} rows since {from}: they were read too slowly", "LOST", lost.count)
}

/// What else the row is about; what came over the wire is escaped.
fn why(record: &Record) -> String {
    match (&record.what, record.answer(), &record.indicator) {
        (_, Some(answer), _) => format!("  answered {}", answer.code),
        (_, _, Some(indicator)) => format!("  matches {indicator} ({})", escaped(&indicator.source.to_string())),
        (What::Resolved(response), ..) => {
            format!("  {} {} {}", escaped(response.query.as_str()), response.qtype_name, response.rcode_name)
        }
        (What::Mismatched(mismatch), ..) => match &mismatch.inner {
            Some(inner) => format!("  but {} inside", inner.host),
            None => "  but a hello without a name inside".to_owned(),
        },
        (What::QuicServerName(..), ..) => match record.downgrade() {
            Some(Mode::Block) => "  dropped, to be asked for over TCP".to_owned(),
            Some(Mode::Off | Mode::Audit) => "  would be dropped, to be asked for over TCP".to_owned(),
            None => String::new(),
        },
        (What::Judged { verdict: Verdict::Mismatched, .. }, ..) => "  the proxy was asked for another host".to_owned(),
        (What::Unreadable(_), ..) => "  urgent data among the first bytes".to_owned(),
        (What::NotConnected(reason), ..) => format!("  {reason:?}").to_lowercase(),
        (What::Closed { sent, received, .. }, ..) => format!("  {sent} bytes sent, {received} received"),
        _ => String::new(),
    }
}

fn word(action: ActionType) -> &'static str {
    match action {
        ActionType::ConnectionAttempt => "attempt",
        ActionType::ConnectionSuccess => "success",
        ActionType::ConnectionFailed => "failed",
        ActionType::ConnectionFound => "found",
        ActionType::InboundConnectionAccepted => "inbound",
        ActionType::ListeningConnectionCreated => "listens",
        ActionType::RawSocketCreated => "raw",
        ActionType::ConnectionClosed => "closed",
        ActionType::HttpConnectionInspected => "http",
        ActionType::SocksConnectionInspected => "socks",
        ActionType::SslConnectionInspected => "tls",
        ActionType::QuicConnectionInspected => "quic",
        ActionType::DnsConnectionInspected => "dns",
        ActionType::HostMismatchDetected => "MISMATCH",
        ActionType::ExploitGuardNetworkProtectionAudited => "AUDITED",
        ActionType::ExploitGuardNetworkProtectionBlocked => "BLOCKED",
    }
}

fn target(record: &Record) -> String {
    if let What::RawSocket(protocol) = record.what {
        return format!("IP protocol {protocol}");
    }
    let remote = record.remote();
    let host = match (&*remote.url, remote.ip) {
        ("", Some(ip)) => ip.to_string(),
        ("", None) => "(no host name)".to_owned(),
        (url, _) => url.to_owned(),
    };
    match remote.port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => record.connection.local.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(escaped("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(escaped("curl-ä"), "curl-ä");
    }
}
