//! What the kernel programs are to do, besides looking names up: it travels in the head of the policy table, so that it
//! changes together with the rules.

/// What proxysight does about dangerous names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Mode {
    /// Nothing is attached.
    Off = 0,
    /// Dangerous names are recorded and pass.
    Audit = 1,
    /// Dangerous names are recorded and do not leave the host.
    Block = 2,
}

impl Mode {
    /// The mode as it is written on the command line, in the configuration and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Block => "block",
        }
    }
}

/// What is done when a proxy was asked for one host and another is asked for inside the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum OnMismatch {
    /// Nothing.
    Off = 0,
    /// It is recorded.
    Audit = 1,
    /// It is recorded, and in mode block the inner name does not leave the host.
    Block = 2,
}

/// What is done about QUIC (RFC 9000).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Quic {
    /// Names are read, and decided about as any other.
    Inspect = 0,
    /// In mode block no QUIC connection to [`DOWNGRADE_PORT`] begins: the client has to use TCP.
    Downgrade = 1,
}

/// Port of `https` (RFC 9110 section 4.2.2), where a client that gets no answer over QUIC tries TCP.
pub const DOWNGRADE_PORT: u16 = 443;

/// Everything that the programs are told in the table's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders {
    /// What a match means.
    pub mode: Mode,
    /// What two different hosts of one tunnel mean.
    pub on_mismatch: OnMismatch,
    /// What the start of a QUIC connection means.
    pub quic: Quic,
    /// Whether connections are told of when they are on their way, besides how they turn out.
    pub attempts: bool,
}

impl Orders {
    /// Whether a QUIC connection to this port is one that is, or in mode audit would be, downgraded.
    pub fn downgrades(self, remote_port: u16) -> bool {
        self.quic == Quic::Downgrade && remote_port == DOWNGRADE_PORT
    }
}

impl From<Mode> for Orders {
    /// A mode, and everything else as it is when nobody says otherwise.
    fn from(mode: Mode) -> Self {
        Self { mode, on_mismatch: OnMismatch::Audit, quic: Quic::Inspect, attempts: false }
    }
}
