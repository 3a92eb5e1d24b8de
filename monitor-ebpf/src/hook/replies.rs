//! The proxy's answer to CONNECT: the status code of its status line (RFC 9112 section 4).
//!
//! Hook `cgroup_skb/ingress` (Linux 4.10). It runs before the socket is locked, so next to egress on another CPU: it
//! writes the reply word of the flow and nothing else, and egress does the rest.

use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;

use crate::emit;
use crate::flow::{Flow, Stage, socket};
use crate::maps::cookie;
use crate::run::PASS;
use crate::segment::Segment;

/// `HTTP/1.x NNN`.
const STATUS_BYTES: usize = 12;

#[cgroup_skb(ingress)]
fn replies(ctx: SkBuffContext) -> i32 {
    if let Some(flow) = socket(&ctx).and_then(Flow::of)
        && flow.stage == Stage::AwaitProxyReply
        && flow.reply == 0
        && let Some(status) = status(&ctx)
        // An interim answer (RFC 9110 section 15.2) is not the answer.
        && status >= 200
    {
        flow.reply = status;
        emit::replied(status, flow, cookie(&ctx));
    }
    PASS
}

#[inline(always)]
fn status(ctx: &SkBuffContext) -> Option<u32> {
    let segment = Segment::read(ctx)?;
    if segment.len < STATUS_BYTES as u32 {
        return None;
    }
    let line = ctx.load::<[u8; STATUS_BYTES]>(segment.payload as usize).ok()?;
    if line[..7] != *b"HTTP/1." || line[8] != b' ' {
        return None;
    }
    let mut status = 0;
    for &digit in &line[9..] {
        if !digit.is_ascii_digit() {
            return None;
        }
        status = status * 10 + (digit - b'0') as u32;
    }
    Some(status)
}
