//! What process 1 does: mounts, kernel modules, the loopback device, and the end of the machine.
//!
//! The image holds this program and, below `/modules`, the kernel modules that a distribution would load by itself.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use rustix::mount::{MountFlags, mount};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
use rustix::system::{RebootCommand, init_module, reboot, uname};

/// Type and place of each file system, in order.
const MOUNTS: [(&str, &str); 4] =
    [("proc", "/proc"), ("sysfs", "/sys"), ("cgroup2", "/sys/fs/cgroup"), ("tmpfs", "/run")];

/// Makes the machine ready for checks; gives the kernel's release.
///
/// # Errors
/// What could not be done; later steps are not tried.
pub(crate) fn set_up() -> Result<String> {
    for (kind, place) in MOUNTS {
        fs::create_dir_all(place).with_context(|| format!("make {place}"))?;
        mount(kind, place, kind, MountFlags::empty(), None).with_context(|| format!("mount {kind} at {place}"))?;
    }
    load_modules()?;
    raise_loopback().context("raise the loopback device")?;
    Ok(uname().release().to_string_lossy().into_owned())
}

/// Their names begin with a number: a module comes after those that it needs.
fn load_modules() -> Result<()> {
    let entries = fs::read_dir("/modules").context("list /modules")?;
    let mut modules = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    modules.sort();
    for module in modules {
        let image = fs::read(&module).with_context(|| format!("read {}", module.display()))?;
        init_module(&image, c"").with_context(|| format!("load {}", module.display()))?;
    }
    Ok(())
}

/// RTM_NEWLINK with IFF_UP (rtnetlink(7)): the loopback device has index 1 in every network namespace.
fn raise_loopback() -> Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST_ACK: u16 = 1 | 4;
    const LOOPBACK: u32 = 1;
    const IFF_UP: u32 = 1;
    let netlink = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let mut request = Vec::new();
    // struct nlmsghdr: length, type, flags, sequence, port.
    request.extend(32u32.to_ne_bytes());
    request.extend(RTM_NEWLINK.to_ne_bytes());
    request.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    request.extend([0; 8]);
    // struct ifinfomsg: family and type, index, flags, which flags change.
    request.extend([0; 4]);
    for word in [LOOPBACK, IFF_UP, IFF_UP] {
        request.extend(word.to_ne_bytes());
    }
    send(&netlink, &request, SendFlags::empty())?;
    let mut answer = [0u8; 256];
    let (len, _) = recv(&netlink, &mut answer, RecvFlags::empty())?;
    // struct nlmsgerr follows the header; its first word is zero or an error.
    ensure!(answer.get(16..20).is_some_and(|code| code == [0; 4]), "the kernel refused, in {len} bytes");
    Ok(())
}

/// Ends the machine, when whoever reads its last line has not yet done so: the emulator takes a restart for its end.
///
/// # Errors
/// The kernel would not.
pub(crate) fn end() -> Result<()> {
    reboot(RebootCommand::Restart).context("restart the machine")
}
