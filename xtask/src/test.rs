//! `cargo xtask test`: everything that must hold before a change lands, in order, stopping at the first failure.
//!
//! All builds are release builds in one target directory, so that each crate is compiled once for what is tested and
//! what is shipped. Only three things need root: installing the programs that the tests drive, loading the
//! kernel programs to see their cost, and the integration tests, which attach them. Cargo's test output goes to stdout as it comes.

use std::path::Path;

use anyhow::{Result, bail};

use crate::{
    build, cargo, docs, ebpf, guest,
    machine::{self, Root},
    packages,
    step::{self, Steps},
    tidy, toolchain, verify, vm,
};

/// Run every check: format, architecture, lints, unit tests, other kernels, and the real daemon on the real kernel
///
/// Installs the programs that the tests drive when they are missing (Debian and Ubuntu; as root or through sudo).
#[derive(clap::Args)]
#[command(
    after_help = "Example: cargo xtask test\n\nRoot is asked for three times at most: to install what the tests \
                        drive, to load the kernel programs, and to run the integration tests."
)]
pub(crate) struct Arguments {}

pub(crate) fn main(Arguments {}: Arguments) -> Result<()> {
    let mut steps = Steps::default();
    let done = run(&cargo::root(), &mut steps);
    steps.summarise();
    done
}

fn run(root: &Path, steps: &mut Steps) -> Result<()> {
    let toolchain = toolchain::provide(root, steps)?;
    ebpf::build_with(&toolchain, root, steps)?;
    packages::provide(&[packages::NEEDS, packages::MACHINES], steps)?;

    steps.run("format", "`cargo fmt --all`, then `cargo xtask test`", |step| {
        step.capture(cargo::host(root, "fmt").args(["--all", "--check"]))?;
        // The fuzz targets are a workspace of their own.
        step.capture(cargo::host(root, "fmt").args(["--check", "--manifest-path", "tests/fuzz/Cargo.toml"]))
    })?;
    tidy::run(root, steps)?;
    docs::run(root, docs::Do::Check, steps)?;
    let lint = "mend each lint above (never with #[allow]), then `cargo xtask test`";
    steps.run("clippy (host)", lint, |step| {
        let mut clippy = cargo::host(root, "clippy");
        // The release profile shares build scripts and derive macros with the builds below.
        clippy.args(["--workspace", "--exclude", "monitor-ebpf", "--all-targets", "--release", "--", "-D", "warnings"]);
        step.capture(&mut clippy)
    })?;
    steps.run("clippy (fuzz targets)", lint, |step| {
        let mut clippy = cargo::host(root, "clippy");
        // A workspace of its own, in the same folder: what both use is built once.
        clippy.env("CARGO_TARGET_DIR", root.join("target"));
        clippy.args(["--release", "--manifest-path", "tests/fuzz/Cargo.toml", "--", "-D", "warnings"]);
        step.capture(&mut clippy)
    })?;
    steps.run("clippy (kernel)", lint, |step| step.capture(&mut toolchain.clippy(root)))?;
    steps.run(
        "unit tests",
        "read the failed test above; `cargo test --release -p CRATE NAME` runs it alone",
        |step| {
            let mut test = cargo::host(root, "test");
            test.arg("--release");
            for package in ["monitor-common", "monitor", "monitor-kql", "monitor-store", "xtask"] {
                test.args(["-p", package]);
            }
            step.show(&mut test)
        },
    )?;
    build::daemon(root, steps)?;
    let guest = guest::build(root, steps)?;
    verify::run(&guest, root, steps)?;
    vm::run(&vm::ends(), &guest, root, steps)?;
    integration(root, steps)
}

/// One test at a time: they attach to the one root of the cgroup hierarchy, and a second daemon is refused.
fn integration(root: &Path, steps: &mut Steps) -> Result<()> {
    let next = "read the failed test above; as root, `cargo test --release -p monitor-tests NAME` runs it alone";
    steps.run("integration tests", next, |step| {
        let mut test = cargo::host(root, "test");
        test.args(["--release", "-p", "monitor-tests"]);
        match machine::root()? {
            Root::Already => {}
            Root::Sudo => {
                step.say(
                    "attaching kernel programs needs root: sudo is asked to run the test program and nothing else",
                );
                // Cargo itself stays with the user, so that nothing in target/ belongs to root.
                test.args(["--config", "target.'cfg(all())'.runner = ['sudo', '-E']"]);
            }
            Root::Unreachable => {
                test.args(["--", "--test-threads=1"]);
                bail!("they need root, and sudo is not here: as root, run `{}`", step::shown(&test));
            }
        }
        step.show(test.args(["--", "--test-threads=1"]))
    })
}
