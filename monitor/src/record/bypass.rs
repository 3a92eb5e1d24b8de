//! Connections that go past the proxy which their process is configured to use.
//!
//! Variables name a proxy for what a connection speaks: TLS or port 443, HTTP or port 80, and `all_proxy` for the rest. A target
//! that was named, or has a public address, should go through it; one without a name at a local address is ordinary.

use std::net::{IpAddr, SocketAddr};

use monitor_common::wire::NameSource;

use super::ip_type::ip_type;
use crate::correlate::Target;
use crate::hostname::Host;
use crate::process::{ProxyAddress, ProxySettings, Scheme};

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// The proxy that a direct connection to `remote`, which asked for `target`, goes past. None: it has no proxy to go through,
/// or goes through one.
pub(super) fn bypassed<'a>(
    proxies: &'a ProxySettings,
    remote: SocketAddr,
    target: Option<&Target>,
) -> Option<&'a ProxyAddress> {
    if target.is_some_and(|target| target.proxy.is_some()) {
        return None;
    }
    let source = target.map(|target| target.source);
    let scheme = match (source, remote.port()) {
        (Some(NameSource::TlsSni | NameSource::QuicSni), _) => Scheme::Https,
        (Some(NameSource::HttpHost), _) => Scheme::Http,
        (_, HTTPS_PORT) => Scheme::Https,
        (_, HTTP_PORT) => Scheme::Http,
        (_, _) => Scheme::Other,
    };
    let address = Host::Address(remote.ip());
    let host = target.map_or(&address, |target| &target.host);
    let proxy = proxies.proxy_for(scheme, host, remote.port())?;
    let is_meant = match host {
        Host::Name(name) => name.as_str() != "localhost",
        Host::Address(ip) => ip_type(*ip) == "Public",
        Host::Malformed { .. } => false,
    };
    (is_meant && !is_proxy(proxy, remote, host)).then_some(proxy)
}

/// Whether the peer is, or by its port can be, the proxy itself. Its name is not resolved: what it leads to now need not be
/// what it led to.
fn is_proxy(proxy: &ProxyAddress, remote: SocketAddr, host: &Host) -> bool {
    let is_there = match (&proxy.host, host) {
        (Host::Address(proxy), _) => *proxy == remote.ip(),
        (name, Host::Name(_)) => name == host,
        (_, Host::Address(IpAddr::V4(_) | IpAddr::V6(_)) | Host::Malformed { .. }) => true,
    };
    proxy.port == remote.port() && is_there
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &str, remote: &str, target: Option<(&str, NameSource)>, expect: Option<&str>) {
        let proxies = ProxySettings::of_file(variables);
        let remote: SocketAddr = remote.parse().unwrap();
        let target = target.map(|(host, source)| Target {
            host: Host::parse(host.as_bytes()).unwrap(),
            port: remote.port(),
            source,
            proxy: None,
        });
        let got = bypassed(&proxies, remote, target.as_ref()).map(ToString::to_string);
        assert_eq!(got.as_deref(), expect, "{variables} {remote} {target:?}");
    }

    #[test]
    fn a_direct_connection_goes_past_the_proxy_of_what_it_speaks() {
        use NameSource::{Dns, HttpHost, TlsSni};
        let p = Some("p.example:3128");
        check("https_proxy=p.example:3128", "10.0.0.1:8443", Some(("a.example", TlsSni)), p);
        check("https_proxy=p.example:3128", "10.0.0.1:8080", Some(("a.example", HttpHost)), None);
        check("http_proxy=p.example:3128", "10.0.0.1:8080", Some(("a.example", HttpHost)), p);
        check("https_proxy=p.example:3128", "10.0.0.1:443", Some(("a.example", Dns)), p);
        check("https_proxy=p.example:3128", "10.0.0.1:22", Some(("a.example", Dns)), None);
        check("all_proxy=p.example:3128", "10.0.0.1:22", Some(("a.example", Dns)), p);
        check("https_proxy=p.example:3128\nno_proxy=example", "10.0.0.1:443", Some(("a.example", TlsSni)), None);
        check("https_proxy=p.example:3128", "10.0.0.1:443", Some(("localhost", TlsSni)), None);
        check("", "10.0.0.1:443", Some(("a.example", TlsSni)), None);
    }

    #[test]
    fn without_a_name_only_a_public_address_counts() {
        check("all_proxy=p.example:3128", "1.2.3.4:443", None, Some("p.example:3128"));
        for local in ["10.0.0.1:443", "127.0.0.1:443", "[::1]:443", "[fe80::1]:443"] {
            check("all_proxy=p.example:3128", local, None, None);
        }
        check("all_proxy=p.example:3128\nno_proxy=1.2.3.0/24", "1.2.3.4:443", None, None);
    }

    #[test]
    fn the_connection_to_the_proxy_itself_does_not_go_past_it() {
        check("all_proxy=p.example:3128", "1.2.3.4:3128", None, None);
        check("all_proxy=1.2.3.4:3128", "1.2.3.4:3128", None, None);
        check("all_proxy=1.2.3.4:3128", "1.2.3.5:3128", None, Some("1.2.3.4:3128"));
        let (proxy, other) = (Some(("p.example", NameSource::TlsSni)), Some(("a.example", NameSource::TlsSni)));
        check("all_proxy=https://p.example", "1.2.3.4:443", proxy, None);
        check("all_proxy=https://p.example", "1.2.3.4:443", other, Some("p.example:443"));
    }
}
