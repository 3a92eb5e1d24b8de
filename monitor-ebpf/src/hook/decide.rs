//! The verdict: made once, here, on the packet that completes a name, without asking user space.
//!
//! `cgroup_skb/egress` programs that are reached by tail call from the parsers only.

use core::hint::black_box;

use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::counter::Counter;
use monitor_common::mismatch;
use monitor_common::policy::{Head, Verdict, look_up};
use monitor_common::programs::Callee;
use monitor_common::wire::{NameSource, Outcome, Work, name, socks};

use super::first_bytes::block;
use crate::emit;
use crate::flow::Flow;
use crate::maps::{Buffer, cookie, drop_pieces, policy};
use crate::run::{LEN, LEVEL, PASS, buffer, called, cb, lose, tail_call};

#[cgroup_skb(egress)]
fn decide(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| {
        let outcome = name::suffixes(work, Head::key_of(policy(0)?));
        let work = black_box(work);
        if outcome == Outcome::Name {
            return try_decide(ctx, flow, work);
        }
        if work.source != NameSource::TlsSni as u32 {
            return Some(lose(ctx, flow, work.source, Counter::NoName));
        }
        // A hello without a name is worth a record: somebody hides where it goes, or asks by address.
        (work.len, work.hit) = (0, 0);
        mismatch::judge_nameless(&flow.progress, work, policy(0)?);
        emit::named(work, hello(ctx), cb::<LEVEL>(ctx), Verdict::Unlisted, flow, cookie(ctx));
        Some(lose(ctx, flow, work.source, Counter::NoName))
    })
}

#[inline(always)]
fn try_decide(ctx: &SkBuffContext, flow: &mut Flow, work: &'static mut Work) -> Option<i32> {
    let listed = look_up(work, policy)?;
    let verdict = mismatch::judge(&mut flow.progress, work, policy(0)?, listed);
    let is_hello = work.source == NameSource::TlsSni as u32;
    emit::named(work, if is_hello { hello(ctx) } else { None }, cb::<LEVEL>(ctx), verdict, flow, cookie(ctx));
    if verdict.drops() {
        return Some(block(ctx, flow));
    }
    if is_hello {
        if flow.progress.have != 0 {
            drop_pieces(ctx);
        }
        flow.progress.settle();
        return Some(PASS);
    }
    flow.progress.named = 1;
    tail_call(ctx, if socks::version(work.source) == 0 { Callee::ScanHead } else { Callee::NextMessage })
}

/// The hello as it was sent, as far as it was.
#[inline(always)]
fn hello(ctx: &SkBuffContext) -> Option<(&'static Buffer, u32)> {
    Some((buffer(ctx)?, cb::<LEN>(ctx)))
}
