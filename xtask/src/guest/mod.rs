//! The program `monitor-guest`: the real loader in one static binary, which runs alone in a virtual machine (`vm`) or tells
//! on this machine what each kernel program costs (`verify`).

mod report;

use std::{
    env::consts::ARCH,
    path::{Path, PathBuf},
};

use anyhow::Result;

pub(crate) use self::report::{Cost, Report};
use crate::{cargo, step::Steps};

/// Builds it around the kernel object that is there.
pub(crate) fn build(root: &Path, steps: &mut Steps) -> Result<PathBuf> {
    let next = "mend what the compiler says above, then run this again; linking needs the C library's static form \
                (libc6-dev on Debian)";
    steps.run("guest program", next, |step| {
        let target = format!("{ARCH}-unknown-linux-gnu");
        // With a target named, build scripts and macros are those of the other builds, and only what ends in the program
        // gets these flags.
        let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
        let mut build = cargo::host(root, "build");
        build.args(["--release", "--package", "monitor-guest", "--target", &target]);
        build.env(flags, "-C target-feature=+crt-static -C strip=symbols");
        step.capture(&mut build)?;
        Ok(root.join("target").join(target).join("release/monitor-guest"))
    })
}
