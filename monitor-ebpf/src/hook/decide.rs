//! The verdict: made once, here, on the packet that completes a name, without asking user space.
//!
//! `cgroup_skb/egress` programs that are reached by tail call from the parsers only.

use core::hint::black_box;

use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::counter::Counter;
use monitor_common::limits::LABELS_MAX;
use monitor_common::policy::{Head, Verdict, choices, is_exact, probe, rule};
use monitor_common::wire::{NameSource, Outcome, Work, name};

use crate::counters::count;
use crate::emit;
use crate::flow::{Flow, Stage};
use crate::maps::{cookie, drop_pieces, policy};
use crate::run::{BUFFER, DROP, IN_SCRATCH, LEVEL, PASS, called, cb, settle};

#[cgroup_skb(egress)]
fn decide(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| match name::suffixes(work, Head::key_of(policy(0)?)) {
        Outcome::Name => try_decide(ctx, flow, black_box(work)),
        _ => Some(settle(ctx, flow, Counter::NoName)),
    })
}

#[inline(always)]
fn try_decide(ctx: &SkBuffContext, flow: &mut Flow, work: &'static mut Work) -> Option<i32> {
    look_up(work)?;
    let verdict = if work.hit == 0 {
        Verdict::Unlisted
    } else if Head::blocks(policy(0)?) {
        Verdict::Blocked
    } else {
        Verdict::Audited
    };
    emit::named(work, cb::<LEVEL>(ctx), verdict, rule(work.hit), flow, cookie(ctx));
    if cb::<BUFFER>(ctx) != IN_SCRATCH {
        drop_pieces(ctx);
        flow.have = 0;
    }
    if verdict == Verdict::Blocked {
        emit::doomed(flow, cookie(ctx));
        flow.stage = Stage::Blocked;
        count(Counter::PacketsDropped);
        return Some(DROP);
    }
    flow.stage = if work.source == NameSource::ConnectAuthority as u32 {
        Stage::AwaitProxyReply
    } else if work.source == NameSource::TlsSni as u32 {
        Stage::Settled
    } else {
        Stage::Http
    };
    Some(PASS)
}

/// The most specific suffix that is in the policy, into `work.hit`. From the top-level domain on: a later hit is more
/// specific. All results go to memory; the paths of one step end in one state.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "the loop ends with the array")]
fn look_up(mut work: &mut Work) -> Option<()> {
    (work.hit, work.exact, work.exact_at) = (0, 0, u64::MAX);
    let buckets = Head::buckets_of(policy(0)?);
    for i in 0..LABELS_MAX as u32 {
        work = black_box(work);
        if i >= work.labels {
            break;
        }
        let hash = work.hashes[i as usize];
        let [one, two] = choices(hash, buckets);
        let hit = probe(policy(one as u32 + 1)?, hash) | probe(policy(two as u32 + 1)?, hash);
        if hit != 0 {
            if is_exact(hit) {
                (work.exact, work.exact_at) = (hit, i as u64);
            } else {
                work.hit = hit;
            }
        }
    }
    work = black_box(work);
    if work.exact_at == work.labels as u64 - 1 {
        work.hit = work.exact;
    }
    Some(())
}
