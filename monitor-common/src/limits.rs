//! Every capacity, with its unit in the name, the reason for its size and the counter that shows it was reached.

use crate::policy::Bucket;

/// Most bytes of one message (request head or ClientHello) that are put together and parsed. RFC 8446 section 5.1
/// bounds one TLS record at 16 KiB; hellos with post-quantum key shares take about 2 KiB. Beyond it:
/// [`MessageTooLong`](crate::counter::Counter::MessageTooLong).
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Packet bytes move to a buffer in blocks of at most this size, so that a variable offset plus a variable length
/// provably stays inside the buffer: verifiers do not add two variables in one large copy.
pub const BLOCK_BYTES: usize = 1024;

/// A buffer for one message: the message and one block of slack for the copy that starts at its last byte.
pub const BUFFER_BYTES: usize = MESSAGE_BYTES_MAX + BLOCK_BYTES;

/// Bytes of a request head that are read: servers and proxies take 8 KiB or so. Beyond it the name may be missed, or, if
/// it was told before, the next request: [`HeadTooLong`](crate::counter::Counter::HeadTooLong).
pub const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a head that one program run looks at before it calls itself again: the search is the costliest loop that the
/// verifier has to follow.
pub const HEAD_STEP_BYTES: usize = 1024;

/// Bytes of a proxy's answer that are handed to user space: a status line with its reason, also behind an interim answer.
/// What does not fit costs the reason, or the status of an answer behind a long interim one.
pub const REPLY_BYTES_MAX: usize = 256;

/// Bytes of a datagram that are handed to user space: two QUIC Initial packets of 1,472 bytes, sent at once. More of it is
/// cut off; what it lacks then may be in the next one.
pub const DATAGRAM_BYTES_MAX: usize = 4096;

/// QUIC connections of which the kernel remembers the verdict, in mode block; the one that was used longest ago is
/// forgotten, and its next Initial waits to be read again.
pub const QUIC_FLOWS_MAX: u32 = 16_384;

/// Longest user id or name in a SOCKS4 request: the protocol has no limit, names have 255 bytes. A longer one is no SOCKS:
/// [`Opaque`](crate::counter::Counter::Opaque).
pub const SOCKS4_TEXT_BYTES_MAX: usize = 256;

/// Messages in clear text of one connection among which a request for TLS is looked for: clients send a handful before it,
/// also when they try again after a refusal. Beyond it: [`ClearTextTooLong`](crate::counter::Counter::ClearTextTooLong).
pub const CLEAR_TEXTS_MAX: u32 = 32;

/// Longest command line with its end (RFC 5321 section 4.5.3.1.4). A longer one is no command, and is counted as any first
/// message that is not known: [`Opaque`](crate::counter::Counter::Opaque).
pub const CLEAR_TEXT_LINE_BYTES_MAX: usize = 512;

/// Longest authority (RFC 3986 section 3.2) that is split: user information, name and port. A longer one is reported
/// cut and thus as a malformed name.
pub const AUTHORITY_BYTES_MAX: usize = 320;

/// Extensions of a ClientHello that are walked to find `server_name`; browsers send fewer than 20. Beyond it:
/// [`NoName`](crate::counter::Counter::NoName).
pub const EXTENSIONS_MAX: usize = 48;

/// Steps of the walk that takes TLS record headers out of a handshake message: 16 blocks and about as many headers. A
/// hello in more records stays incomplete: [`MessageTooLong`](crate::counter::Counter::MessageTooLong).
pub const RECORD_STEPS_MAX: usize = 48;

/// Label boundaries of a name that are looked up in the policy: the rightmost 31 and the whole name.
pub const LABELS_MAX: usize = 32;

/// Longest name in bytes (RFC 1035 section 2.3.4: 255 octets on the wire, so 253 as text; one more for a final dot).
/// Longer ones are counted as [`NoName`](crate::counter::Counter::NoName).
pub const NAME_BYTES_MAX: usize = 255;

/// Sockets whose first message may be incomplete at one moment; 17 KiB each, allocated when the map is made. Beyond it:
/// [`NoRoomForPieces`](crate::counter::Counter::NoRoomForPieces).
pub const REASSEMBLIES_MAX: u32 = 256;

/// Runs of the egress programs that may interrupt each other on one CPU (task, softirq, and one to spare). Beyond it:
/// [`NoScratch`](crate::counter::Counter::NoScratch).
pub const LEASE_LEVELS: u32 = 3;

/// The ring buffer to user space: about an eighth of a second at 20,000 TLS connections a second, whose hellos have 2 KiB.
/// Not more, since all of it comes to be resident in the daemon. A power of two and a multiple of the page size. A full ring:
/// [`RingFull`](crate::counter::Counter::RingFull).
pub const EVENTS_RING_BYTES: u32 = 8 << 20;

/// The ring buffer of sockets to destroy: 512 of them. A full ring: [`DoomedRingFull`](crate::counter::Counter::DoomedRingFull).
pub const DOOMED_RING_BYTES: u32 = 64 << 10;

/// Rules that one policy may hold: the table has 20 bits for the rule's number.
pub const RULES_MAX: usize = 1 << 20;

const _: () = assert!(MESSAGE_BYTES_MAX.is_power_of_two(), "bounds are masks");
const _: () = assert!(NAME_BYTES_MAX < 256, "a name fits its 256-byte buffer");
const _: () = assert!(LABELS_MAX.is_power_of_two(), "bounds are masks");
const _: () = assert!(RECORD_STEPS_MAX > MESSAGE_BYTES_MAX / BLOCK_BYTES, "every block can be moved");
const _: () = assert!(size_of::<Bucket>() == 64, "a bucket is one cache line");
