//! The only writer of the ring buffers. A full ring loses the event, so the loss is counted here or nowhere.

use core::hint::black_box;

use aya_ebpf::check_bounds_signed;
use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel, bpf_ringbuf_output};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{PerCpuArray, RingBuf};
use monitor_common::counter::Counter;
use monitor_common::event::{Header, Kind, Named, Opened, Replied};
use monitor_common::limits::{DOOMED_RING_BYTES, EVENTS_RING_BYTES, LEASE_LEVELS};
use monitor_common::policy::Verdict;
use monitor_common::wire::Work;

use crate::counters::count;
use crate::flow::Flow;

/// Events in the order in which they happened, from all CPUs. Read by user space.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(EVENTS_RING_BYTES, 0);

/// Sockets to destroy. A ring of its own: whoever waits for the error does not wait for records to be made. Read by the
/// destroyer thread of user space.
#[map]
static DOOMED: RingBuf = RingBuf::with_byte_size(DOOMED_RING_BYTES, 0);

/// A name's event while it is put together: its length varies, so it cannot be reserved in the ring. Owned by the run that
/// holds the lease of the level.
#[map]
static NAMED: PerCpuArray<NamedBuffer> = PerCpuArray::with_max_entries(LEASE_LEVELS, 0);

#[repr(C)]
struct NamedBuffer {
    event: Named,
    name: [u8; 256],
}

/// A connection is established.
#[inline(always)]
pub(crate) fn established(flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Opened>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(Opened { header: header(Kind::Established, flow, cookie), origin: flow.origin });
    slot.submit(0);
}

/// A connection is gone.
#[inline(always)]
pub(crate) fn closed(flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Header>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(header(Kind::Closed, flow, cookie));
    slot.submit(0);
}

/// The proxy answered.
#[inline(always)]
pub(crate) fn replied(status: u32, flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Replied>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(Replied { header: header(Kind::Replied, flow, cookie), status, _pad: 0 });
    slot.submit(0);
}

/// A name was found.
#[inline(always)]
pub(crate) fn named(work: &Work, level: u32, verdict: Verdict, rule: u32, flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(buffer) = NAMED.get_ptr_mut(level) else {
        return count(Counter::RingFull);
    };
    let name_len = black_box(work.len);
    let size = (size_of::<Named>() as i64).wrapping_add((name_len as i64).wrapping_add(7) & !7);
    if !check_bounds_signed(size, size_of::<Named>() as i64, size_of::<NamedBuffer>() as i64) {
        return count(Counter::RingFull);
    }
    // SAFETY: the lease makes the slot ours; both names have 256 bytes; `size` is within the slot.
    let sent = unsafe {
        (*buffer).event = Named {
            header: header(Kind::Named, flow, cookie),
            origin: flow.origin,
            source: work.source,
            port: work.port,
            in_tunnel: flow.in_tunnel,
            verdict: verdict as u32,
            rule,
            name_len,
        };
        bpf_probe_read_kernel((&raw mut (*buffer).name).cast(), 256, (&raw const work.name).cast());
        bpf_ringbuf_output((&raw const EVENTS).cast_mut().cast(), buffer.cast(), size as u64, 0)
    };
    if sent != 0 {
        count(Counter::RingFull);
    }
}

/// A socket is to be destroyed.
#[inline(always)]
pub(crate) fn doomed(flow: &Flow, cookie: u64) {
    let Some(mut slot) = DOOMED.reserve::<Opened>(0) else {
        return count(Counter::DoomedRingFull);
    };
    slot.write(Opened { header: header(Kind::Doomed, flow, cookie), origin: flow.origin });
    slot.submit(0);
}

#[inline(always)]
fn header(kind: Kind, flow: &Flow, cookie: u64) -> Header {
    Header {
        kind: kind as u32,
        _pad: 0,
        // SAFETY: a helper without arguments.
        time_ns: unsafe { bpf_ktime_get_boot_ns() },
        cookie,
        connect_ns: flow.connect_ns,
    }
}
