//! The programs that the tests, `bench` and `vm` drive, and how the missing ones are installed.
//!
//! Real clients and real proxies, so that the tests prove what users see. Installing them is the only change that
//! xtask makes to a system, and it starts no service.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use crate::{
    machine::{self, Root},
    step::Steps,
};

/// A Debian package, a file that shows it is there, and what it is wanted for.
pub(crate) struct Need {
    package: &'static str,
    /// An absolute path, or a program's name.
    proof: &'static str,
    why: &'static str,
}

/// What the integration tests and `bench` drive.
pub(crate) const NEEDS: &[Need] = &[
    Need { package: "bind9-dnsutils", proof: "dig", why: "a DNS client whose answers can be compared" },
    Need {
        package: "ca-certificates",
        proof: "/etc/ssl/certs/ca-certificates.crt",
        why: "clients refuse to start without roots",
    },
    Need { package: "chromium", proof: "chromium", why: "a browser behind a proxy" },
    Need { package: "curl", proof: "curl", why: "the client behind a proxy" },
    Need { package: "dante-server", proof: "danted", why: "a SOCKS proxy" },
    Need { package: "haproxy", proof: "haproxy", why: "a proxy that clients do not know of" },
    Need { package: "dnsmasq-base", proof: "dnsmasq", why: "a name server; this package brings no service" },
    Need { package: "iproute2", proof: "ip", why: "network namespaces with links between them" },
    Need { package: "libndpi-bin", proof: "ndpiReader", why: "reads the names of a capture in a third way" },
    Need { package: "nginx", proof: "nginx", why: "an HTTP and TLS origin; the server of `bench`" },
    Need { package: "nodejs", proof: "node", why: "a client with a TLS library of its own" },
    Need { package: "openssl", proof: "openssl", why: "certificates, and a TLS client and server" },
    Need { package: "procps", proof: "ps", why: "signals and process columns to compare with" },
    Need { package: "python3", proof: "python3", why: "clients of a scripting language" },
    Need { package: "squid", proof: "squid", why: "the proxy that companies run" },
    Need { package: "tcpdump", proof: "tcpdump", why: "shows that no blocked byte left" },
    Need { package: "tinyproxy", proof: "tinyproxy", why: "a second proxy with other habits" },
    Need { package: "tshark", proof: "tshark", why: "reads the names of a capture by itself, to compare with" },
    Need { package: "util-linux", proof: "setpriv", why: "runs a client as another user" },
    Need { package: "wrk", proof: "wrk", why: "the load of `bench`" },
];

/// What `vm` needs besides apt and dpkg.
pub(crate) const MACHINES: &[Need] = &[
    Need { package: "lz4", proof: "lz4", why: "unpacks the kernels up to 6.1" },
    Need { package: "qemu-system-x86", proof: "qemu-system-x86_64", why: "the machines that other kernels run in" },
    Need { package: "xz-utils", proof: "xz", why: "unpacks kernel modules" },
    Need { package: "zstd", proof: "zstd", why: "unpacks the kernels from 6.12 on" },
];

/// Packages that bring a service which Debian would start and enable, and its name.
const SERVICES: [(&str, &str); 5] = [
    ("dante-server", "danted"),
    ("haproxy", "haproxy"),
    ("nginx", "nginx"),
    ("squid", "squid"),
    ("tinyproxy", "tinyproxy"),
];

/// Installs what is missing of `needs`.
pub(crate) fn provide(needs: &[&[Need]], steps: &mut Steps) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().copied().flatten().filter(|need| !is_there(need.proof)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let next = format!("install these yourself, then run this again: {}", packages.join(" "));
    steps.run("packages", &next, |step| {
        for need in &missing {
            step.say(&format!("  {:<16} {}", need.package, need.why));
        }
        if machine::find("apt-get").is_none() {
            bail!("these programs are missing here, and there is no apt to install them with");
        }
        let script = script(&packages);
        match machine::root()? {
            Root::Already => step.capture(Command::new("sh").args(["-c", &script])).map(drop),
            Root::Sudo => {
                step.say(&format!("installing needs root; sudo is asked to run this and nothing else:\n{script}"));
                step.show(Command::new("sudo").args(["sh", "-c", &script]))
            }
            Root::Unreachable => bail!("installing needs root, and sudo is not here: as root, run\n{script}"),
        }
    })
}

/// The folders of a plain Debian: the tests look nowhere else, so a copy elsewhere on PATH is no help to them.
fn is_there(proof: &str) -> bool {
    const FOLDERS: [&str; 5] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"];
    let is_in = |folder: &str| Path::new(folder).join(proof).exists();
    // Joining an absolute path gives that path.
    FOLDERS.iter().any(|folder| is_in(folder))
}

/// Debian starts a service as soon as its package is installed, unless `policy-rc.d` says no. A file of that name for
/// the length of the installation is the mildest way: stopping the services afterwards would have had them run, and
/// listen, for a moment. They are also disabled, so that the next boot does not start what only tests wanted.
fn script(packages: &[&str]) -> String {
    let installed = |(package, service)| packages.contains(&package).then_some(service);
    let services: Vec<&str> = SERVICES.into_iter().filter_map(installed).collect();
    let disable = if services.is_empty() {
        String::new()
    } else {
        format!("if command -v systemctl >/dev/null; then systemctl disable {} || true; fi\n", services.join(" "))
    };
    format!(
        "set -eu\n\
         policy=/usr/sbin/policy-rc.d\n\
         if [ ! -e $policy ]; then\n  \
           trap 'rm -f /usr/sbin/policy-rc.d' EXIT; trap 'exit 1' HUP INT TERM\n  \
           printf '#!/bin/sh\\nexit 101\\n' >$policy; chmod 755 $policy\n\
         fi\n\
         export DEBIAN_FRONTEND=noninteractive\n\
         apt-get update || echo 'going on with the lists that did arrive'\n\
         apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends {}\n\
         {disable}",
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_services_that_are_installed_are_disabled() {
        assert!(script(&["curl", "nginx"]).contains("systemctl disable nginx ||"));
        assert!(script(&["dante-server"]).contains("systemctl disable danted ||"));
        assert!(!script(&["curl"]).contains("systemctl"));
    }

    #[test]
    fn the_script_is_one_that_a_shell_can_read() {
        let status = Command::new("sh").args(["-n", "-c", &script(&["curl", "squid"])]).status().unwrap();
        assert!(status.success());
    }

    #[test]
    fn a_proof_is_a_program_or_a_file() {
        assert!(is_there("sh") && is_there("/etc/passwd"));
        assert!(!is_there("no-such-program-here") && !is_there("/no/such/file"));
    }
}
