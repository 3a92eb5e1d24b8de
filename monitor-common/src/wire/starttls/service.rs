//! The protocols that are known by the words of their clients.

/// A protocol that begins in clear text and can turn into TLS. Zero is reserved for "not known": some words are those of
/// several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Service {
    /// RFC 5321.
    Smtp = 1,
    /// RFC 1939.
    Pop3 = 2,
    /// RFC 959.
    Ftp = 3,
    /// RFC 9051.
    Imap = 4,
    /// Version 3 of the frontend/backend protocol.
    Postgresql = 5,
    /// RFC 3977. It has the bit of POP3, whose CAPA is the beginning of its CAPABILITIES.
    Nntp = 6,
    /// Version 10 of the client/server protocol.
    Mysql = 7,
    /// RFC 4511.
    Ldap = 8,
    /// RFC 6120.
    Xmpp = 9,
    /// RFC 2033.
    Lmtp = 10,
}

impl Service {
    /// The protocol with this number, or none.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Smtp),
            2 => Some(Self::Pop3),
            3 => Some(Self::Ftp),
            4 => Some(Self::Imap),
            5 => Some(Self::Postgresql),
            6 => Some(Self::Nntp),
            7 => Some(Self::Mysql),
            8 => Some(Self::Ldap),
            9 => Some(Self::Xmpp),
            10 => Some(Self::Lmtp),
            _ => None,
        }
    }

    /// The protocol's name in records: Zeek's, or else that of IANA's registry of service names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Imap => "imap",
            Self::Postgresql => "postgresql",
            Self::Nntp => "nntp",
            Self::Mysql => "mysql",
            Self::Ldap => "ldap",
            Self::Xmpp => "xmpp",
            Self::Lmtp => "lmtp",
        }
    }
}
