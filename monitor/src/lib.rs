//! proxysight: the real target of connections behind forward proxies, audited or blocked.
//!
//! The modules follow the data: [`kernel`] hands over bytes from the ring, [`pipeline`] decodes them, finds the
//! [`process`], has [`correlate`] make connections of events, lets [`decide`] explain verdicts, turns changes into
//! [`record`]s and gives them to the [`stream`]. [`control`] is the socket by which others ask a running daemon.
//! [`command`] wires them together; [`cli`] is what users type, [`config`] what they write into a file.

#![deny(unsafe_code)]

pub mod account;
pub mod cli;
pub mod command;
pub mod config;
pub mod control;
pub mod correlate;
pub mod decide;
pub mod dns;
pub mod hello;
pub mod host;
pub mod hostname;
pub mod kernel;
pub mod pipeline;
pub mod process;
pub mod quic;
mod reader;
pub mod record;
pub mod replay;
pub mod stream;
