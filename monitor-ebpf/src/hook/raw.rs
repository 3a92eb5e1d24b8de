//! Who makes a raw socket (raw(7)): what it sends is no connection, so this is all that will be known of it.
//!
//! Hook `cgroup/sock_create` (Linux 4.10; the socket's cookie 5.7). Packet sockets (packet(7)) do not pass it.

use aya_ebpf::macros::cgroup_sock;
use aya_ebpf::programs::SockContext;
use monitor_common::event::{Endpoints, Origin};

use crate::emit;
use crate::maps::cookie;
use crate::owner::owner;

const ALLOW: i32 = 1;
const SOCK_RAW: u32 = 3;
const AF_INET6: u32 = 10;

#[cgroup_sock(sock_create)]
fn created(ctx: SockContext) -> i32 {
    // SAFETY: the context is live.
    let (kind, family, protocol) = unsafe { ((*ctx.sock).type_, (*ctx.sock).family, (*ctx.sock).protocol) };
    if kind == SOCK_RAW {
        let endpoints = Endpoints { family: if family == AF_INET6 { 6 } else { 4 }, ..Endpoints::EMPTY };
        emit::raw_socket(protocol, Origin { owner: owner(&ctx), endpoints }, cookie(&ctx));
    }
    ALLOW
}
