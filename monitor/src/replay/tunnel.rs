//! IP that is carried in IP, in GRE or in UDP: the sockets of both ends are inside, and so are the names.
//!
//! The daemon sees packets before they go into a tunnel. What a tunnel encrypts stays closed, and so does L2TP.

use etherparse::{EtherType, IpNumber, ip_number};

use super::link::{self, Datagram};
use super::report::Reason;

/// Tunnels in one another that are opened: nobody needs more than two or three. Beyond it: [`Tunnel`](Reason::Tunnel).
pub(super) const TUNNELS_MAX: usize = 4;

/// UDP ports: GTP-U (3GPP TS 29.281 section 4.4.2), VXLAN (RFC 7348 section 5), also as Linux first numbered it, Geneve
/// (RFC 8926 section 3.3), L2TP (RFC 2661 section 8.1).
const GTP_U: u16 = 2152;
const VXLAN: u16 = 4789;
const VXLAN_OF_LINUX: u16 = 8472;
const GENEVE: u16 = 6081;
const L2TP: u16 = 1701;

/// Types of Ethernet frames: a whole frame (RFC 1701), and PPP in the GRE of PPTP (RFC 2637 section 4.1).
const TRANSPARENT_BRIDGING: EtherType = EtherType(0x6558);
const PPP: EtherType = EtherType(0x880b);

/// Flags of GRE (RFC 2890 section 2, RFC 2637 section 4.1).
const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

/// A packet of GTP-U that carries one of a user.
const G_PDU: u8 = 255;
/// Extension headers of GTP-U that are passed over. Beyond it: [`Damaged`](Reason::Damaged).
const GTP_EXTENSIONS_MAX: usize = 8;

/// What is in the payload of an IP datagram, when its protocol is a tunnel's.
pub(super) fn in_ip(protocol: IpNumber, payload: &[u8]) -> Option<Result<Datagram<'_>, Reason>> {
    match protocol {
        ip_number::IPV4 => Some(link::of_v4(payload)),
        ip_number::IPV6 => Some(link::of_v6(payload)),
        ip_number::GRE => Some(gre(payload)),
        _ => None,
    }
}

/// What is in the payload of a UDP datagram, when its port is a tunnel's.
pub(super) fn in_udp(port: u16, payload: &[u8]) -> Option<Result<Datagram<'_>, Reason>> {
    match port {
        GTP_U => Some(gtp(payload)),
        VXLAN | VXLAN_OF_LINUX => Some(link::behind(payload, 8).and_then(|frame| link::read(link::ETHERNET, frame))),
        GENEVE => Some(geneve(payload)),
        L2TP => Some(Err(Reason::Tunnel)),
        _ => None,
    }
}

fn gre(bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    let EtherType(flags) = link::type_at(bytes, 0)?;
    let kind = link::type_at(bytes, 2)?;
    let count = |flag: u16| if flags & flag == 0 { 0 } else { 4 };
    match (flags & VERSION, flags & ROUTING) {
        (0, 0) => of_type(kind, link::behind(bytes, 4 + count(CHECKSUM) + count(KEY) + count(SEQUENCE))?),
        (1, 0) if kind == PPP => link::of_ppp(link::behind(bytes, 8 + count(SEQUENCE) + count(ACKNOWLEDGEMENT))?),
        _ => Err(Reason::Tunnel),
    }
}

fn geneve(bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    let options = 4 * usize::from(bytes.first().ok_or(Reason::Damaged)? & 0x3f);
    of_type(link::type_at(bytes, 2)?, link::behind(bytes, 8 + options)?)
}

fn of_type(kind: EtherType, bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    if kind == TRANSPARENT_BRIDGING { link::read(link::ETHERNET, bytes) } else { link::of_type(kind, bytes) }
}

/// 3GPP TS 29.281 section 5.
fn gtp(bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    let [flags, kind, ..] = *bytes else {
        return Err(Reason::Damaged);
    };
    // Version 1, and not the GTP of billing.
    if flags & 0xf0 != 0x30 || kind != G_PDU {
        return Err(Reason::Tunnel);
    }
    if flags & 7 == 0 {
        return link::of_ip(link::behind(bytes, 8)?);
    }
    let mut next = *bytes.get(11).ok_or(Reason::Damaged)?;
    let mut rest = link::behind(bytes, 12)?;
    for _ in 0..GTP_EXTENSIONS_MAX {
        if flags & 4 == 0 || next == 0 {
            return link::of_ip(rest);
        }
        let len = 4 * usize::from(*rest.first().filter(|words| **words != 0).ok_or(Reason::Damaged)?);
        next = *rest.get(len - 1).ok_or(Reason::Damaged)?;
        rest = link::behind(rest, len)?;
    }
    Err(Reason::Damaged)
}
