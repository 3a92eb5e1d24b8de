//! What the kernel programs of one host share: buffers, the policy, counters, and the way of an event to user space.

use std::mem::take;

use monitor_common::event::{DIFFERS, Datagram, Endpoints, Header, IN_TUNNEL, IS_ADDRESS, Named, Origin, Owner};
use monitor_common::limits::DATAGRAM_BYTES_MAX;
use monitor_common::policy::{Bucket, Head};
use monitor_common::progress::Progress;
use monitor_common::wire::inspect::{Room, Told};
use zerocopy::IntoBytes as _;

use super::datagram::Carries;
use super::report::Counts;

/// Messages that may be incomplete at one moment, so 64 MiB. The kernel programs have room for fewer, in memory that is
/// never freed. Beyond it: [`NoRoomForPieces`](super::report::Reason::NoRoomForPieces).
const MESSAGES_MAX: usize = 4096;

/// The events of one packet take less than this: the first allocation serves a whole capture.
const EVENT_WORDS: usize = 256;

/// Everything that connections share.
pub(super) struct Programs {
    /// What was given up, and why.
    pub(super) counts: Counts,
    /// Names so far.
    pub(super) names: u64,
    /// The policy.
    table: Vec<Bucket>,
    room: Box<Room>,
    incomplete: usize,
    /// Events that were made since they were drained last.
    pub(super) events: Events,
}

/// Events in the layout of the ring buffer, one after the other.
#[derive(Default)]
pub(super) struct Events {
    /// Words, since an event is aligned to eight bytes.
    words: Vec<u64>,
    /// Where each event ends.
    ends: Vec<usize>,
}

impl Events {
    /// Adds an event of these parts, each padded to a multiple of eight bytes.
    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        let start = self.words.len();
        let words: usize = parts.iter().map(|part| part.len().div_ceil(size_of::<u64>())).sum();
        self.words.resize(start + words, 0);
        let mut room = self.words.get_mut(start..).map_or(&mut [][..], |words| words.as_mut_bytes());
        for part in parts {
            // The last bytes of the last word stay zero.
            let padded = part.len().next_multiple_of(size_of::<u64>());
            if let Some((place, rest)) = take(&mut room).split_at_mut_checked(padded) {
                place.iter_mut().zip(*part).for_each(|(place, byte)| *place = *byte);
                room = rest;
            }
        }
        self.ends.push(self.words.len());
    }

    fn push_named(&mut self, header: Header, origin: Origin, told: &Told<'_>) {
        let in_tunnel = if told.in_tunnel { IN_TUNNEL } else { 0 };
        let differs = if told.differs { DIFFERS } else { 0 };
        let is_address = if told.is_address { IS_ADDRESS } else { 0 };
        let named = Named {
            header,
            origin,
            source: told.source,
            port: told.port,
            flags: in_tunnel | is_address | differs,
            verdict: told.verdict as u32,
            rule: told.rule,
            name_len: u32::try_from(told.name.len()).unwrap_or(u32::MAX),
            hello_len: u32::try_from(told.hello.len()).unwrap_or(u32::MAX),
            service: told.service,
        };
        self.push(&[named.as_bytes(), told.name, told.hello]);
    }

    /// Hands over each event, and forgets them.
    pub(super) fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        let mut start = 0;
        for end in self.ends.drain(..) {
            if let Some(words) = self.words.get(start..end) {
                take(words.as_bytes());
            }
            start = end;
        }
        self.words.clear();
    }
}

impl Programs {
    /// With this policy.
    pub(super) fn new(table: Vec<Bucket>) -> Self {
        Self {
            counts: Counts::default(),
            names: 0,
            table,
            room: Box::default(),
            incomplete: 0,
            events: Events { words: Vec::with_capacity(EVENT_WORDS), ends: Vec::new() },
        }
    }

    /// Sends bytes on a connection, of whose message under way `kept` was sent before. Tells the names in them, and gives what
    /// is to be kept now.
    pub(super) fn send(
        &mut self,
        progress: &mut Progress,
        kept: &[u8],
        bytes: &[u8],
        header: Header,
        origin: Origin,
    ) -> &[u8] {
        let Self { room, table, names, events, .. } = self;
        for (place, byte) in room.message().iter_mut().zip(kept) {
            *place = *byte;
        }
        let seq = progress.next;
        room.segment(progress, seq, bytes, table, |told| {
            *names += u64::from(!told.name.is_empty());
            events.push_named(header, origin, told);
        });
        let have = usize::try_from(progress.have).unwrap_or_default();
        room.message().get(..have).unwrap_or_default()
    }

    /// Whether a match is blocked.
    pub(super) fn blocks(&self) -> bool {
        self.table.first().is_some_and(Head::blocks)
    }

    /// Hands over bytes that user space reads, as many as the kernel programs would.
    pub(super) fn datagram(&mut self, header: Header, endpoints: Endpoints, carries: Carries, bytes: &[u8]) {
        let payload = bytes.get(..DATAGRAM_BYTES_MAX).unwrap_or(bytes);
        let event = Datagram {
            header,
            origin: Origin { owner: Owner::EMPTY, endpoints },
            is_inbound: (carries != Carries::Initial).into(),
            segment_bytes: 0,
            len: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            is_tcp: (carries == Carries::TcpAnswer).into(),
        };
        self.events.push(&[event.as_bytes(), payload]);
    }

    /// A message needs more bytes. False: too many do.
    pub(super) fn begin_message(&mut self) -> bool {
        let fits = self.incomplete < MESSAGES_MAX;
        self.incomplete += usize::from(fits);
        fits
    }

    /// A message is complete, or given up.
    pub(super) fn end_message(&mut self) {
        self.incomplete = self.incomplete.saturating_sub(1);
    }
}
