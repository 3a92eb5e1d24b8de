//! Which kernels are tested, and where Debian has them.

/// A series of kernels in one suite of Debian.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Series {
    /// Its first two numbers.
    pub(super) name: &'static str,
    /// What the step is called.
    pub(super) step: &'static str,
    /// The last part of the mirror's address.
    pub(super) archive: &'static str,
    pub(super) suite: &'static str,
}

/// The oldest that is supported, the newest that there is, and those that Debian's users have in between.
pub(crate) static SERIES: [Series; 5] = [
    Series { name: "5.10", step: "vm 5.10", archive: "debian-security", suite: "bullseye-security" },
    Series { name: "6.1", step: "vm 6.1", archive: "debian-security", suite: "bookworm-security" },
    Series { name: "6.12", step: "vm 6.12", archive: "debian-security", suite: "bookworm-security" },
    Series { name: "6.18", step: "vm 6.18", archive: "debian", suite: "trixie-backports" },
    Series { name: "7.3", step: "vm 7.3", archive: "debian", suite: "trixie-backports" },
];

impl Series {
    /// Names of its packages for virtual machines, as a regular expression.
    pub(super) fn pattern(&self) -> String {
        let name = self.name.replace('.', "\\.");
        format!(r"^linux-image-{name}\.[0-9]+(\+deb[0-9.]+|-[0-9]+)-cloud-amd64$")
    }
}

/// The two that stand for all in `cargo xtask test`: the oldest and the newest.
pub(crate) fn ends() -> Vec<&'static Series> {
    [SERIES.first(), SERIES.last()].into_iter().flatten().collect()
}
