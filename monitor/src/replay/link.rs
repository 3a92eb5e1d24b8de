//! From a captured packet to its IP layer: link headers, VLAN tags, PPP, MPLS, IP extension headers.
//!
//! Headers are read one by one, each after its length was checked. The walk over extension headers is here: etherparse's
//! own iterator reads beyond the bytes of a packet whose extension headers are cut short (0.21), and takes the payload of a
//! later fragment for headers.

use std::net::IpAddr;

use etherparse::{
    EtherType, Ethernet2HeaderSlice, IpFragOffset, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    SingleVlanHeaderSlice, ether_type, ip_number,
};

use super::report::Reason;

/// The LINKTYPE_ values that are read (<https://www.tcpdump.org/linktypes.html>).
const NULL: i32 = 0;
pub(super) const ETHERNET: i32 = 1;
/// Raw IP as some systems number it (DLT_RAW).
const RAW_BSD: i32 = 12;
const RAW_OPENBSD: i32 = 14;
const PPP: i32 = 9;
const PPP_HDLC: i32 = 50;
const RAW: i32 = 101;
const LOOP: i32 = 108;
const LINUX_COOKED: i32 = 113;
const IPV4: i32 = 228;
const IPV6: i32 = 229;
const LINUX_COOKED_2: i32 = 276;

const ETHERNET_HEADER_BYTES: usize = 14;
const VLAN_TAG_BYTES: usize = 4;
const LOOPBACK_HEADER_BYTES: usize = 4;
const COOKED_HEADER_BYTES: usize = 16;
/// The protocol is in the last two bytes of a cooked header.
const COOKED_PROTOCOL_AT: usize = 14;
const COOKED_2_HEADER_BYTES: usize = 20;

/// VLAN tags of one frame that are passed over: 802.1ad has two. Beyond it: [`NotIp`](Reason::NotIp).
const VLAN_TAGS_MAX: usize = 4;
/// Extension headers that are passed over: RFC 8200 section 4.1 has seven. Beyond it: [`Damaged`](Reason::Damaged).
const EXTENSION_HEADERS_MAX: usize = 16;

/// Types of Ethernet frames: MPLS (RFC 3032 section 5), for one and for several receivers.
const MPLS: EtherType = EtherType(0x8847);
const MPLS_MULTICAST: EtherType = EtherType(0x8848);
/// The same: a session of PPP (RFC 2516 section 4).
const PPPOE_SESSION: EtherType = EtherType(0x8864);
/// Bytes of PPPoE in front of PPP.
const PPPOE_HEADER_BYTES: usize = 6;
/// A label of MPLS; the lowest bit of its third byte says that it is the last one.
const MPLS_LABEL_BYTES: usize = 4;
/// Labels that are passed over: networks use two or three. Beyond it: [`Tunnel`](Reason::Tunnel).
const MPLS_LABELS_MAX: usize = 8;
/// What PPP carries (RFC 1332 section 3, RFC 5072 section 4).
const PPP_IPV4: u16 = 0x21;
const PPP_IPV6: u16 = 0x57;

/// The IP layer of one packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    /// Who sent it.
    pub(super) from: IpAddr,
    /// Whom it is for.
    pub(super) to: IpAddr,
    /// What it carries.
    pub(super) protocol: IpNumber,
    /// Where it belongs, when it is a part of a datagram.
    pub(super) fragment: Option<Fragment>,
    /// What was kept of what it carries.
    pub(super) payload: &'a [u8],
    /// How many bytes of it the capture cut off.
    pub(super) cut: usize,
}

/// The place of a fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    /// Which datagram, among those between the same ends.
    pub(super) identification: u32,
    /// Where in the datagram.
    pub(super) offset: IpFragOffset,
    /// Whether this is not the last one.
    pub(super) more: bool,
}

/// Finds the IP layer of a packet.
///
/// # Errors
/// Why there is none.
pub(super) fn read(link_type: i32, bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    match link_type {
        ETHERNET => {
            let kind = Ethernet2HeaderSlice::from_slice(bytes).map_err(|_| Reason::Damaged)?.ether_type();
            of_type(kind, behind(bytes, ETHERNET_HEADER_BYTES)?)
        }
        LINUX_COOKED => of_type(type_at(bytes, COOKED_PROTOCOL_AT)?, behind(bytes, COOKED_HEADER_BYTES)?),
        LINUX_COOKED_2 => of_type(type_at(bytes, 0)?, behind(bytes, COOKED_2_HEADER_BYTES)?),
        // The address family in front is the host's own number for it; IP tells its version itself.
        NULL | LOOP => of_ip(behind(bytes, LOOPBACK_HEADER_BYTES)?),
        PPP | PPP_HDLC => of_ppp(bytes),
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 => of_ip(bytes),
        _ => Err(Reason::LinkType),
    }
}

/// Passes over the extension headers of a datagram that is whole, or was put together.
///
/// # Errors
/// A header is not all there.
pub(super) fn pass_extensions(mut datagram: Datagram<'_>) -> Result<Datagram<'_>, Reason> {
    let missing = if datagram.cut == 0 { Reason::Damaged } else { Reason::Cut };
    for _ in 0..EXTENSION_HEADERS_MAX {
        let header = datagram.payload;
        let len = match datagram.protocol {
            ip_number::IPV6_HOP_BY_HOP | ip_number::IPV6_ROUTE | ip_number::IPV6_DEST_OPTIONS => {
                8 * (usize::from(*header.get(1).ok_or(missing)?) + 1)
            }
            ip_number::AUTH => 4 * (usize::from(*header.get(1).ok_or(missing)?) + 2),
            ip_number::IPV6_FRAG => {
                let part = Ipv6FragmentHeaderSlice::from_slice(header).map_err(|_| missing)?;
                if part.is_fragmenting_payload() {
                    datagram.fragment = Some(Fragment {
                        identification: part.identification(),
                        offset: part.fragment_offset(),
                        more: part.more_fragments(),
                    });
                }
                part.slice().len()
            }
            _ => return Ok(datagram),
        };
        datagram.payload = header.get(len..).ok_or(missing)?;
        datagram.protocol = IpNumber(*header.first().ok_or(missing)?);
        if datagram.fragment.is_some() {
            // What follows may be the middle of something: it is looked at when all is there.
            return Ok(datagram);
        }
    }
    Err(Reason::Damaged)
}

/// What follows a header.
///
/// # Errors
/// The header is not all there.
pub(super) fn behind(bytes: &[u8], header_bytes: usize) -> Result<&[u8], Reason> {
    bytes.get(header_bytes..).ok_or(Reason::Damaged)
}

/// The type of Ethernet frames at a place.
///
/// # Errors
/// It is not there.
pub(super) fn type_at(bytes: &[u8], at: usize) -> Result<EtherType, Reason> {
    let two = bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).ok_or(Reason::Damaged)?;
    Ok(EtherType(u16::from_be_bytes(two)))
}

/// What is behind a header that gives the type of Ethernet frames.
///
/// # Errors
/// Why it is no IP.
pub(super) fn of_type(mut kind: EtherType, mut bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    for _ in 0..=VLAN_TAGS_MAX {
        match kind {
            ether_type::IPV4 => return of_v4(bytes),
            ether_type::IPV6 => return of_v6(bytes),
            ether_type::VLAN_TAGGED_FRAME | ether_type::PROVIDER_BRIDGING | ether_type::VLAN_DOUBLE_TAGGED_FRAME => {
                kind = SingleVlanHeaderSlice::from_slice(bytes).map_err(|_| Reason::Damaged)?.ether_type();
                bytes = behind(bytes, VLAN_TAG_BYTES)?;
            }
            MPLS | MPLS_MULTICAST => return of_mpls(bytes),
            PPPOE_SESSION => return of_ppp(behind(bytes, PPPOE_HEADER_BYTES)?),
            _ => return Err(Reason::NotIp),
        }
    }
    Err(Reason::NotIp)
}

/// What PPP carries, with or without its address and control bytes (RFC 1661 section 2, RFC 1662 section 3.1).
///
/// # Errors
/// Why it is no IP.
pub(super) fn of_ppp(bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    let bytes = bytes.strip_prefix(&[0xff, 3]).unwrap_or(bytes);
    // A protocol below 256 may be sent in one byte, which then is odd (RFC 1661 section 6.5).
    let (protocol, rest) = match bytes {
        [short, rest @ ..] if short & 1 != 0 => (u16::from(*short), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return Err(Reason::Damaged),
    };
    match protocol {
        PPP_IPV4 => of_v4(rest),
        PPP_IPV6 => of_v6(rest),
        _ => Err(Reason::NotIp),
    }
}

fn of_mpls(mut bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    for _ in 0..MPLS_LABELS_MAX {
        let is_last = bytes.get(2).ok_or(Reason::Damaged)? & 1 != 0;
        bytes = behind(bytes, MPLS_LABEL_BYTES)?;
        if is_last {
            // Nothing says what is inside; what looks like IP is IP.
            return of_ip(bytes).map_err(|_| Reason::Tunnel);
        }
    }
    Err(Reason::Tunnel)
}

/// IP of the version that it says itself.
///
/// # Errors
/// It is neither, or damaged.
pub(super) fn of_ip(bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    match bytes.first().ok_or(Reason::Damaged)? >> 4 {
        4 => of_v4(bytes),
        6 => of_v6(bytes),
        _ => Err(Reason::NotIp),
    }
}

/// IPv4.
///
/// # Errors
/// It is damaged.
pub(super) fn of_v4(bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|_| Reason::Damaged)?;
    let rest = behind(bytes, header.slice().len())?;
    // A packet that is captured before the network card cuts it to size has no length yet.
    let len = usize::from(header.total_len()).checked_sub(header.slice().len()).unwrap_or(rest.len());
    let datagram = Datagram {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        protocol: header.protocol(),
        fragment: header.is_fragmenting_payload().then(|| Fragment {
            identification: header.identification().into(),
            offset: header.fragments_offset(),
            more: header.more_fragments(),
        }),
        payload: rest.get(..len).unwrap_or(rest),
        cut: len.saturating_sub(rest.len()),
    };
    if datagram.fragment.is_some() { Ok(datagram) } else { pass_extensions(datagram) }
}

/// IPv6.
///
/// # Errors
/// It is damaged.
pub(super) fn of_v6(bytes: &[u8]) -> Result<Datagram<'_>, Reason> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| Reason::Damaged)?;
    let rest = behind(bytes, header.slice().len())?;
    // Zero is a jumbogram (RFC 2675), or a packet as above.
    let len = match usize::from(header.payload_length()) {
        0 => rest.len(),
        len => len,
    };
    pass_extensions(Datagram {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        protocol: header.next_header(),
        fragment: None,
        payload: rest.get(..len).unwrap_or(rest),
        cut: len.saturating_sub(rest.len()),
    })
}
