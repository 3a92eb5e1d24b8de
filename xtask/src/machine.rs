//! What this machine has: programs on PATH, root, sudo. Only looks; changes nothing.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// How a command that needs root can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// We are root.
    Already,
    /// We are not, and sudo can be asked.
    Sudo,
    /// We are not, and there is no sudo: the user is told what to run.
    Unreachable,
}

/// How this process can get at root.
pub(crate) fn root() -> Result<Root> {
    let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    Ok(match (effective_uid(&status), find("sudo")) {
        (Some(0), _) => Root::Already,
        (_, Some(_)) => Root::Sudo,
        (_, None) => Root::Unreachable,
    })
}

/// The second field of the `Uid:` line (proc_pid_status(5)).
fn effective_uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Where `program` is, on PATH or in the directories of administrators that a user's PATH may lack.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    directories.map(|directory| directory.join(program)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    fs::metadata(file).is_ok_and(|entry| entry.is_file() && entry.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_uid_is_read() {
        assert_eq!(effective_uid("Name:\tx\nUid:\t1000\t0\t0\t0\n"), Some(0));
        assert_eq!(effective_uid("Name:\tx\n"), None);
    }

    #[test]
    fn a_program_is_found_and_an_absent_one_is_not() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-here").is_none());
    }
}
