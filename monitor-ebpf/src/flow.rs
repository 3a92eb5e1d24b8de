//! What is remembered of a connection, in the socket's own storage: freed with the socket, so nothing is evicted and
//! nothing goes stale (BPF_MAP_TYPE_SK_STORAGE, Linux 5.2).

use core::ffi::c_void;
use core::ptr;

use aya_ebpf::bindings::BPF_SK_STORAGE_GET_F_CREATE;
use aya_ebpf::btf_maps::SkStorage;
use aya_ebpf::helpers::generated::{bpf_sk_fullsock, bpf_sk_storage_get};
use aya_ebpf::macros::btf_map;
use aya_ebpf::programs::SkBuffContext;
use monitor_common::event::Origin;

/// How far the first-bytes state machine of a socket has come.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Stage {
    /// `connect()` ran, no SYN seen yet.
    New = 0,
    /// The next payload byte, at `base`, starts a message.
    AwaitFirstBytes = 1,
    /// A CONNECT request went out; the proxy has not answered.
    AwaitProxyReply = 2,
    /// Clear-text HTTP: each request of a kept-alive connection may name another host.
    Http = 3,
    /// Nothing more to learn.
    Settled = 4,
    /// A blocked name was asked for: nothing leaves any more.
    Blocked = 5,
}

/// The state of one socket. Egress runs under the socket lock and owns every field but `reply`.
#[repr(C)]
pub(crate) struct Flow {
    /// When `connect()` was called: written by the connect hook.
    pub(crate) connect_ns: u64,
    /// The owner is written by the connect hook, the endpoints by the lifecycle hook before the SYN.
    pub(crate) origin: Origin,
    /// Where the state machine is.
    pub(crate) stage: Stage,
    /// Sequence number of the first byte of the message under way.
    pub(crate) base: u32,
    /// Sequence number after the highest byte sent.
    pub(crate) next: u32,
    /// Bytes of the message that are kept already; 0 when there is no entry in the pieces map.
    pub(crate) have: u32,
    /// The status of the proxy's answer. The ingress hook sets it while the stage is `AwaitProxyReply` and it is 0;
    /// egress clears it in every other stage.
    pub(crate) reply: u32,
    /// 1 inside a tunnel through a proxy.
    pub(crate) in_tunnel: u32,
}

/// Written by connect, lifecycle, first bytes and replies; never read by user space.
#[btf_map]
static FLOWS: SkStorage<Flow> = SkStorage::new();

/// The full socket of a packet, or none: time-wait and request sockets have no storage.
#[inline(always)]
pub(crate) fn socket(ctx: &SkBuffContext) -> Option<*mut c_void> {
    // SAFETY: the context is live; both pointers are tested for null, as the verifier demands.
    unsafe {
        let sk = (*ctx.skb.skb).__bindgen_anon_2.sk;
        if sk.is_null() {
            return None;
        }
        let sk = bpf_sk_fullsock(sk);
        if sk.is_null() { None } else { Some(sk.cast()) }
    }
}

impl Flow {
    /// The state of a socket that the connect hook has seen.
    #[inline(always)]
    pub(crate) fn of(sk: *mut c_void) -> Option<&'static mut Self> {
        Self::storage(sk, 0)
    }

    /// The state of a socket, made zero when there is none. None: the kernel has no memory for it.
    #[inline(always)]
    pub(crate) fn of_or_new(sk: *mut c_void) -> Option<&'static mut Self> {
        Self::storage(sk, BPF_SK_STORAGE_GET_F_CREATE as u64)
    }

    #[inline(always)]
    fn storage(sk: *mut c_void, flags: u64) -> Option<&'static mut Self> {
        // SAFETY: `sk` is a full socket. The value lives at least as long as the run (RCU). All zeroes is a valid Flow.
        unsafe {
            bpf_sk_storage_get((&raw const FLOWS).cast_mut().cast(), sk, ptr::null_mut(), flags).cast::<Self>().as_mut()
        }
    }
}
