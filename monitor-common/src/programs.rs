//! The names of the kernel programs, and the numbers under which they call each other.

/// A program that is reached by a tail call. The discriminant is its index in the jump table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Callee {
    /// Reads a request line.
    ParseHttp = 0,
    /// Reads on in a request's head, for the Host field and for the end.
    ScanHead = 1,
    /// Splits an authority into name and port.
    ParseAuthority = 2,
    /// Reads a message to a SOCKS proxy.
    ParseSocks = 3,
    /// Finds the server name in a ClientHello.
    ParseTls = 4,
    /// Takes the record headers out of a ClientHello in several TLS records.
    Unrecord = 5,
    /// Keeps an incomplete message until more of it is sent.
    Keep = 6,
    /// Hashes the suffixes of the name, looks them up, makes the verdict and reports it.
    Decide = 7,
    /// Ends a message, and goes on with the one behind it in the same packet.
    NextMessage = 8,
    /// Looks for a request for TLS among messages in clear text.
    ParseStartTls = 9,
}

impl Callee {
    /// Every program of the jump table, in the order of its index.
    pub const ALL: [Self; 10] = [
        Self::ParseHttp,
        Self::ScanHead,
        Self::ParseAuthority,
        Self::ParseSocks,
        Self::ParseTls,
        Self::Unrecord,
        Self::Keep,
        Self::Decide,
        Self::NextMessage,
        Self::ParseStartTls,
    ];

    /// The program's name in the kernel object.
    pub const fn program(self) -> &'static str {
        match self {
            Self::ParseHttp => "parse_http",
            Self::ScanHead => "scan_head",
            Self::ParseAuthority => "parse_authority",
            Self::ParseSocks => "parse_socks",
            Self::ParseTls => "parse_tls",
            Self::Unrecord => "unrecord",
            Self::Keep => "keep",
            Self::Decide => "decide",
            Self::NextMessage => "next_message",
            Self::ParseStartTls => "parse_starttls",
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
