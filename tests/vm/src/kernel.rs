//! The kernel side at work in one mode, with a policy, its reader and its destroyer: what the daemon wires together too.

use std::cell::RefCell;

use anyhow::{Context as _, Result, ensure};
use monitor::kernel::{Attached, Destroyer, PolicyTable, TableEntry, probe};
use monitor_common::counter::Counter;
use monitor_common::policy::{Orders, QuicFlow};

use crate::watch::Watch;

/// The policy of every check; the place of a name is the number of its rule.
pub(crate) const RULES: [TableEntry<'static>; 3] = [
    TableEntry { name: "evil.example", exact: false },
    TableEntry { name: "exact.example", exact: true },
    TableEntry { name: "deep.evil.example", exact: false },
];

/// Everything attached.
pub(crate) struct Kernel {
    /// Verdicts are written through it while checks hold the rest.
    attached: RefCell<Attached>,
    destroyer: Destroyer,
    /// What the programs say.
    pub(crate) watch: Watch,
}

impl Kernel {
    /// Loads and attaches.
    ///
    /// # Errors
    /// What the kernel refused.
    pub(crate) fn start(orders: Orders) -> Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
        let inside = runtime.enter();
        let table = PolicyTable::new(orders, RULES.into_iter())?;
        let (attached, ring, destroyer) = Attached::new(&probe()?, &table)?;
        drop(inside);
        Ok(Self { attached: RefCell::new(attached), destroyer, watch: Watch::start(runtime, ring) })
    }

    /// Writes the verdict on a QUIC connection, as the daemon does when it has read the name.
    ///
    /// # Errors
    /// The kernel did not take it.
    pub(crate) fn decide_quic(&self, flow: QuicFlow, verdict: u32) -> Result<()> {
        Ok(self.attached.borrow_mut().decide_quic(flow, verdict)?)
    }

    /// Detaches, and holds the books of both sides against each other.
    ///
    /// # Errors
    /// An event is missing, or a limit was reached that no check reaches, or a blocked socket was not destroyed.
    pub(crate) fn finish(self) -> Result<()> {
        let Self { attached, destroyer, watch } = self;
        let mut attached = attached.into_inner();
        attached.detach();
        let counts = attached.counts()?;
        let read = watch.finish()?;
        let emitted = counts.of(Counter::Emitted);
        ensure!(emitted == read, "the programs emitted {emitted} events, and {read} were read");
        let destroyed = destroyer.finish()?;
        ensure!(destroyed.failed == 0, "not every blocked socket could be destroyed: {destroyed:?}");
        for limit in [Counter::RingFull, Counter::NoScratch, Counter::TailCallFailed, Counter::NoSocketStorage] {
            ensure!(counts.of(limit) == 0, "{limit:?} was counted {} times", counts.of(limit));
        }
        Ok(())
    }
}
