//! The way of an event through user space, on one screen: decode, find the process, correlate, explain, record.

use std::sync::Arc;

use monitor_common::event::{Body, decode};

use crate::account::Account;
use crate::correlate::{Change, Correlator, What};
use crate::decide::Policy;
use crate::process::{Process, Processes};
use crate::record::{Clock, Record, Recorder};

/// Everything that an event passes.
pub struct Pipeline {
    account: Arc<Account>,
    owners: Owners,
    correlator: Correlator,
    policy: Policy,
    recorder: Recorder,
    changes: Vec<Change>,
    collisions: u64,
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
        Self { account, owners, correlator, policy, recorder, changes: Vec::new(), collisions: 0 }
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
        let process = match event.body {
            Body::Established { origin }
            | Body::Failed { origin, .. }
            | Body::Listening { origin }
            | Body::Named { origin, .. } => match &mut self.owners {
                Owners::Processes(processes) => processes.of(&origin.owner, event.header.connect_ns),
                Owners::Nobody(nobody) => nobody.clone(),
            },
            Body::Accepted { .. }
            | Body::Replied { .. }
            | Body::Closed { .. }
            | Body::Datagram { .. }
            | Body::Doomed { .. } => Arc::default(),
        };
        self.correlator.ingest(&event, process, &mut self.changes);
        self.record(clock, output);
    }

    /// Reports the connections whose wait for a name ended before `now_ns` after boot.
    pub fn expire(&mut self, now_ns: u64, clock: Clock, output: &mut Output) {
        self.correlator.expire(now_ns, &mut self.changes);
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

    /// What did not go as it should, how often, and what that means. Zeroes too.
    pub fn remarks(&self) -> [(u64, &'static str); 4] {
        [
            // Two names had one hash. Expected: none, ever.
            (self.collisions, "verdicts whose rule does not match the name; please report this"),
            (
                self.correlator.table_full(),
                "connections found no room in the table; their rows may lack what came before",
            ),
            (self.correlator.listeners_full(), "listening sockets found no room; rows of their peers lack the process"),
            (self.correlator.malformed_names(), "host names were malformed and are not recorded"),
        ]
    }

    fn record(&mut self, clock: Clock, output: &mut Output) {
        for change in self.changes.drain(..) {
            let indicator = match &change.what {
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
