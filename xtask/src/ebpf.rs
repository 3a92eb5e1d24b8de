//! `cargo xtask ebpf`: the kernel object, from source to `target/ebpf/monitor-ebpf.o`.
//!
//! The object has its own target directory: other compiler, other flags, nothing shared with the host's build. It is
//! put in place only when its bytes changed, so that the crate that embeds it is not built again for nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    cargo,
    step::Steps,
    toolchain::{self, Toolchain},
};

/// Where the kernel's own target directory is.
pub(crate) const TARGET_DIR: &str = "target/ebpf-build";
/// The instruction set: little-endian eBPF, as every machine we run on.
pub(crate) const TARGET: &str = "bpfel-unknown-none";

/// Build the kernel object target/ebpf/monitor-ebpf.o
///
/// Uses rustup's nightly with rust-src and bpf-linker when both are there; else, on Debian, fetches a compiler and the
/// linker into target/ (no root, nothing installed); else prints what to run.
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask ebpf && llvm-objdump -h target/ebpf/monitor-ebpf.o")]
pub(crate) struct Arguments {}

pub(crate) fn main(Arguments {}: Arguments) -> Result<()> {
    let object = build(&cargo::root(), &mut Steps::default())?;
    println!("{}", object.display());
    Ok(())
}

/// Builds the object and returns where it is.
pub(crate) fn build(root: &Path, steps: &mut Steps) -> Result<PathBuf> {
    let toolchain = toolchain::provide(root, steps)?;
    build_with(&toolchain, root, steps)
}

/// Builds the object with a toolchain that is already there.
pub(crate) fn build_with(toolchain: &Toolchain, root: &Path, steps: &mut Steps) -> Result<PathBuf> {
    steps.run("kernel object", "mend what the compiler or bpf-linker says above, then `cargo xtask ebpf`", |step| {
        let mut build = toolchain.cargo(root, "build");
        build.args(["--package", "monitor-ebpf", "--bin", "monitor-ebpf", "--profile", "ebpf"]);
        step.capture(&mut build)?;
        let built = root.join(TARGET_DIR).join(TARGET).join("ebpf/monitor-ebpf");
        let object = root.join("target/ebpf/monitor-ebpf.o");
        put(&built, &object)?;
        Ok(object)
    })
}

/// Makes `to` equal to `from`, all at once, and leaves it alone when it already is.
fn put(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("read {}", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory).with_context(|| format!("make {}", directory.display()))?;
    }
    let half = to.with_extension("o.part");
    fs::write(&half, bytes).with_context(|| format!("write {}", half.display()))?;
    fs::rename(&half, to).with_context(|| format!("put {} in place", to.display()))
}

#[cfg(test)]
mod tests {
    use std::{env, process};

    use super::*;

    #[test]
    fn an_equal_object_is_left_alone_and_a_changed_one_is_replaced() {
        let directory = env::temp_dir().join(format!("xtask-put-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (from, to) = (directory.join("built"), directory.join("sub/object.o"));
        fs::write(&from, "one").unwrap();
        put(&from, &to).unwrap();
        let first = fs::metadata(&to).unwrap().modified().unwrap();
        put(&from, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), first);
        fs::write(&from, "two").unwrap();
        put(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"two");
        fs::remove_dir_all(&directory).unwrap();
    }
}
