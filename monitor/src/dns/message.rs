//! DNS responses (RFC 1035 section 4): what was asked, how it was answered, and which addresses the answer leads to.
//!
//! The header, the question and the answers are read; the sections behind them say nothing that a program uses. A
//! message with one damaged record is refused whole, as resolvers do.

use std::borrow::Cow;
use std::net::IpAddr;

use domain::base::Message;
use domain::base::iana::{Opcode, Rcode, Rtype};
use domain::base::wire::ParseError;

use super::answer::{Answer, Data, Name};
use super::words;
use crate::hostname::{Hostname, HostnameError};

/// Answers that are taken from one message; a datagram of 1,400 bytes
/// (RFC 9715 section 3.2) has no room for more than 86 addresses.
/// Those beyond it are counted in [`Response::left_out`] and not read, which also bounds the time that 64 KiB of
/// compression pointers take.
pub const ANSWERS_MAX: usize = 128;

/// CNAMEs that are followed from the name that was asked for: the bound of a search that a hostile answer can prolong.
const ALIASES_MAX: usize = 16;

/// A response to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Which query it answers.
    pub id: u16,
    /// The name that was asked for.
    pub query: Name,
    /// What was asked about it, in Zeek's words: `A`, `HTTPS`, `query-4711`.
    pub qtype_name: Cow<'static, str>,
    /// How it went, in Zeek's words: `NOERROR`, `NXDOMAIN`.
    pub rcode_name: Cow<'static, str>,
    /// Whether the answer was cut to fit a datagram (the TC bit); the program will ask again by TCP.
    pub truncated: bool,
    /// The answers in the order in which they were sent, the first [`ANSWERS_MAX`].
    pub answers: Vec<Answer>,
    /// How many more the header announces.
    pub left_out: usize,
    qtype: Rtype,
    rcode: Rcode,
}

/// Why bytes are no DNS response. `at` is an offset in the bytes in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// Shorter than a header.
    #[error("{0} bytes are no DNS message: its header has 12")]
    NoHeader(usize),
    /// The QR bit says that it is a query.
    #[error("a query, not a response")]
    Query,
    /// Not the answer to a standard query (RFC 6895 section 2.2).
    #[error("opcode {0}, not a query's")]
    Opcode(u8),
    /// RFC 9619: a query has one question, and so has its answer.
    #[error("{0} questions instead of one")]
    Questions(u16),
    /// The question is damaged.
    #[error("question at byte {at}: {reason}")]
    Question {
        /// Where it starts.
        at: usize,
        /// What is wrong with it.
        reason: ParseError,
    },
    /// An answer is damaged.
    #[error("answer {number} at byte {at}: {reason}")]
    Answer {
        /// Which one, from 1.
        number: usize,
        /// Where it starts.
        at: usize,
        /// What is wrong with it.
        reason: ParseError,
    },
    /// A message over TCP goes on beyond the bytes (RFC 1035 section 4.2.2).
    #[error("message at byte {at}: {there} bytes of {length} are there")]
    CutOff {
        /// Where its length starts.
        at: usize,
        /// The length that it says, in bytes; 0 when that is cut off too.
        length: usize,
        /// How many bytes of it are there.
        there: usize,
    },
}

impl Response {
    /// Reads the payload of a UDP datagram, or one of [`tcp_messages`]. Never panics.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(bytes: &[u8]) -> Result<Self, DnsError> {
        let message = Message::from_slice(bytes).map_err(|_| DnsError::NoHeader(bytes.len()))?;
        let header = message.header();
        if !header.qr() {
            return Err(DnsError::Query);
        }
        if header.opcode() != Opcode::QUERY {
            return Err(DnsError::Opcode(header.opcode().to_int()));
        }
        let questions = message.header_counts().qdcount();
        let mut section = message.question();
        let at = section.pos();
        let question = match section.next() {
            Some(Ok(question)) if questions == 1 => question,
            Some(Err(reason)) => return Err(DnsError::Question { at, reason }),
            Some(Ok(_)) | None => return Err(DnsError::Questions(questions)),
        };
        let mut section = section.answer().map_err(|reason| DnsError::Question { at, reason })?;
        let announced = usize::from(message.header_counts().ancount());
        let mut answers = Vec::with_capacity(announced.min(ANSWERS_MAX));
        while answers.len() < ANSWERS_MAX {
            let (number, at) = (answers.len() + 1, section.pos());
            let damaged = |reason| DnsError::Answer { number, at, reason };
            let Some(record) = section.next() else {
                break;
            };
            answers.push(Answer::read(&record.map_err(damaged)?).map_err(damaged)?);
        }
        let left_out = announced.saturating_sub(answers.len());
        Ok(Self {
            id: header.id(),
            query: Name::new(question.qname()),
            qtype_name: words::rtype(question.qtype()),
            rcode_name: words::rcode(header.rcode()),
            truncated: header.tc(),
            answers,
            left_out,
            qtype: question.qtype(),
            rcode: header.rcode(),
        })
    }

    /// The host that the program wants to reach: the name that it asked for, not the one that aliases lead to. For an
    /// HTTPS record of another port, the name behind `_PORT._https` (RFC 9460 section 9.1).
    ///
    /// # Errors
    /// When it is no name of a host.
    pub fn host(&self) -> Result<Hostname, HostnameError> {
        let query = self.query.as_str();
        let mut labels = query.splitn(3, '.');
        let host = match (labels.next(), labels.next(), labels.next()) {
            (Some(port), Some(scheme), Some(host))
                if self.qtype == Rtype::HTTPS
                    && port.strip_prefix('_').is_some_and(|port| port.parse::<u16>().is_ok())
                    && scheme.eq_ignore_ascii_case("_https") =>
            {
                host
            }
            _ => query,
        };
        Hostname::parse(host.as_bytes())
    }

    /// The addresses that the answer leads to from the name that was asked for, with the seconds that each may be used:
    /// the least along its way. What belongs to other names is left out, as resolvers do. None when the query failed.
    pub fn addresses(&self) -> Vec<(IpAddr, u32)> {
        let mut found = Vec::new();
        if self.rcode != Rcode::NOERROR {
            return found;
        }
        let (mut name, mut ttl_s) = (&self.query, u32::MAX);
        for _ in 0..ALIASES_MAX {
            let alias = self.answers.iter().find_map(|answer| match &answer.data {
                Data::Alias(target) if answer.owner.is(name) => Some((target, answer.ttl_s)),
                Data::Alias(_) | Data::Address(_) | Data::Service(_) | Data::Other => None,
            });
            let Some((target, alias_ttl_s)) = alias else {
                break;
            };
            (name, ttl_s) = (target, ttl_s.min(alias_ttl_s));
        }
        for answer in self.answers.iter().filter(|answer| answer.owner.is(name)) {
            let ttl_s = ttl_s.min(answer.ttl_s);
            match &answer.data {
                Data::Address(address) => found.push((*address, ttl_s)),
                Data::Service(service) => found.extend(service.hints.iter().map(|hint| (*hint, ttl_s))),
                Data::Alias(_) | Data::Other => {}
            }
        }
        found
    }
}

/// Cuts what was sent over TCP into messages: each follows two bytes with its length (RFC 1035 section 4.2.2). The last
/// item is the error when the bytes end inside a message.
pub fn tcp_messages(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], DnsError>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let Some((length, body)) = rest.split_first_chunk() else {
            let error = DnsError::CutOff { at, length: 0, there: 0 };
            at = bytes.len();
            return Some(Err(error));
        };
        let length = usize::from(u16::from_be_bytes(*length));
        let Some(message) = body.get(..length) else {
            let error = DnsError::CutOff { at, length, there: body.len() };
            at = bytes.len();
            return Some(Err(error));
        };
        at += 2 + length;
        Some(Ok(message))
    })
}
