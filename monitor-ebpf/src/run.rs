//! What one run of the egress programs carries from program to program.
//!
//! A tail call keeps the context and nothing else, so a run's numbers travel in `skb->cb`: it is the run's own (the kernel
//! saves and restores it), and what is read back from it is an unknown number to the verifier, which is what lets the
//! paths join. Everything larger lies in the leased [`Work`](monitor_common::wire::Work).

use core::arch::asm;
use core::mem::offset_of;

use aya_ebpf::EbpfContext;
use aya_ebpf::bindings::__sk_buff;
use aya_ebpf::helpers::generated::bpf_skb_load_bytes;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::counter::Counter;
use monitor_common::policy::Head;
use monitor_common::programs::Callee;
use monitor_common::wire::Work;

use crate::counters::count;
use crate::flow::{Flow, socket};
use crate::maps::{Buffer, JUMP, pieces, policy, scratch};
use crate::{lease, maps};

/// The packet goes on its way.
pub(crate) const PASS: i32 = 1;
/// The packet is dropped; TCP sees it as lost, whoever sent a datagram gets EPERM.
pub(crate) const DROP: i32 = 0;
/// The packet is dropped as if a queue were full: whoever sent a datagram hears of it only when it asked to (IP_RECVERR), and
/// then that it may send it again (ENOBUFS).
pub(crate) const HOLD: i32 = 2;

/// Word of `cb`: the lease level.
pub(crate) const LEVEL: usize = 0;
/// Word of `cb`: bytes in the buffer.
pub(crate) const LEN: usize = 1;
/// Word of `cb`: which buffer, [`IN_SCRATCH`] or [`IN_PIECES`].
pub(crate) const BUFFER: usize = 2;
/// Word of `cb`: offset in the packet of the first new byte.
pub(crate) const FROM: usize = 3;
/// Word of `cb`: how many new bytes.
pub(crate) const NEW: usize = 4;

/// The message lies in this CPU's scratch buffer.
pub(crate) const IN_SCRATCH: u32 = 0;
/// The message lies in the socket's pieces.
pub(crate) const IN_PIECES: u32 = 1;

/// Reads a word of `cb`.
///
/// In assembly: LLVM otherwise merges reads of two words into one through a computed pointer, and the verifier refuses a
/// context pointer that was computed.
#[inline(always)]
pub(crate) fn cb<const WORD: usize>(ctx: &SkBuffContext) -> u32 {
    const { assert!(WORD < 5, "cb has five words") };
    let value: u64;
    // SAFETY: `cb` has five words at this offset of `__sk_buff` (UAPI).
    unsafe {
        asm!("{v} = *(u32 *)({skb} + {at})", v = out(reg) value, skb = in(reg) ctx.skb.skb, at = const offset_of!(__sk_buff, cb) + 4 * WORD)
    };
    value as u32
}

/// Writes a word of `cb`.
#[inline(always)]
pub(crate) fn set_cb<const WORD: usize>(ctx: &SkBuffContext, value: u32) {
    const { assert!(WORD < 5, "cb has five words") };
    // SAFETY: as in `cb`.
    unsafe {
        asm!("*(u32 *)({skb} + {at}) = {v}", v = in(reg) value as u64, skb = in(reg) ctx.skb.skb, at = const offset_of!(__sk_buff, cb) + 4 * WORD)
    };
}

/// The bytes that this run looks at.
#[inline(always)]
pub(crate) fn buffer(ctx: &SkBuffContext) -> Option<&'static mut Buffer> {
    if cb::<BUFFER>(ctx) == IN_PIECES { pieces(ctx) } else { scratch(cb::<LEVEL>(ctx)) }
}

/// Copies `len` bytes of the packet.
///
/// # Safety
/// `len` bytes at `to` must be writable, and the verifier must have been shown so.
#[inline(always)]
pub(crate) unsafe fn load(ctx: &SkBuffContext, from: u32, to: *mut u8, len: u32) -> bool {
    // SAFETY: the caller's promise.
    unsafe { bpf_skb_load_bytes(ctx.as_ptr(), from, to.cast(), len) == 0 }
}

/// Goes on in another program, which gives the lease back. Returns only if the call fails, and then none: the kernel goes from
/// program to program 33 times a packet (MAX_TAIL_CALL_CNT, Linux 5.10), and this one has more messages than that is enough
/// for.
#[inline(always)]
pub(crate) fn tail_call(ctx: &SkBuffContext, to: Callee) -> Option<i32> {
    // SAFETY: every callee is of this program type.
    unsafe { JUMP.tail_call(ctx, to as u32) };
    count(Counter::TailCallFailed);
    None
}

/// What every called program does first and last: finds its state, and gives the lease back. A packet without a verdict could
/// not be read to its end. In mode block it stays in the socket's queue, and is read on from there when TCP sends it again;
/// otherwise it passes.
#[inline(always)]
pub(crate) fn called(
    ctx: &SkBuffContext,
    program: impl FnOnce(&SkBuffContext, &mut Flow, &'static mut Work) -> Option<i32>,
) -> i32 {
    let level = cb::<LEVEL>(ctx);
    let verdict = match (socket(ctx).and_then(Flow::of), maps::work(level)) {
        (Some(flow), Some(work)) => program(ctx, flow, work).unwrap_or_else(unread),
        _ => PASS,
    };
    lease::give(level);
    verdict
}

#[inline(always)]
fn unread() -> i32 {
    if policy(0).is_some_and(Head::blocks) { DROP } else { PASS }
}

/// Ends the inspection of a message that cannot be read on.
#[inline(always)]
pub(crate) fn lose(ctx: &SkBuffContext, flow: &mut Flow, source: u32, why: Counter) -> i32 {
    if flow.progress.have != 0 {
        maps::drop_pieces(ctx);
    }
    flow.progress.lost(source);
    count(why);
    PASS
}
