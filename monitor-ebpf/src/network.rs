//! The network header of a packet in `cgroup_skb`, where a packet starts there.

use aya_ebpf::programs::SkBuffContext;

pub(crate) const IPPROTO_TCP: u32 = 6;
pub(crate) const IPPROTO_UDP: u32 = 17;
const IPV6_HEADER_BYTES: usize = 40;

/// Where the transport header is.
pub(crate) struct Transport {
    /// 4 or 6.
    pub(crate) version: u8,
    /// Its offset in the packet.
    pub(crate) at: usize,
    /// Its protocol number.
    pub(crate) protocol: u32,
}

impl Transport {
    /// None: neither version of IP. Behind IPv6 extension headers, which the kernel's own TCP and UDP do not send, the
    /// protocol is that of the first.
    #[inline(always)]
    pub(crate) fn find(ctx: &SkBuffContext) -> Option<Self> {
        let head = ctx.load::<[u8; 10]>(0).ok()?;
        let version = head[0] >> 4;
        let (at, protocol) = match version {
            4 => ((head[0] & 15) as usize * 4, head[9]),
            6 => (IPV6_HEADER_BYTES, head[6]),
            _ => return None,
        };
        Some(Self { version, at, protocol: protocol as u32 })
    }
}
