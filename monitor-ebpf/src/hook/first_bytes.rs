//! What a connection sends first: the state machine of a socket, and the way of its bytes into a buffer.
//!
//! Hook `cgroup_skb/egress` (Linux 4.10; socket storage in it 5.6), which sees each packet before segmentation offload. It
//! runs under the socket lock, so the state of one socket has one writer. A settled packet costs one look-up.

use core::hint::black_box;

use aya_ebpf::check_bounds_signed;
use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::counter::Counter;
use monitor_common::limits::{BLOCK_BYTES, MESSAGE_BYTES_MAX};
use monitor_common::programs::Callee;
use monitor_common::wire::{Work, tls};

use crate::counters::count;
use crate::flow::{Flow, Stage, socket};
use crate::lease;
use crate::maps::{Buffer, pieces, scratch, work};
use crate::run::{
    BUFFER, DROP, FROM, IN_PIECES, IN_SCRATCH, LEN, LEVEL, NEW, PASS, buffer, cb, give_up, load, set_cb, tail_call,
};
use crate::segment::Segment;

#[cgroup_skb(egress)]
fn first_bytes(ctx: SkBuffContext) -> i32 {
    match socket(&ctx).and_then(Flow::of) {
        Some(flow) if flow.stage != Stage::Settled => try_first_bytes(&ctx, flow).unwrap_or(PASS),
        _ => PASS,
    }
}

#[inline(always)]
fn try_first_bytes(ctx: &SkBuffContext, flow: &mut Flow) -> Option<i32> {
    let segment = Segment::read(ctx)?;
    if segment.syn && flow.stage == Stage::New {
        (flow.base, flow.next, flow.stage) = (segment.seq, segment.seq, Stage::AwaitFirstBytes);
    }
    if segment.len == 0 {
        // Of blocked sockets too: FIN and RST must get out, or the peer keeps its half.
        return Some(PASS);
    }
    count(Counter::PacketsInspected);
    if flow.stage == Stage::Blocked {
        count(Counter::PacketsDropped);
        return Some(DROP);
    }
    advance(flow, &segment);
    if flow.stage != Stage::AwaitFirstBytes && flow.stage != Stage::Http {
        return Some(PASS);
    }
    Some(collect(ctx, flow, &segment))
}

/// Moves the state machine over what happened since the last packet.
#[inline(always)]
fn advance(flow: &mut Flow, segment: &Segment) {
    if flow.stage == Stage::AwaitProxyReply {
        match flow.reply {
            0 => {
                if segment.seq == flow.next {
                    count(Counter::SentBeforeReply);
                }
            }
            // The next byte starts the inner protocol.
            200..=299 => (flow.stage, flow.base, flow.have, flow.in_tunnel) = (Stage::AwaitFirstBytes, flow.next, 0, 1),
            // There is no tunnel. The next byte starts another request: the same with credentials after 407, or one
            // for another host.
            _ => (flow.stage, flow.base, flow.have, flow.reply) = (Stage::AwaitFirstBytes, flow.next, 0, 0),
        }
    }
    if flow.stage == Stage::Http && segment.seq == flow.next {
        (flow.base, flow.have) = (flow.next, 0);
    }
    let end = segment.seq.wrapping_add(segment.len);
    if (end.wrapping_sub(flow.next) as i32) > 0 {
        flow.next = end;
    }
}

/// Gets the new bytes of the message into a buffer and calls its parser.
#[inline(always)]
pub(super) fn collect(ctx: &SkBuffContext, flow: &mut Flow, segment: &Segment) -> i32 {
    // Where in the message this segment starts, by sequence number: a retransmission lands in the same place.
    let offset = segment.seq.wrapping_sub(flow.base) as i32;
    let end = offset.wrapping_add(segment.len as i32);
    let have = flow.have as i32;
    if end <= have {
        return PASS;
    }
    if offset > have {
        return give_up(flow, Counter::SequenceGap);
    }
    let Some(level) = lease::take() else {
        return give_up(flow, Counter::NoScratch);
    };
    set_cb::<LEVEL>(ctx, level);
    let skip = have.wrapping_sub(offset) as u32;
    set_cb::<FROM>(ctx, segment.payload.wrapping_add(skip));
    set_cb::<NEW>(ctx, segment.len.wrapping_sub(skip));
    let verdict = collect_leased(ctx, flow, cb::<LEVEL>(ctx)).unwrap_or(PASS);
    lease::give(level);
    verdict
}

#[inline(always)]
fn collect_leased(ctx: &SkBuffContext, flow: &mut Flow, level: u32) -> Option<i32> {
    // From here on offset and length are unknown numbers again, whatever path led here.
    let (from, new) = (cb::<FROM>(ctx), cb::<NEW>(ctx));
    if flow.have == 0 {
        // The usual case: the name is in the first packet. Per-CPU scratch, no allocation.
        let scratch = scratch(level)?;
        let want = if new > MESSAGE_BYTES_MAX as u32 { MESSAGE_BYTES_MAX as i64 } else { new as i64 };
        if !check_bounds_signed(want, 1, MESSAGE_BYTES_MAX as i64) {
            return Some(give_up(flow, Counter::SequenceGap));
        }
        // SAFETY: `want` is at most MESSAGE_BYTES_MAX, less than the buffer.
        if !unsafe { load(ctx, from, scratch.as_mut_ptr(), want as u32) } {
            return Some(give_up(flow, Counter::SequenceGap));
        }
        set_cb::<LEN>(ctx, want as u32);
        set_cb::<BUFFER>(ctx, IN_SCRATCH);
    } else {
        let Some(pieces) = pieces(ctx) else {
            return Some(give_up(flow, Counter::NoRoomForPieces));
        };
        flow.have = load_blocks(ctx, work(level)?, pieces, from, flow.have, new);
        set_cb::<LEN>(ctx, flow.have);
        set_cb::<BUFFER>(ctx, IN_PIECES);
    }
    let first = buffer(ctx)?[0];
    Some(tail_call(ctx, if first == tls::HANDSHAKE { Callee::ParseTls } else { Callee::ParseHttp }))
}

/// Copies `left` bytes of the packet from `from` on to `buffer[to..]`, as far as MESSAGE_BYTES_MAX; returns where it ended.
/// The cursor lives in map memory, so that every step starts from one state.
#[inline(always)]
fn load_blocks(ctx: &SkBuffContext, mut work: &mut Work, buffer: &mut Buffer, from: u32, to: u32, left: u32) -> u32 {
    (work.from, work.to, work.left) = (from, to, left);
    for _ in 0..MESSAGE_BYTES_MAX / BLOCK_BYTES {
        work = black_box(work);
        let (to, left) = (work.to as i64, work.left as i64);
        let want = black_box(if left > BLOCK_BYTES as i64 { BLOCK_BYTES as i64 } else { left });
        if !check_bounds_signed(to, 0, MESSAGE_BYTES_MAX as i64 - 1)
            || !check_bounds_signed(want, 1, BLOCK_BYTES as i64)
        {
            break;
        }
        // SAFETY: `to + want` is at most MESSAGE_BYTES_MAX - 1 + BLOCK_BYTES, less than the buffer.
        if !unsafe { load(ctx, work.from, buffer.as_mut_ptr().add(to as usize), want as u32) } {
            break;
        }
        work.from = work.from.wrapping_add(want as u32);
        work.to += want as u32;
        work.left -= want as u32;
    }
    if work.to > MESSAGE_BYTES_MAX as u32 { MESSAGE_BYTES_MAX as u32 } else { work.to }
}
