//! The names of the kernel programs, and the numbers under which they call each other.

/// A program that is reached by a tail call. The discriminant is its index in the jump table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Callee {
    /// Reads a request line and finds the Host field.
    ParseHttp = 0,
    /// Splits an authority into name and port.
    ParseAuthority = 1,
    /// Finds the server name in a ClientHello.
    ParseTls = 2,
    /// Takes the record headers out of a ClientHello in several TLS records.
    Unrecord = 3,
    /// Keeps an incomplete message until more of it is sent.
    Keep = 4,
    /// Hashes the suffixes of the name, looks them up, makes the verdict and reports it.
    Decide = 5,
}

impl Callee {
    /// Every program of the jump table, in the order of its index.
    pub const ALL: [Self; 6] =
        [Self::ParseHttp, Self::ParseAuthority, Self::ParseTls, Self::Unrecord, Self::Keep, Self::Decide];

    /// The program's name in the kernel object.
    pub const fn program(self) -> &'static str {
        match self {
            Self::ParseHttp => "parse_http",
            Self::ParseAuthority => "parse_authority",
            Self::ParseTls => "parse_tls",
            Self::Unrecord => "unrecord",
            Self::Keep => "keep",
            Self::Decide => "decide",
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would stop there")]
const _: () = {
    let mut index = 0;
    while index < Callee::ALL.len() {
        assert!(Callee::ALL[index] as usize == index, "the discriminant is the index");
        index += 1;
    }
};
