//! What this kernel and this user can do: asked before anything is loaded, so that a refusal has a reason.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;

const OLDEST: (u32, u32) = (5, 10);

/// Capability numbers of `linux/capability.h`.
const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_BPF: u32 = 39;

/// Everything that is needed is there.
#[derive(Clone, Debug)]
pub struct Support {
    /// The root of the cgroup2 hierarchy.
    pub cgroup: PathBuf,
    /// As `uname -r` gives it.
    pub release: String,
}

/// Looks for cgroup2, privilege and kernel version.
///
/// # Errors
/// The first thing that is missing.
pub fn probe() -> Result<Support, Error> {
    let release = read("/proc/sys/kernel/osrelease")?.trim().to_owned();
    if version(&release).is_some_and(|version| version < OLDEST) {
        return Err(Error::KernelTooOld { release });
    }
    let missing = missing_capabilities(&read("/proc/self/status")?);
    if !missing.is_empty() {
        return Err(Error::NoPrivilege { missing: missing.join(" and ") });
    }
    let cgroup = cgroup2_root(&read("/proc/self/mounts")?).ok_or(Error::NoCgroup2)?;
    Ok(Support { cgroup, release })
}

fn read(path: &str) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::Read { path: Path::new(path).to_owned(), source })
}

/// Major and minor number, or none for a form that is not known: then the kernel itself has the last word.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(['.', '-', '+']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn missing_capabilities(status: &str) -> Vec<&'static str> {
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    let has = |capability: u32| effective >> capability & 1 == 1;
    let mut missing = Vec::new();
    if !has(CAP_BPF) && !has(CAP_SYS_ADMIN) {
        missing.push("CAP_BPF");
    }
    if !has(CAP_NET_ADMIN) {
        missing.push("CAP_NET_ADMIN");
    }
    missing
}

/// The first cgroup2 mount. Spaces in paths are written `\040` there.
fn cgroup2_root(mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let path = fields.nth(1)?;
        (fields.next()? == "cgroup2").then(|| PathBuf::from(path.replace("\\040", " ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_usual_form() {
        assert_eq!(version("6.18.44-fc-v669"), Some((6, 18)));
        assert_eq!(version("5.10.0-30-cloud-amd64"), Some((5, 10)));
        assert_eq!(version("6.1+deb"), Some((6, 1)));
        assert_eq!(version("strange"), None);
    }

    #[test]
    fn the_missing_capability_is_named() {
        assert_eq!(missing_capabilities("CapEff:\t0000000000000000\n"), ["CAP_BPF", "CAP_NET_ADMIN"]);
        assert_eq!(missing_capabilities("CapEff:\t0000000000200000\n"), ["CAP_NET_ADMIN"]);
        assert!(missing_capabilities("CapEff:\t000001ffffffffff\n").is_empty());
        assert_eq!(missing_capabilities("").len(), 2);
    }

    #[test]
    fn the_cgroup2_mount_is_found() {
        let mounts = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/my\\040own cgroup2 rw 0 0\n";
        assert_eq!(cgroup2_root(mounts), Some(PathBuf::from("/sys/fs/cgroup/my own")));
        assert_eq!(cgroup2_root("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n"), None);
    }
}
