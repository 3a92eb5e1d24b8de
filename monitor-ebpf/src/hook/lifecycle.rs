//! When a connection is about to be opened, is established, has failed, is gone; when a socket begins to wait for
//! connections.
//!
//! Hook `sock_ops` (BPF_CGROUP_SOCK_OPS, Linux 4.13; state changes 4.16; the socket 5.5). It runs under the socket lock.
//! Outgoing connections that the connect hook has not seen have no state and are left alone.

use core::ptr::read_volatile;

use aya_ebpf::bindings::{
    BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB, BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB, BPF_SOCK_OPS_RTO_CB,
    BPF_SOCK_OPS_RTO_CB_FLAG, BPF_SOCK_OPS_STATE_CB, BPF_SOCK_OPS_STATE_CB_FLAG, BPF_SOCK_OPS_TCP_CONNECT_CB,
    BPF_SOCK_OPS_TCP_LISTEN_CB, bpf_sock_ops,
};
use aya_ebpf::macros::sock_ops;
use aya_ebpf::programs::SockOpsContext;
use monitor_common::counter::Counter;
use monitor_common::event::{Endpoints, Origin, Owner, Reason};
use monitor_common::policy::Head;

use crate::counters::count;
use crate::emit;
use crate::flow::Flow;
use crate::maps::{cookie, drop_pieces, policy};

/// `BPF_TCP_CLOSE` (UAPI): the last state of every connection, also after time-wait.
const TCP_CLOSE: u32 = 7;
const TCP_FIN_WAIT2: u32 = 5;
const TCP_TIME_WAIT: u32 = 6;
const TCP_CLOSE_WAIT: u32 = 8;
const TCP_LAST_ACK: u32 = 9;
const TCP_CLOSING: u32 = 11;
const AF_INET6: u32 = 10;
/// What the kernel expects of a program that sets nothing.
const DONE: u32 = 1;

#[sock_ops]
fn lifecycle(ctx: SockOpsContext) -> u32 {
    let op = ctx.op();
    match op {
        BPF_SOCK_OPS_TCP_CONNECT_CB | BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB | BPF_SOCK_OPS_RTO_CB => {}
        BPF_SOCK_OPS_STATE_CB if ctx.arg(1) == TCP_CLOSE => {}
        BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB => {
            let origin = Origin { owner: Owner::EMPTY, endpoints: endpoints(ctx.ops) };
            emit::accepted(&origin, cookie(&ctx));
            return DONE;
        }
        BPF_SOCK_OPS_TCP_LISTEN_CB => {
            listening(&ctx);
            return DONE;
        }
        _ => return DONE,
    }
    // SAFETY: the context is live; the pointer is tested.
    let sk = unsafe { (*ctx.ops).__bindgen_anon_2.sk };
    if sk.is_null() {
        return DONE;
    }
    let Some(flow) = Flow::of(sk.cast()) else {
        return DONE;
    };
    match op {
        BPF_SOCK_OPS_TCP_CONNECT_CB => {
            flow.origin.endpoints = endpoints(ctx.ops);
            flow.is_syn_sent = 1;
            watch(&ctx, BPF_SOCK_OPS_STATE_CB_FLAG | BPF_SOCK_OPS_RTO_CB_FLAG);
            if policy(0).is_some_and(Head::tells_attempts) {
                emit::attempted(flow, cookie(&ctx));
            }
        }
        BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB => {
            flow.is_established = 1;
            emit::established(flow, cookie(&ctx));
        }
        BPF_SOCK_OPS_RTO_CB => {
            // The third argument says that the kernel gives up.
            if ctx.arg(2) != 0 && flow.is_established == 0 {
                flow.reason = Reason::TimedOut as u32;
            }
        }
        _ => closed(&ctx, flow),
    }
    DONE
}

#[inline(always)]
fn closed(ctx: &SockOpsContext, flow: &mut Flow) {
    if flow.progress.have != 0 {
        drop_pieces(ctx);
    }
    if flow.is_established == 0 {
        let reason = if flow.is_refused != 0 {
            Reason::Refused as u32
        } else if flow.reason != 0 {
            flow.reason
        } else {
            Reason::Unreachable as u32
        };
        return emit::failed(reason, flow, cookie(ctx));
    }
    // TCP counts SYN and FIN as a byte each (RFC 9293 section 3.4). Whether a FIN went each way, the state tells that the
    // connection is in before it is closed; one that is reset between a FIN and its acknowledgement is a byte off.
    let before = ctx.arg(0);
    let fin_acked = matches!(before, TCP_FIN_WAIT2 | TCP_TIME_WAIT | TCP_LAST_ACK | TCP_CLOSING);
    let fin_received = fin_acked || before == TCP_CLOSE_WAIT;
    // SAFETY: fields of a live context (UAPI).
    let (sent, received) = unsafe {
        (read_volatile(&raw const (*ctx.ops).bytes_acked), read_volatile(&raw const (*ctx.ops).bytes_received))
    };
    let sent = sent.saturating_sub(1 + fin_acked as u64);
    emit::closed(sent, received.saturating_sub(fin_received as u64), flow, cookie(ctx));
}

#[inline(always)]
fn listening(ctx: &SockOpsContext) {
    // SAFETY: the context is live; the pointer is tested.
    let sk = unsafe { (*ctx.ops).__bindgen_anon_2.sk };
    if sk.is_null() {
        return;
    }
    let Some(flow) = Flow::of_or_new(sk.cast()) else {
        return count(Counter::NoSocketStorage);
    };
    flow.origin.endpoints = endpoints(ctx.ops);
    flow.is_established = 1;
    watch(ctx, BPF_SOCK_OPS_STATE_CB_FLAG);
    emit::listening(flow, cookie(ctx));
}

/// Asks for callbacks of one socket; without them its end is not seen, and the socket's own storage still ends with it, so
/// a failure loses the row of the end only.
#[inline(always)]
fn watch(ctx: &SockOpsContext, flags: u32) {
    let _ = ctx.set_cb_flags((ctx.cb_flags() | flags) as i32);
}

/// Reads the addresses word by word: the verifier knows each as a field of the context, but no wider read.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "four words of four bytes are the sixteen of an address")]
fn endpoints(ops: *mut bpf_sock_ops) -> Endpoints {
    let mut both = Endpoints::EMPTY;
    // SAFETY: fields of a live context (UAPI); volatile, so that LLVM does not merge reads.
    unsafe {
        both.local_port = read_volatile(&raw const (*ops).local_port) as u16;
        both.remote_port = u32::from_be(read_volatile(&raw const (*ops).remote_port)) as u16;
        if read_volatile(&raw const (*ops).family) == AF_INET6 {
            both.family = 6;
            let local = &raw const (*ops).local_ip6;
            let remote = &raw const (*ops).remote_ip6;
            for word in 0..4 {
                let bytes = word * 4..word * 4 + 4;
                both.local[bytes.clone()].copy_from_slice(&read_volatile(&raw const (*local)[word]).to_ne_bytes());
                both.remote[bytes].copy_from_slice(&read_volatile(&raw const (*remote)[word]).to_ne_bytes());
            }
        } else {
            both.family = 4;
            both.local[..4].copy_from_slice(&read_volatile(&raw const (*ops).local_ip4).to_ne_bytes());
            both.remote[..4].copy_from_slice(&read_volatile(&raw const (*ops).remote_ip4).to_ne_bytes());
        }
    }
    both
}
