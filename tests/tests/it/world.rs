//! What most tests have around the daemon: a namespace with an origin in it, and perhaps a proxy.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use monitor_tests::{
    daemon::Daemon,
    netns::Netns,
    origin::{Origin, Ports},
    proxy::{Kind, Proxy},
    temp::TempDir,
};

/// A namespace with an origin. Fields end in this order, the namespace last.
pub(crate) struct World {
    pub(crate) origin: Origin,
    pub(crate) netns: Netns,
    policies: TempDir,
}

impl World {
    pub(crate) fn new() -> Result<Self> {
        let netns = Netns::new()?;
        Ok(Self { origin: Origin::start(&netns, Ports::default())?, netns, policies: TempDir::new()? })
    }

    pub(crate) fn proxy(&self, kind: Kind) -> Result<Proxy> {
        Proxy::start(&self.netns, kind)
    }

    /// Writes a policy file for the daemons of this test.
    pub(crate) fn policy(&self, name: &str, content: &str) -> Result<PathBuf> {
        self.policies.write(name, content)
    }

    /// A daemon that blocks `evil.example`, by line 2 of its file.
    pub(crate) fn blocks_evil(&self) -> Result<(Daemon, String)> {
        self.with_evil_policy("block")
    }

    /// A daemon that audits `evil.example`, by line 2 of its file.
    pub(crate) fn audits_evil(&self) -> Result<(Daemon, String)> {
        self.with_evil_policy("audit")
    }

    /// A daemon in audit mode without a policy.
    pub(crate) fn audits(&self) -> Result<Daemon> {
        Daemon::start(&["--mode", "audit"])
    }

    fn with_evil_policy(&self, mode: &str) -> Result<(Daemon, String)> {
        let policy = self.policy("evil.txt", "# One dangerous domain.\nevil.example\n")?;
        let policy = policy.to_str().context("a temporary path in UTF-8")?;
        let daemon = Daemon::start(&["--mode", mode, "--policy", policy])?;
        Ok((daemon, format!("{policy}:2")))
    }
}
