//! One direction of a TCP connection: segments in any order become bytes in order, or are said to be missing.
//!
//! What comes early is held until the hole before it is filled, is acknowledged by the receiver (then it got bytes that the
//! capture has not), or there is too much to hold. Copies of what was there before change nothing.

/// Bytes and segments that one direction may hold: several times what a message can have. Beyond it the hole is given up:
/// [`Gap`](super::report::Reason::Gap).
const HELD_BYTES_MAX: usize = 128 * 1024;
const HELD_SEGMENTS_MAX: usize = 256;

/// What comes out of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The bytes that follow.
    Bytes(&'a [u8]),
    /// So many bytes are missing here.
    Gap(u32),
}

/// Whether early segments may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// They may.
    Left,
    /// All streams together hold as much as they may.
    None,
}

#[derive(Debug)]
struct Held {
    seq: u32,
    bytes: Vec<u8>,
    cut: u32,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The sequence number of the next byte, once that is known.
    next: Option<u32>,
    /// How far the receiver has acknowledged.
    acknowledged: Option<u32>,
    /// Early segments, in the order of their sequence numbers.
    held: Vec<Held>,
    held_bytes: usize,
    /// Where the highest byte ends that was seen, and how many bytes there are before it.
    covered: Option<(u32, u64)>,
}

/// How far `a` is ahead of `b` in sequence space (RFC 9293 section 3.4).
fn ahead(a: u32, b: u32) -> i64 {
    i64::from(a.wrapping_sub(b).cast_signed())
}

impl Stream {
    /// Tells where the stream starts, unless that is known.
    pub(super) fn begin(&mut self, seq: u32) {
        self.next.get_or_insert(seq);
    }

    /// A segment was seen.
    pub(super) fn cover(&mut self, seq: u32, len: u32) {
        let (end, bytes) = self.covered.unwrap_or((seq, 0));
        let more = ahead(seq.wrapping_add(len), end);
        if let Ok(more @ 1..) = u64::try_from(more) {
            self.covered = Some((seq.wrapping_add(len), bytes + more));
        } else if self.covered.is_none() {
            self.covered = Some((end, bytes));
        }
    }

    /// Payload bytes that were sent, as far as segments tell.
    pub(super) fn bytes(&self) -> u64 {
        self.covered.map_or(0, |(_, bytes)| bytes)
    }

    /// Bytes that are held.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Whether the receiver acknowledged bytes that the capture has not shown.
    pub(super) fn misses(&self, acknowledged: u32) -> bool {
        self.next.is_some_and(|next| ahead(acknowledged, next) > 0)
    }

    /// Takes a segment of which the capture cut `cut` bytes off.
    pub(super) fn take(&mut self, seq: u32, bytes: &[u8], cut: u32, room: Room, out: &mut impl FnMut(Piece<'_>)) {
        let next = *self.next.get_or_insert(seq);
        if ahead(seq, next) <= 0 {
            self.in_order(seq, bytes, cut, out);
            self.release(out);
            return;
        }
        let place = self.held.partition_point(|held| ahead(held.seq, seq) < 0);
        let is_copy = self.held.get(place).is_some_and(|held| held.seq == seq && held.bytes.len() >= bytes.len());
        if !is_copy {
            self.held.insert(place, Held { seq, bytes: bytes.to_vec(), cut });
            self.held_bytes += bytes.len();
        }
        self.skip_acknowledged(out);
        let is_full = room == Room::None || self.held_bytes > HELD_BYTES_MAX || self.held.len() > HELD_SEGMENTS_MAX;
        if is_full {
            self.skip_hole(out);
        }
    }

    /// The receiver acknowledged everything before `seq`.
    pub(super) fn acknowledge(&mut self, seq: u32, out: &mut impl FnMut(Piece<'_>)) {
        if self.acknowledged.is_none_or(|before| ahead(seq, before) > 0) {
            self.acknowledged = Some(seq);
        }
        self.skip_acknowledged(out);
    }

    /// Goes on behind `end` without looking: nobody wants these bytes.
    pub(super) fn pass(&mut self, end: u32) {
        self.forget();
        if self.next.is_none_or(|next| ahead(end, next) > 0) {
            self.next = Some(end);
        }
    }

    /// Drops what is held.
    pub(super) fn forget(&mut self) {
        self.held = Vec::new();
        self.held_bytes = 0;
    }

    /// Gives all that is held, with its gaps: no more segments will come.
    pub(super) fn finish(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        while !self.held.is_empty() {
            self.skip_hole(out);
        }
    }

    fn in_order(&mut self, seq: u32, bytes: &[u8], cut: u32, out: &mut impl FnMut(Piece<'_>)) {
        let Some(next) = self.next else {
            return;
        };
        let known = usize::try_from(ahead(next, seq)).unwrap_or(usize::MAX);
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) {
            self.next = Some(seq.wrapping_add(len));
            out(Piece::Bytes(new));
        }
        let end = seq.wrapping_add(len).wrapping_add(cut);
        if cut != 0 && self.next.is_some_and(|next| ahead(end, next) > 0) {
            let missing = self.next.map_or(cut, |next| end.wrapping_sub(next));
            self.next = Some(end);
            out(Piece::Gap(missing));
        }
    }

    /// Gives what is held and no longer early.
    fn release(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        while let (Some(first), Some(next)) = (self.held.first(), self.next)
            && ahead(first.seq, next) <= 0
        {
            let held = self.held.remove(0);
            self.held_bytes -= held.bytes.len();
            self.in_order(held.seq, &held.bytes, held.cut, out);
        }
    }

    fn skip_acknowledged(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        while let (Some(first), Some(acknowledged)) = (self.held.first(), self.acknowledged)
            && ahead(acknowledged, first.seq) >= 0
        {
            self.skip_hole(out);
        }
    }

    fn skip_hole(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        if let Some(first) = self.held.first() {
            let missing = self.next.map_or(0, |next| first.seq.wrapping_sub(next));
            self.next = Some(first.seq);
            out(Piece::Gap(missing));
            self.release(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of these segments: bytes as text, `|` for a gap.
    fn run(segments: &[(u32, &str)], acknowledge: Option<u32>) -> String {
        let (mut stream, mut text) = (Stream::default(), String::new());
        let mut out = |piece: Piece<'_>| match piece {
            Piece::Bytes(bytes) => text.push_str(std::str::from_utf8(bytes).unwrap()),
            Piece::Gap(_) => text.push('|'),
        };
        stream.begin(u32::MAX - 1);
        for (at, bytes) in segments {
            stream.take((u32::MAX - 1).wrapping_add(*at), bytes.as_bytes(), 0, Room::Left, &mut out);
        }
        if let Some(at) = acknowledge {
            stream.acknowledge((u32::MAX - 1).wrapping_add(at), &mut out);
        }
        assert_eq!(stream.held.iter().map(|held| held.bytes.len()).sum::<usize>(), stream.held_bytes());
        text
    }

    #[test]
    fn segments_in_any_order_become_bytes_in_order() {
        assert_eq!(run(&[(0, "ab"), (2, "cd"), (4, "ef")], None), "abcdef");
        assert_eq!(run(&[(4, "ef"), (2, "cd"), (0, "ab")], None), "abcdef");
        assert_eq!(run(&[(2, "cd"), (4, "ef"), (0, "ab")], None), "abcdef");
    }

    #[test]
    fn copies_and_overlaps_change_nothing() {
        assert_eq!(run(&[(0, "ab"), (0, "ab"), (2, "cd"), (0, "ab")], None), "abcd");
        assert_eq!(run(&[(0, "abc"), (1, "XXd"), (2, "YYe")], None), "abcde");
        assert_eq!(run(&[(3, "de"), (3, "dXfg"), (2, "Cd"), (0, "ab")], None), "abCdXfg");
    }

    #[test]
    fn a_hole_is_waited_for_until_it_is_acknowledged() {
        assert_eq!(run(&[(0, "ab"), (4, "ef")], None), "ab");
        assert_eq!(run(&[(0, "ab"), (4, "ef")], Some(2)), "ab");
        assert_eq!(run(&[(0, "ab"), (4, "ef")], Some(4)), "ab|ef");
        assert_eq!(run(&[(0, "ab"), (4, "ef"), (8, "ij")], Some(6)), "ab|ef");
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut stream = Stream::default();
        let (mut bytes, mut gaps) = (0, 0);
        let mut out = |piece: Piece<'_>| match piece {
            Piece::Bytes(piece) => bytes += piece.len(),
            Piece::Gap(_) => gaps += 1,
        };
        stream.begin(0);
        for at in 0..1000 {
            stream.take(10 + at * 2000, &[0; 1000], 0, Room::Left, &mut out);
            assert!(stream.held_bytes() <= HELD_BYTES_MAX);
        }
        stream.take(10_000_000, b"x", 0, Room::None, &mut out);
        stream.finish(&mut out);
        assert_eq!((bytes, gaps, stream.held_bytes()), (1_000_001, 1001, 0));
    }

    #[test]
    fn what_the_capture_cut_off_is_a_gap() {
        let (mut stream, mut pieces) = (Stream::default(), Vec::new());
        let mut out = |piece: Piece<'_>| pieces.push(piece == Piece::Gap(3));
        stream.take(0, b"ab", 3, Room::Left, &mut out);
        stream.take(5, b"fg", 0, Room::Left, &mut out);
        assert_eq!(pieces, [false, true, false]);
    }
}
