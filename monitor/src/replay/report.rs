//! What became of a capture's packets, connections and messages: the line at the end.

use std::fmt;

/// Why a packet was not looked into, or why what was sent on a connection gave no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Reason {
    /// Its link type is none that is read.
    LinkType,
    /// Its interface is not described in the file.
    UnknownInterface,
    /// ARP, LLDP and whatever else is not IP.
    NotIp,
    /// A header is cut short or contradicts itself.
    Damaged,
    /// The capture kept only the beginning of a fragment, or nothing of what matters.
    Cut,
    /// In a tunnel that is not opened.
    Tunnel,
    /// Neither TCP nor UDP.
    Transport,
    /// UDP.
    Datagram,
    /// A fragment that overlaps another one, and the rest of its datagram.
    Overlap,
    /// Fragments of a datagram that never became complete.
    Incomplete,
    /// Connections on which a message was sent that is not read, or carries no name, or is too long.
    Opaque,
    /// A message for which there was no room.
    NoRoomForPieces,
    /// Answers of proxies that the capture lacks.
    MissedReply,
    /// Places where bytes of a connection are missing.
    Gap,
    /// Connections with urgent data among what would have been read.
    UrgentData,
    /// Connections that were forgotten since there were too many.
    Forgotten,
}

/// Every reason, what it counts, and whether that is packets.
const REASONS: [(Reason, Unit, &str); 16] = [
    (Reason::LinkType, Unit::Packet, "of a link type that is not read"),
    (Reason::UnknownInterface, Unit::Packet, "of an interface that the file does not describe"),
    (Reason::NotIp, Unit::Packet, "not IP"),
    (Reason::Damaged, Unit::Packet, "damaged"),
    (Reason::Cut, Unit::Packet, "cut short by the capture"),
    (Reason::Tunnel, Unit::Packet, "in a tunnel that is not opened"),
    (Reason::Transport, Unit::Packet, "neither TCP nor UDP"),
    (Reason::Datagram, Unit::Packet, "UDP"),
    (Reason::Overlap, Unit::Packet, "overlapping fragments"),
    (Reason::Incomplete, Unit::Packet, "fragments of incomplete datagrams"),
    (Reason::Opaque, Unit::Other, "connections that carry no name that is read"),
    (Reason::NoRoomForPieces, Unit::Other, "incomplete messages too many"),
    (Reason::MissedReply, Unit::Other, "answers of proxies missing in the capture"),
    (Reason::Gap, Unit::Other, "gaps in what connections sent"),
    (Reason::UrgentData, Unit::Other, "connections with urgent data among their first bytes"),
    (Reason::Forgotten, Unit::Other, "connections forgotten, since too many were open"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Packet,
    Other,
}

/// How often each reason applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    counts: [u64; REASONS.len()],
}

impl Counts {
    /// Counts something.
    pub fn add(&mut self, reason: Reason, count: u64) {
        if let Some(place) = REASONS.iter().position(|(each, ..)| *each == reason)
            && let Some(slot) = self.counts.get_mut(place)
        {
            *slot += count;
        }
    }

    /// How often a reason applied.
    pub fn of(&self, reason: Reason) -> u64 {
        self.each().find(|((each, ..), _)| *each == reason).map_or(0, |(_, count)| count)
    }

    fn each(&self) -> impl Iterator<Item = ((Reason, Unit, &'static str), u64)> {
        REASONS.into_iter().zip(self.counts)
    }
}

/// The whole account of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Packets in the file, as far as it could be read.
    pub packets: u64,
    /// TCP connections.
    pub connections: u64,
    /// Names that clients sent.
    pub names: u64,
    /// Why the others gave none.
    pub counts: Counts,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packets, connections, names, counts } = self;
        let skipped: u64 =
            counts.each().filter(|((_, unit, _), _)| *unit == Unit::Packet).map(|(_, count)| count).sum();
        write!(f, "packets {packets}, connections {connections}, names {names}, packets skipped {skipped}")?;
        for ((_, _, text), count) in counts.each().filter(|(_, count)| *count != 0) {
            write!(f, " ({count}: {text})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_each_reason() {
        let mut report = Report { packets: 9, connections: 2, names: 1, counts: Counts::default() };
        assert_eq!(report.to_string(), "packets 9, connections 2, names 1, packets skipped 0");
        report.counts.add(Reason::NotIp, 2);
        report.counts.add(Reason::Tunnel, 1);
        report.counts.add(Reason::Gap, 1);
        let line = "packets 9, connections 2, names 1, packets skipped 3 (2: not IP) (1: in a tunnel that is not opened) (1: gaps in what connections sent)";
        assert_eq!(report.to_string(), line);
        assert_eq!((report.counts.of(Reason::Tunnel), report.counts.of(Reason::Datagram)), (1, 0));
    }

    #[test]
    fn every_reason_has_a_place() {
        for (reason, ..) in REASONS {
            let mut counts = Counts::default();
            counts.add(reason, 3);
            assert_eq!(counts.of(reason), 3);
        }
    }
}
