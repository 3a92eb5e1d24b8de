//! Who waits for connections, and who closes a socket: the process context that `sock_ops` does not have.
//!
//! Hooks `cgroup/post_bind4`, `cgroup/post_bind6` (Linux 4.17) and `cgroup/sock_release` (5.9).

use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::macros::cgroup_sock;
use aya_ebpf::programs::SockContext;
use monitor_common::event::{Endpoints, Origin, Reason};

use crate::emit;
use crate::flow::Flow;
use crate::maps::cookie;
use crate::network::IPPROTO_TCP;
use crate::owner::owner;

const ALLOW: i32 = 1;

#[cgroup_sock(post_bind4)]
fn post_bind4(ctx: SockContext) -> i32 {
    remember(&ctx);
    ALLOW
}

#[cgroup_sock(post_bind6)]
fn post_bind6(ctx: SockContext) -> i32 {
    remember(&ctx);
    ALLOW
}

/// The owner only: the socket may go on to listen or to connect, and then another hook says the rest.
#[inline(always)]
fn remember(ctx: &SockContext) {
    // SAFETY: the context is live.
    if unsafe { (*ctx.sock).protocol } != IPPROTO_TCP {
        return;
    }
    // Without memory for it, the row of the listening socket lacks its process.
    if let Some(flow) = Flow::of_or_new(ctx.sock.cast()) {
        // SAFETY: a helper without arguments.
        let now = unsafe { bpf_ktime_get_boot_ns() };
        *flow = Flow::new(now, Origin { owner: owner(ctx), endpoints: Endpoints::EMPTY });
    }
}

/// The kernel runs this before it tears the connection down.
#[cgroup_sock(sock_release)]
fn released(ctx: SockContext) -> i32 {
    if let Some(flow) = Flow::of(ctx.sock.cast())
        && flow.is_established == 0
        && flow.origin.endpoints.remote_port != 0
    {
        if flow.is_syn_sent == 0 {
            // `connect()` found no way, so nothing else tells of it.
            emit::failed(Reason::Unreachable as u32, flow, cookie(&ctx));
        } else if flow.reason == 0 {
            flow.reason = Reason::Abandoned as u32;
        }
    }
    ALLOW
}
