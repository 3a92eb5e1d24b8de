//! The one way to read hostile bytes in user space: a cursor that never looks behind its end. Numbers are in network
//! order, and vectors stand behind their length (RFC 8446 section 3).

/// A cursor. Every step answers `None` when a byte that it needs is not there, and then the rest is left as it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    /// Everything that is left, for a vector that was cut off before its end.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// Steps over the same byte as often as it comes.
    pub(crate) fn skip(&mut self, byte: u8) {
        let count = self.bytes.iter().take_while(|next| **next == byte).count();
        self.bytes = self.bytes.get(count..).unwrap_or_default();
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u16::from_be_bytes(*number))
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        let (&[high, middle, low], rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u32::from_be_bytes(*number))
    }

    /// A number of one, two, four or eight bytes, which its first two bits tell (RFC 9000 section 16).
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let first = *self.bytes.first()?;
        let bytes = self.take(1 << (first >> 6))?;
        let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        // The two bits are taken off the top of as many bytes as there are.
        Some(number & (u64::MAX >> (66 - 8 * bytes.len())))
    }

    /// A vector behind a length of one byte.
    pub(crate) fn vector8(&mut self) -> Option<Reader<'a>> {
        let mut after = *self;
        let count = after.u8()?;
        let vector = after.take(usize::from(count))?;
        *self = after;
        Some(Self::new(vector))
    }

    /// A vector behind a length of two bytes.
    pub(crate) fn vector16(&mut self) -> Option<Reader<'a>> {
        let mut after = *self;
        let count = after.u16()?;
        let vector = after.take(usize::from(count))?;
        *self = after;
        Some(Self::new(vector))
    }

    /// What is left as numbers of two bytes; an odd byte at the end makes it none.
    pub(crate) fn numbers(self) -> Option<Vec<u16>> {
        let (pairs, []) = self.bytes.as_chunks::<2>() else {
            return None;
        };
        Some(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_longer_than_what_is_there_leaves_the_cursor_where_it_was() {
        let mut reader = Reader::new(&[0, 3, 1, 2]);
        assert!(reader.vector16().is_none());
        assert_eq!(reader.left(), 4);
        assert_eq!(reader.u24(), Some(0x301));
        assert_eq!((reader.u16(), reader.u8(), reader.u8()), (None, Some(2), None));
    }

    #[test]
    fn a_variable_length_number_has_the_examples_of_its_definition() {
        let check = |bytes: &[u8], expect| assert_eq!(Reader::new(bytes).varint(), expect, "{bytes:x?}");
        check(&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], Some(151_288_809_941_952_652));
        check(&[0x9d, 0x7f, 0x3e, 0x7d], Some(494_878_333));
        check(&[0x7b, 0xbd], Some(15_293));
        check(&[0x40, 0x25], Some(37));
        check(&[0x25], Some(37));
        check(&[0x9d, 0x7f, 0x3e], None);
        check(&[], None);
    }

    #[test]
    fn only_the_same_byte_is_stepped_over() {
        let mut reader = Reader::new(&[0, 0, 0, 1, 0]);
        reader.skip(0);
        assert_eq!(reader.rest(), [1, 0]);
        reader.skip(0);
        assert!(reader.is_empty());
    }

    #[test]
    fn an_odd_byte_is_no_number() {
        assert_eq!(Reader::new(&[1, 2, 3, 4]).numbers(), Some(vec![0x102, 0x304]));
        assert_eq!(Reader::new(&[1, 2, 3]).numbers(), None);
    }
}
