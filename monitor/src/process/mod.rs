//! Which process owns a connection: read from /proc as soon as its first event arrives.
//!
//! A process is never identified by its pid alone. The table holds a pidfd for each entry, so it knows when the process is
//! gone, and compares start times, so a pid that was given out again is not taken for its predecessor. What cannot be
//! found out is said with its reason, never guessed.

mod accounts;
mod holders;
mod host_proxies;
mod proc_files;
mod proxies;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use accounts::Accounts;
pub use holders::{Holders, holders};
use host_proxies::HostProxies;
use monitor_common::event::Owner;
use proc_files::{read_environ, read_image, read_stat};
pub use proxies::{ProxyAddress, ProxySettings, Scheme};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Processes remembered at once. Each holds a descriptor, so this stays below the usual soft limit of 1,024; beyond it the
/// ones that are gone are forgotten, or all.
const PROCESSES_MAX: usize = 512;
/// Thread names remembered for one process; a new name may mean a new image, so the files are read again.
const COMMS_MAX: usize = 16;

/// A process as it was when it opened a connection.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Its id in the initial pid namespace.
    pub id: u32,
    /// The real user id of the caller.
    pub uid: u32,
    /// The real group id of the caller.
    pub gid: u32,
    /// The name of the user, empty when /etc/passwd has none for the id.
    pub account_name: String,
    /// What is running.
    pub image: Image,
    /// Whose child it is, when that was still to be found out.
    pub parent: Option<Parent>,
    /// The proxies that it is configured to use: by its environment when it was executed, or where that has none, by the
    /// host's.
    pub proxies: Arc<ProxySettings>,
    /// The columns of its rows, written when the first of them is.
    pub columns: OnceLock<Vec<u8>>,
}

impl Process {
    /// Whose connections in a capture are: nobody knows, so every column is empty.
    pub fn not_in_capture() -> Self {
        Self { image: Image { lookup: Lookup::NotInCapture, ..Image::default() }, ..Self::default() }
    }
}

/// What a process is running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// How much of this was found out.
    pub lookup: Lookup,
    /// The file's name without its folder; the name of the calling thread when the process was gone.
    pub file_name: String,
    /// The file's path, empty when the process was gone.
    pub folder_path: String,
    /// The arguments, separated by spaces, empty when the process was gone.
    pub command_line: String,
    /// The working directory, empty when the process was gone.
    pub working_directory: String,
    /// When it started: nanoseconds since boot.
    pub started_ns: Option<u64>,
}

/// The parent of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parent {
    /// Its id.
    pub id: u32,
    /// Its file's name.
    pub file_name: String,
    /// When it started: nanoseconds since boot.
    pub started_ns: Option<u64>,
}

/// How much was found out about a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lookup {
    /// Everything that /proc tells.
    Found,
    /// It was gone before anybody looked; the kernel's event tells its id, user and thread name.
    #[default]
    Gone,
    /// The connection is known from a capture, which does not tell whose it was.
    NotInCapture,
}

struct Remembered {
    process: Arc<Process>,
    pidfd: OwnedFd,
    comms: Vec<[u8; 16]>,
    /// The turn in which the process was last seen running.
    seen_in_turn: u64,
}

/// The processes that own connections.
#[derive(Default)]
pub struct Processes {
    remembered: HashMap<u32, Remembered>,
    accounts: Accounts,
    host_proxies: HostProxies,
    turn: u64,
}

impl Processes {
    /// Begins to look at the events that have gathered. A process is asked once a turn whether it still runs: within the
    /// few milliseconds of a turn no pid comes round to be given out again.
    pub fn begin_turn(&mut self) {
        self.turn += 1;
    }

    /// The process that the kernel saw in `connect()`, so many nanoseconds after boot.
    pub fn of(&mut self, owner: &Owner, connect_ns: u64) -> Arc<Process> {
        if let Some(known) = self.remembered.get_mut(&owner.tgid)
            && known.process.uid == owner.uid
            && known.process.gid == owner.gid
            && known.comms.contains(&owner.comm)
            && started_before(&known.process.image, connect_ns)
            && (known.seen_in_turn == self.turn || is_running(&known.pidfd))
        {
            known.seen_in_turn = self.turn;
            return known.process.clone();
        }
        self.look_up(owner, connect_ns)
    }

    fn look_up(&mut self, owner: &Owner, connect_ns: u64) -> Arc<Process> {
        let account_name = self.accounts.name_of(owner.uid).unwrap_or_default();
        let process = Process { id: owner.tgid, uid: owner.uid, gid: owner.gid, account_name, ..Process::default() };
        let Some(Running { image, parent, proxies, pidfd }) =
            read_running(owner.tgid).filter(|running| started_before(&running.image, connect_ns))
        else {
            self.remembered.remove(&owner.tgid);
            return Arc::new(Process { image: gone(owner), ..process });
        };
        let proxies = if proxies.is_empty() { self.host_proxies.settings() } else { Arc::new(proxies) };
        let process = Arc::new(Process { image, parent, proxies, ..process });
        let mut comms = match self.remembered.remove(&owner.tgid) {
            Some(before) if before.process.image == process.image && before.comms.len() < COMMS_MAX => before.comms,
            Some(_) | None => Vec::new(),
        };
        comms.push(owner.comm);
        if self.remembered.len() >= PROCESSES_MAX {
            self.remembered.retain(|_, each| is_running(&each.pidfd));
            if self.remembered.len() >= PROCESSES_MAX {
                self.remembered.clear();
            }
        }
        self.remembered
            .insert(owner.tgid, Remembered { process: process.clone(), pidfd, comms, seen_in_turn: self.turn });
        process
    }
}

struct Running {
    image: Image,
    parent: Option<Parent>,
    /// Those of its environment.
    proxies: ProxySettings,
    pidfd: OwnedFd,
}

/// Reads a process between two proofs that its pid is still its own.
fn read_running(tgid: u32) -> Option<Running> {
    let pidfd = pidfd_open(Pid::from_raw(i32::try_from(tgid).ok()?)?, PidfdFlags::empty()).ok()?;
    let stat = read_stat(tgid)?;
    let image = read_image(tgid, &stat)?;
    let parent = (stat.parent != 0).then(|| read_parent(stat.parent));
    let proxies = read_environ(tgid).map(|environ| ProxySettings::of_environ(&environ)).unwrap_or_default();
    is_running(&pidfd).then_some(Running { image, parent, proxies, pidfd })
}

fn read_parent(id: u32) -> Parent {
    match read_stat(id) {
        Some(stat) => {
            let file_name = read_image(id, &stat).map_or(stat.comm, |image| image.file_name);
            Parent { id, file_name, started_ns: Some(stat.started_ns) }
        }
        None => Parent { id, ..Parent::default() },
    }
}

/// Whether the image can be the one that connected: a process that started later has the pid of a predecessor.
fn started_before(image: &Image, connect_ns: u64) -> bool {
    image.started_ns.is_some_and(|started| started <= connect_ns)
}

fn gone(owner: &Owner) -> Image {
    let comm = owner.comm.split(|byte| *byte == 0).next().unwrap_or_default();
    Image { file_name: String::from_utf8_lossy(comm).into_owned(), ..Image::default() }
}

/// A pidfd becomes readable when its process ends.
fn is_running(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        let mut comm = [0; 16];
        comm[..4].copy_from_slice(b"test");
        Owner { tgid: std::process::id(), comm, ..Owner::EMPTY }
    }

    #[test]
    fn a_running_process_is_found_once_and_remembered() {
        let mut processes = Processes::default();
        let first = processes.of(&owner(), u64::MAX);
        assert_eq!(first.image.lookup, Lookup::Found);
        assert!(first.image.folder_path.ends_with(&first.image.file_name) && !first.image.file_name.is_empty());
        assert_eq!(first.account_name, "root");
        assert!(first.parent.as_ref().is_some_and(|parent| !parent.file_name.is_empty()));
        assert!(Arc::ptr_eq(&first, &processes.of(&owner(), u64::MAX)));
    }

    #[test]
    fn a_pid_that_was_given_out_again_is_not_its_predecessor() {
        let process = Processes::default().of(&owner(), 1);
        assert_eq!(process.image, Image { file_name: "test".to_owned(), ..Image::default() });
        assert_eq!(process.image.lookup, Lookup::Gone);
    }
}
