//! The way of an event through user space, on one screen: decode, find the process, correlate, explain, record.

use std::sync::Arc;

use monitor_common::event::{Body, Event, Origin, decode};
use monitor_common::policy::{Mode, QuicFlow, Verdict, quic_flow};

use crate::account::Account;
use crate::correlate::{Change, Correlator, Found, Transport, What};
use crate::decide::Policy;
use crate::dns::{Response, tcp_messages};
use crate::hello::{self, ClientHello};
use crate::hostname::Hostname;
use crate::process::{Process, Processes};
use crate::quic::{Initials, Seen};
use crate::record::{Clock, Record, Recorder};

/// Everything that an event passes.
pub struct Pipeline {
    account: Arc<Account>,
    owners: Owners,
    /// For events that name no process.
    unnamed: Arc<Process>,
    correlator: Correlator,
    policy: Policy,
    recorder: Recorder,
    changes: Vec<Change>,
    collisions: u64,
    quic: Initials<QuicFlow>,
    quic_names: u64,
    unread_answers: u64,
}

/// Whose the connections are.
enum Owners {
    /// Processes of this host.
    Processes(Processes),
    /// Nobody that a capture would tell of.
    Nobody(Arc<Process>),
}

/// What came out.
#[derive(Default)]
pub struct Output {
    /// Rows, in the order in which things happened.
    pub records: Vec<Record>,
    /// How many events they stand for.
    pub events: u64,
    /// QUIC connections that may go on, or may not, by `monitor_common::policy::quic_flow`. For the kernel, at once.
    pub quic: Vec<(QuicFlow, u32)>,
}

/// Something that did not go as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The counter's name.
    pub name: &'static str,
    /// How often.
    pub count: u64,
    /// Whose doing it is.
    pub cause: Cause,
    /// What it means, to be read behind the number.
    pub meaning: &'static str,
}

/// Whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The daemon's: it had no room, or a fault. Something is missing in the record.
    Daemon,
    /// Of those who sent it: there was nothing to be read.
    Traffic,
}

impl Pipeline {
    /// For one run of the daemon.
    pub fn new(account: Arc<Account>, correlator: Correlator, policy: Policy, recorder: Recorder) -> Self {
        Self::with(Owners::Processes(Processes::default()), account, correlator, policy, recorder)
    }

    /// For one capture: nothing is asked of the host.
    pub fn of_capture(account: Arc<Account>, correlator: Correlator, policy: Policy, recorder: Recorder) -> Self {
        Self::with(Owners::Nobody(Arc::new(Process::not_in_capture())), account, correlator, policy, recorder)
    }

    fn with(owners: Owners, account: Arc<Account>, correlator: Correlator, policy: Policy, recorder: Recorder) -> Self {
        Self {
            account,
            owners,
            unnamed: Arc::default(),
            correlator,
            policy,
            recorder,
            changes: Vec::new(),
            collisions: 0,
            quic: Initials::default(),
            quic_names: 0,
            unread_answers: 0,
        }
    }

    /// Begins to take what has gathered in the ring.
    pub fn begin_turn(&mut self) {
        match &mut self.owners {
            Owners::Processes(processes) => processes.begin_turn(),
            Owners::Nobody(_) => {}
        }
    }

    /// Takes one record of the ring.
    pub fn event(&mut self, bytes: &[u8], clock: Clock, output: &mut Output) {
        let Ok(event) = decode(bytes) else {
            self.account.rejected();
            return;
        };
        output.events += 1;
        // A UDP socket is not connected at one time: whoever owns it has started before it is used.
        let since_ns = match event.body {
            Body::Datagram { .. } => event.header.time_ns,
            _ => event.header.connect_ns,
        };
        let process = match event.body {
            Body::Attempted { origin }
            | Body::Established { origin }
            | Body::Failed { origin, .. }
            | Body::Listening { origin }
            | Body::Unreadable { origin, .. }
            | Body::RawSocket { origin, .. }
            | Body::Datagram { origin, .. }
            | Body::Named { origin, .. } => match &mut self.owners {
                Owners::Processes(processes) => processes.of(&origin.owner, since_ns),
                Owners::Nobody(nobody) => nobody.clone(),
            },
            Body::Accepted { .. } | Body::Replied { .. } | Body::Closed { .. } | Body::Doomed { .. } => {
                self.unnamed.clone()
            }
        };
        match event.body {
            Body::Datagram { origin, is_inbound: false, segment_bytes, payload, .. } => {
                self.initials(&event, origin, &process, segment_bytes, payload, output);
            }
            Body::Datagram { origin, is_tcp, payload, .. } => {
                self.answers(&event, origin, &process, is_tcp, payload);
            }
            _ => self.correlator.ingest(&event, process, &mut self.changes),
        }
        self.record(clock, output);
    }

    /// Reads what a name server answered. What is no answer is counted and left alone.
    fn answers(&mut self, event: &Event<'_>, origin: &Origin, process: &Arc<Process>, is_tcp: bool, payload: &[u8]) {
        let transport = if is_tcp { Transport::Tcp } else { Transport::Udp };
        let messages: Vec<&[u8]> =
            if is_tcp { tcp_messages(payload).filter_map(Result::ok).collect() } else { vec![payload] };
        for message in messages {
            match Response::parse(message) {
                Ok(response) => {
                    let process = process.clone();
                    self.correlator.resolved(event, origin, transport, process, response, &mut self.changes);
                }
                Err(_) => self.unread_answers += 1,
            }
        }
    }

    /// Reads datagrams that begin with a QUIC Initial; several may have been sent at once.
    fn initials(
        &mut self,
        event: &Event<'_>,
        origin: &Origin,
        process: &Arc<Process>,
        segment_bytes: u16,
        payload: &[u8],
        output: &mut Output,
    ) {
        let ends = &origin.endpoints;
        let segment_bytes = if segment_bytes == 0 { payload.len().max(1) } else { usize::from(segment_bytes) };
        for datagram in payload.chunks(segment_bytes) {
            let Some(flow) = QuicFlow::of(event.header.cookie, &ends.remote, ends.remote_port, datagram) else {
                continue;
            };
            let hello = match self.quic.feed(flow, event.header.time_ns, datagram) {
                Seen::Hello { message, .. } => ClientHello::parse(&message, hello::Transport::Quic).ok(),
                Seen::NeedMore | Seen::Done => continue,
                // What cannot be read is not held up.
                Seen::NotQuic | Seen::Failed(_) => None,
            };
            let name = hello.as_ref().and_then(|hello| hello.server_name.as_ref());
            let name = name.and_then(|name| Hostname::parse(name.as_bytes()).ok());
            self.quic_names += u64::from(name.is_some());
            let blocks = self.recorder.mode() == Mode::Block;
            let verdict = if blocks { Verdict::Blocked } else { Verdict::Audited };
            let judged = name.and_then(|name| self.policy.rule_for(&name)).map(|rule| (verdict, rule));
            let allowed = if blocks && judged.is_some() { quic_flow::BLOCKED } else { quic_flow::ALLOWED };
            output.quic.push((flow, allowed));
            if let Some(hello) = hello {
                let hello = Arc::new(hello);
                self.correlator.quic(event, origin, process.clone(), hello, judged, &mut self.changes);
            }
        }
    }

    /// Reports the connections whose wait for a name ended before `now_ns` after boot.
    pub fn expire(&mut self, now_ns: u64, clock: Clock, output: &mut Output) {
        self.quic.expire(now_ns);
        self.correlator.expire(now_ns, &mut self.changes);
        self.record(clock, output);
    }

    /// Takes the list of connections that were open at the start, when all events up to then were taken.
    pub fn found(&mut self, list: Vec<Found>, time_ns: u64, clock: Clock, output: &mut Output) {
        self.correlator.found(list, time_ns, &mut self.changes);
        self.record(clock, output);
    }

    /// Reports what is still to be told of the connections that are open when a capture ends.
    pub fn finish(&mut self, time_ns: u64, clock: Clock, output: &mut Output) {
        self.correlator.finish(time_ns, &mut self.changes);
        self.record(clock, output);
    }

    /// Whether [`expire`](Self::expire) has something to wait for.
    pub fn is_waiting(&self) -> bool {
        self.correlator.is_waiting()
    }

    /// Names that clients asked for in QUIC.
    pub fn quic_names(&self) -> u64 {
        self.quic_names
    }

    /// What did not go as it should, how often, and what that means. Zeroes too.
    pub fn remarks(&self) -> [Remark; 8] {
        let remark = |name, count, cause, meaning| Remark { name, count, cause, meaning };
        let correlator = &self.correlator;
        [
            // Two names had one hash. Expected: none, ever.
            remark(
                "collisions",
                self.collisions,
                Cause::Daemon,
                "verdicts whose rule does not match the name; please report this",
            ),
            remark(
                "connections_full",
                correlator.table_full(),
                Cause::Daemon,
                "connections found no room in the table; their rows may lack what came before",
            ),
            remark(
                "listeners_full",
                correlator.listeners_full(),
                Cause::Daemon,
                "listening sockets found no room; rows of their peers lack the process",
            ),
            remark(
                "names_forgotten",
                correlator.names_lost(),
                Cause::Daemon,
                "names from DNS were forgotten for want of room; connections may lack one",
            ),
            remark(
                "proxies_forgotten",
                correlator.proxies_forgotten(),
                Cause::Daemon,
                "proxies were forgotten for want of room; the status lacks them",
            ),
            remark(
                "begun_full",
                correlator.begun_full(),
                Cause::Daemon,
                "connections at the start found no room; they may be told of as found as well",
            ),
            remark(
                "unread_answers",
                self.unread_answers,
                Cause::Traffic,
                "datagrams from port 53 were no DNS answers that can be read",
            ),
            remark(
                "malformed_names",
                correlator.malformed_names(),
                Cause::Traffic,
                "host names were malformed and are not recorded",
            ),
        ]
    }

    /// What the events tell when they are put together.
    pub fn correlator(&self) -> &Correlator {
        &self.correlator
    }

    /// What names are judged by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// audit or block.
    pub fn mode(&self) -> Mode {
        self.recorder.mode()
    }

    fn record(&mut self, clock: Clock, output: &mut Output) {
        for change in self.changes.drain(..) {
            let indicator = match &change.what {
                // No rule made it.
                What::Judged { verdict: Verdict::Mismatched, .. } => None,
                What::Judged { target, rule, .. } => {
                    let indicator = target.host.name().and_then(|name| self.policy.explain(*rule, name)).cloned();
                    self.collisions += u64::from(indicator.is_none());
                    indicator
                }
                _ => None,
            };
            output.records.push(self.recorder.record(change, indicator, clock));
        }
    }
}
