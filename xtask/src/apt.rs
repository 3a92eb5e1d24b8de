//! apt without root: the system's own mirrors and keys, but lists, cache and list of installed packages of our own.
//!
//! Never installs and never touches the system's lists: `update` and `download` only. apt checks what it downloads by the
//! checksums of the signed index. What may go wrong: no network, or a release that does not carry the packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};

use crate::step::Step;

/// dpkg's list of what is installed, in paragraphs.
const INSTALLED: &str = "/var/lib/dpkg/status";

/// What signs Debian's archives; the second name is the newer one.
const DEBIAN_KEYS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];

/// How often a download is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A private apt below one directory.
pub(crate) struct Apt {
    directory: PathBuf,
    /// `-o` for each.
    options: Vec<String>,
}

impl Apt {
    /// apt as the system has it. Packages whose name starts with one of `together` count as not installed: they only work
    /// side by side, so those that the system happens to have must be fetched too.
    pub(crate) fn of_system(directory: PathBuf, together: &[&str]) -> Result<Self> {
        let installed = fs::read_to_string(INSTALLED).with_context(|| format!("read {INSTALLED}"))?;
        Self::new(directory, &less(&installed, together), Vec::new())
    }

    /// apt that knows one suite of one of Debian's archives and nothing else, from the mirror that the system's own apt has
    /// for that archive. `archive` is the last part of the mirror's address: `debian` or `debian-security`.
    pub(crate) fn of_suite(directory: PathBuf, archive: &str, suite: &str) -> Result<Self> {
        let targets = Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]).output();
        let targets = targets.context("ask apt for its mirrors")?;
        let targets = String::from_utf8_lossy(&targets.stdout);
        let mirror = mirror(&targets, archive).with_context(|| {
            format!(
                "apt here has no mirror of Debian's archive `{archive}`: add a file to /etc/apt/sources.list.d with \
                 `deb [signed-by={}] MIRROR/{archive} {suite} main`",
                DEBIAN_KEYS[0]
            )
        })?;
        let keys = DEBIAN_KEYS.into_iter().find(|keys| Path::new(keys).exists());
        let keys = keys.context("Debian's keys are not here: install debian-archive-keyring")?;
        let sources = directory.join("sources.list");
        let only = vec![
            format!("Dir::Etc::sourcelist={}", sources.display()),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            "Dir::Etc::preferencesparts=/dev/null".to_owned(),
        ];
        let apt = Self::new(directory, "", only)?;
        fs::write(&sources, format!("deb [signed-by={keys}] {mirror} {suite} main\n"))
            .with_context(|| format!("write {}", sources.display()))?;
        Ok(apt)
    }

    fn new(directory: PathBuf, status: &str, mut options: Vec<String>) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = directory.join(part);
            fs::create_dir_all(&part).with_context(|| format!("make {}", part.display()))?;
        }
        fs::write(directory.join("status"), status).context("write apt's private status")?;
        let place = directory.display();
        options.extend([
            format!("Dir::State::lists={place}/lists"),
            format!("Dir::State::status={place}/status"),
            format!("Dir::Cache={place}/cache"),
        ]);
        options.extend(
            [
                "Acquire::Languages=none",
                "Acquire::Retries=3",
                // Root's apt downloads as `_apt`, which cannot write here.
                "APT::Sandbox::User=root",
                // Hooks of the system's apt are for the system's lists.
                "APT::Update::Post-Invoke::=",
                "Debug::NoLocking=true",
            ]
            .map(str::to_owned),
        );
        Ok(Self { directory, options })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for option in &self.options {
            command.args(["-o", option]);
        }
        // The output is parsed.
        command.env("LC_ALL", "C");
        command
    }

    /// Fetches the lists. One source that does not answer is no reason to stop: the packages may be in another.
    pub(crate) fn update(&self, step: &Step) -> Result<()> {
        let mut update = self.command("apt-get");
        update.arg("update");
        if let Err(failure) = step.capture(&mut update) {
            step.say(&format!("{failure:#}; going on with the lists that did arrive"));
        }
        Ok(())
    }

    /// The packages whose name matches a regular expression.
    pub(crate) fn names(&self, step: &Step, pattern: &str) -> Result<Vec<String>> {
        let found = step.capture(self.command("apt-cache").args(["search", "--names-only", pattern]))?;
        Ok(found.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect())
    }

    /// What `wanted` needs that is not installed here, itself included, each as `NAME=VERSION`.
    pub(crate) fn missing(&self, step: &Step, wanted: &[&str]) -> Result<Vec<String>> {
        let mut simulate = self.command("apt-get");
        simulate.args(["install", "-s", "--no-install-recommends"]).args(wanted);
        let plan = step.capture(&mut simulate).context("this system's apt sources do not offer the compiler")?;
        Ok(parse_plan(&plan))
    }

    /// Downloads `packages`, each as `NAME` or `NAME=VERSION`, into `directory`, and shows how much has come.
    pub(crate) fn download(&self, step: &Step, packages: &[String], directory: &Path) -> Result<()> {
        let mut ask = self.command("apt-get");
        let total = bytes(&step.capture(ask.args(["download", "--print-uris"]).args(packages))?);
        let mut download = self.command("apt-get");
        download.arg("download").current_dir(directory).args(packages);
        let places = [directory.to_owned(), self.directory.join("cache/archives/partial")];
        thread::scope(|scope| {
            let apt = scope.spawn(|| step.capture(&mut download));
            while !apt.is_finished() {
                step.arrived(places.iter().map(|place| bytes_in(place)).sum(), total);
                thread::sleep(LOOK_EVERY);
            }
            step.all_arrived();
            apt.join().map_err(|_| anyhow!("watching the download failed"))?
        })?;
        Ok(())
    }
}

/// The mirror of an archive, among those that apt knows.
fn mirror<'a>(targets: &'a str, archive: &str) -> Option<&'a str> {
    targets.lines().map(|uri| uri.trim_end_matches('/')).find(|uri| uri.rsplit('/').next() == Some(archive))
}

/// The sum of the third fields of `'URI' FILE BYTES CHECKSUM` lines.
fn bytes(uris: &str) -> u64 {
    let bytes = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
    uris.lines().filter(|line| line.starts_with('\'')).filter_map(bytes).sum()
}

/// What the files of a directory hold so far; a file that goes away meanwhile counts as nothing.
fn bytes_in(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
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

/// `NAME=VERSION` of the `Inst NAME [OLD] (NEW …)` lines, less the C library: it must stay the one that the system's loader fits.
fn parse_plan(plan: &str) -> Vec<String> {
    plan.lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
            let (_, new) = rest.split_once('(')?;
            let version = new.split_whitespace().next()?;
            let package = name.split_once(':').map_or(name, |(package, _)| package);
            let of_the_loader = package == "libc6" || package == "libc-bin";
            (!of_the_loader).then(|| format!("{name}={version}"))
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
        assert_eq!(parse_plan(plan), ["libxml2=2.9-2", "rustc-web=1.96.0+dfsg1-1"]);
    }

    #[test]
    fn a_mirror_is_the_one_of_the_archive() {
        let targets = "http://mirror.example/debian-security/\nhttp://mirror.example/debian/\n";
        assert_eq!(mirror(targets, "debian"), Some("http://mirror.example/debian"));
        assert_eq!(mirror(targets, "debian-security"), Some("http://mirror.example/debian-security"));
        assert_eq!(mirror("http://mirror.example/ubuntu/\n", "debian"), None);
    }

    #[test]
    fn a_download_knows_its_size() {
        let uris = "Reading lists...\n'http://mirror.example/a.deb' a.deb 1200 SHA256:00\n'http://x/b.deb' b.deb 34 SHA256:1\n";
        assert_eq!(bytes(uris), 1234);
    }
}
