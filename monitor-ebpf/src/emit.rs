//! The only writer of the ring buffers. A full ring loses the event, so the loss is counted here or nowhere.

use core::hint::black_box;

use aya_ebpf::check_bounds_signed;
use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel, bpf_ringbuf_output};
use aya_ebpf::macros::map;
use aya_ebpf::maps::{PerCpuArray, RingBuf};
use aya_ebpf::programs::SkBuffContext;
use monitor_common::counter::Counter;
use monitor_common::event::{self, Closed, Header, Kind, Named, Numbered, Opened, Origin, Replied};
use monitor_common::limits::{
    DATAGRAM_BYTES_MAX, DOOMED_RING_BYTES, EVENTS_RING_BYTES, LEASE_LEVELS, MESSAGE_BYTES_MAX, REPLY_BYTES_MAX,
};
use monitor_common::policy::{Verdict, rule};
use monitor_common::wire::Work;

use crate::counters::count;
use crate::datagram::Datagram;
use crate::flow::Flow;
use crate::maps::{Buffer, cookie};
use crate::run::load;
use crate::segment::Segment;

/// Events in the order in which they happened, from all CPUs. Read by user space.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(EVENTS_RING_BYTES, 0);

/// Sockets to destroy. A ring of its own: whoever waits for the error does not wait for records to be made. Read by the
/// destroyer thread of user space.
#[map]
static DOOMED: RingBuf = RingBuf::with_byte_size(DOOMED_RING_BYTES, 0);

/// An event while it is put together: its length varies, so it cannot be reserved in the ring. Owned by the run that holds
/// the lease of the level.
#[map]
static NAMED: PerCpuArray<NamedBuffer> = PerCpuArray::with_max_entries(LEASE_LEVELS, 0);

/// The same.
#[map]
static DATAGRAMS: PerCpuArray<DatagramBuffer> = PerCpuArray::with_max_entries(LEASE_LEVELS, 0);

#[repr(C)]
struct DatagramBuffer {
    event: event::Datagram,
    payload: [u8; DATAGRAM_BYTES_MAX],
}

#[repr(C)]
struct NamedBuffer {
    event: Named,
    /// The name, then the hello.
    bytes: [u8; 256 + MESSAGE_BYTES_MAX],
}

/// A connection is on its way.
#[inline(always)]
pub(crate) fn attempted(flow: &Flow, cookie: u64) {
    opened(header(Kind::Attempted, flow.connect_ns, cookie), flow.origin);
}

/// A connection is established.
#[inline(always)]
pub(crate) fn established(flow: &Flow, cookie: u64) {
    opened(header(Kind::Established, flow.connect_ns, cookie), flow.origin);
}

/// A socket waits for connections.
#[inline(always)]
pub(crate) fn listening(flow: &Flow, cookie: u64) {
    opened(header(Kind::Listening, flow.connect_ns, cookie), flow.origin);
}

/// An incoming connection is established.
#[inline(always)]
pub(crate) fn accepted(origin: &Origin, cookie: u64) {
    let header = header(Kind::Accepted, 0, cookie);
    opened(Header { connect_ns: header.time_ns, ..header }, *origin);
}

#[inline(always)]
fn opened(header: Header, origin: Origin) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Opened>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(Opened { header, origin });
    slot.submit(0);
}

/// A connection came to nothing.
#[inline(always)]
pub(crate) fn failed(reason: u32, flow: &Flow, cookie: u64) {
    numbered(header(Kind::Failed, flow.connect_ns, cookie), flow.origin, reason);
}

/// What was sent can be read in two ways.
#[inline(always)]
pub(crate) fn unreadable(verdict: Verdict, flow: &Flow, cookie: u64) {
    numbered(header(Kind::Unreadable, flow.connect_ns, cookie), flow.origin, verdict as u32);
}

/// A raw socket was made.
#[inline(always)]
pub(crate) fn raw_socket(protocol: u32, origin: Origin, cookie: u64) {
    let header = header(Kind::RawSocket, 0, cookie);
    numbered(Header { connect_ns: header.time_ns, ..header }, origin, protocol);
}

#[inline(always)]
fn numbered(header: Header, origin: Origin, number: u32) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Numbered>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(Numbered { header, origin, number, _pad: 0 });
    slot.submit(0);
}

/// A connection is gone.
#[inline(always)]
pub(crate) fn closed(sent: u64, received: u64, flow: &Flow, cookie: u64) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Closed>(0) else {
        return count(Counter::RingFull);
    };
    slot.write(Closed { header: header(Kind::Closed, flow.connect_ns, cookie), sent, received });
    slot.submit(0);
}

/// The proxy answered.
#[inline(always)]
pub(crate) fn replied(ctx: &SkBuffContext, segment: &Segment, flow: &Flow) {
    count(Counter::Emitted);
    let Some(mut slot) = EVENTS.reserve::<Replied>(0) else {
        return count(Counter::RingFull);
    };
    let to = slot.as_mut_ptr();
    let len = black_box(if segment.len > REPLY_BYTES_MAX as u32 { REPLY_BYTES_MAX as i64 } else { segment.len as i64 });
    // SAFETY: `to` is a whole slot, which is written before it is handed on, all but bytes that `len` leaves out; `len` is at
    // most the length of `bytes`.
    let loaded = unsafe {
        (&raw mut (*to).header).write(header(Kind::Replied, flow.connect_ns, cookie(ctx)));
        (&raw mut (*to).socks).write(flow.progress.socks);
        (&raw mut (*to).len).write(len as u32);
        check_bounds_signed(len, 1, REPLY_BYTES_MAX as i64)
            && load(ctx, segment.payload, (&raw mut (*to).bytes).cast(), len as u32)
    };
    if !loaded {
        // SAFETY: as above. An answer that cannot be read is an empty one.
        unsafe { (&raw mut (*to).len).write(0) };
    }
    slot.submit(0);
}

/// A name was found, or a hello without one.
#[inline(always)]
pub(crate) fn named(
    work: &Work,
    hello: Option<(&Buffer, u32)>,
    level: u32,
    verdict: Verdict,
    flow: &Flow,
    cookie: u64,
) {
    count(Counter::Emitted);
    let Some(buffer) = NAMED.get_ptr_mut(level) else {
        return count(Counter::RingFull);
    };
    let name_len = black_box(work.len);
    let (bytes, hello_len) = hello.map_or((None, 0), |(bytes, len)| (Some(bytes), black_box(len)));
    // Both lengths go up to a multiple of 8, as the ring aligns its records.
    let hello_at = (name_len as i64).wrapping_add(7) & !7;
    let padded = black_box((hello_len as i64).wrapping_add(7) & !7);
    if !check_bounds_signed(hello_at, 0, 256) || !check_bounds_signed(padded, 0, MESSAGE_BYTES_MAX as i64) {
        return count(Counter::RingFull);
    }
    // SAFETY: the lease makes the slot ours; both names have 256 bytes; the bytes of the slot hold both lengths.
    let sent = unsafe {
        (*buffer).event = Named {
            header: header(Kind::Named, flow.connect_ns, cookie),
            origin: flow.origin,
            source: work.source,
            port: work.port,
            flags: flow.progress.in_tunnel | work.is_address << 1 | work.differs << 2,
            verdict: verdict as u32,
            rule: rule(work.hit),
            name_len,
            hello_len,
            service: flow.progress.service,
        };
        let to = (&raw mut (*buffer).bytes).cast::<u8>();
        bpf_probe_read_kernel(to.cast(), 256, (&raw const work.name).cast());
        if let Some(bytes) = bytes {
            bpf_probe_read_kernel(to.add(hello_at as usize).cast(), padded as u32, (&raw const *bytes).cast());
        }
        let size = (size_of::<Named>() as u64).wrapping_add(hello_at as u64).wrapping_add(padded as u64);
        bpf_ringbuf_output((&raw const EVENTS).cast_mut().cast(), buffer.cast(), size, 0)
    };
    if sent != 0 {
        count(Counter::RingFull);
    }
}

/// A datagram that user space is to read.
#[inline(always)]
pub(crate) fn datagram(ctx: &SkBuffContext, level: u32, flow: &Flow, datagram: &Datagram, is_inbound: bool) {
    count(Counter::Emitted);
    let Some(buffer) = DATAGRAMS.get_ptr_mut(level) else {
        return count(Counter::RingFull);
    };
    let max = DATAGRAM_BYTES_MAX as u32;
    let len = black_box(if datagram.len > max { max as i64 } else { datagram.len as i64 });
    if !check_bounds_signed(len, 1, DATAGRAM_BYTES_MAX as i64) {
        return count(Counter::RingFull);
    }
    // SAFETY: the lease makes the slot ours; `len` is at most the length of its payload.
    let sent = unsafe {
        (*buffer).event = event::Datagram {
            header: header(Kind::Datagram, flow.connect_ns, cookie(ctx)),
            origin: Origin { owner: flow.origin.owner, endpoints: datagram.endpoints },
            is_inbound: is_inbound as u32,
            segment_bytes: (*ctx.skb.skb).gso_size,
            len: len as u32,
            is_tcp: datagram.is_tcp as u32,
        };
        if !load(ctx, datagram.payload, (&raw mut (*buffer).payload).cast(), len as u32) {
            (*buffer).event.len = 0;
        }
        let size = (size_of::<event::Datagram>() as u64).wrapping_add(len as u64);
        bpf_ringbuf_output((&raw const EVENTS).cast_mut().cast(), buffer.cast(), size, 0)
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
    slot.write(Opened { header: header(Kind::Doomed, flow.connect_ns, cookie), origin: flow.origin });
    slot.submit(0);
}

#[inline(always)]
fn header(kind: Kind, connect_ns: u64, cookie: u64) -> Header {
    Header {
        kind: kind as u32,
        _pad: 0,
        // SAFETY: a helper without arguments.
        time_ns: unsafe { bpf_ktime_get_boot_ns() },
        cookie,
        connect_ns,
    }
}
