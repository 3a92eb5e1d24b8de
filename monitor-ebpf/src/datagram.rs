//! A UDP datagram, or the payload of a TCP segment, in `cgroup_skb`.

use aya_ebpf::programs::SkBuffContext;
use monitor_common::event::Endpoints;

use crate::network::{IPPROTO_TCP, IPPROTO_UDP, Transport};

/// Offset of the payload behind the start of the UDP header.
pub(crate) const UDP_HEADER_BYTES: usize = 8;

pub(crate) struct Datagram {
    /// The ends, seen from this host.
    pub(crate) endpoints: Endpoints,
    /// Offset of the payload in the packet.
    pub(crate) payload: u32,
    /// Bytes of payload.
    pub(crate) len: u32,
    /// Whether it is TCP.
    pub(crate) is_tcp: bool,
}

impl Datagram {
    /// None: neither UDP nor TCP.
    #[inline(always)]
    pub(crate) fn read(ctx: &SkBuffContext, transport: &Transport, is_inbound: bool) -> Option<Self> {
        let at = transport.at;
        let mut ends = Endpoints { family: transport.version as u32, ..Endpoints::EMPTY };
        let (mut source, mut destination) = ([0; 16], [0; 16]);
        if transport.version == 4 {
            let both = ctx.load::<[u8; 8]>(12).ok()?;
            source[..4].copy_from_slice(&both[..4]);
            destination[..4].copy_from_slice(&both[4..]);
        } else {
            source = ctx.load(8).ok()?;
            destination = ctx.load(24).ok()?;
        }
        let ports = ctx.load::<[u8; 4]>(at).ok()?;
        let (from, to) = (u16::from_be_bytes([ports[0], ports[1]]), u16::from_be_bytes([ports[2], ports[3]]));
        let payload = match transport.protocol {
            IPPROTO_UDP => at + UDP_HEADER_BYTES,
            IPPROTO_TCP => at + (ctx.load::<u8>(at + 12).ok()? >> 4) as usize * 4,
            _ => return None,
        } as u32;
        if is_inbound {
            (ends.local, ends.remote, ends.local_port, ends.remote_port) = (destination, source, to, from);
        } else {
            (ends.local, ends.remote, ends.local_port, ends.remote_port) = (source, destination, from, to);
        }
        let is_tcp = transport.protocol == IPPROTO_TCP;
        Some(Self { endpoints: ends, payload, len: ctx.len().checked_sub(payload)?, is_tcp })
    }
}
