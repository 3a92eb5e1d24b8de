//! Who connects: the process, into the storage of its socket.
//!
//! Hooks `cgroup/connect4` and `cgroup/connect6` (Linux 4.17; netns cookie 5.7), which the kernel runs in the caller's
//! context before it sends the SYN, also for TCP Fast Open. A socket that the kernel has no memory to follow is counted
//! and connects unseen.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_get_current_comm, bpf_get_netns_cookie, bpf_ktime_get_boot_ns};
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_get_current_uid_gid};
use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use monitor_common::counter::Counter;
use monitor_common::event::{Endpoints, Origin, Owner};

use crate::counters::count;
use crate::flow::{Flow, Stage};
use crate::maps::drop_pieces;

const IPPROTO_TCP: u32 = 6;
const ALLOW: i32 = 1;

#[cgroup_sock_addr(connect4)]
fn connect4(ctx: SockAddrContext) -> i32 {
    remember_owner(&ctx);
    ALLOW
}

#[cgroup_sock_addr(connect6)]
fn connect6(ctx: SockAddrContext) -> i32 {
    remember_owner(&ctx);
    ALLOW
}

#[inline(always)]
fn remember_owner(ctx: &SockAddrContext) {
    // SAFETY: the context is live; `sk` is never null in this hook.
    let (protocol, sk) = unsafe { ((*ctx.sock_addr).protocol, (*ctx.sock_addr).__bindgen_anon_1.sk) };
    if protocol != IPPROTO_TCP {
        return;
    }
    let Some(flow) = Flow::of_or_new(sk.cast()) else {
        return count(Counter::NoSocketStorage);
    };
    if flow.have != 0 {
        // The socket was used before and is connected again.
        drop_pieces(ctx);
    }
    *flow = Flow {
        // SAFETY: a helper without arguments.
        connect_ns: unsafe { bpf_ktime_get_boot_ns() },
        origin: Origin { owner: owner(ctx), endpoints: Endpoints::EMPTY },
        stage: Stage::New,
        base: 0,
        next: 0,
        have: 0,
        reply: 0,
        in_tunnel: 0,
    };
}

#[inline(always)]
fn owner(ctx: &SockAddrContext) -> Owner {
    let uid_gid = bpf_get_current_uid_gid();
    let pid_tgid = bpf_get_current_pid_tgid();
    let mut comm = [0u8; 16];
    // SAFETY: the context is live, the buffer has 16 bytes. The name of a running thread can always be read.
    let netns_cookie = unsafe {
        bpf_get_current_comm((&raw mut comm).cast(), 16);
        bpf_get_netns_cookie(ctx.as_ptr())
    };
    Owner {
        netns_cookie,
        tgid: (pid_tgid >> 32) as u32,
        tid: pid_tgid as u32,
        uid: uid_gid as u32,
        gid: (uid_gid >> 32) as u32,
        comm,
    }
}
