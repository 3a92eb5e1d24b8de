//! Datagrams in fragments, put together as Linux does: a fragment that overlaps another one ends its datagram, since
//! nobody can say which of them the receiver took (RFC 5722; Linux treats IPv4 the same, `inet_frag_queue_insert`).
//!
//! Bounded in number; a datagram has at most 64 KiB. What never completes is counted.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;

use super::link::{Datagram, Fragment};
use super::report::{Counts, Reason};

/// Datagrams that may be incomplete at one moment, so 32 MiB. Beyond it the oldest is given up:
/// [`Incomplete`](Reason::Incomplete).
const DATAGRAMS_MAX: usize = 512;
/// How long a datagram waits for its fragments: Linux's `ipfrag_time`. After that another one may have its number.
const WAIT_NS: u64 = 30_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    from: IpAddr,
    to: IpAddr,
    protocol: IpNumber,
    identification: u32,
}

struct Incomplete {
    since_ns: u64,
    parts: u64,
    buffer: IpDefragBuf,
}

/// The datagrams that are incomplete.
#[derive(Default)]
pub(super) struct Fragments {
    waiting: HashMap<Key, Incomplete>,
    /// In the order of their first fragments; may name some that are complete by now.
    order: VecDeque<(u64, Key)>,
}

impl Fragments {
    /// Takes a fragment; gives the payload of its datagram when that is complete.
    pub(super) fn add(
        &mut self,
        time_ns: u64,
        datagram: &Datagram<'_>,
        place: Fragment,
        counts: &mut Counts,
    ) -> Option<Vec<u8>> {
        self.expire(time_ns, counts);
        if datagram.cut != 0 || datagram.payload.is_empty() {
            counts.add(Reason::Cut, 1);
            return None;
        }
        let key = Key {
            from: datagram.from,
            to: datagram.to,
            protocol: datagram.protocol,
            identification: place.identification,
        };
        let waiting = self.waiting.entry(key).or_insert_with(|| {
            self.order.push_back((time_ns, key));
            let buffer = IpDefragBuf::new(key.protocol, Vec::new(), Vec::new());
            Incomplete { since_ns: time_ns, parts: 0, buffer }
        });
        waiting.parts += 1;
        let start = place.offset.byte_offset();
        let end = usize::from(start) + datagram.payload.len();
        for section in waiting.buffer.sections() {
            let is_within = section.start <= start && end <= usize::from(section.end);
            let is_apart = usize::from(section.start) >= end || section.end <= start;
            if is_within {
                // A copy of what is there.
                return None;
            }
            if !is_apart {
                self.give_up(&key, Reason::Overlap, counts);
                return None;
            }
        }
        if waiting.buffer.add(place.offset, place.more, datagram.payload).is_err() {
            self.give_up(&key, Reason::Damaged, counts);
            return None;
        }
        if !waiting.buffer.is_complete() {
            return None;
        }
        self.waiting.remove(&key).map(|complete| complete.buffer.take_bufs().0)
    }

    /// Gives up what is incomplete at the end of the capture.
    pub(super) fn finish(&mut self, counts: &mut Counts) {
        let parts = self.waiting.drain().map(|(_, incomplete)| incomplete.parts).sum();
        counts.add(Reason::Incomplete, parts);
    }

    fn expire(&mut self, now_ns: u64, counts: &mut Counts) {
        if self.order.len() > 4 * DATAGRAMS_MAX {
            let waiting = &self.waiting;
            self.order.retain(|(since_ns, key)| waiting.get(key).is_some_and(|each| each.since_ns == *since_ns));
        }
        while let Some((since_ns, key)) = self.order.front().copied() {
            let is_due = now_ns.saturating_sub(since_ns) > WAIT_NS || self.waiting.len() >= DATAGRAMS_MAX;
            // What is complete leaves the order late: when it is the oldest, or when the order has grown long.
            let is_gone = self.waiting.get(&key).is_none_or(|incomplete| incomplete.since_ns != since_ns);
            if !is_due && !is_gone {
                return;
            }
            self.order.pop_front();
            if !is_gone {
                self.give_up(&key, Reason::Incomplete, counts);
            }
        }
    }

    fn give_up(&mut self, key: &Key, why: Reason, counts: &mut Counts) {
        if let Some(incomplete) = self.waiting.remove(key) {
            counts.add(why, incomplete.parts);
        }
    }
}
