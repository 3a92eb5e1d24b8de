//! Embeds the kernel object that `cargo xtask ebpf` built.
//!
//! Without one (plain `cargo test`, documentation) an empty file is embedded; the loader then says how to build a daemon
//! that works.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let object = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ebpf/monitor-ebpf.o");
    println!("cargo::rerun-if-changed={}", object.display());
    let bytes = match fs::read(&object) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo did not set OUT_DIR"))?;
    fs::write(PathBuf::from(out).join("monitor-ebpf.o"), bytes)
}
