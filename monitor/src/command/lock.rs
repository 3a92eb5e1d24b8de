//! One daemon a host: a lock on a file, which the kernel gives back however its holder ends.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

const DIRECTORY: &str = "/run/proxysight";
const FILE: &str = "/run/proxysight/lock";

/// The lock, held until it is dropped.
pub(super) struct Lock {
    _file: File,
}

/// Takes the lock, or says who has it.
pub(super) fn take() -> Result<Lock> {
    DirBuilder::new().recursive(true).mode(0o755).create(DIRECTORY).with_context(|| format!("make {DIRECTORY}"))?;
    let path = Path::new(FILE);
    let mut file =
        File::options().create(true).truncate(false).write(true).open(path).with_context(|| format!("open {FILE}"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(path).unwrap_or_default();
            bail!("another proxysight is running (pid {}); stop it first", pid.trim());
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("lock {FILE}")),
    }
    file.set_len(0).with_context(|| format!("write {FILE}"))?;
    writeln!(file, "{}", std::process::id()).with_context(|| format!("write {FILE}"))?;
    Ok(Lock { _file: file })
}
