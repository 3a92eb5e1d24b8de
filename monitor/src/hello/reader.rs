//! The one way to read bytes here: a cursor that never looks behind its end (RFC 8446 section 3: numbers in network order,
//! vectors behind their length).

/// A cursor. Every step answers `None` when a byte that it needs is not there, and then the rest is left as it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    /// Everything that is left, for a vector that was cut off before its end.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(u16::from_be_bytes(*number))
    }

    pub(super) fn u24(&mut self) -> Option<usize> {
        let (&[high, middle, low], rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
    }

    /// A vector behind a length of one byte.
    pub(super) fn vector8(&mut self) -> Option<Reader<'a>> {
        let mut after = *self;
        let count = after.u8()?;
        let vector = after.take(usize::from(count))?;
        *self = after;
        Some(Self::new(vector))
    }

    /// A vector behind a length of two bytes.
    pub(super) fn vector16(&mut self) -> Option<Reader<'a>> {
        let mut after = *self;
        let count = after.u16()?;
        let vector = after.take(usize::from(count))?;
        *self = after;
        Some(Self::new(vector))
    }

    /// What is left as numbers of two bytes; an odd byte at the end makes it none.
    pub(super) fn numbers(self) -> Option<Vec<u16>> {
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
    fn an_odd_byte_is_no_number() {
        assert_eq!(Reader::new(&[1, 2, 3, 4]).numbers(), Some(vec![0x102, 0x304]));
        assert_eq!(Reader::new(&[1, 2, 3]).numbers(), None);
    }
}
