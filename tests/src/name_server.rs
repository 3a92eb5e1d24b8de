//! A name server for one namespace: dnsmasq, which answers for the domain `dns.example` and nothing else, over UDP and
//! TCP at port 53 of 127.0.0.1 and ::1.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::Stdio,
};

use anyhow::Result;

use crate::{netns::Netns, origin::wait_for_port, running::Running};

/// Two addresses of IPv4 and one of IPv6, for 300 seconds.
pub const HOST: (&str, [&str; 3]) = ("www.dns.example", ["192.0.2.10", "192.0.2.11", "2001:db8::10"]);
/// An alias of [`HOST`], for 60 seconds.
pub const ALIAS: &str = "alias.dns.example";
/// A name with an address of the loopback device, where the tests' servers are.
pub const LOCAL: (&str, &str) = ("local.dns.example", "127.0.0.1");
/// A name with an HTTPS record: target, h2 and h3, ECH, and these hints.
pub const SERVICE: (&str, [&str; 2]) = ("svc.dns.example", ["192.0.2.20", "2001:db8::20"]);
/// A name that is not there.
pub const NOBODY: &str = "nobody.dns.example";

/// The HTTPS record (RFC 9460 section 2.2): priority 1, the owner as its own target, then the parameters by their keys.
const SERVICE_RECORD: &str = concat!(
    "000100",
    "0001 0006 026832 026833",
    "0004 0004 c0000214",
    "0005 0004 deadbeef",
    "0006 0010 20010db8000000000000000000000020",
);

/// A running name server.
#[derive(Debug)]
pub struct NameServer {
    _running: Running,
}

impl NameServer {
    /// Starts it, waits until it accepts, and has the namespace's programs ask it.
    ///
    /// # Errors
    /// When dnsmasq is missing or does not start.
    pub fn start(netns: &Netns) -> Result<Self> {
        let mut command = netns.command("dnsmasq")?;
        command.args(["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="]);
        command.args(["--user=root", "--bind-interfaces", "--listen-address=127.0.0.1,::1", "--local=/dns.example/"]);
        command.args(["--local-ttl=300", "--cache-size=0"]);
        let (name, addresses) = HOST;
        for address in addresses {
            command.arg(format!("--host-record={name},{address}"));
        }
        command.arg(format!("--host-record={},{}", LOCAL.0, LOCAL.1)).arg(format!("--cname={ALIAS},{},60", HOST.0));
        command.arg(format!("--dns-rr={},65,{}", SERVICE.0, SERVICE_RECORD.replace(' ', "")));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Running::spawn("dnsmasq", &mut command)?;
        for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, 53)), (Ipv6Addr::LOCALHOST, 53).into()] {
            wait_for_port(netns, "dnsmasq", address, &mut running)?;
        }
        netns.ask_name_server(Ipv4Addr::LOCALHOST.into())?;
        Ok(Self { _running: running })
    }
}
