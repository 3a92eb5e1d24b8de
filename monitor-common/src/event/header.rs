//! What every event begins with.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What an event tells. The number is the header's `kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// The TCP handshake of an outgoing connection is done.
    Established = 1,
    /// A name was found, and a verdict made.
    Named = 2,
    /// The proxy answered.
    Replied = 3,
    /// The connection is gone.
    Closed = 4,
    /// The socket asked for a blocked name and is to be destroyed.
    Doomed = 5,
    /// An outgoing connection came to nothing.
    Failed = 6,
    /// An incoming connection is established.
    Accepted = 7,
    /// A socket waits for incoming connections.
    Listening = 8,
    /// A datagram that is read in user space.
    Datagram = 9,
    /// What was sent can be read in two ways, so no name is told.
    Unreadable = 10,
    /// A socket was made that sends past the other hooks.
    RawSocket = 11,
    /// An outgoing connection is on its way.
    Attempted = 12,
}

impl Kind {
    /// The kind with this number, or none.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Established),
            2 => Some(Self::Named),
            3 => Some(Self::Replied),
            4 => Some(Self::Closed),
            5 => Some(Self::Doomed),
            6 => Some(Self::Failed),
            7 => Some(Self::Accepted),
            8 => Some(Self::Listening),
            9 => Some(Self::Datagram),
            10 => Some(Self::Unreadable),
            11 => Some(Self::RawSocket),
            12 => Some(Self::Attempted),
            _ => None,
        }
    }
}

/// What every event begins with. Written by the program that emits the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Header {
    /// A [`Kind`] as a number.
    pub kind: u32,
    /// Zero.
    pub _pad: u32,
    /// When it happened: nanoseconds since boot, suspend included (CLOCK_BOOTTIME).
    pub time_ns: u64,
    /// The socket's cookie: unique on a host until it reboots (`bpf_get_socket_cookie`).
    pub cookie: u64,
    /// When `connect()` was called, on the same clock: a socket can be connected again, so this and the cookie name a
    /// connection.
    pub connect_ns: u64,
}

/// Who opened the socket, as the kernel saw it in `connect()`. Written by the connect hook only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Owner {
    /// The socket's network namespace (`bpf_get_netns_cookie`, Linux 5.7).
    pub netns_cookie: u64,
    /// The process: its thread group id in the initial pid namespace.
    pub tgid: u32,
    /// The calling thread, in the initial pid namespace.
    pub tid: u32,
    /// The real user id in the initial user namespace.
    pub uid: u32,
    /// The real group id in the initial user namespace.
    pub gid: u32,
    /// The calling thread's name, padded with zeroes.
    pub comm: [u8; 16],
}

/// The ends of a connection. Written by the lifecycle hook when the first packet is about to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Endpoints {
    /// The socket's address family as an IP version: 4 or 6. A version 6 socket may hold IPv4-mapped addresses.
    pub family: u32,
    /// In host byte order.
    pub local_port: u16,
    /// In host byte order.
    pub remote_port: u16,
    /// In network byte order; a version 4 address is in the first four bytes.
    pub local: [u8; 16],
    /// In network byte order; a version 4 address is in the first four bytes.
    pub remote: [u8; 16],
}

/// Whose connection it is and where it goes: what the events have that can be the first to tell of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Origin {
    /// Who.
    pub owner: Owner,
    /// Between which ends.
    pub endpoints: Endpoints,
}

impl Header {
    /// Nothing known.
    pub const EMPTY: Self = Self { kind: 0, _pad: 0, time_ns: 0, cookie: 0, connect_ns: 0 };
}

impl Owner {
    /// Nothing known.
    pub const EMPTY: Self = Self { netns_cookie: 0, tgid: 0, tid: 0, uid: 0, gid: 0, comm: [0; 16] };
}

impl Endpoints {
    /// Nothing known.
    pub const EMPTY: Self = Self { family: 0, local_port: 0, remote_port: 0, local: [0; 16], remote: [0; 16] };
}

impl Origin {
    /// Nothing known.
    pub const EMPTY: Self = Self { owner: Owner::EMPTY, endpoints: Endpoints::EMPTY };
}
