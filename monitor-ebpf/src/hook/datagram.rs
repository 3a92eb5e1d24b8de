//! Datagrams that user space reads: the start of a QUIC connection (RFC 9000 section 17.2.2), and what name servers answer.
//!
//! Hooks `cgroup/sendmsg4` and `cgroup/sendmsg6` (Linux 4.18) say whose an unconnected socket is. The datagrams themselves
//! pass through the egress and ingress programs. In mode block an Initial waits for user space to read its name: it is
//! dropped until there is a verdict, and the client sends it again. Where QUIC is to be downgraded it is dropped for good, and
//! its sender hears of it (EPERM), so that it does not wait before it turns to TCP.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::{SkBuffContext, SockAddrContext};
use monitor_common::counter::Counter;
use monitor_common::event::{Endpoints, Origin};
use monitor_common::policy::{Head, QuicFlow, quic_flow};
use monitor_common::wire::quic;

use crate::counters::count;
use crate::datagram::{Datagram, UDP_HEADER_BYTES};
use crate::flow::Flow;
use crate::maps::{await_quic_verdict, cookie, policy, quic_verdict};
use crate::network::{IPPROTO_UDP, Transport};
use crate::owner::owner;
use crate::run::{DROP, HOLD, PASS};
use crate::{emit, lease};

const ALLOW: i32 = 1;
/// Port of `domain` (RFC 1035 section 4.2).
pub(super) const DNS_PORT: u16 = 53;

#[cgroup_sock_addr(sendmsg4)]
fn sendmsg4(ctx: SockAddrContext) -> i32 {
    sends(&ctx);
    ALLOW
}

#[cgroup_sock_addr(sendmsg6)]
fn sendmsg6(ctx: SockAddrContext) -> i32 {
    sends(&ctx);
    ALLOW
}

#[inline(always)]
fn sends(ctx: &SockAddrContext) {
    // SAFETY: the context is live.
    if unsafe { (*ctx.sock_addr).protocol } == IPPROTO_UDP {
        remember(ctx);
    }
}

/// Whose the socket is: who uses it first.
#[inline(always)]
pub(super) fn remember(ctx: &SockAddrContext) {
    // SAFETY: the context is live; `sk` is never null in these hooks.
    let sk = unsafe { (*ctx.sock_addr).__bindgen_anon_1.sk };
    let Some(flow) = Flow::of_or_new(sk.cast()) else {
        return count(Counter::NoSocketStorage);
    };
    if flow.is_udp == 0 {
        *flow = Flow::new(0, Origin { owner: owner(ctx), endpoints: Endpoints::EMPTY });
        flow.is_udp = 1;
    }
}

/// A UDP packet that leaves.
#[inline(always)]
pub(super) fn sent(ctx: &SkBuffContext, flow: &Flow) -> i32 {
    try_sent(ctx, flow).unwrap_or(PASS)
}

#[inline(always)]
fn try_sent(ctx: &SkBuffContext, flow: &Flow) -> Option<i32> {
    // Most packets are none, and end here. With the length of the destination's connection id, which follows the version.
    let transport = Transport::find(ctx)?;
    let head = ctx.load::<[u8; quic::VERSION_END + 1]>(transport.at + UDP_HEADER_BYTES).ok()?;
    if !quic::is_initial(head[0], u32::from_be_bytes([head[1], head[2], head[3], head[4]])) {
        return Some(PASS);
    }
    let datagram = Datagram::read(ctx, &transport, false)?;
    let orders = policy(0)?;
    if Head::drops_quic(orders, datagram.endpoints.remote_port) {
        read_later(ctx, flow, &datagram, false);
        count(Counter::QuicDowngraded);
        return Some(DROP);
    }
    if !Head::blocks(orders) {
        read_later(ctx, flow, &datagram, false);
        return Some(PASS);
    }
    let key = flow_of(ctx, &datagram, head[quic::VERSION_END])?;
    match quic_verdict(&key) {
        quic_flow::BLOCKED => {
            count(Counter::PacketsDropped);
            Some(DROP)
        }
        quic_flow::ALLOWED => {
            // Also read on: the same ids may be used for another name.
            read_later(ctx, flow, &datagram, false);
            Some(PASS)
        }
        _ => {
            await_quic_verdict(&key);
            read_later(ctx, flow, &datagram, false);
            count(Counter::QuicHeld);
            Some(HOLD)
        }
    }
}

/// The connection that an Initial belongs to: the client keeps its own connection id until the handshake is done.
#[inline(always)]
fn flow_of(ctx: &SkBuffContext, datagram: &Datagram, destination_len: u8) -> Option<QuicFlow> {
    let at = datagram.payload as usize + quic::VERSION_END + 1 + destination_len as usize;
    let source = ctx.load::<[u8; 9]>(at).ok()?;
    let ends = &datagram.endpoints;
    Some(QuicFlow::new(cookie(ctx), &source, &ends.remote, ends.remote_port))
}

/// A packet that arrives.
#[inline(always)]
pub(super) fn received(ctx: &SkBuffContext, flow: &Flow) {
    if let Some(transport) = Transport::find(ctx)
        // The source port is first in both headers.
        && ctx.load::<[u8; 2]>(transport.at).ok() == Some(DNS_PORT.to_be_bytes())
        && let Some(datagram) = Datagram::read(ctx, &transport, true)
        && datagram.len != 0
    {
        read_later(ctx, flow, &datagram, true);
    }
}

/// Hands a datagram to user space.
#[inline(always)]
fn read_later(ctx: &SkBuffContext, flow: &Flow, datagram: &Datagram, is_inbound: bool) {
    let Some(level) = lease::take() else {
        return count(Counter::NoScratch);
    };
    emit::datagram(ctx, level, flow, datagram, is_inbound);
    lease::give(level);
}
