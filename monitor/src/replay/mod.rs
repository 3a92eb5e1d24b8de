//! A capture as if it had been seen live: its packets become connections, what clients sent goes through the parsers and the
//! policy of the kernel programs, and the events that they would have made go down the pipeline.
//!
//! ```text
//! capture ─► link ─► (fragments) ─► tcp ─► stream ─► flow ─► events
//!              ▲          ├► datagram
//!              └─ tunnel ◄┘
//! ```
//!
//! Time is the capture's. Nothing here is blocked, attached or asked of the host. No input makes it panic, and every table
//! and buffer is bounded; whatever is skipped or given up is counted.

pub mod capture;
mod connection;
mod datagram;
mod flow;
mod fragments;
mod link;
mod programs;
mod report;
mod stream;
mod tcp;
mod tunnel;
mod verdict;

use std::net::SocketAddr;

use capture::Packet;
use connection::Segment;
use datagram::Udp;
use etherparse::{TcpSlice, UdpSlice, ip_number};
use fragments::Fragments;
use link::Datagram;
use monitor_common::policy::Orders;
use programs::Programs;
pub use report::{Counts, Reason, Report};
use tcp::Connections;

use crate::decide::Policy;

/// The state of a replay.
pub struct Replay {
    packets: u64,
    /// The latest time so far: packets of several interfaces may come out of order.
    now_ns: u64,
    fragments: Fragments,
    connections: Connections,
    programs: Programs,
}

impl Replay {
    /// With a policy, and what the programs are to do.
    pub fn new(policy: &Policy, orders: impl Into<Orders>) -> Self {
        Self {
            packets: 0,
            now_ns: 0,
            fragments: Fragments::default(),
            connections: Connections::default(),
            programs: Programs::new(verdict::table(policy, orders.into())),
        }
    }

    /// Takes the next packet; `event` gets what the kernel programs would have put into the ring.
    pub fn packet(&mut self, packet: Packet<'_>, event: impl FnMut(&[u8])) {
        self.packets += 1;
        self.now_ns = self.now_ns.max(packet.time_ns);
        if let Err(reason) = self.try_packet(packet) {
            self.programs.counts.add(reason, 1);
        }
        self.programs.events.drain(event);
    }

    /// Ends what is open when the capture does, and accounts for everything.
    pub fn finish(&mut self, event: impl FnMut(&[u8])) -> Report {
        self.fragments.finish(&mut self.programs.counts);
        self.connections.finish(self.now_ns, &mut self.programs);
        self.programs.events.drain(event);
        Report {
            packets: self.packets,
            connections: self.connections.seen(),
            names: self.programs.names,
            counts: self.programs.counts,
        }
    }

    /// The latest time so far: nanoseconds since 1970.
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    fn try_packet(&mut self, packet: Packet<'_>) -> Result<(), Reason> {
        let link_type = packet.link_type.ok_or(Reason::UnknownInterface)?;
        self.datagram(packet.time_ns, link::read(link_type, packet.bytes)?, 0)
    }

    /// Takes an IP datagram, or a part of one, inside of so many tunnels.
    fn datagram(&mut self, time_ns: u64, datagram: Datagram<'_>, tunnels: usize) -> Result<(), Reason> {
        let Some(place) = datagram.fragment else {
            return self.transport(time_ns, &datagram, tunnels);
        };
        match self.fragments.add(time_ns, &datagram, place, &mut self.programs.counts) {
            Some(whole) => {
                let whole = link::pass_extensions(Datagram { fragment: None, payload: &whole, ..datagram })?;
                // A fragment within a fragment is nothing that anybody sends.
                if whole.fragment.is_some() { Err(Reason::Damaged) } else { self.transport(time_ns, &whole, tunnels) }
            }
            None => Ok(()),
        }
    }

    fn transport(&mut self, time_ns: u64, datagram: &Datagram<'_>, tunnels: usize) -> Result<(), Reason> {
        if let Some(inner) = tunnel::in_ip(datagram.protocol, datagram.payload) {
            return self.inner(time_ns, inner, tunnels);
        }
        let damage = if datagram.cut == 0 { Reason::Damaged } else { Reason::Cut };
        match datagram.protocol {
            ip_number::TCP => {
                let tcp = TcpSlice::from_slice(datagram.payload).map_err(|_| damage)?;
                let segment = Segment {
                    time_ns,
                    from: SocketAddr::new(datagram.from, tcp.source_port()),
                    to: SocketAddr::new(datagram.to, tcp.destination_port()),
                    seq: tcp.sequence_number(),
                    ack: tcp.ack().then(|| tcp.acknowledgment_number()),
                    syn: tcp.syn(),
                    fin: tcp.fin(),
                    rst: tcp.rst(),
                    urgent: tcp.urg(),
                    payload: tcp.payload(),
                    cut: u32::try_from(datagram.cut).unwrap_or(u32::MAX),
                };
                self.connections.take(&segment, &mut self.programs);
            }
            ip_number::UDP => {
                let udp = UdpSlice::from_slice_lax(datagram.payload).map_err(|_| damage)?;
                let from = SocketAddr::new(datagram.from, udp.source_port());
                let to = SocketAddr::new(datagram.to, udp.destination_port());
                if let Some(inner) = tunnel::in_udp(to.port(), udp.payload()) {
                    return self.inner(time_ns, inner, tunnels);
                }
                datagram::take(&Udp { time_ns, from, to, payload: udp.payload() }, &mut self.programs);
            }
            _ => return Err(Reason::Transport),
        }
        Ok(())
    }

    fn inner(&mut self, time_ns: u64, inner: Result<Datagram<'_>, Reason>, tunnels: usize) -> Result<(), Reason> {
        if tunnels == tunnel::TUNNELS_MAX { Err(Reason::Tunnel) } else { self.datagram(time_ns, inner?, tunnels + 1) }
    }
}

#[cfg(test)]
mod tests;
