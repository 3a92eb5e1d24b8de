//! Cargo as a child: which one, in which environment, and where it puts what it builds.
//!
//! `cargo xtask` is itself started by cargo and often by rustup, and both leave variables behind. Host builds keep
//! the user's own (so that they share artefacts with a plain `cargo build`); kernel builds keep none that could
//! choose another compiler or other flags.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The repository that this xtask was built in.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The cargo that started us, else the one on PATH.
pub(crate) fn program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// `cargo VERB` for the host, with artefacts in `target/`.
pub(crate) fn host(root: &Path, verb: &str) -> Command {
    let mut command = Command::new(program());
    without(&mut command, is_left_by_cargo_run);
    command.arg(verb).current_dir(root).env("CARGO_TARGET_DIR", root.join("target"));
    command
}

/// A command whose compiler and flags the caller sets: nothing of the outer build reaches it.
pub(crate) fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    without(&mut command, chooses_a_compiler);
    // An empty wrapper also switches off one that a config file names: it would not know this compiler.
    command.env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "");
    command
}

fn without(command: &mut Command, unwanted: impl Fn(&str) -> bool) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(&unwanted) {
            command.env_remove(name);
        }
    }
}

/// What `cargo run` tells the program it runs about that program's package.
fn is_left_by_cargo_run(name: &str) -> bool {
    const LEFT: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"];
    LEFT.iter().any(|start| name.starts_with(start))
}

/// Anything that decides how rust code is compiled or linked; where cargo keeps and fetches things stays.
fn chooses_a_compiler(name: &str) -> bool {
    const STARTS: [&str; 4] = ["CARGO_BUILD_", "CARGO_TARGET_", "CARGO_PROFILE_", "CARGO_UNSTABLE_"];
    const NAMES: [&str; 13] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "CLIPPY_ARGS",
        "LD_LIBRARY_PATH",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTDOC",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
        "RUSTUP_TOOLCHAIN",
        "SYSROOT",
    ];
    is_left_by_cargo_run(name) || NAMES.contains(&name) || STARTS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_builds_do_not_inherit_a_compiler_or_flags() {
        for name in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR", "CARGO_PKG_NAME"] {
            assert!(chooses_a_compiler(name), "{name}");
        }
    }

    #[test]
    fn where_cargo_keeps_and_fetches_things_is_inherited() {
        for name in ["CARGO_HOME", "RUSTUP_HOME", "CARGO_NET_OFFLINE", "CARGO_HTTP_PROXY", "PATH", "RUST_BACKTRACE"] {
            assert!(!chooses_a_compiler(name), "{name}");
        }
    }
}
