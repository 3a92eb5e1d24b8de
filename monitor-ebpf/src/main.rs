//! The kernel programs of proxysight: who connects, what name is asked for, and whether it may leave the host.
//!
//! Only stable-UAPI program types on the cgroup2 root, no kernel structures: one object for Linux 5.10 and later. The
//! programs never wait, never allocate beyond their maps, and count whatever they give up on. ARCHITECTURE.md has the
//! map of how they call each other.

#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod counters;
mod datagram;
mod emit;
mod flow;
mod hook;
mod lease;
mod maps;
mod network;
mod owner;
mod run;
mod segment;

/// The verifier refuses any path that gets here, so nothing has to be said.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

// SAFETY: the section that the kernel reads the licence from; nothing else is linked into it.
#[unsafe(link_section = "license")]
// SAFETY: no other symbol of this name exists in the object.
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
