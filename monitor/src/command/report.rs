//! How a daemon is, put together from its parts: what `status` shows.

use std::path::PathBuf;

use monitor_common::counter::Counter;

use crate::account::{Account, Totals};
use crate::control::{Control, Counters, Coverage, Events, Hook, LostEvents, Policy, Problem, Proxy, Status, Usage};
use crate::correlate::{self, ObservedProxy};
use crate::host;
use crate::kernel::{Attached, Destroyed, Error, KernelCounts, Support};
use crate::pipeline::{Cause, Pipeline, Remark};
use crate::record::{Clock, Timestamp, source_name};
use crate::stream::Live;

/// What does not change while a daemon is attached.
pub(super) struct Known {
    since: Timestamp,
    kernel: String,
    cgroup: String,
    policy_files: Vec<String>,
}

/// What does.
pub(super) struct Parts<'a> {
    pub(super) known: &'a Known,
    pub(super) attached: &'a Attached,
    pub(super) pipeline: &'a Pipeline,
    pub(super) destroyed: Destroyed,
    pub(super) account: &'a Account,
    pub(super) live: &'a Live,
    pub(super) usage: Usage,
}

impl Known {
    pub(super) fn new(support: &Support, policy_files: &[PathBuf], since: Timestamp) -> Self {
        Self {
            since,
            kernel: support.release.clone(),
            cgroup: support.cgroup.display().to_string(),
            policy_files: policy_files.iter().map(|path| path.display().to_string()).collect(),
        }
    }
}

impl Parts<'_> {
    /// The status.
    ///
    /// # Errors
    /// The kernel's counters cannot be read.
    pub(super) fn status(&self) -> Result<Status, Error> {
        let Self { known, attached, pipeline, live, usage, .. } = self;
        // The account first: what is recorded in between would seem to be more than was emitted.
        let account = self.account.totals(0, 0);
        let kernel = attached.counts()?;
        let totals =
            Totals { emitted: kernel.of(Counter::Emitted), ring_full: kernel.of(Counter::RingFull), ..account };
        let hooks: Vec<Hook> =
            attached.hooks().into_iter().map(|(name, attached)| Hook { name: name.to_owned(), attached }).collect();
        let remarks = self.remarks(totals);
        let clock = host::clock();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            mode: pipeline.mode().name().to_owned(),
            since: known.since.to_string(),
            kernel: known.kernel.clone(),
            cgroup: known.cgroup.clone(),
            problems: problems(&hooks, &kernel, &remarks),
            hooks,
            policy: Policy { rules: pipeline.policy().indicators().len(), files: known.policy_files.clone() },
            events: events(totals),
            coverage: coverage(&pipeline.correlator().coverage()),
            proxies: pipeline.correlator().proxies().iter().map(|proxy| observed(proxy, clock)).collect(),
            counters: Counters {
                kernel: Counter::ALL.iter().map(|each| (each.name().to_owned(), kernel.of(*each))).collect(),
                daemon: remarks.iter().map(|each| (each.name.to_owned(), each.count)).collect(),
            },
            control: Control {
                connections: usage.connections,
                streams: live.readers(),
                rows_lost: live.lost_rows(),
                refused: usage.refused,
                denied: usage.denied,
                failed: usage.failed,
            },
        })
    }

    /// Everything that the daemon itself counts.
    fn remarks(&self, totals: Totals) -> Vec<Remark> {
        let remark = |name, count, cause, meaning| Remark { name, count, cause, meaning };
        let Destroyed { done, gone, failed } = self.destroyed;
        let mut remarks = vec![
            remark(
                "events_rejected",
                totals.rejected,
                Cause::Daemon,
                "events could not be decoded; please report this",
            ),
            remark(
                "events_unwritten",
                totals.unwritten,
                Cause::Daemon,
                "events were lost because the stream of `run` was too slow or failed",
            ),
            remark("sockets_destroyed", done, Cause::Traffic, "blocked sockets were destroyed"),
            remark("sockets_gone", gone, Cause::Traffic, "blocked sockets were gone before they could be destroyed"),
            remark(
                "sockets_not_destroyed",
                failed,
                Cause::Daemon,
                "blocked sockets could not be destroyed; their owners waited for a time-out",
            ),
        ];
        remarks.extend(self.pipeline.remarks());
        remarks
    }
}

fn events(totals: Totals) -> Events {
    let Totals { emitted, recorded, ring_full, rejected, unwritten } = totals;
    let lost = totals.lost();
    Events {
        emitted,
        recorded,
        lost,
        waiting: emitted.saturating_sub(recorded + lost),
        lost_by: LostEvents { ring_full, rejected, unwritten },
    }
}

fn coverage(coverage: &correlate::Coverage) -> Coverage {
    let mut told = Coverage { connections: coverage.connections, ..Coverage::default() };
    for (source, count) in &coverage.named {
        told.named += count;
        // Both versions of SOCKS have one name.
        *told.by_source.entry(source_name(*source).to_owned()).or_default() += count;
    }
    told
}

fn observed(proxy: &ObservedProxy, clock: Clock) -> Proxy {
    Proxy {
        address: proxy.address.to_string(),
        kind: proxy.protocol.name().to_owned(),
        first_seen: clock.wall(proxy.first_ns).to_string(),
        last_seen: clock.wall(proxy.last_ns).to_string(),
        granted: proxy.granted,
        refused: proxy.refused,
        challenged: proxy.challenged,
        answered: proxy.answered,
    }
}

/// What makes a daemon unhealthy. What others sent and could not be read does not.
fn problems(hooks: &[Hook], kernel: &KernelCounts, remarks: &[Remark]) -> Vec<Problem> {
    let problem =
        |name: &str, count, meaning: &str| Problem { name: name.to_owned(), count, meaning: meaning.to_owned() };
    let detached = hooks.iter().filter(|hook| !hook.attached);
    let detached = detached.map(|hook| problem(&hook.name, 1, "kernel program was detached by somebody else; restart"));
    let lacking = Counter::ALL.into_iter().filter_map(|counter| Some((counter, lack(counter)?)));
    let lacking = lacking.map(|(counter, meaning)| problem(counter.name(), kernel.of(counter), meaning));
    let own = remarks.iter().filter(|remark| remark.cause == Cause::Daemon);
    let own = own.map(|remark| problem(remark.name, remark.count, remark.meaning));
    detached.chain(lacking).chain(own).filter(|problem| problem.count != 0).collect()
}

/// What a counter of the kernel programs says was lost or given up for want of something. None: it counts work, or what
/// others sent.
fn lack(counter: Counter) -> Option<&'static str> {
    match counter {
        Counter::RingFull => Some("events were lost because the ring was full"),
        Counter::NoRoomForPieces => Some("connections were given up: too many names came in pieces at once"),
        Counter::NoScratch => Some("connections were given up: no buffer of their CPU was free"),
        Counter::TailCallFailed => {
            Some("packets had more messages than are read at once: they passed, or in mode block were sent again")
        }
        Counter::NoSocketStorage => Some("connections were not followed: the kernel had no memory"),
        Counter::DoomedRingFull => Some("blocked sockets were not destroyed: their ring was full"),
        Counter::Emitted
        | Counter::PacketsInspected
        | Counter::PacketsDropped
        | Counter::Opaque
        | Counter::NoName
        | Counter::MessageTooLong
        | Counter::SequenceGap
        | Counter::Reassembled
        | Counter::Unrecorded
        | Counter::SentBeforeReply
        | Counter::HeadTooLong
        | Counter::QuicHeld
        | Counter::UrgentData
        | Counter::QuicDowngraded
        | Counter::ClearTextTooLong => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/api.md");

    #[test]
    fn every_counter_of_the_kernel_is_documented_and_marked_when_it_is_a_problem() {
        for counter in Counter::ALL {
            let name = counter.name();
            let line = if lack(counter).is_some() { format!("\n| **{name}** |") } else { format!("\n| {name} |") };
            assert!(PAGE.contains(&line), "docs/api.md has no line for {name}, or marks it otherwise");
        }
    }
}
