//! The only writer of the ring buffers. A full ring loses the event, so the loss is counted here or nowhere.

use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel};
use aya_ebpf::macros::map;
use aya_ebpf::maps::RingBuf;
use monitor_common::counter::Counter;
use monitor_common::event::{Header, Kind, Named, Replied};
use monitor_common::limits::{DOOMED_RING_BYTES, EVENTS_RING_BYTES};
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

/// A connection is established or closed.
#[inline(always)]
pub(crate) fn lifecycle(kind: Kind, flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Header>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(header(kind, flow, cookie));
    slot.submit(0);
}

/// The proxy answered.
#[inline(always)]
pub(crate) fn replied(status: u32, flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Replied>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(Replied {
        header: header(Kind::Replied, flow, cookie),
        status,
        _pad: 0,
    });
    slot.submit(0);
}

/// A name was found.
#[inline(always)]
pub(crate) fn named(work: &Work, verdict: Verdict, rule: u32, flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Named>(0) else {
        return count(Counter::RingFull);
    };
    let event = slot.as_mut_ptr();
    // SAFETY: the slot is ours until submit; every field is written; both names have 256 bytes.
    unsafe {
        (*event).header = header(Kind::Named, flow, cookie);
        (*event).source = work.source;
        (*event).port = work.port;
        (*event).in_tunnel = flow.in_tunnel;
        (*event).verdict = verdict as u32;
        (*event).rule = rule;
        (*event).name_len = work.len;
        bpf_probe_read_kernel((&raw mut (*event).name).cast(), 256, (&raw const work.name).cast());
    }
    slot.submit(0);
}

/// A socket is to be destroyed.
#[inline(always)]
pub(crate) fn doomed(flow: &Flow, cookie: u64) {
    let Some(mut slot) = DOOMED.reserve::<Header>(0) else {
        return count(Counter::DoomedRingFull);
    };
    slot.write(header(Kind::Doomed, flow, cookie));
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
        owner: flow.owner,
        endpoints: flow.endpoints,
    }
}
