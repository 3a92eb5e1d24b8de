//! apt without root: the system's own sources and keys, but lists, cache and list of installed packages of our own.
//!
//! Never installs and never touches the system's lists: `update` and `download` only. What may go wrong: no network,
//! or a release that does not carry the packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::step::Step;

/// dpkg's list of what is installed, in paragraphs.
const INSTALLED: &str = "/var/lib/dpkg/status";

/// A private apt below one directory.
pub(super) struct Apt {
    directory: PathBuf,
}

/// One package as `apt-get install -s` names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    name: String,
    version: String,
}

impl Apt {
    /// Packages whose name starts with one of `together` count as not installed: they only work side by side, so
    /// those that the system happens to have must be fetched too.
    pub(super) fn new(directory: PathBuf, together: &[&str]) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = directory.join(part);
            fs::create_dir_all(&part).with_context(|| format!("make {}", part.display()))?;
        }
        let installed = fs::read_to_string(INSTALLED).with_context(|| format!("read {INSTALLED}"))?;
        fs::write(directory.join("status"), less(&installed, together)).context("write apt's private status")?;
        Ok(Self { directory })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let directory = self.directory.display();
        for option in [
            format!("Dir::State::lists={directory}/lists"),
            format!("Dir::State::status={directory}/status"),
            format!("Dir::Cache={directory}/cache"),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
            // Root's apt downloads as `_apt`, which cannot write here.
            "APT::Sandbox::User=root".to_owned(),
            // Hooks of the system's apt are for the system's lists.
            "APT::Update::Post-Invoke::=".to_owned(),
            "Debug::NoLocking=true".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        // The output is parsed.
        command.env("LC_ALL", "C");
        command
    }

    /// Fetches the lists. One source that does not answer is no reason to stop: the packages may be in another.
    pub(super) fn update(&self, step: &Step) -> Result<()> {
        let mut update = self.command("apt-get");
        update.arg("update");
        if let Err(failure) = step.capture(&mut update) {
            step.say(&format!("{failure:#}; going on with the lists that did arrive"));
        }
        Ok(())
    }

    /// What `wanted` needs that is not installed here, itself included.
    pub(super) fn missing(&self, step: &Step, wanted: &[&str]) -> Result<Vec<Package>> {
        let mut simulate = self.command("apt-get");
        simulate.args(["install", "-s", "--no-install-recommends"]).args(wanted);
        let plan = step.capture(&mut simulate).context("this system's apt sources do not offer the compiler")?;
        Ok(parse_plan(&plan))
    }

    /// Downloads `packages` into `directory`.
    pub(super) fn download(&self, step: &Step, packages: &[Package], directory: &Path) -> Result<()> {
        let mut download = self.command("apt-get");
        download.arg("download").current_dir(directory);
        download.args(packages.iter().map(|package| format!("{}={}", package.name, package.version)));
        step.capture(&mut download)?;
        Ok(())
    }
}

/// `installed` without the packages whose name starts with one of `together`.
fn less(installed: &str, together: &[&str]) -> String {
    let is_kept = |paragraph: &&str| {
        let name = paragraph.trim_start().lines().next().and_then(|line| line.strip_prefix("Package: "));
        !name.is_some_and(|name| together.iter().any(|start| name.starts_with(start)))
    };
    let mut kept = installed.split("\n\n").filter(is_kept).collect::<Vec<_>>().join("\n\n");
    kept.push('\n');
    kept
}

/// The `Inst NAME [OLD] (NEW …)` lines, less the C library: it must stay the one that the system's loader fits.
fn parse_plan(plan: &str) -> Vec<Package> {
    plan.lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
            let (_, new) = rest.split_once('(')?;
            let version = new.split_whitespace().next()?;
            let package = name.split_once(':').map_or(name, |(package, _)| package);
            let of_the_loader = package == "libc6" || package == "libc-bin";
            (!of_the_loader).then(|| Package { name: name.to_owned(), version: version.to_owned() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_belong_together_count_as_not_installed() {
        let installed = "Package: a\nStatus: x\n\nPackage: llvm-22\nStatus: x\n\nPackage: b\n";
        assert_eq!(less(installed, &["llvm-22"]).trim_end(), "Package: a\nStatus: x\n\nPackage: b");
    }

    #[test]
    fn new_and_upgraded_packages_are_read_and_the_c_library_is_left_alone() {
        let plan = "Remv rustc [1.63]\n\
                    Inst libxml2 [2.9-1] (2.9-2 Debian:12.15/oldstable [amd64])\n\
                    Inst rustc-web (1.96.0+dfsg1-1 Debian-Security:12 [amd64])\n\
                    Inst libc6 [2.36-1] (2.36-2 Debian:12 [amd64]) []\n\
                    Conf rustc-web (1.96.0+dfsg1-1 Debian-Security:12 [amd64])\n";
        let package = |name: &str, version: &str| Package { name: name.into(), version: version.into() };
        assert_eq!(parse_plan(plan), [package("libxml2", "2.9-2"), package("rustc-web", "1.96.0+dfsg1-1")]);
    }
}
