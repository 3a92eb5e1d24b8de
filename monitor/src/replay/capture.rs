//! A capture file, packet by packet: pcap and pcapng, in either byte order, to the microsecond or finer.
//!
//! It never holds more than one buffer of the file. A damaged file gives the packets before the damage, then an
//! [`Error`] that says where it is; nothing behind it is guessed.

use std::io::{self, Read};
use std::ops::ControlFlow;

use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};

/// Bytes of the file that are read at once. Larger than the largest packet that tcpdump writes (262,144 bytes).
const BUFFER_BYTES: usize = 1 << 20;
/// The largest block or packet that is read: four times what Wireshark takes for a packet. Larger ones are damage:
/// [`Problem::TooLarge`].
const BLOCK_BYTES_MAX: usize = 16 << 20;
/// Interfaces of one section that are remembered. Packets of others are counted as
/// [`UnknownInterface`](super::report::Reason::UnknownInterface).
const INTERFACES_MAX: usize = 4096;
/// The link type is in the lower bits of its field; above are the length of the checksum and flags
/// (draft-ietf-opsawg-pcap, section 4).
const LINK_TYPE_BITS: i32 = 0xffff;
/// The shortest block of pcapng: its type, and its length twice (draft-ietf-opsawg-pcapng, section 3.1).
const NG_BLOCK_BYTES_MIN: u32 = 12;
const NS_PER_S: u64 = 1_000_000_000;

/// Where and why a capture cannot be read on.
#[derive(Debug, thiserror::Error)]
#[error("byte {offset}, packet {packet}: {problem}")]
pub struct Error {
    /// Offset in the file of the block that is damaged.
    pub offset: u64,
    /// The number that its packet would have had, counted from 1 as Wireshark does.
    pub packet: u64,
    /// What is wrong.
    pub problem: Problem,
}

/// Why a capture cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Another kind of file.
    #[error("this is no pcap or pcapng file")]
    NotACapture,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The file ends within a block.
    #[error("the file ends in the middle of a packet or block")]
    Truncated,
    /// A length that cannot be.
    #[error("a packet or block says that it is larger than {BLOCK_BYTES_MAX} bytes")]
    TooLarge,
    /// The block breaks the rules of the format.
    #[error("a packet or block is not as the format has it")]
    Malformed,
    /// The system cannot read on.
    #[error("the system cannot read on")]
    Unreadable,
}

/// One packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When: nanoseconds since 1970. Zero before any packet had a time.
    pub time_ns: u64,
    /// The number of its link type (LINKTYPE_ values), or none when its interface was not described.
    pub link_type: Option<i32>,
    /// The bytes that were kept of it, from the link's header on.
    pub bytes: &'a [u8],
}

/// How the packets of one interface are to be read.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: i32,
    units_per_s: u64,
    offset_s: i64,
}

/// A capture that is being read.
pub struct Capture {
    reader: Box<dyn PcapReaderIterator + Send>,
    described: Described,
    /// Packets so far.
    packets: u64,
}

/// What the blocks so far tell about the packets to come.
#[derive(Default)]
struct Described {
    interfaces: Vec<Interface>,
    /// Whether this is a pcapng file.
    is_ng: bool,
    /// Whether the fractions of seconds of a pcap file are nanoseconds.
    nanoseconds: bool,
    /// The time of the last packet: for those that have none.
    time_ns: u64,
}

impl Capture {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// It is no capture.
    pub fn new(input: impl Read + Send + 'static) -> Result<Self, Error> {
        match create_reader(BUFFER_BYTES, Whole { input }) {
            Ok(reader) => Ok(Self { reader, described: Described::default(), packets: 0 }),
            Err(error) => {
                let problem = match error {
                    PcapError::Eof => Problem::Empty,
                    PcapError::Incomplete(_) | PcapError::UnexpectedEof => Problem::Truncated,
                    PcapError::ReadError => Problem::Unreadable,
                    PcapError::BufferTooSmall => Problem::TooLarge,
                    PcapError::HeaderNotRecognized | PcapError::NomError(..) | PcapError::OwnedNomError(..) => {
                        Problem::NotACapture
                    }
                };
                Err(Error { offset: 0, packet: 1, problem })
            }
        }
    }

    /// Hands over each packet, until the end or until `take` says to stop.
    ///
    /// # Errors
    /// The file is damaged or cannot be read; the packets before that place were handed over.
    pub fn each(&mut self, mut take: impl FnMut(Packet<'_>) -> ControlFlow<()>) -> Result<(), Error> {
        let mut capacity = BUFFER_BYTES;
        loop {
            if self.described.is_ng && is_too_short(self.reader.data()) {
                return Err(self.error(Problem::Malformed));
            }
            let problem = match self.reader.next() {
                Ok((len, block)) => {
                    let mut flow = ControlFlow::Continue(());
                    if let Some(packet) = self.described.packet(&block) {
                        self.packets += 1;
                        flow = take(packet);
                    }
                    self.reader.consume(len);
                    if flow.is_break() {
                        return Ok(());
                    }
                    continue;
                }
                Err(PcapError::Eof) => return Ok(()),
                Err(PcapError::Incomplete(_)) => match self.reader.refill() {
                    Ok(()) => continue,
                    Err(_) => Problem::Unreadable,
                },
                Err(PcapError::BufferTooSmall) if capacity < BLOCK_BYTES_MAX => {
                    capacity *= 2;
                    if self.reader.grow(capacity) && self.reader.refill().is_ok() {
                        continue;
                    }
                    Problem::TooLarge
                }
                Err(PcapError::BufferTooSmall) => Problem::TooLarge,
                Err(PcapError::UnexpectedEof) => Problem::Truncated,
                Err(PcapError::ReadError) => Problem::Unreadable,
                Err(PcapError::HeaderNotRecognized | PcapError::NomError(..) | PcapError::OwnedNomError(..)) => {
                    Problem::Malformed
                }
            };
            return Err(self.error(problem));
        }
    }

    fn error(&self, problem: Problem) -> Error {
        Error { offset: self.reader.consumed() as u64, packet: self.packets + 1, problem }
    }

    /// Packets that were handed over.
    pub fn packets(&self) -> u64 {
        self.packets
    }
}

impl Described {
    /// The packet that a block is, or none when it tells something else.
    fn packet<'a>(&mut self, block: &'a PcapBlockOwned<'_>) -> Option<Packet<'a>> {
        let (link_type, bytes) = match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.nanoseconds = header.is_nanosecond_precision();
                let link_type = header.network.0 & LINK_TYPE_BITS;
                self.interfaces = vec![Interface { link_type, units_per_s: NS_PER_S, offset_s: 0 }];
                return None;
            }
            PcapBlockOwned::Legacy(packet) => {
                let fraction = u64::from(packet.ts_usec) * if self.nanoseconds { 1 } else { 1_000 };
                self.time_ns = u64::from(packet.ts_sec) * NS_PER_S + fraction;
                (self.interfaces.first().map(|interface| interface.link_type), packet.data)
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.is_ng = true;
                self.interfaces.clear();
                return None;
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                if self.interfaces.len() < INTERFACES_MAX {
                    self.interfaces.push(Interface {
                        link_type: description.linktype.0 & LINK_TYPE_BITS,
                        // An exponent too large to count with is as good as none: microseconds.
                        units_per_s: description.ts_resolution().filter(|units| *units != 0).unwrap_or(1_000_000),
                        offset_s: description.ts_offset(),
                    });
                }
                return None;
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let interface = usize::try_from(packet.if_id).ok().and_then(|id| self.interfaces.get(id));
                if let Some(interface) = interface {
                    let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                    self.time_ns = interface.time_ns(units);
                }
                let caplen = usize::try_from(packet.caplen).unwrap_or(usize::MAX);
                // The data may be followed by padding.
                let bytes = packet.data.get(..caplen).unwrap_or(packet.data);
                (interface.map(|interface| interface.link_type), bytes)
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let origlen = usize::try_from(packet.origlen).unwrap_or(usize::MAX);
                let bytes = packet.data.get(..origlen).unwrap_or(packet.data);
                (self.interfaces.first().map(|interface| interface.link_type), bytes)
            }
            PcapBlockOwned::NG(
                Block::NameResolution(_)
                | Block::InterfaceStatistics(_)
                | Block::SystemdJournalExport(_)
                | Block::DecryptionSecrets(_)
                | Block::ProcessInformation(_)
                | Block::Custom(_)
                | Block::Unknown(_),
            ) => return None,
        };
        Some(Packet { time_ns: self.time_ns, link_type, bytes })
    }
}

/// Whether the next block says that it is shorter than a block can be: pcap-parser 0.17 subtracts from that what is not there.
/// In the other byte order such a length is larger than [`BLOCK_BYTES_MAX`], so the order does not matter.
fn is_too_short(block: &[u8]) -> bool {
    let len: Option<[u8; 4]> = block.get(4..8).and_then(|len| len.try_into().ok());
    len.is_some_and(|len| u32::from_le_bytes(len).min(u32::from_be_bytes(len)) < NG_BLOCK_BYTES_MIN)
}

impl Interface {
    /// Nanoseconds since 1970; what is before or too late for them is the nearest that can be said.
    fn time_ns(self, units: u64) -> u64 {
        let ns = u128::from(units) * u128::from(NS_PER_S) / u128::from(self.units_per_s);
        let ns = i128::try_from(ns).unwrap_or(i128::MAX);
        let offset_ns = i128::from(self.offset_s) * i128::from(NS_PER_S);
        u64::try_from(ns.saturating_add(offset_ns).max(0)).unwrap_or(u64::MAX)
    }
}

/// Reads as much as was asked for, as long as there is more: the reader takes a short read of a pipe for a short file.
struct Whole<R> {
    input: R,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut len = 0;
        while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(len)
    }
}
