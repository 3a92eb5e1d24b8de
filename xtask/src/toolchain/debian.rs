//! Debian's compiler for BPF, unpacked below target/toolchain, and bpf-linker built against its LLVM.
//!
//! rustup offers no prebuilt `core` for BPF, and building it needs nightly's rust-src; Debian ships both compiler and
//! `core` in its security suite (they build the browsers), and the package's LLVM is the one bpf-linker then uses, so
//! that what one writes the other can read. A stamp written last says that everything is in place; without it, or when
//! the recipe or the checkout's place changed, the fetch starts over.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    apt::Apt,
    cargo,
    step::{Step, Steps},
};

/// What is fetched. Change `RECIPE` with it.
const PACKAGES: [&str; 8] = [
    "rustc-web",
    "libstd-rust-web-dev-bpf",
    "rust-web-clippy",
    // What bpf-linker links: LLVM, and what LLVM's own libraries were built with.
    "llvm-22-dev",
    "libpolly-22-dev",
    "zlib1g-dev",
    "libzstd-dev",
    "libxml2-dev",
];
/// Names of the compiler's and LLVM's packages start like this: all are fetched, or none would find the others.
const TOGETHER: [&str; 7] =
    ["rustc-web", "libstd-rust-web", "rust-web-", "llvm-22", "libllvm22", "libpolly-22", "libclang-cpp22"];
const LLVM: &str = "22";
const BPF_LINKER: &str = "0.13.0";
const RECIPE: &str = "1";

/// The toolchain in place.
pub(crate) struct Unpacked {
    toolchain: PathBuf,
    tools: PathBuf,
}

impl Unpacked {
    /// The compiler, as one program that finds its libraries.
    pub(super) fn rustc(&self) -> PathBuf {
        self.toolchain.join("bin/rustc")
    }

    /// The linter that fits the compiler.
    pub(super) fn clippy_driver(&self) -> PathBuf {
        self.toolchain.join("bin/clippy-driver")
    }

    /// bpf-linker, which needs the libraries that its LLVM needs.
    pub(super) fn linker(&self) -> PathBuf {
        self.toolchain.join("bin/bpf-linker")
    }

    fn built_linker(&self) -> PathBuf {
        self.tools.join("bin/bpf-linker")
    }

    fn unpacked(&self) -> PathBuf {
        self.toolchain.join("root")
    }

    fn libraries(&self) -> PathBuf {
        self.unpacked().join("usr/lib").join(triplet())
    }

    fn llvm(&self) -> PathBuf {
        self.unpacked().join(format!("usr/lib/llvm-{LLVM}"))
    }

    fn stamp(&self) -> PathBuf {
        self.toolchain.join("complete")
    }

    /// The wrappers hold absolute paths, so a moved checkout needs new ones.
    fn stamp_text(&self) -> String {
        format!("recipe {RECIPE}\nbpf-linker {BPF_LINKER}\n{}\n", self.toolchain.display())
    }

    fn is_complete(&self) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|text| text == self.stamp_text())
            && [self.linker(), self.built_linker()].iter().all(|program| program.exists())
    }
}

/// Returns the toolchain, fetched first when it is not complete.
pub(super) fn provide(root: &Path, steps: &mut Steps) -> Result<Unpacked> {
    let target = root.join("target");
    let unpacked = Unpacked { toolchain: target.join("toolchain"), tools: target.join("tools") };
    fs::create_dir_all(&target).with_context(|| format!("make {}", target.display()))?;
    // Two tasks at once must not fetch into one directory: the second waits and finds it complete.
    let lock = File::create(target.join("toolchain.lock")).context("create target/toolchain.lock")?;
    lock.lock().context("lock target/toolchain.lock")?;
    if unpacked.is_complete() {
        return Ok(unpacked);
    }
    let next = "see that the network and the system's apt sources work, then run this again; or take the other way: \
                `rustup toolchain install nightly --component rust-src --component clippy && cargo install bpf-linker`";
    steps.run("kernel compiler (fetch)", next, |step| {
        step.say("the compiler for the kernel object is fetched once into target/toolchain (about 1 GB, no root)");
        fetch(&unpacked, step)
    })?;
    steps.run("bpf-linker (build)", next, |step| build_linker(&unpacked, step))?;
    fs::write(unpacked.stamp(), unpacked.stamp_text()).context("write the toolchain's stamp")?;
    Ok(unpacked)
}

fn fetch(unpacked: &Unpacked, step: &Step) -> Result<()> {
    remove(&unpacked.toolchain)?;
    let archives = unpacked.toolchain.join("archives");
    fs::create_dir_all(&archives).with_context(|| format!("make {}", archives.display()))?;
    let apt = Apt::of_system(unpacked.toolchain.join("apt"), &TOGETHER)?;
    apt.update(step)?;
    let packages = apt.missing(step, &PACKAGES)?;
    apt.download(step, &packages, &archives)?;
    for archive in entries(&archives)? {
        step.at(format!("unpack {}", archive.display()));
        step.capture(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(unpacked.unpacked()))?;
    }
    mend_links(&unpacked.libraries())?;
    let programs = unpacked.unpacked().join("usr/bin");
    for (wrapper, name) in [(unpacked.rustc(), "rustc"), (unpacked.clippy_driver(), "clippy-driver")] {
        write_wrapper(unpacked, &wrapper, &programs.join(name))?;
    }
    write_wrapper(unpacked, &unpacked.linker(), &unpacked.built_linker())?;
    for program in [unpacked.rustc(), unpacked.clippy_driver()] {
        step.capture(Command::new(program).arg("--version")).context("the unpacked compiler does not run here")?;
    }
    // Lists and archives are of no more use.
    remove(&archives)?;
    remove(&unpacked.toolchain.join("apt"))
}

/// A `-dev` package's `libX.so` points to a file of the library's own package. When that package is installed it was
/// not fetched, and the link must lead to the system's file.
fn mend_links(libraries: &Path) -> Result<()> {
    let system = [Path::new("/usr/lib").join(triplet()), Path::new("/lib").join(triplet())];
    for link in entries(libraries)? {
        let Ok(pointed) = fs::read_link(&link) else { continue };
        let Some(name) = pointed.file_name().filter(|_| !link.exists()) else {
            continue;
        };
        if let Some(there) = system.iter().map(|directory| directory.join(name)).find(|file| file.exists()) {
            fs::remove_file(&link)?;
            symlink(&there, &link).with_context(|| format!("link {}", link.display()))?;
        }
    }
    Ok(())
}

/// The compiler finds its own sysroot from where it lies; only its shared libraries must be pointed out.
fn write_wrapper(unpacked: &Unpacked, wrapper: &Path, program: &Path) -> Result<()> {
    let script = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}'\nexport LD_LIBRARY_PATH\nexec '{}' \"$@\"\n",
        unpacked.libraries().display(),
        program.display()
    );
    fs::create_dir_all(unpacked.toolchain.join("bin")).context("make target/toolchain/bin")?;
    fs::write(wrapper, script).with_context(|| format!("write {}", wrapper.display()))?;
    fs::set_permissions(wrapper, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("make {} a program", wrapper.display()))
}

fn build_linker(unpacked: &Unpacked, step: &Step) -> Result<()> {
    let scratch = unpacked.tools.join("build");
    let mut install = cargo::clean(cargo::program());
    install
        .args(["install", "bpf-linker", "--version", BPF_LINKER, "--locked", "--force", "--no-default-features"])
        .args(["--features", &format!("llvm-{LLVM}"), "--root"])
        .arg(&unpacked.tools)
        .env("CARGO_TARGET_DIR", &scratch)
        .env("LLVM_PREFIX", unpacked.llvm());
    step.capture(&mut install)?;
    step.capture(Command::new(unpacked.linker()).arg("--version")).context("the built bpf-linker does not run here")?;
    remove(&scratch)
}

/// Debian's name for this machine's kind, as its library directories have it.
fn triplet() -> String {
    format!("{}-linux-gnu", std::env::consts::ARCH)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))?;
    let mut paths = read.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn remove(directory: &Path) -> Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    if fs::symlink_metadata(directory)?.is_symlink() {
        bail!("{} is a link: remove it yourself", directory.display());
    }
    fs::remove_dir_all(directory).with_context(|| format!("remove {}", directory.display()))
}
