//! The buffers that messages are put together in, the policy, and the jump table.

use aya_ebpf::EbpfContext;
use aya_ebpf::bindings::{BPF_F_INNER_MAP, BPF_F_MMAPABLE, BPF_NOEXIST};
use aya_ebpf::btf_maps::{Array, ArrayOfMaps};
use aya_ebpf::helpers::generated::bpf_get_socket_cookie;
use aya_ebpf::macros::{btf_map, map};
use aya_ebpf::maps::{HashMap, LruHashMap, PerCpuArray, ProgramArray};
use aya_ebpf::programs::SkBuffContext;
use monitor_common::limits::{BUFFER_BYTES, LEASE_LEVELS, QUIC_FLOWS_MAX, REASSEMBLIES_MAX};
use monitor_common::policy::{Bucket, QuicFlow, quic_flow};
use monitor_common::programs::Callee;
use monitor_common::wire::Work;

pub(crate) type Buffer = [u8; BUFFER_BYTES];

/// Inner maps differ in size, so INNER_MAP (Linux 5.10); user space fills them through mmap, so MMAPABLE (5.5).
const POLICY_FLAGS: usize = BPF_F_INNER_MAP as usize | BPF_F_MMAPABLE as usize;

/// The policy: one pointer, swapped by user space, to a table whose element 0 is its head. Read by `decide`.
#[btf_map]
static POLICY: ArrayOfMaps<Array<Bucket, 1, POLICY_FLAGS>, 1> = ArrayOfMaps::new();

/// Programs by their [`Callee`] number. Written by the loader.
#[map]
pub(crate) static JUMP: ProgramArray = ProgramArray::with_max_entries(Callee::ALL.len() as u32, 0);

/// Messages in several pieces, by socket cookie; an entry lives only while one is being put together. Written and read by
/// the egress programs; removed on verdict, give-up and close.
///
/// Not a second socket storage: Linux 7.3 makes none above 8 KiB (it fails at run time, not at load), and before 6.9 it
/// would take 17 of the 20 KiB that a socket may have (net.core.optmem_max). Preallocated, so the memory is bounded.
#[map]
static PIECES: HashMap<u64, Buffer> = HashMap::with_max_entries(REASSEMBLIES_MAX, 0);

/// Verdicts on QUIC connections, as in `policy::quic_flow`. Marked as awaited by egress, decided by user space.
#[map]
static QUIC: LruHashMap<[u64; 5], u32> = LruHashMap::with_max_entries(QUIC_FLOWS_MAX, 0);

/// The first packet of a message. Owned by the run that holds the lease of the level.
#[map]
static SCRATCH: PerCpuArray<Buffer> = PerCpuArray::with_max_entries(LEASE_LEVELS, 0);

/// A hello without its record headers. Owned by the run that holds the lease of the level.
#[map]
static UNRECORDED: PerCpuArray<Buffer> = PerCpuArray::with_max_entries(LEASE_LEVELS, 0);

/// What the programs of one run hand on. Owned by the run that holds the lease of the level.
#[map]
static WORK: PerCpuArray<Work> = PerCpuArray::with_max_entries(LEASE_LEVELS, 0);

/// One element of the policy table; 0 is the head. A number beyond the table gives none.
#[inline(always)]
pub(crate) fn policy(element: u32) -> Option<&'static Bucket> {
    POLICY.get(0)?.get(element)
}

#[inline(always)]
pub(crate) fn scratch(level: u32) -> Option<&'static mut Buffer> {
    // SAFETY: a live slot of this CPU that the lease makes ours.
    unsafe { SCRATCH.get_ptr_mut(level)?.as_mut() }
}

#[inline(always)]
pub(crate) fn unrecorded(level: u32) -> Option<&'static mut Buffer> {
    // SAFETY: a live slot of this CPU that the lease makes ours.
    unsafe { UNRECORDED.get_ptr_mut(level)?.as_mut() }
}

#[inline(always)]
pub(crate) fn work(level: u32) -> Option<&'static mut Work> {
    // SAFETY: a live slot of this CPU that the lease makes ours.
    unsafe { WORK.get_ptr_mut(level)?.as_mut() }
}

/// The pieces that a socket has sent so far.
#[inline(always)]
pub(crate) fn pieces(ctx: &SkBuffContext) -> Option<&'static mut Buffer> {
    // SAFETY: only runs of the same socket touch the entry, and the socket lock keeps them apart.
    unsafe { PIECES.get_ptr_mut(cookie(ctx))?.as_mut() }
}

/// Starts the collection with what lies in a buffer. False: the map is full.
#[inline(always)]
pub(crate) fn keep_pieces(ctx: &SkBuffContext, bytes: &Buffer) -> bool {
    PIECES.insert(cookie(ctx), bytes, 0).is_ok()
}

/// Ends the collection of a socket: any context that has one will do.
#[inline(always)]
pub(crate) fn drop_pieces(ctx: &impl EbpfContext) {
    // An entry that is not there is what was wanted.
    let _ = PIECES.remove(cookie(ctx));
}

/// The verdict on a QUIC connection; 0 when there is none.
#[inline(always)]
pub(crate) fn quic_verdict(flow: &QuicFlow) -> u32 {
    // SAFETY: user space replaces values whole, and a word is read at once.
    unsafe { QUIC.get(flow.words()) }.copied().unwrap_or(0)
}

/// Marks a QUIC connection as one that user space is to decide about.
#[inline(always)]
pub(crate) fn await_quic_verdict(flow: &QuicFlow) {
    // It fails when user space has decided at the same time, which is what was wanted.
    let _ = QUIC.insert(flow.words(), quic_flow::AWAITED, BPF_NOEXIST as u64);
}

/// The cookie of a context's socket.
#[inline(always)]
pub(crate) fn cookie(ctx: &impl EbpfContext) -> u64 {
    // SAFETY: the helper takes the context of every program type here.
    unsafe { bpf_get_socket_cookie(ctx.as_ptr()) }
}
