//! What a proxy answers: to CONNECT a status line (RFC 9112 section 4), to a SOCKS request a reply (RFC 1928 section 6).
//!
//! Hook `cgroup_skb/ingress` (Linux 4.10). It runs before the socket is locked, so next to egress on another CPU: it
//! writes the reply and the refusal of the flow and nothing else, and egress does the rest.

use aya_ebpf::check_bounds_signed;
use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::progress::Stage;
use monitor_common::wire::reply::CODE_BYTES;

use super::datagram::{self, DNS_PORT};
use crate::emit;
use crate::flow::{Flow, socket};
use crate::run::{PASS, load};
use crate::segment::Segment;

#[cgroup_skb(ingress)]
fn replies(ctx: SkBuffContext) -> i32 {
    if let Some(flow) = socket(&ctx).and_then(Flow::of) {
        if flow.is_udp != 0 || flow.origin.endpoints.remote_port == DNS_PORT {
            datagram::received(&ctx, flow);
        }
        if flow.is_udp != 0 {
            return PASS;
        }
        if flow.is_established == 0 {
            let is_reset = Segment::read(&ctx).is_some_and(|segment| segment.rst);
            flow.is_refused = is_reset as u32;
        } else if flow.progress.awaits_reply() {
            let _ = try_replies(&ctx, flow);
        }
    }
    PASS
}

#[inline(always)]
fn try_replies(ctx: &SkBuffContext, flow: &mut Flow) -> Option<()> {
    let segment = Segment::read(ctx)?;
    let mut bytes = [0; CODE_BYTES];
    let len = if segment.len > CODE_BYTES as u32 { CODE_BYTES as i64 } else { segment.len as i64 };
    if !check_bounds_signed(len, 1, CODE_BYTES as i64) {
        return None;
    }
    // SAFETY: `len` is at most the array's length.
    if !unsafe { load(ctx, segment.payload, bytes.as_mut_ptr(), len as u32) } {
        return None;
    }
    // To a request of clear-text HTTP, or a message of another protocol in clear text, only its having been answered is of interest.
    if flow.progress.stage == Stage::AwaitProxyReply {
        emit::replied(ctx, &segment, flow);
    }
    flow.progress.reply = flow.progress.reply_of(&bytes, segment.len);
    Some(())
}
