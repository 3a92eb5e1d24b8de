//! The files of /proc/PID (proc(5)), read whole. None: the process is gone, or the file is not what proc(5) says.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use super::{Image, Lookup};

/// Nanoseconds of a clock tick: /proc counts in USER_HZ, which is 100 on every architecture of Linux but Alpha.
const TICK_NS: u64 = 1_000_000_000 / 100;

/// What a process's command line is cut to in a record, in bytes.
const COMMAND_LINE_BYTES_MAX: usize = 8 * 1024;

/// Bytes of an environment that are read; a few thousand are usual, and a process may have megabytes. What stands behind is not
/// seen.
const ENVIRON_BYTES_MAX: u64 = 256 * 1024;

/// From /proc/PID/stat.
pub(super) struct Stat {
    /// The main thread's name.
    pub(super) comm: String,
    /// The parent's id.
    pub(super) parent: u32,
    /// When the process started: nanoseconds since boot, rounded down to a tick.
    pub(super) started_ns: u64,
}

pub(super) fn read_stat(id: u32) -> Option<Stat> {
    parse_stat(&String::from_utf8_lossy(&fs::read(format!("/proc/{id}/stat")).ok()?))
}

/// The name is in parentheses and may hold any byte, parentheses too: it ends at the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (before, after) = text.rsplit_once(')')?;
    let (_, comm) = before.split_once('(')?;
    let mut fields = after.split_ascii_whitespace();
    // Fields 3 (state), 4 (ppid), …, 22 (starttime).
    let parent = fields.nth(1)?.parse().ok()?;
    let started: u64 = fields.nth(17)?.parse().ok()?;
    Some(Stat { comm: comm.to_owned(), parent, started_ns: started.checked_mul(TICK_NS)? })
}

/// The environment that the process was executed with: what it has set since is not in there.
pub(super) fn read_environ(id: u32) -> Option<Vec<u8>> {
    let mut environ = Vec::new();
    File::open(format!("/proc/{id}/environ")).ok()?.take(ENVIRON_BYTES_MAX).read_to_end(&mut environ).ok()?;
    Some(environ)
}

/// The real user and group ids, from /proc/PID/status.
pub(super) fn read_ids(id: u32) -> Option<(u32, u32)> {
    parse_ids(&String::from_utf8_lossy(&fs::read(format!("/proc/{id}/status")).ok()?))
}

fn parse_ids(status: &str) -> Option<(u32, u32)> {
    let first = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    };
    Some((first("Uid:")?, first("Gid:")?))
}

pub(super) fn read_image(id: u32, stat: &Stat) -> Option<Image> {
    let link = |name: &str| {
        let path = fs::read_link(format!("/proc/{id}/{name}")).ok()?;
        Some(String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned())
    };
    // A kernel thread has no file.
    let folder_path = link("exe").unwrap_or_default();
    let file_name = match folder_path.rsplit('/').next() {
        Some(name) if !name.is_empty() => name.to_owned(),
        Some(_) | None => stat.comm.clone(),
    };
    Some(Image {
        lookup: Lookup::Found,
        file_name,
        folder_path,
        command_line: command_line(&fs::read(format!("/proc/{id}/cmdline")).ok()?),
        working_directory: link("cwd").unwrap_or_default(),
        started_ns: Some(stat.started_ns),
    })
}

/// Arguments end with a zero byte each.
fn command_line(bytes: &[u8]) -> String {
    let bytes = bytes.get(..COMMAND_LINE_BYTES_MAX).unwrap_or(bytes);
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_confuse() {
        let tail = "S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0";
        let stat = parse_stat(&format!("12 (a) (b)) {tail}")).unwrap();
        assert_eq!((stat.comm.as_str(), stat.parent, stat.started_ns), ("a) (b)", 7, 42_420_000_000));
        assert!(parse_stat("12 (a").is_none());
        assert!(parse_stat("12 (a) S 7").is_none());
    }

    #[test]
    fn the_real_ids_are_the_first() {
        assert_eq!(parse_ids("Name:\tUid: 9\nUid:\t7\t0\t0\t0\nGid:\t8\t1\t1\t1\n"), Some((7, 8)));
        assert_eq!(parse_ids("Uid:\t7\n"), None);
        assert_eq!(parse_ids("Uid:\nGid:\tx"), None);
    }

    #[test]
    fn a_command_line_is_its_arguments() {
        assert_eq!(command_line(b"curl\0-x\0http://p/\0"), "curl -x http://p/");
        assert_eq!(command_line(b""), "");
        assert_eq!(command_line(b"\xff\0"), "\u{fffd}");
        assert_eq!(command_line(&[b'a'; 9000]).len(), COMMAND_LINE_BYTES_MAX);
    }
}
