//! Who may use the per-CPU buffers.
//!
//! `cgroup_skb` programs run with migration off but preemption and softirqs on: a second egress run (an ACK came in and
//! releases data of another socket) can start on this CPU in the middle of the first. Each level has a counter. Adding
//! to it is one instruction (Linux 5.10 has an atomic add, but none that fetches), and of several adders at most the one
//! that reads back 1 owns the level; the others step back.

use core::arch::asm;

use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use monitor_common::limits::LEASE_LEVELS;

/// Written and read by the egress programs only.
#[map]
static LEASES: PerCpuArray<u64> = PerCpuArray::with_max_entries(LEASE_LEVELS, 0);

/// Takes a level, for [`give`] to give back on every way out.
#[inline(always)]
pub(crate) fn take() -> Option<u32> {
    for level in 0..LEASE_LEVELS {
        let slot = add(level, 1)?;
        // SAFETY: the slot that `add` has just written; volatile, since interrupting runs change it.
        if unsafe { slot.read_volatile() } == 1 {
            return Some(level);
        }
        add(level, -1);
    }
    None
}

/// Gives a level back.
#[inline(always)]
pub(crate) fn give(level: u32) {
    add(level, -1);
}

/// Atomic add without fetch. In assembly: `core` has no atomics for this target, since 5.10 has none that fetch.
#[inline(always)]
fn add(level: u32, n: i64) -> Option<*mut u64> {
    let slot = LEASES.get_ptr_mut(level)?;
    // SAFETY: a live, aligned slot of this CPU.
    unsafe { asm!("lock *(u64 *)({slot} + 0) += {n}", slot = in(reg) slot, n = in(reg) n) };
    Some(slot)
}
