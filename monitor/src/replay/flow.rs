//! What the kernel programs do with the bytes of one connection, on bytes of a capture: the state machine and the parsers are
//! theirs (`progress` and `wire::inspect` of monitor-common), and so are the events.
//!
//! The one difference: where the kernel gives up on a connection because bytes are missing, this goes on with the next packet
//! that starts a message, since a capture may lack what the kernel would have seen.

use monitor_common::event::{
    Closed, Endpoints, Header, Kind, Numbered, Opened, Origin, Owner, Reason as Failure, Replied,
};
use monitor_common::limits::REPLY_BYTES_MAX;
use monitor_common::policy::Verdict;
use monitor_common::progress::{Progress, Stage};
use monitor_common::wire::reply::CODE_BYTES;
use zerocopy::IntoBytes as _;

use super::datagram::{Carries, DNS_PORT};
use super::programs::Programs;
use super::report::Reason;

/// An answer that cannot be read, as `Progress::reply` has it.
const UNREADABLE: u32 = 1;

/// How the connection came into the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// From its first packet on.
    FromItsStart,
    /// In its middle, or bytes of it are missing: what starts no message may be the rest of one.
    InItsMiddle,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Flow {
    cookie: u64,
    connect_ns: u64,
    endpoints: Endpoints,
    seen: Seen,
    /// Positions are counted from the first byte that the client sent.
    progress: Progress,
    /// What was sent of the message under way.
    message: Vec<u8>,
}

impl Flow {
    /// Of a connection that was opened at `connect_ns`.
    pub(super) fn new(cookie: u64, connect_ns: u64, endpoints: Endpoints, seen: Seen) -> Self {
        let mut progress = Progress::NEW;
        progress.opened(0);
        Self { cookie, connect_ns, endpoints, seen, progress, message: Vec::new() }
    }

    /// Whether what the client sends matters no more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.progress.stage, Stage::Settled | Stage::Blocked)
    }

    /// Whether the client waits for the answer of a proxy.
    pub(super) fn awaits_reply(&self) -> bool {
        self.progress.awaits_reply()
    }

    /// Whether what the server sends matters.
    pub(super) fn reads_answers(&self) -> bool {
        self.awaits_reply() || self.asks_name_server()
    }

    fn asks_name_server(&self) -> bool {
        self.endpoints.remote_port == DNS_PORT
    }

    /// The TCP handshake is done.
    pub(super) fn established(&self, time_ns: u64, programs: &mut Programs) {
        let opened = Opened { header: self.header(Kind::Established, time_ns), origin: self.origin() };
        programs.events.push(&[opened.as_bytes()]);
    }

    /// The connection came to nothing.
    pub(super) fn failed(&mut self, time_ns: u64, reason: Failure, programs: &mut Programs) {
        self.forget(programs);
        let header = self.header(Kind::Failed, time_ns);
        let failed = Numbered { header, origin: self.origin(), number: reason as u32, _pad: 0 };
        programs.events.push(&[failed.as_bytes()]);
    }

    /// The connection is gone, after so many bytes of payload in each direction.
    pub(super) fn closed(&mut self, time_ns: u64, sent: u64, received: u64, programs: &mut Programs) {
        self.forget(programs);
        let closed = Closed { header: self.header(Kind::Closed, time_ns), sent, received };
        programs.events.push(&[closed.as_bytes()]);
    }

    /// Nothing more will be looked at.
    pub(super) fn forget(&mut self, programs: &mut Programs) {
        self.keep(Vec::new(), programs);
        self.progress.settle();
    }

    /// The client sent these bytes next.
    pub(super) fn sent(&mut self, time_ns: u64, bytes: &[u8], programs: &mut Programs) {
        let is_between = self.progress.stage == Stage::AwaitFirstBytes && self.message.is_empty();
        if self.seen == Seen::InItsMiddle && is_between && !starts_a_message(bytes) {
            self.skip(bytes.len());
            return;
        }
        let (before, names) = (self.progress, programs.names);
        self.send(time_ns, bytes, programs);
        if programs.names != names {
            self.seen = Seen::FromItsStart;
            return;
        }
        if self.progress.stage != Stage::Settled || before.stage == Stage::Settled {
            return;
        }
        if self.seen == Seen::FromItsStart {
            return programs.counts.add(Reason::Opaque, 1);
        }
        // What looked like the beginning of a message was none: these bytes may be one by themselves.
        self.progress = Progress { base: before.next, have: 0, ..before };
        if before.have != 0 && starts_a_message(bytes) {
            self.send(time_ns, bytes, programs);
        } else {
            self.skip(bytes.len());
        }
    }

    /// The client sent urgent data: what its first bytes are depends on who reads them.
    pub(super) fn sent_urgent(&mut self, time_ns: u64, programs: &mut Programs) {
        programs.counts.add(Reason::UrgentData, 1);
        self.forget(programs);
        let verdict = if programs.blocks() { Verdict::Blocked } else { Verdict::Audited };
        if verdict == Verdict::Blocked {
            self.progress.block();
        }
        let header = self.header(Kind::Unreadable, time_ns);
        let unreadable = Numbered { header, origin: self.origin(), number: verdict as u32, _pad: 0 };
        programs.events.push(&[unreadable.as_bytes()]);
    }

    /// So many bytes that the client sent are missing.
    pub(super) fn sent_gap(&mut self, len: u32, programs: &mut Programs) {
        programs.counts.add(Reason::Gap, 1);
        let is_over = self.is_over();
        let progress = &mut self.progress;
        progress.next = progress.next.wrapping_add(len);
        let is_ahead = progress.base.wrapping_sub(progress.next).cast_signed() >= 0;
        if progress.loose != 0 || is_ahead || is_over {
            // The message under way ends behind what is missing, or only an answer tells where the next one starts.
            return;
        }
        (progress.stage, progress.named) = (Stage::AwaitFirstBytes, 0);
        (progress.base, progress.have) = (progress.next, 0);
        self.seen = Seen::InItsMiddle;
        self.keep(Vec::new(), programs);
    }

    /// The server sent these bytes next.
    pub(super) fn received(&mut self, time_ns: u64, bytes: &[u8], programs: &mut Programs) {
        if bytes.is_empty() {
            return;
        }
        if self.asks_name_server() {
            programs.datagram(self.header(Kind::Datagram, time_ns), self.endpoints, Carries::TcpAnswer, bytes);
        }
        if !self.awaits_reply() {
            return;
        }
        // To a request of clear-text HTTP, or a message of another protocol in clear text, only its having been answered is of interest.
        if self.progress.stage == Stage::AwaitProxyReply {
            let header = self.header(Kind::Replied, time_ns);
            let mut replied = Replied { header, socks: self.progress.socks, len: 0, bytes: [0; REPLY_BYTES_MAX] };
            for (place, byte) in replied.bytes.iter_mut().zip(bytes) {
                *place = *byte;
                replied.len += 1;
            }
            programs.events.push(&[replied.as_bytes()]);
        }
        let mut start = [0; CODE_BYTES];
        start.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.progress.reply = self.progress.reply_of(&start, len);
    }

    /// The answer is not in the capture, or not all of it.
    pub(super) fn missed_reply(&mut self, programs: &mut Programs) {
        if self.awaits_reply() {
            programs.counts.add(Reason::MissedReply, 1);
            self.progress.reply = UNREADABLE;
        }
    }

    fn send(&mut self, time_ns: u64, bytes: &[u8], programs: &mut Programs) {
        let (header, origin) = (self.header(Kind::Named, time_ns), self.origin());
        let kept = if self.progress.have == 0 { Vec::new() } else { std::mem::take(&mut self.message) };
        let was_kept = !kept.is_empty();
        let message = programs.send(&mut self.progress, &kept, bytes, header, origin).to_vec();
        if was_kept {
            programs.end_message();
        }
        self.keep(message, programs);
    }

    /// Keeps what was sent of the message under way, if there is room.
    fn keep(&mut self, message: Vec<u8>, programs: &mut Programs) {
        if !self.message.is_empty() {
            programs.end_message();
        }
        self.message = message;
        if !self.message.is_empty() && !programs.begin_message() {
            self.message = Vec::new();
            programs.counts.add(Reason::NoRoomForPieces, 1);
            self.progress.settle();
        }
    }

    fn skip(&mut self, len: usize) {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        self.progress.next = self.progress.next.wrapping_add(len);
        self.progress.base = self.progress.next;
    }

    fn header(&self, kind: Kind, time_ns: u64) -> Header {
        Header { kind: kind as u32, _pad: 0, time_ns, cookie: self.cookie, connect_ns: self.connect_ns }
    }

    /// A capture does not tell who.
    fn origin(&self) -> Origin {
        Origin { owner: Owner::EMPTY, endpoints: self.endpoints }
    }
}

/// Whether a packet in the middle of a connection can be the beginning of a client's message: a ClientHello, or a method in
/// capitals and a space. The parsers look at it more closely.
pub(super) fn starts_a_message(payload: &[u8]) -> bool {
    match payload {
        [0x16, 3, _, _, _, 1, ..] => true,
        [b'A'..=b'Z', rest @ ..] => {
            let is_method_end = |byte: &&u8| !byte.is_ascii_uppercase();
            rest.iter().take(7).find(is_method_end) == Some(&b' ')
        }
        _ => false,
    }
}
