//! A UDP datagram, or the payload of a TCP segment, in `cgroup_skb`, where a packet starts at its network header.

use aya_ebpf::programs::SkBuffContext;
use monitor_common::event::Endpoints;

const IPPROTO_TCP: u8 = 6;
const IPPROTO_UDP: u8 = 17;
const UDP_HEADER_BYTES: u32 = 8;

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
    /// None: neither UDP nor TCP, or behind IPv6 extension headers.
    #[inline(always)]
    pub(crate) fn read(ctx: &SkBuffContext, is_inbound: bool) -> Option<Self> {
        let first = ctx.load::<u8>(0).ok()?;
        let mut ends = Endpoints::EMPTY;
        let (mut source, mut destination) = ([0; 16], [0; 16]);
        let (ip, next) = match first >> 4 {
            4 => {
                let header = ctx.load::<[u8; 20]>(0).ok()?;
                source[..4].copy_from_slice(&header[12..16]);
                destination[..4].copy_from_slice(&header[16..]);
                ends.family = 4;
                ((first & 15) as usize * 4, header[9])
            }
            6 => {
                let header = ctx.load::<[u8; 40]>(0).ok()?;
                source.copy_from_slice(&header[8..24]);
                destination.copy_from_slice(&header[24..]);
                ends.family = 6;
                (40, header[6])
            }
            _ => return None,
        };
        let ports = ctx.load::<[u8; 4]>(ip).ok()?;
        let (from, to) = (u16::from_be_bytes([ports[0], ports[1]]), u16::from_be_bytes([ports[2], ports[3]]));
        let payload = match next {
            IPPROTO_UDP => ip as u32 + UDP_HEADER_BYTES,
            IPPROTO_TCP => ip as u32 + (ctx.load::<u8>(ip + 12).ok()? >> 4) as u32 * 4,
            _ => return None,
        };
        if is_inbound {
            (ends.local, ends.remote, ends.local_port, ends.remote_port) = (destination, source, to, from);
        } else {
            (ends.local, ends.remote, ends.local_port, ends.remote_port) = (source, destination, from, to);
        }
        Some(Self { endpoints: ends, payload, len: ctx.len().checked_sub(payload)?, is_tcp: next == IPPROTO_TCP })
    }
}
