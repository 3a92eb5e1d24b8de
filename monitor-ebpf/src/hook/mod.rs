//! The programs, one hook family per file. Each file names the kernel's hook, since when it is there, and what may fail.
//!
//! ```text
//! connect4, connect6            who connects
//! post_bind4, post_bind6        who may go on to listen
//! sendmsg4, sendmsg6            whose a UDP socket is
//! created                       who makes a raw socket
//! released                      closed by its owner
//! lifecycle                     established, failed, closed; accepted; listening
//! first_bytes ─┬► parse_http ─┬─────────────► parse_authority ─┬► decide ─┬► scan_head ─► next_message
//!              │              └► scan_head ───────▲            │          └► next_message
//!              │              └► parse_starttls ─► next_message
//!              ├► parse_socks ─────────────────────────────────┤
//!              └► parse_tls ─► (unrecord) ─────────────────────┘
//! any parser   ──► keep         the message is not complete yet
//! next_message ──► any parser   the next message in the same packet
//! replies                       what the proxy answers; a refused SYN
//! trial                         first_bytes for BPF_PROG_TEST_RUN; never attached
//! ```
//!
//! Each arrow is a tail call. It bounds what the verifier follows at once: as one program all this takes 969,492 of its
//! 1,000,000 instructions on 5.10 and is refused from 6.12 on.

mod connect;
mod datagram;
mod decide;
mod first_bytes;
mod lifecycle;
mod listen;
mod parse;
mod raw;
mod replies;
mod trial;
