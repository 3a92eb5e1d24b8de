//! Real forward proxies, run in the foreground inside a namespace with a configuration of the test's own.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::Stdio,
};

use anyhow::{Context as _, Result};

use crate::{netns::Netns, origin::wait_for_port, running::Running, temp::TempDir, wait};

/// The user name and password of [`Kind::TinyproxyWithPassword`].
pub const CREDENTIALS: (&str, &str) = ("someone", "not-in-any-record");

/// Which proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// tinyproxy; refuses CONNECT to ports other than 8443 with 403.
    Tinyproxy,
    /// tinyproxy that asks for [`CREDENTIALS`] with 407.
    TinyproxyWithPassword,
    /// squid; refuses `refused.example` with 403.
    Squid,
}

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
        let config = kind.config().replace("DIR", &dir.path().display().to_string());
        let config = config.replace("PORT", &kind.port().to_string());
        let config = dir.write("proxy.conf", &config)?;
        let mut command = netns.command(kind.program())?;
        // Both: stay in the foreground, as one process.
        let foreground: &[&str] = if kind == Kind::Squid { &["-N", "-f"] } else { &["-d", "-c"] };
        command.args(foreground).arg(config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running::spawn(kind.program(), &mut command)?;
        let mut proxy = Self { running, kind, dir };
        for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, kind.port())), (Ipv6Addr::LOCALHOST, kind.port()).into()]
        {
            wait_for_port(netns, kind.program(), address, &mut proxy.running)
                .with_context(|| fs::read_to_string(proxy.dir.path().join("cache.log")).unwrap_or_default())?;
        }
        Ok(proxy)
    }

    /// The port it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.kind.port()
    }

    /// Its address for `curl -x`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Its IPv6 address for `curl -x`.
    #[must_use]
    pub fn url_v6(&self) -> String {
        format!("http://[::1]:{}", self.port())
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

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Self::Tinyproxy | Self::TinyproxyWithPassword => "tinyproxy",
            Self::Squid => "squid",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Tinyproxy | Self::TinyproxyWithPassword => 8888,
            Self::Squid => 3128,
        }
    }

    fn config(self) -> String {
        match self {
            Self::Tinyproxy => TINYPROXY.to_owned(),
            Self::TinyproxyWithPassword => {
                let (user, password) = CREDENTIALS;
                format!("{TINYPROXY}BasicAuth {user} {password}\n")
            }
            Self::Squid => SQUID.to_owned(),
        }
    }
}

const TINYPROXY: &str = r#"
Port PORT
Listen 127.0.0.1
Listen ::1
Timeout 60
LogFile "DIR/access.log"
LogLevel Connect
MaxClients 200
ConnectPort 8443
"#;

const SQUID: &str = r#"
http_port 127.0.0.1:PORT
http_port [::1]:PORT
hosts_file /etc/hosts
acl refused dstdomain refused.example
http_access deny refused
http_access allow all
access_log stdio:DIR/access.log
cache_log DIR/cache.log
pid_filename none
coredump_dir DIR
netdb_filename none
pinger_enable off
cache deny all
cache_mem 4 MB
max_filedescriptors 1024
shutdown_lifetime 0 seconds
visible_hostname proxy.test
"#;
