//! What codes mean, in the words of their RFCs.

use monitor_common::event::Reason;

use crate::correlate::{Answer, ProxyProtocol};

/// What an answer's code means. What the proxy itself wrote there is payload.
pub(super) fn status_msg(answer: Answer) -> &'static str {
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

pub(super) fn reason_name(reason: Reason) -> &'static str {
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
