//! Real proxies, run in the foreground inside a namespace with a configuration of the test's own.

mod kind;

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::Stdio,
};

use anyhow::{Context as _, Result};

use crate::{netns::Netns, origin::wait_for_port, running::Running, temp::TempDir, wait};

pub use kind::{CREDENTIALS, Kind};

/// A running proxy. It listens at its port on 127.0.0.1 and on ::1.
#[derive(Debug)]
pub struct Proxy {
    // Ends before its files are removed: fields go in this order.
    running: Running,
    kind: Kind,
    dir: TempDir,
}

impl Proxy {
    /// Starts it and waits until it accepts.
    ///
    /// # Errors
    /// When it is not installed or does not start; the error has its log.
    pub fn start(netns: &Netns, kind: Kind) -> Result<Self> {
        let dir = TempDir::new()?;
        kind.prepare(netns, &dir)?;
        let config = kind.config().replace("DIR", &dir.path().display().to_string());
        let config = config.replace("PORT", &kind.port().to_string());
        let config = dir.write("proxy.conf", &config)?;
        let mut command = netns.command(kind.program())?;
        command.args(kind.in_the_foreground()).arg(config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running::spawn(kind.program(), &mut command)?;
        let mut proxy = Self { running, kind, dir };
        for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, kind.port())), (Ipv6Addr::LOCALHOST, kind.port()).into()]
        {
            wait_for_port(netns, kind.program(), address, &mut proxy.running)
                .with_context(|| fs::read_to_string(proxy.dir.path().join(kind.log_of_itself())).unwrap_or_default())?;
        }
        Ok(proxy)
    }

    /// The port it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.kind.port()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Its address for `curl -x`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.kind.scheme(), self.port())
    }

    /// Its IPv6 address for `curl -x`.
    #[must_use]
    pub fn url_v6(&self) -> String {
        format!("{}://[::1]:{}", self.kind.scheme(), self.port())
    }

    /// Its log of requests so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        let path = self.dir.path().join("access.log");
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    /// Waits until the log of requests names `name`: squid writes the line of a tunnel when the tunnel has ended.
    /// Returns the whole log.
    ///
    /// # Errors
    /// When it does not come.
    pub fn log_with(&self, name: &str) -> Result<String> {
        let what = format!("the log of {} names {name}", self.kind.program());
        wait::until(&what, || Ok(Some(self.log()?).filter(|log| log.contains(name))))
    }
}
