//! Which processes hold sockets that were made before anybody watched: their descriptors say so (/proc/PID/fd, proc(5)).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::accounts::Accounts;
use super::proc_files::read_ids;
use super::{Process, Running, is_running, read_running};

/// Descriptors that are looked at, of all processes together: a few seconds of reading. Beyond it
/// [`Holders::is_cut`] is set.
const DESCRIPTORS_MAX: usize = 1 << 20;

/// Processes by the inode of a socket that they hold.
#[derive(Default)]
pub struct Holders {
    /// Of a socket that several processes hold, the one with the lowest id: the others were forked from it, as a rule.
    pub by_inode: HashMap<u64, Arc<Process>>,
    /// Whether there were more descriptors than are looked at.
    pub is_cut: bool,
}

/// Looks for the holders of sockets. It reads all of /proc: call it from a thread of its own.
pub fn holders(inodes: &HashSet<u64>) -> Holders {
    let mut holders = Holders::default();
    let mut accounts = Accounts::default();
    let mut left = DESCRIPTORS_MAX;
    let mut ids: Vec<u32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    for id in ids {
        // The descriptors and the image are of one process if it still runs behind them.
        let pidfd = i32::try_from(id).ok().and_then(Pid::from_raw);
        let Some(pidfd) = pidfd.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
            continue;
        };
        let held: Vec<u64> = sockets_of(id, &mut left).filter(|inode| inodes.contains(inode)).collect();
        if held.is_empty() {
            continue;
        }
        let Some(process) = read_process(id, &mut accounts).filter(|_| is_running(&pidfd)) else {
            continue;
        };
        let process = Arc::new(process);
        for inode in held {
            holders.by_inode.entry(inode).or_insert_with(|| process.clone());
        }
    }
    holders.is_cut = left == 0;
    holders
}

fn read_process(id: u32, accounts: &mut Accounts) -> Option<Process> {
    let (uid, gid) = read_ids(id)?;
    let Running { image, parent, .. } = read_running(id)?;
    let account_name = accounts.name_of(uid).unwrap_or_default();
    Some(Process { id, uid, gid, account_name, image, parent, ..Process::default() })
}

fn sockets_of(id: u32, left: &mut usize) -> impl Iterator<Item = u64> {
    let descriptors = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten();
    let counted = descriptors.take_while(move |_| {
        *left = left.saturating_sub(1);
        *left != 0
    });
    counted.filter_map(|entry| {
        let link = fs::read_link(entry.ok()?.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_holder_of_a_socket_is_found_and_that_of_none_is_not() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = fs::File::from(socket.as_fd().try_clone_to_owned().unwrap()).metadata().unwrap().ino();
        let holders = holders(&HashSet::from([inode, u64::MAX]));
        assert_eq!(holders.by_inode.keys().copied().collect::<Vec<_>>(), [inode]);
        let process = &holders.by_inode[&inode];
        assert_eq!(process.id, std::process::id());
        assert!(!process.image.folder_path.is_empty() && !holders.is_cut);
    }
}
