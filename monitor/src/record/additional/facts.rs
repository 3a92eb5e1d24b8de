//! What a row is about, besides its connection and target: one kind of facts each.

use monitor_common::policy::{Mode, Verdict};

use super::Text;
use super::words::{reason_name, status_msg};
use crate::correlate::{Answer, Mismatch, ProxyProtocol, Target, What};
use crate::decide::{Indicator, IndicatorSource};
use crate::dns::{Data, EncryptedDns, Evidence, Response};
use crate::hello::{ClientHello, Ech, Version};
use crate::hostname::Host;
use crate::record::{Record, source_name};

/// The facts of a row.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Facts<'a> {
    Http(HttpFields<'a>),
    Socks(SocksFields<'a>),
    Tls(TlsFields<'a>),
    Dns(DnsFields<'a>),
    Mismatch(MismatchFields<'a>),
    Failure(FailureFields),
    RawSocket(RawSocketFields),
    End(EndFields),
    Verdict(VerdictFields<'a>),
}

impl<'a> Facts<'a> {
    /// None: the row says everything in its columns.
    pub(super) fn of(record: &'a Record) -> Option<Self> {
        let answer = record.answer();
        Some(match &record.what {
            What::Refused(target, _) | What::Challenged(target, _) => match target.proxy? {
                ProxyProtocol::Http => Self::Http(HttpFields::connect(&target.host, answer)),
                protocol @ (ProxyProtocol::Socks5 | ProxyProtocol::Socks4) => {
                    Self::Socks(SocksFields::new(target, protocol, answer))
                }
            },
            What::SocksAnswered(target, given) => Self::Socks(SocksFields::new(target, given.protocol, Some(*given))),
            What::QuicServerName(target, hello, dns) => Self::Tls(TlsFields {
                quic_downgrade: record.downgrade().map(|mode| match mode {
                    Mode::Block => "Dropped",
                    Mode::Off | Mode::Audit => "Audited",
                }),
                ..TlsFields::new(target.as_ref(), Some(hello), *dns)
            }),
            What::ServerName { target, hello, dns, .. } => {
                Self::Tls(TlsFields::new(target.as_ref(), hello.as_deref(), *dns))
            }
            What::Resolved(response) => Self::Dns(DnsFields::new(response)),
            What::Mismatched(mismatch) => Self::Mismatch(MismatchFields::new(mismatch)),
            What::NotConnected(reason) => Self::Failure(FailureFields { failure_reason: reason_name(*reason) }),
            What::RawSocket(protocol) => Self::RawSocket(RawSocketFields { ip_protocol: *protocol }),
            What::Closed { sent, received, duration_ns, .. } => Self::End(EndFields {
                bytes_sent: *sent,
                bytes_received: *received,
                duration_ms: duration_ns / 1_000_000,
            }),
            What::Judged { verdict, .. } => {
                Self::Verdict(VerdictFields::new(*verdict, record.orders.mode, record.indicator.as_deref()))
            }
            What::Unreadable(verdict) => Self::Verdict(VerdictFields {
                response_category: "CustomPolicy",
                unreadable_reason: Some("UrgentData"),
                ..VerdictFields::new(*verdict, record.orders.mode, None)
            }),
            What::Attempted
            | What::Connected(_)
            | What::Found
            | What::Accepted
            | What::Listening
            | What::Reached(_) => return None,
        })
    }
}

/// What a proxy answered.
#[derive(serde::Serialize)]
struct AnswerFields {
    status_code: u16,
    status_msg: &'static str,
}

impl AnswerFields {
    fn new(answer: Answer) -> Self {
        Self { status_code: answer.code, status_msg: status_msg(answer) }
    }
}

/// Why a connection came to nothing.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FailureFields {
    failure_reason: &'static str,
}

/// What a raw socket is for.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawSocketFields {
    ip_protocol: u16,
}

/// An HTTP exchange, in Zeek's words.
#[derive(serde::Serialize)]
pub(super) struct HttpFields<'a> {
    method: &'static str,
    host: Text<&'a Host>,
    proxied: bool,
    direction: &'static str,
    #[serde(flatten)]
    answer: Option<AnswerFields>,
}

/// A TLS handshake, in Zeek's words.
#[derive(serde::Serialize)]
pub(super) struct TlsFields<'a> {
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
    #[serde(rename = "QuicDowngrade", skip_serializing_if = "Option::is_none")]
    quic_downgrade: Option<&'static str>,
    /// What carries the DNS that goes on inside.
    #[serde(rename = "EncryptedDns", skip_serializing_if = "Option::is_none")]
    encrypted_dns: Option<Text<EncryptedDns>>,
    #[serde(rename = "EncryptedDnsEvidence", skip_serializing_if = "Option::is_none")]
    evidence: Option<Text<Evidence>>,
}

impl<'a> TlsFields<'a> {
    fn new(target: Option<&'a Target>, hello: Option<&ClientHello>, dns: Option<(EncryptedDns, Evidence)>) -> Self {
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
            quic_downgrade: None,
            encrypted_dns: dns.map(|(carried, _)| Text(carried)),
            evidence: dns.map(|(_, evidence)| Text(evidence)),
        }
    }
}

/// A name server's answer, in Zeek's words.
#[derive(serde::Serialize)]
pub(super) struct DnsFields<'a> {
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
pub(super) struct SocksFields<'a> {
    version: u8,
    host: Text<&'a Host>,
    direction: &'static str,
    #[serde(flatten)]
    answer: Option<AnswerFields>,
}

/// Two hosts that should be one.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MismatchFields<'a> {
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
pub(super) struct EndFields {
    bytes_sent: u64,
    bytes_received: u64,
    duration_ms: u64,
}

/// What a verdict rests on.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VerdictFields<'a> {
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
    /// Why no name is known that the verdict could rest on.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable_reason: Option<&'static str>,
}

impl<'a> SocksFields<'a> {
    fn new(target: &'a Target, protocol: ProxyProtocol, answer: Option<Answer>) -> Self {
        let version = if protocol == ProxyProtocol::Socks4 { 4 } else { 5 };
        Self { version, host: Text(&target.host), direction: "Out", answer: answer.map(AnswerFields::new) }
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
            answer: answer.map(AnswerFields::new),
        }
    }
}

impl<'a> VerdictFields<'a> {
    fn new(verdict: Verdict, mode: Mode, indicator: Option<&'a Indicator>) -> Self {
        let response_category = if verdict == Verdict::Mismatched { "HostMismatch" } else { "CustomBlockList" };
        let (event_id, is_audit, verdict) = match verdict {
            Verdict::Blocked | Verdict::Mismatched => (1126, false, "Blocked"),
            Verdict::Unlisted | Verdict::Audited => (1125, true, "Audited"),
        };
        Self {
            event_id,
            is_audit,
            response_category,
            verdict,
            mode: mode.name(),
            display_name: indicator.map(|each| each.name.as_str()),
            matched_indicator: indicator.map(Text),
            indicator_source: indicator.map(|each| Text(&each.source)),
            unreadable_reason: None,
        }
    }
}
