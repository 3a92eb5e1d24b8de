//! The compiler and linker for the kernel object: which of the possible pairs this machine gets.
//!
//! 1. rustup's nightly with rust-src, and bpf-linker on PATH: the usual set-up of people who write eBPF in Rust.
//! 2. A machine with apt: Debian's compiler and its prebuilt `core` for BPF, unpacked below target/toolchain, and a
//!    bpf-linker built against the same LLVM in target/tools. Needs no root and installs nothing.
//! 3. Anything else: the commands to run, printed.

mod debian;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{cargo, ebpf, machine, step::Steps};

/// A way to compile and lint for the kernel.
pub(crate) enum Toolchain {
    /// rustup's nightly builds `core` itself.
    Nightly { linker: PathBuf },
    /// Debian's compiler, unpacked; wrappers give it its libraries.
    Debian(debian::Unpacked),
}

/// Finds a toolchain, or fetches one.
pub(crate) fn provide(root: &Path, steps: &mut Steps) -> Result<Toolchain> {
    if let Some(linker) = machine::find("bpf-linker").filter(|_| nightly_has_rust_src()) {
        return Ok(Toolchain::Nightly { linker });
    }
    if machine::find("apt-get").is_some() && machine::find("dpkg-deb").is_some() {
        return Ok(Toolchain::Debian(debian::provide(root, steps)?));
    }
    bail!(
        "there is no compiler for the kernel object here, and no apt to fetch one with\n  next: run\n    \
         rustup toolchain install nightly --component rust-src --component clippy\n    \
         cargo install bpf-linker\n  and then this again"
    )
}

impl Toolchain {
    /// `cargo VERB` for the kernel's target, with this toolchain's compiler and linker.
    pub(crate) fn cargo(&self, root: &Path, verb: &str) -> Command {
        let mut command = match self {
            Toolchain::Nightly { .. } => {
                // The cargo that started us belongs to one toolchain and does not understand `+nightly`.
                let mut command = cargo::clean("rustup");
                command.args(["run", "nightly", "cargo", verb, "-Z", "build-std=core"]);
                command
            }
            Toolchain::Debian(unpacked) => {
                let mut command = cargo::clean(cargo::program());
                // aya-ebpf uses unstable features, and Debian's compiler is a stable one.
                command.arg(verb).env("RUSTC", unpacked.rustc()).env("RUSTC_BOOTSTRAP", "1");
                command
            }
        };
        let linker = match self {
            Toolchain::Nightly { linker } => linker.clone(),
            Toolchain::Debian(unpacked) => unpacked.linker(),
        };
        command
            .args(["--target", ebpf::TARGET])
            .current_dir(root)
            .env("CARGO_TARGET_DIR", root.join(ebpf::TARGET_DIR))
            .env("CARGO_ENCODED_RUSTFLAGS", flags(&linker));
        command
    }

    /// The linter over both crates that the kernel runs, with warnings as errors.
    pub(crate) fn clippy(&self, root: &Path) -> Command {
        let packages = ["--package", "monitor-ebpf", "--package", "monitor-common", "--profile", "ebpf"];
        match self {
            Toolchain::Nightly { .. } => {
                let mut command = self.cargo(root, "clippy");
                command.args(packages).args(["--", "-D", "warnings"]);
                command
            }
            Toolchain::Debian(unpacked) => {
                // What `cargo clippy` does: `cargo check` with the driver as wrapper, its flags in the environment.
                let mut command = self.cargo(root, "check");
                command
                    .args(packages)
                    .env("RUSTC_WORKSPACE_WRAPPER", unpacked.clippy_driver())
                    .env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");
                command
            }
        }
    }
}

/// `--btf` keeps the type information that socket storage maps need; the debug information is what it is made of.
fn flags(linker: &Path) -> String {
    [&format!("-Clinker={}", linker.display()), "-Clink-arg=--btf", "-Cdebuginfo=2"].join("\u{1f}")
}

fn nightly_has_rust_src() -> bool {
    let mut ask = cargo::clean("rustup");
    // Only a look: a missing toolchain must not be installed by it.
    ask.args(["run", "nightly", "rustc", "--print", "sysroot"]).env("RUSTUP_AUTO_INSTALL", "0");
    ask.output().is_ok_and(|answer| {
        let sysroot = String::from_utf8_lossy(&answer.stdout);
        answer.status.success() && Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core").is_dir()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_survive_a_path_with_spaces() {
        let flags = flags(Path::new("/a b/bpf-linker"));
        assert_eq!(flags.split('\u{1f}').next(), Some("-Clinker=/a b/bpf-linker"));
    }
}
