//! Who connects: the process, into the storage of its socket.
//!
//! Hooks `cgroup/connect4` and `cgroup/connect6` (Linux 4.17; netns cookie 5.7), which the kernel runs in the caller's
//! context before it sends the SYN, also for TCP Fast Open. A socket that the kernel has no memory to follow is counted
//! and connects unseen.

use core::ptr::read_volatile;

use aya_ebpf::bindings::bpf_sock_addr;
use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use monitor_common::counter::Counter;
use monitor_common::event::{Endpoints, Origin};

use super::datagram;
use crate::counters::count;
use crate::flow::Flow;
use crate::maps::drop_pieces;
use crate::network::{IPPROTO_TCP, IPPROTO_UDP};
use crate::owner::owner;

const ALLOW: i32 = 1;

#[cgroup_sock_addr(connect4)]
fn connect4(ctx: SockAddrContext) -> i32 {
    // SAFETY: the context is live.
    remember(&ctx, unsafe { remote_4(ctx.sock_addr) });
    ALLOW
}

#[cgroup_sock_addr(connect6)]
fn connect6(ctx: SockAddrContext) -> i32 {
    // SAFETY: the context is live.
    remember(&ctx, unsafe { remote_6(ctx.sock_addr) });
    ALLOW
}

#[inline(always)]
fn remember(ctx: &SockAddrContext, endpoints: Endpoints) {
    // SAFETY: the context is live; `sk` is never null in this hook.
    let (protocol, sk) = unsafe { ((*ctx.sock_addr).protocol, (*ctx.sock_addr).__bindgen_anon_1.sk) };
    if protocol == IPPROTO_UDP {
        return datagram::remember(ctx);
    }
    if protocol != IPPROTO_TCP {
        return;
    }
    let Some(flow) = Flow::of_or_new(sk.cast()) else {
        return count(Counter::NoSocketStorage);
    };
    if flow.progress.have != 0 {
        // The socket was used before and is connected again.
        drop_pieces(ctx);
    }
    // SAFETY: a helper without arguments.
    let now = unsafe { bpf_ktime_get_boot_ns() };
    *flow = Flow::new(now, Origin { owner: owner(ctx), endpoints });
}

/// Where it is to go. Of use only when no SYN is sent; otherwise the lifecycle hook knows both ends.
///
/// # Safety
/// `addr` is the live context of `connect4`.
#[inline(always)]
unsafe fn remote_4(addr: *const bpf_sock_addr) -> Endpoints {
    let mut ends = Endpoints { family: 4, ..Endpoints::EMPTY };
    // SAFETY: fields of a live context (UAPI).
    unsafe {
        ends.remote_port = u16::from_be(read_volatile(&raw const (*addr).user_port) as u16);
        ends.remote[..4].copy_from_slice(&read_volatile(&raw const (*addr).user_ip4).to_ne_bytes());
    }
    ends
}

/// The same for version 6.
///
/// # Safety
/// `addr` is the live context of `connect6`.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "four words of four bytes are the sixteen of an address")]
unsafe fn remote_6(addr: *const bpf_sock_addr) -> Endpoints {
    let mut ends = Endpoints { family: 6, ..Endpoints::EMPTY };
    // SAFETY: fields of a live context (UAPI); volatile, so that LLVM does not merge reads.
    unsafe {
        ends.remote_port = u16::from_be(read_volatile(&raw const (*addr).user_port) as u16);
        let words = &raw const (*addr).user_ip6;
        for word in 0..4 {
            let bytes = read_volatile(&raw const (*words)[word]).to_ne_bytes();
            ends.remote[word * 4..word * 4 + 4].copy_from_slice(&bytes);
        }
    }
    ends
}
