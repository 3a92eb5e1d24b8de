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
use monitor_common::policy::{Head, Verdict};
use monitor_common::programs::Callee;
use monitor_common::progress::Stage;
use monitor_common::wire::{Work, head, socks, tls};

use super::datagram;
use crate::counters::count;
use crate::flow::{Flow, socket};
use crate::maps::{Buffer, cookie, drop_pieces, pieces, policy, scratch, work};
use crate::run::{
    BUFFER, DROP, FROM, IN_PIECES, IN_SCRATCH, LEN, LEVEL, NEW, PASS, buffer, called, cb, load, set_cb, tail_call,
};
use crate::segment::Segment;
use crate::{emit, lease};

#[cgroup_skb(egress)]
fn first_bytes(ctx: SkBuffContext) -> i32 {
    match socket(&ctx).and_then(Flow::of) {
        Some(flow) if flow.is_udp != 0 => datagram::sent(&ctx, flow),
        Some(flow) if flow.progress.stage != Stage::Settled => try_first_bytes(&ctx, flow).unwrap_or(PASS),
        _ => PASS,
    }
}

#[inline(always)]
fn try_first_bytes(ctx: &SkBuffContext, flow: &mut Flow) -> Option<i32> {
    let segment = Segment::read(ctx)?;
    if segment.syn && flow.progress.stage == Stage::New {
        flow.progress.opened(segment.seq);
    }
    if segment.len == 0 {
        // Of blocked sockets too: FIN and RST must get out, or the peer keeps its half.
        return Some(PASS);
    }
    count(Counter::PacketsInspected);
    if flow.progress.stage == Stage::Blocked {
        count(Counter::PacketsDropped);
        return Some(DROP);
    }
    if segment.urgent {
        return Some(refuse_urgent(ctx, flow));
    }
    Some(inspect(ctx, flow, &segment))
}

/// Whether the receiver takes an urgent byte out of the stream is its own choice, so a name around one can be hidden from
/// whoever reads along. Nothing that has a name worth reading sends one before it.
#[inline(always)]
fn refuse_urgent(ctx: &SkBuffContext, flow: &mut Flow) -> i32 {
    if !policy(0).is_some_and(Head::blocks) {
        emit::unreadable(Verdict::Audited, flow, cookie(ctx));
        return give_up(ctx, flow, Counter::UrgentData);
    }
    emit::unreadable(Verdict::Blocked, flow, cookie(ctx));
    count(Counter::UrgentData);
    block(ctx, flow)
}

/// Moves the state machine over a segment, and gets its part of the message under way to a parser.
#[inline(always)]
pub(super) fn inspect(ctx: &SkBuffContext, flow: &mut Flow, segment: &Segment) -> i32 {
    if !flow.progress.advance(segment.seq, segment.len) {
        if flow.progress.stage == Stage::AwaitProxyReply && flow.progress.reply == 0 {
            count(Counter::SentBeforeReply);
        }
        return PASS;
    }
    // Where in the message this segment starts, by sequence number: a retransmission lands in the same place.
    let offset = segment.seq.wrapping_sub(flow.progress.base) as i32;
    let end = offset.wrapping_add(segment.len as i32);
    let have = flow.progress.have as i32;
    if end <= have {
        return PASS;
    }
    if offset > have {
        return give_up(ctx, flow, Counter::SequenceGap);
    }
    let Some(level) = lease::take() else {
        return give_up(ctx, flow, Counter::NoScratch);
    };
    set_cb::<LEVEL>(ctx, level);
    let skip = have.wrapping_sub(offset) as u32;
    set_cb::<FROM>(ctx, segment.payload.wrapping_add(skip));
    set_cb::<NEW>(ctx, segment.len.wrapping_sub(skip));
    let verdict = match work(cb::<LEVEL>(ctx)) {
        Some(work) => collect(ctx, flow, work).unwrap_or(PASS),
        None => PASS,
    };
    lease::give(level);
    verdict
}

/// Ends the message under way. When the packet has more, that is the next message.
#[cgroup_skb(egress)]
fn next_message(ctx: SkBuffContext) -> i32 {
    called(&ctx, |ctx, flow, mut work| {
        if flow.progress.have != 0 {
            drop_pieces(ctx);
        }
        let Some(len) = head::message_len(work) else {
            flow.progress.message_has_no_end(work.source);
            return Some(pass(flow));
        };
        flow.progress.message_ends(len, work.source);
        let rest = work.total.wrapping_sub(len);
        if rest as i32 <= 0 {
            return Some(pass(flow));
        }
        set_cb::<FROM>(ctx, cb::<FROM>(ctx).wrapping_add(cb::<NEW>(ctx)).wrapping_sub(rest));
        set_cb::<NEW>(ctx, rest);
        let base = flow.progress.base;
        if !flow.progress.advance(base, rest) {
            return Some(pass(flow));
        }
        work = black_box(work);
        collect(ctx, flow, work)
    })
}

/// Behind a message that was the last in clear text to be looked at, nothing is inspected any more.
#[inline(always)]
fn pass(flow: &Flow) -> i32 {
    if flow.progress.stage == Stage::Settled {
        count(Counter::ClearTextTooLong);
    }
    PASS
}

/// Gets the new bytes of the message into a buffer and calls its parser. The bounds are in `cb`: from here on offset and
/// length are unknown numbers again, whatever path led here.
#[inline(always)]
fn collect(ctx: &SkBuffContext, flow: &mut Flow, work: &mut Work) -> Option<i32> {
    let (from, new) = (cb::<FROM>(ctx), cb::<NEW>(ctx));
    work.total = flow.progress.have.wrapping_add(new);
    if flow.progress.have == 0 {
        // The usual case: the name is in the first packet. Per-CPU scratch, no allocation.
        let scratch = scratch(cb::<LEVEL>(ctx))?;
        let want = if new > MESSAGE_BYTES_MAX as u32 { MESSAGE_BYTES_MAX as i64 } else { new as i64 };
        if !check_bounds_signed(want, 1, MESSAGE_BYTES_MAX as i64) {
            return Some(give_up(ctx, flow, Counter::SequenceGap));
        }
        // SAFETY: `want` is at most MESSAGE_BYTES_MAX, less than the buffer.
        if !unsafe { load(ctx, from, scratch.as_mut_ptr(), want as u32) } {
            return Some(give_up(ctx, flow, Counter::SequenceGap));
        }
        set_cb::<LEN>(ctx, want as u32);
        set_cb::<BUFFER>(ctx, IN_SCRATCH);
    } else {
        let Some(pieces) = pieces(ctx) else {
            return Some(give_up(ctx, flow, Counter::NoRoomForPieces));
        };
        flow.progress.have = load_blocks(ctx, work, pieces, from, flow.progress.have, new);
        set_cb::<LEN>(ctx, flow.progress.have);
        set_cb::<BUFFER>(ctx, IN_PIECES);
    }
    let first = buffer(ctx)?[0];
    let parser = match flow.progress.stage {
        Stage::Socks => Callee::ParseSocks,
        Stage::AwaitFirstBytes | Stage::ClearText if first == tls::HANDSHAKE => Callee::ParseTls,
        Stage::ClearText => Callee::ParseStartTls,
        Stage::AwaitFirstBytes if first == socks::VERSION_5 || first == socks::VERSION_4 => Callee::ParseSocks,
        _ => Callee::ParseHttp,
    };
    tail_call(ctx, parser)
}

/// Ends the inspection of a socket.
#[inline(always)]
fn give_up(ctx: &SkBuffContext, flow: &mut Flow, why: Counter) -> i32 {
    if flow.progress.have != 0 {
        drop_pieces(ctx);
    }
    flow.progress.settle();
    count(why);
    PASS
}

/// Lets nothing more leave a socket.
#[inline(always)]
pub(super) fn block(ctx: &SkBuffContext, flow: &mut Flow) -> i32 {
    if flow.progress.have != 0 {
        drop_pieces(ctx);
    }
    emit::doomed(flow, cookie(ctx));
    flow.progress.block();
    count(Counter::PacketsDropped);
    DROP
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
