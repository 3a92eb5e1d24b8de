//! One kernel in QEMU with `monitor-guest` as its only program, and what it said.
//!
//! The processor is emulated: it works wherever QEMU does, and needs neither root nor /dev/kvm.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::{
    archive::{Entry, archive},
    kernel::Kernel,
};
use crate::{guest::Report, step::Step};

/// How long a machine may take. It takes 12 to 20 s on two idle cores; a loaded host is no reason to fail.
const LIMIT: Duration = Duration::from_secs(300);
const MEMORY_MIB: &str = "512";
/// Two, so that both ends of a connection run at once.
const PROCESSORS: &str = "2";

/// What a machine said, and how long it took from its start to its last line.
pub(super) struct Ran {
    pub(super) report: Report,
    pub(super) took: Duration,
}

/// Starts the kernel and waits for its end.
pub(super) fn boot(kernel: &Kernel, guest: &Path, directory: &Path, step: &Step) -> Result<Ran> {
    let files = directory.join("files.cpio");
    fs::write(&files, file_system(kernel, guest)?).with_context(|| format!("write {}", files.display()))?;
    let mut machine = Command::new("qemu-system-x86_64");
    machine.args(["-accel", "tcg", "-cpu", "max", "-smp", PROCESSORS]);
    // The smallest machine that there is. It hangs with ACPI under these kernels.
    machine.args(["-machine", "microvm,acpi=off", "-nodefaults", "-no-user-config", "-m", MEMORY_MIB]);
    // A restart, as after a panic, is the machine's end.
    machine.args(["-no-reboot", "-display", "none", "-monitor", "none", "-serial", "stdio"]);
    machine.args(["-append", "console=ttyS0 panic=-1 quiet", "-kernel"]).arg(&kernel.image).arg("-initrd").arg(&files);
    let begun = Instant::now();
    // The guest's last line ends the machine: on two emulated processors a kernel does not always manage to restart.
    let is_last = |line: &str| line.trim_end() == "guest\tdone";
    let said = step.capture_until(&mut machine, LIMIT, is_last).context("the machine hung; it said the lines above")?;
    let took = begun.elapsed();
    let log = directory.join("serial.log");
    fs::write(&log, &said).with_context(|| format!("write {}", log.display()))?;
    let report = Report::parse(&said)?;
    ensure!(
        report.done,
        "the machine ended before its program did: {} has all that it said, and its last line was: {}",
        log.display(),
        said.lines().last().unwrap_or("none")
    );
    Ok(Ran { report, took })
}

fn file_system(kernel: &Kernel, guest: &Path) -> Result<Vec<u8>> {
    let read = |file: &Path| fs::read(file).with_context(|| format!("read {}", file.display()));
    let mut entries = vec![Entry::program("init", read(guest)?), Entry::directory("modules")];
    for module in &kernel.modules {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        entries.push(Entry::file(&format!("modules/{name}"), read(module)?));
    }
    archive(&entries).context("the guest's files are too long")
}
