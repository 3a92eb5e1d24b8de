//! The kernel side's counters: one per-CPU array, indexed by [`Counter`].

/// What a kernel program counts. The discriminant is the index in the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Counter {
    /// Events that a program wanted to hand to user space, whether or not there was room.
    Emitted = 0,
    /// Events lost because the ring was full.
    RingFull = 1,
    /// Packets with payload of connections that were not settled: the slow path's load.
    PacketsInspected = 2,
    /// Packets dropped: the one that completed a blocked name and all that followed on its socket.
    PacketsDropped = 3,
    /// Connections whose first bytes belong to no protocol that carries a name.
    Opaque = 4,
    /// Messages that are complete and carry no name (no SNI, no Host, an empty authority, a name too long).
    NoName = 5,
    /// Messages still incomplete at [`MESSAGE_BYTES_MAX`](crate::limits::MESSAGE_BYTES_MAX).
    MessageTooLong = 6,
    /// Connections given up because bytes were sent that the programs did not see.
    SequenceGap = 7,
    /// Connections given up because [`REASSEMBLIES_MAX`](crate::limits::REASSEMBLIES_MAX) was reached.
    NoRoomForPieces = 8,
    /// Connections given up because all [`LEASE_LEVELS`](crate::limits::LEASE_LEVELS) scratch buffers of a CPU were taken.
    NoScratch = 9,
    /// Packets with more messages than are read of one at once. They pass, or in mode block are read on when TCP sends them
    /// again.
    TailCallFailed = 10,
    /// Messages put together from several packets.
    Reassembled = 11,
    /// ClientHellos put together from several TLS records.
    Unrecorded = 12,
    /// Packets sent into a tunnel before the proxy had answered: they pass uninspected.
    SentBeforeReply = 13,
    /// Connections that the kernel had no memory to follow.
    NoSocketStorage = 14,
    /// Blocked sockets that user space was not told to destroy, because
    /// [`DOOMED_RING_BYTES`](crate::limits::DOOMED_RING_BYTES) were taken: their owners wait for a time-out.
    DoomedRingFull = 15,
    /// Requests whose head was longer than [`HEAD_BYTES_MAX`](crate::limits::HEAD_BYTES_MAX).
    HeadTooLong = 16,
    /// QUIC Initials dropped until user space has read their name; their clients send them again.
    QuicHeld = 17,
    /// Connections given up, or blocked, because of urgent data among their first bytes.
    UrgentData = 18,
    /// QUIC Initials dropped so that their clients turn to TCP.
    QuicDowngraded = 19,
    /// Connections given up because they went on in clear text for
    /// [`CLEAR_TEXTS_MAX`](crate::limits::CLEAR_TEXTS_MAX) messages.
    ClearTextTooLong = 20,
}

impl Counter {
    /// Every counter, in the order of its index.
    pub const ALL: [Self; 21] = [
        Self::Emitted,
        Self::RingFull,
        Self::PacketsInspected,
        Self::PacketsDropped,
        Self::Opaque,
        Self::NoName,
        Self::MessageTooLong,
        Self::SequenceGap,
        Self::NoRoomForPieces,
        Self::NoScratch,
        Self::TailCallFailed,
        Self::Reassembled,
        Self::Unrecorded,
        Self::SentBeforeReply,
        Self::NoSocketStorage,
        Self::DoomedRingFull,
        Self::HeadTooLong,
        Self::QuicHeld,
        Self::UrgentData,
        Self::QuicDowngraded,
        Self::ClearTextTooLong,
    ];

    /// The name, for people and machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emitted => "emitted",
            Self::RingFull => "ring_full",
            Self::PacketsInspected => "packets_inspected",
            Self::PacketsDropped => "packets_dropped",
            Self::Opaque => "opaque",
            Self::NoName => "no_name",
            Self::MessageTooLong => "message_too_long",
            Self::SequenceGap => "sequence_gap",
            Self::NoRoomForPieces => "no_room_for_pieces",
            Self::NoScratch => "no_scratch",
            Self::TailCallFailed => "tail_call_failed",
            Self::Reassembled => "reassembled",
            Self::Unrecorded => "unrecorded",
            Self::SentBeforeReply => "sent_before_reply",
            Self::NoSocketStorage => "no_socket_storage",
            Self::DoomedRingFull => "doomed_ring_full",
            Self::HeadTooLong => "head_too_long",
            Self::QuicHeld => "quic_held",
            Self::UrgentData => "urgent_data",
            Self::QuicDowngraded => "quic_downgraded",
            Self::ClearTextTooLong => "clear_text_too_long",
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would stop there")]
const _: () = {
    let mut index = 0;
    while index < Counter::ALL.len() {
        assert!(Counter::ALL[index] as usize == index, "the discriminant is the index");
        index += 1;
    }
};
