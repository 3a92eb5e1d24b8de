//! The TCP header of a packet in `cgroup_skb`.

use aya_ebpf::programs::SkBuffContext;

use crate::network::{IPPROTO_TCP, Transport};

const SYN: u8 = 2;
const RST: u8 = 4;
const URG: u8 = 32;

pub(crate) struct Segment {
    /// Sequence number of the first payload byte (a SYN takes one itself).
    pub(crate) seq: u32,
    /// Offset of the payload in the packet.
    pub(crate) payload: u32,
    /// Bytes of payload.
    pub(crate) len: u32,
    /// Whether this opens the connection.
    pub(crate) syn: bool,
    /// Whether this ends it at once.
    pub(crate) rst: bool,
    /// Whether urgent data lies in it or behind it.
    pub(crate) urgent: bool,
}

impl Segment {
    /// None: not TCP, or behind IPv6 extension headers, which the kernel's own TCP does not send.
    #[inline(always)]
    pub(crate) fn read(ctx: &SkBuffContext) -> Option<Self> {
        let transport = Transport::find(ctx)?;
        if transport.protocol != IPPROTO_TCP {
            return None;
        }
        let tcp = ctx.load::<[u8; 14]>(transport.at).ok()?;
        let payload = transport.at as u32 + (tcp[12] >> 4) as u32 * 4;
        let syn = tcp[13] & SYN != 0;
        let seq = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]).wrapping_add(syn as u32);
        let (rst, urgent) = (tcp[13] & RST != 0, tcp[13] & URG != 0);
        Some(Self { seq, payload, len: ctx.len().checked_sub(payload)?, syn, rst, urgent })
    }
}
