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
use monitor_common::progress::Progress;

/// The state of one socket. Egress runs under the socket lock and owns `progress`, all but its `reply`.
#[repr(C)]
pub(crate) struct Flow {
    /// When `connect()` was called: written by the connect hook.
    pub(crate) connect_ns: u64,
    /// The owner is written by the connect hook, the endpoints by the lifecycle hook before the SYN.
    pub(crate) origin: Origin,
    /// Where the state machine is. `progress.reply` is set by the ingress hook.
    pub(crate) progress: Progress,
    /// 1 once a SYN was sent: written by the lifecycle hook.
    pub(crate) is_syn_sent: u32,
    /// 1 once the handshake is done, or the socket listens: written by the lifecycle hook.
    pub(crate) is_established: u32,
    /// 1 when RST answered the SYN: set by the ingress hook.
    pub(crate) is_refused: u32,
    /// Why the connection is about to come to nothing, a [`Reason`](monitor_common::event::Reason) as a number; 0 when it is
    /// not, or not known. Written by the lifecycle and release hooks.
    pub(crate) reason: u32,
    /// 1 for a UDP socket, which has nothing here but its owner: written by the hooks that make the state.
    pub(crate) is_udp: u32,
}

impl Flow {
    /// A socket that has just been told where to go, or where to wait.
    #[inline(always)]
    pub(crate) fn new(connect_ns: u64, origin: Origin) -> Self {
        Self {
            connect_ns,
            origin,
            progress: Progress::NEW,
            is_syn_sent: 0,
            is_established: 0,
            is_refused: 0,
            reason: 0,
            is_udp: 0,
        }
    }
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
