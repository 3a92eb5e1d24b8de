//! `first_bytes` for a packet that comes from BPF_PROG_TEST_RUN: there the kernel makes a socket that never connected, so
//! the flow is put where the packet's first byte starts a message. It is loaded by checks only and never attached.

use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::event::{Endpoints, Origin};

use super::first_bytes::inspect;
use crate::flow::{Flow, socket};
use crate::run::PASS;
use crate::segment::Segment;

#[cgroup_skb(egress)]
fn trial(ctx: SkBuffContext) -> i32 {
    let (Some(flow), Some(segment)) = (socket(&ctx).and_then(Flow::of_or_new), Segment::read(&ctx)) else {
        return PASS;
    };
    *flow = Flow::new(0, Origin { endpoints: Endpoints { family: 4, ..Endpoints::EMPTY }, ..Origin::EMPTY });
    flow.progress.opened(segment.seq);
    inspect(&ctx, flow, &segment)
}
