//! `first_bytes` for a packet that comes from BPF_PROG_TEST_RUN: there the kernel makes a socket that never connected, so
//! the flow is put where the packet's first byte starts a message. It is loaded by checks only and never attached.

use aya_ebpf::macros::cgroup_skb;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::event::{Endpoints, Origin};

use super::first_bytes::collect;
use crate::flow::{Flow, Stage, socket};
use crate::run::PASS;
use crate::segment::Segment;

#[cgroup_skb(egress)]
fn trial(ctx: SkBuffContext) -> i32 {
    let (Some(flow), Some(segment)) = (socket(&ctx).and_then(Flow::of_or_new), Segment::read(&ctx)) else {
        return PASS;
    };
    *flow = Flow {
        connect_ns: 0,
        origin: Origin { endpoints: Endpoints { family: 4, ..Endpoints::EMPTY }, ..Origin::EMPTY },
        stage: Stage::AwaitFirstBytes,
        base: segment.seq,
        next: segment.seq,
        have: 0,
        reply: 0,
        in_tunnel: 0,
    };
    collect(&ctx, flow, &segment)
}
