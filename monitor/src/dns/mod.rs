//! What DNS tells about a process: the answers that it was given, the names that it asked for and where they led, and
//! whether a connection is itself DNS in an encrypted coat.
//!
//! Pure: no file, no socket, no clock; the time is an argument. Answers come from the network and may be hostile: nothing
//! here panics or grows beyond its limits, whatever the bytes are.
//!
//! A name from here is a fallback for connections whose own bytes gave none, and only for the process that asked. An
//! address never names a host for somebody else, and nothing is ever resolved.

mod answer;
mod cache;
mod message;
mod service;
#[cfg(test)]
mod tests;
mod words;

pub use answer::{Answer, Data, Name, Service};
pub use cache::{Alone, Found, NAMES_MAX, NAMES_PER_PROCESS_MAX, NameCache};
pub use message::{ANSWERS_MAX, DnsError, Response, tcp_messages};
pub use service::{Carrier, EncryptedDns, Evidence, Hello, recognise};
