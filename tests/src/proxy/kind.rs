//! Which proxies there are, and what each is told.

use std::{fs, process::Command};

use anyhow::{Result, ensure};

use crate::{netns::Netns, origin::make_certificate, temp::TempDir, tool};

/// The user name and password for the proxies that ask for one.
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
    /// squid that asks for [`CREDENTIALS`] with 407 and keeps the connection open.
    SquidWithPassword,
    /// dante: SOCKS4 and SOCKS5 for everybody, names in SOCKS5 only.
    Dante,
    /// dante that takes SOCKS5 with [`CREDENTIALS`] only (RFC 1929).
    DanteWithPassword,
    /// haproxy in front of the origin's TLS port: it passes on what it gets, and no client knows that it is there.
    HaproxyTcp,
    /// haproxy in front of the origin's HTTP port: it reads each request.
    HaproxyHttp,
    /// haproxy that speaks TLS with the clients of a tinyproxy behind it.
    HaproxyTls,
}

impl Kind {
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Tinyproxy | Self::TinyproxyWithPassword => "tinyproxy",
            Self::Squid | Self::SquidWithPassword => "squid",
            Self::Dante | Self::DanteWithPassword => "danted",
            Self::HaproxyTcp | Self::HaproxyHttp | Self::HaproxyTls => "haproxy",
        }
    }

    /// The arguments that keep it in the foreground, and name its configuration, which comes next.
    pub(super) fn in_the_foreground(self) -> &'static [&'static str] {
        match self {
            Self::Tinyproxy | Self::TinyproxyWithPassword => &["-d", "-c"],
            Self::Squid | Self::SquidWithPassword => &["-N", "-f"],
            Self::Dante | Self::DanteWithPassword => &["-N", "1", "-p", "/dev/null", "-f"],
            Self::HaproxyTcp | Self::HaproxyHttp | Self::HaproxyTls => &["-db", "-f"],
        }
    }

    pub(super) fn port(self) -> u16 {
        match self {
            Self::Tinyproxy | Self::TinyproxyWithPassword => 8888,
            Self::Squid | Self::SquidWithPassword => 3128,
            Self::Dante | Self::DanteWithPassword => 1080,
            Self::HaproxyTcp => 9443,
            Self::HaproxyHttp => 9080,
            Self::HaproxyTls => 9843,
        }
    }

    /// The file in which it says why it does not start.
    pub(super) fn log_of_itself(self) -> &'static str {
        match self {
            Self::Squid | Self::SquidWithPassword => "cache.log",
            Self::Tinyproxy | Self::TinyproxyWithPassword | Self::Dante | Self::DanteWithPassword => "access.log",
            Self::HaproxyTcp | Self::HaproxyHttp | Self::HaproxyTls => "haproxy.log",
        }
    }

    /// How `curl -x` is told what to speak with it; the proxy resolves the names.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Dante | Self::DanteWithPassword => "socks5h",
            Self::HaproxyTls => "https",
            Self::Tinyproxy
            | Self::TinyproxyWithPassword
            | Self::Squid
            | Self::SquidWithPassword
            | Self::HaproxyTcp
            | Self::HaproxyHttp => "http",
        }
    }

    /// Makes the files that it reads next to its configuration.
    pub(super) fn prepare(self, netns: &Netns, dir: &TempDir) -> Result<()> {
        let (user, _) = CREDENTIALS;
        match self {
            Self::SquidWithPassword => dir.write("passwords", &format!("{user}:{}\n", hashed("-apr1")?)).map(drop),
            Self::DanteWithPassword => {
                netns.etc("passwd", &format!("{ACCOUNTS}{user}:x:64999:65534::/:/usr/sbin/nologin\n"))?;
                netns.etc("shadow", &format!("{user}:{}:1::::::\n", hashed("-6")?))
            }
            Self::HaproxyTls => {
                let (certificate, key) = (dir.path().join("certificate.pem"), dir.path().join("key.pem"));
                make_certificate(&certificate, &key)?;
                let both = fs::read_to_string(certificate)? + &fs::read_to_string(key)?;
                dir.write("both.pem", &both).map(drop)
            }
            Self::Tinyproxy
            | Self::TinyproxyWithPassword
            | Self::Squid
            | Self::Dante
            | Self::HaproxyTcp
            | Self::HaproxyHttp => Ok(()),
        }
    }

    pub(super) fn config(self) -> String {
        let (user, password) = CREDENTIALS;
        match self {
            Self::Tinyproxy => TINYPROXY.to_owned(),
            Self::TinyproxyWithPassword => format!("{TINYPROXY}BasicAuth {user} {password}\n"),
            Self::Squid => SQUID.replace("ACCESS", "http_access allow all"),
            Self::SquidWithPassword => SQUID.replace("ACCESS", SQUID_PASSWORD),
            Self::Dante => DANTE.replace("METHOD", "none"),
            Self::DanteWithPassword => DANTE.replace("METHOD", "username"),
            Self::HaproxyTcp => haproxy("tcp", "", 8443),
            Self::HaproxyHttp => haproxy("http", "", 8080),
            Self::HaproxyTls => haproxy("tcp", "ssl crt DIR/both.pem", Self::Tinyproxy.port()),
        }
    }
}

fn haproxy(mode: &str, tls: &str, behind: u16) -> String {
    HAPROXY.replace("MODE", mode).replace("TLS", tls).replace("BEHIND", &behind.to_string())
}

/// The password as `openssl passwd` hashes it.
fn hashed(method: &str) -> Result<String> {
    let output = Command::new(tool::path_of("openssl")?).args(["passwd", method, CREDENTIALS.1]).output()?;
    ensure!(output.status.success(), "openssl passwd {method}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// dante asks the system for its users; these are the ones that it runs as.
const ACCOUNTS: &str = "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n";

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
ACCESS
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

const SQUID_PASSWORD: &str = "\
auth_param basic program /usr/lib/squid/basic_ncsa_auth DIR/passwords
auth_param basic children 1 startup=1 idle=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all";

const DANTE: &str = r#"
logoutput: DIR/access.log
internal: 127.0.0.1 port = PORT
internal: ::1 port = PORT
external: lo
external.rotation: route
clientmethod: none
socksmethod: METHOD
user.privileged: root
user.unprivileged: nobody
client pass { from: 0/0 to: 0/0 }
socks pass { from: 0/0 to: 0/0 log: connect error }
"#;

const HAPROXY: &str = r#"
global
    maxconn 200
defaults
    mode MODE
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend here
    bind 127.0.0.1:PORT TLS
    bind [::1]:PORT TLS
    default_backend behind
backend behind
    server behind 127.0.0.1:BEHIND
"#;
