//! Counting: one number per [`Counter`] and CPU, summed by user space.

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use monitor_common::counter::Counter;

/// Written by every program, read by user space.
#[map]
static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Counter::ALL.len() as u32, 0);

/// Adds one.
#[inline(always)]
pub(crate) fn count(what: Counter) {
    // By value: LLVM merges equal constants, and a map key in shared read-only data would change with its namesakes.
    if let Some(slot) = COUNTERS.get_ptr_mut(what as u32) {
        // SAFETY: a live, aligned slot of this CPU. A run that interrupts this one between read and write may lose its
        // own addition, as in every per-CPU counter of the kernel.
        unsafe { *slot += 1 };
    }
}
