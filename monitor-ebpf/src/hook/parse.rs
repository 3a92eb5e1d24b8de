//! The parsers as programs: each looks at the message so far and calls whoever comes next.
//!
//! `cgroup_skb/egress` programs that are reached by tail call from `first_bytes` only.

use core::hint::black_box;

use aya_ebpf::check_bounds_signed;
use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::counter::Counter;
use monitor_common::limits::{BLOCK_BYTES, MESSAGE_BYTES_MAX, RECORD_STEPS_MAX};
use monitor_common::programs::Callee;
use monitor_common::progress::Stage;
use monitor_common::wire::head::{self, Scan};
use monitor_common::wire::{Outcome, Prefix, Work, http, socks, starttls, tls};

use crate::counters::count;
use crate::flow::Flow;
use crate::maps::{Buffer, keep_pieces, scratch, unrecorded};
use crate::run::{LEN, LEVEL, PASS, buffer, called, cb, lose, tail_call};

#[cgroup_skb(egress)]
fn parse_http(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| {
        let is_named = flow.progress.named != 0;
        match http::request(&Prefix::new(buffer(ctx)?, cb::<LEN>(ctx) as usize), work) {
            Outcome::Name if !is_named => tail_call(ctx, Callee::ParseAuthority),
            Outcome::Name | Outcome::NoName => {
                if is_named {
                    work.wants_host = 0;
                }
                tail_call(ctx, Callee::ScanHead)
            }
            outcome @ (Outcome::NeedMore | Outcome::Other)
                if flow.progress.stage == Stage::AwaitFirstBytes && !is_named =>
            {
                work.may_be_http = (outcome == Outcome::NeedMore) as u32;
                tail_call(ctx, Callee::ParseStartTls)
            }
            outcome => go_on(ctx, flow, work, outcome),
        }
    })
}

#[cgroup_skb(egress)]
fn scan_head(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, mut work| {
        let scan = head::scan(&Prefix::new(buffer(ctx)?, cb::<LEN>(ctx) as usize), work);
        work = black_box(work);
        // Made anew: what the scan has learned of the length would keep its ways apart.
        let p = &Prefix::new(buffer(ctx)?, cb::<LEN>(ctx) as usize);
        let next = match scan {
            Scan::On => Callee::ScanHead,
            Scan::Host if head::skip_white_space(p, work) => {
                work.start = work.scan;
                Callee::ParseAuthority
            }
            Scan::Field if head::body_field(p, work) => Callee::ScanHead,
            Scan::Host | Scan::Field | Scan::NeedMore => Callee::Keep,
            Scan::End => {
                if work.wants_host != 0 {
                    count(Counter::NoName);
                }
                Callee::NextMessage
            }
            Scan::TooLong => return Some(lose(ctx, flow, work.source, Counter::HeadTooLong)),
        };
        tail_call(ctx, next)
    })
}

#[cgroup_skb(egress)]
fn parse_authority(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| {
        let bytes = buffer(ctx)?;
        let outcome = http::authority(&Prefix::new(bytes, cb::<LEN>(ctx) as usize), work);
        if outcome == Outcome::Name {
            take_name(bytes, work);
        }
        go_on(ctx, flow, work, outcome)
    })
}

#[cgroup_skb(egress)]
fn parse_socks(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| {
        let bytes = buffer(ctx)?;
        let p = &Prefix::new(bytes, cb::<LEN>(ctx) as usize);
        let is_first = flow.progress.stage == Stage::AwaitFirstBytes;
        let outcome = if is_first { socks::first(p, work) } else { socks::next(p, work) };
        if outcome == Outcome::NoName {
            return tail_call(ctx, Callee::NextMessage);
        }
        if outcome == Outcome::Name {
            take_name(bytes, work);
        }
        go_on(ctx, flow, work, outcome)
    })
}

#[cgroup_skb(egress)]
fn parse_starttls(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, mut work| {
        let in_clear_text = flow.progress.stage == Stage::ClearText;
        let may_be_http = !in_clear_text && work.may_be_http != 0;
        let p = &Prefix::new(buffer(ctx)?, cb::<LEN>(ctx) as usize);
        let outcome = starttls::message(p, work, in_clear_text, may_be_http);
        work = black_box(work);
        if outcome == Outcome::NoName {
            flow.progress.speaks(work.service);
            return tail_call(ctx, Callee::NextMessage);
        }
        go_on(ctx, flow, work, outcome)
    })
}

#[cgroup_skb(egress)]
fn parse_tls(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| {
        let bytes = buffer(ctx)?;
        let outcome = tls::hello(&Prefix::new(bytes, cb::<LEN>(ctx) as usize), work);
        if outcome == Outcome::Name {
            take_name(bytes, work);
        }
        go_on(ctx, flow, work, outcome)
    })
}

#[cgroup_skb(egress)]
fn unrecord(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| {
        let outcome = try_unrecord(ctx, work)?;
        go_on(ctx, flow, work, outcome)
    })
}

/// Takes the record headers out of the hello into another buffer and parses that.
#[inline(always)]
fn try_unrecord(ctx: &SkBuffContext, mut work: &mut Work) -> Option<Outcome> {
    let bytes = buffer(ctx)?;
    let clean = unrecorded(cb::<LEVEL>(ctx))?;
    let p = Prefix::new(bytes, cb::<LEN>(ctx) as usize);
    tls::start(work);
    for _ in 0..RECORD_STEPS_MAX {
        match tls::step(&p, work) {
            tls::Step::Header => {}
            tls::Step::Copy { from, to, len } => {
                let (from, to, len) = (from as i64, to as i64, len as i64);
                let fits = check_bounds_signed(from, 0, MESSAGE_BYTES_MAX as i64 - 1)
                    && check_bounds_signed(to, 0, MESSAGE_BYTES_MAX as i64 - 1)
                    && check_bounds_signed(len, 1, BLOCK_BYTES as i64);
                if !fits {
                    break;
                }
                // SAFETY: both ends are at most MESSAGE_BYTES_MAX - 1 + BLOCK_BYTES, less than the buffers.
                unsafe {
                    let (to, from) = (clean.as_mut_ptr().add(to as usize), bytes.as_ptr().add(from as usize));
                    bpf_probe_read_kernel(to.cast(), len as u32, from.cast());
                }
            }
            tls::Step::Done => break,
        }
    }
    count(Counter::Unrecorded);
    work = black_box(work);
    let outcome = tls::body(&Prefix::new(clean, work.to as usize), work);
    if outcome == Outcome::Name {
        take_name(clean, work);
    }
    Some(outcome)
}

#[cgroup_skb(egress)]
fn keep(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, work| {
        let have = cb::<LEN>(ctx);
        if have as usize >= MESSAGE_BYTES_MAX {
            return Some(lose(ctx, flow, work.source, Counter::MessageTooLong));
        }
        if flow.progress.have == 0 {
            if !keep_pieces(ctx, scratch(cb::<LEVEL>(ctx))?) {
                return Some(lose(ctx, flow, work.source, Counter::NoRoomForPieces));
            }
            flow.progress.have = have;
            count(Counter::Reassembled);
        }
        Some(PASS)
    })
}

#[inline(always)]
fn go_on(ctx: &SkBuffContext, flow: &mut Flow, work: &mut Work, outcome: Outcome) -> Option<i32> {
    match outcome {
        Outcome::Name => tail_call(ctx, Callee::Decide),
        Outcome::NeedMore => tail_call(ctx, Callee::Keep),
        Outcome::Fragmented => tail_call(ctx, Callee::Unrecord),
        Outcome::NoName => Some(lose(ctx, flow, work.source, Counter::NoName)),
        Outcome::Other => Some(lose(ctx, flow, work.source, Counter::Opaque)),
    }
}

/// Copies the name out of its buffer: what follows has one source of bytes instead of three.
#[inline(always)]
fn take_name(bytes: &Buffer, work: &mut Work) {
    let start = work.start as i64;
    if check_bounds_signed(start, 0, MESSAGE_BYTES_MAX as i64 - 1) {
        // SAFETY: `start + 256` is less than the buffer, and `name` has 256 bytes.
        unsafe {
            bpf_probe_read_kernel((&raw mut work.name).cast(), 256, bytes.as_ptr().add(start as usize).cast());
        }
    }
}
