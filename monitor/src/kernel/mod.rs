//! The only module that talks to the kernel about BPF, sockets and namespaces: it loads and attaches the programs, fills
//! the policy table, reads the ring and the counters, lists open sockets, and destroys blocked ones.
//!
//! It is the only place in user space with `unsafe`: a few raw system calls that no library wraps, and one mapping.
//! It never parses what a program sent; that is `monitor_common::event::decode`.

#![expect(unsafe_code, reason = "bpf(2) and mmap(2) have no safe wrapper for what is done here")]

mod attach;
mod bpf;
mod cost;
mod destroy;
mod netns;
mod object;
mod open_sockets;
mod policy_table;
mod ring;
mod sock_diag;
mod statistics;
mod support;
mod trial;

use std::io;
use std::path::PathBuf;

pub use attach::{Attached, KernelCounts};
pub use cost::{ProgramCost, program_costs};
pub use destroy::{Destroyed, Destroyer};
pub use open_sockets::{OpenSocket, OpenSockets, open_sockets};
pub use policy_table::{PolicyTable, TableEntry};
pub use ring::Ring;
pub use support::{Support, probe};
pub use trial::Trial;

/// Why the kernel side does not work. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The binary was built without the kernel object.
    #[error("this build holds no kernel programs; build it with `cargo xtask build`")]
    NoObject,
    /// The process may not load BPF programs.
    #[error("no privilege: {missing} is missing; run proxysight as root, or give it CAP_BPF and CAP_NET_ADMIN")]
    NoPrivilege {
        /// The capabilities that are missing.
        missing: String,
    },
    /// No cgroup2 hierarchy is mounted.
    #[error("no cgroup2 file system is mounted; mount one: `mount -t cgroup2 none /sys/fs/cgroup/unified`")]
    NoCgroup2,
    /// The kernel lacks what the programs need.
    #[error("Linux {release} is too old: proxysight needs 5.10 or later")]
    KernelTooOld {
        /// As `uname -r` gives it.
        release: String,
    },
    /// A file of /proc or /sys that cannot be read.
    #[error("read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The object's maps could not be made.
    #[error("make the maps of the kernel programs")]
    Maps(#[source] Box<aya::EbpfError>),
    /// The kernel refused a program.
    #[error("the kernel refused the program `{program}`; please report this with the kernel's version")]
    Load {
        /// Its name.
        program: &'static str,
        /// What the kernel said.
        source: Box<aya::programs::ProgramError>,
    },
    /// The kernel refused a program whose cost was asked.
    #[error(
        "the kernel refused the program `{program}`, so it has no cost; please report this with the kernel's version"
    )]
    Cost {
        /// Its name.
        program: String,
        /// What the kernel said.
        source: Box<aya::programs::ProgramError>,
    },
    /// The object lacks a program or map, or has it in another form.
    #[error("the kernel object has no {what} as expected; build daemon and object from the same source")]
    Object {
        /// Which one.
        what: &'static str,
    },
    /// A program could not be attached.
    #[error("attach `{program}` to {}", cgroup.display())]
    Attach {
        /// Its name.
        program: &'static str,
        /// The root of the hierarchy.
        cgroup: PathBuf,
        /// What the kernel said.
        source: Box<aya::programs::ProgramError>,
    },
    /// A map could not be read or written.
    #[error("use the map `{map}`")]
    Map {
        /// Its name.
        map: &'static str,
        /// What the kernel said.
        source: aya::maps::MapError,
    },
    /// A system call of our own failed.
    #[error("{what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// More rules than the table can number.
    #[error("{rules} rules are more than the {max} that a policy may hold")]
    TooManyRules {
        /// How many there are.
        rules: usize,
        /// How many there may be.
        max: usize,
    },
}
