//! What the kernel programs and user space must agree on, byte for byte: how bytes on the wire are read, what an event
//! looks like, how the policy table is laid out, and every limit.
//!
//! The same source is compiled for both sides, so a name means the same thing to the program that drops a packet and
//! to the record that explains it. Nothing here allocates, does I/O, reads a clock or can panic on any input.

#![no_std]
#![forbid(unsafe_code)]

pub mod counter;
pub mod event;
pub mod limits;
pub mod mismatch;
pub mod policy;
pub mod programs;
pub mod progress;
#[cfg(test)]
mod random;
pub mod wire;
