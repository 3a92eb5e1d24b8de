//! The proxies that a process is configured to use: the variables that curl, Python, Go and most others go by.
//!
//! `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in lower or upper case; the lower one counts when both are set.
//! What stands before an `@` in a proxy's URL is a name and a password: it is never kept. A value that names no proxy counts as
//! none. Never panics: anybody can set anything.

use std::fmt;
use std::net::IpAddr;

use crate::hostname::{Host, Hostname};

/// Entries of `no_proxy` that are looked at. Of one with more, targets may count as bypassing that are exempt.
const EXEMPT_MAX: usize = 256;

/// Where a proxy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    /// A name or an address.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// What a connection speaks, as far as it matters for the choice of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP in clear text.
    Http,
    /// TLS.
    Https,
    /// Something else, or not known.
    Other,
}

/// The proxies of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySettings {
    http: Option<ProxyAddress>,
    https: Option<ProxyAddress>,
    all: Option<ProxyAddress>,
    exempt: Vec<Exempt>,
}

/// An entry of `no_proxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    Everything,
    /// A domain with its subdomains, and perhaps one port only.
    Domain(Hostname, Option<u16>),
    /// Addresses that begin with so many bits of this one.
    Net(IpAddr, u8),
}

impl ProxySettings {
    /// From an environment as /proc/PID/environ has it: `NAME=value`, each ended by a zero byte.
    pub(super) fn of_environ(environ: &[u8]) -> Self {
        Self::of(environ.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once('=')))
    }

    /// From a file of variables (environment(5), pam_env(8)): a line each, perhaps with `export` before and quotes around.
    pub fn of_file(text: &str) -> Self {
        Self::of(text.lines().filter_map(|line| {
            let line = line.trim();
            let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
            Some((name.trim(), value.trim().trim_matches(['"', '\''])))
        }))
    }

    fn of<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut values = [const { Value::NONE }; 4];
        for (name, value) in variables {
            for (known, found) in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].iter().zip(&mut values) {
                if name == *known {
                    found.lower = Some(value);
                } else if name.eq_ignore_ascii_case(known) {
                    found.upper = Some(value);
                }
            }
        }
        let [http, https, all, exempt] = values.map(|value| value.lower.or(value.upper).unwrap_or_default());
        let exempt = exempt.split([',', ' ', '\t']).filter_map(Exempt::parse).take(EXEMPT_MAX);
        Self { http: proxy(http), https: proxy(https), all: proxy(all), exempt: exempt.collect() }
    }

    /// Whether there is no proxy at all.
    pub(super) fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none() && self.all.is_none()
    }

    /// The proxy that a connection is to go through, unless its target is exempt.
    pub fn proxy_for(&self, scheme: Scheme, host: &Host, port: u16) -> Option<&ProxyAddress> {
        let proxy = match scheme {
            Scheme::Http => self.http.as_ref().or(self.all.as_ref()),
            Scheme::Https => self.https.as_ref().or(self.all.as_ref()),
            Scheme::Other => self.all.as_ref(),
        };
        proxy.filter(|_| !self.exempt.iter().any(|each| each.covers(host, port)))
    }
}

/// A variable in both its cases.
struct Value<'a> {
    lower: Option<&'a str>,
    upper: Option<&'a str>,
}

impl Value<'_> {
    const NONE: Self = Self { lower: None, upper: None };
}

impl Exempt {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everything);
        }
        if let Some(net) = Self::net(text) {
            return Some(net);
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let name = name.strip_prefix('*').unwrap_or(name);
        Some(Self::Domain(Hostname::parse(name.strip_prefix('.').unwrap_or(name).as_bytes()).ok()?, port))
    }

    /// An address, or one with the length of a prefix.
    fn net(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(bits_max), |bits| bits.parse().ok())?;
        (bits <= bits_max).then_some(Self::Net(address, bits))
    }

    fn covers(&self, host: &Host, port: u16) -> bool {
        match (self, host) {
            (Self::Everything, _) => true,
            (Self::Domain(domain, only), Host::Name(name)) => {
                only.is_none_or(|only| only == port) && name.is_within(domain)
            }
            (Self::Net(net, bits), Host::Address(address)) => match (net, address) {
                (IpAddr::V4(net), IpAddr::V4(address)) => {
                    let differ = net.to_bits() ^ address.to_bits();
                    differ.leading_zeros() >= u32::from(*bits)
                }
                (IpAddr::V6(net), IpAddr::V6(address)) => {
                    let differ = net.to_bits() ^ address.to_bits();
                    differ.leading_zeros() >= u32::from(*bits)
                }
                (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
            },
            (Self::Domain(..) | Self::Net(..), Host::Name(_) | Host::Address(_) | Host::Malformed { .. }) => false,
        }
    }
}

/// `[scheme://][user[:password]@]host[:port][/…]`; without a port that of the scheme.
fn proxy(url: &str) -> Option<ProxyAddress> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => 443,
        "socks" | "socks4" | "socks4a" | "socks5" | "socks5h" => 1080,
        _ => 80,
    };
    // Up to the last one, wherever it stands: a password may hold what would end the authority.
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, text)) if !text.ends_with(']') => (host, text.parse().ok()?),
        Some(_) | None => (authority, port),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = Host::parse(host.as_bytes()).ok()?;
    Some(ProxyAddress { host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> ProxySettings {
        ProxySettings::of(variables.iter().copied())
    }

    fn check(settings: &ProxySettings, scheme: Scheme, host: &str, expect: Option<&str>) {
        let host = Host::parse(host.as_bytes()).unwrap();
        let got = settings.proxy_for(scheme, &host, 8443).map(ToString::to_string);
        assert_eq!(got.as_deref(), expect, "{scheme:?} {host}");
    }

    #[test]
    fn a_proxy_is_host_and_port_without_credentials() {
        let check =
            |url, expect: Option<&str>| assert_eq!(proxy(url).map(|it| it.to_string()).as_deref(), expect, "{url}");
        check("http://p.example:3128/", Some("p.example:3128"));
        check("p.example:3128", Some("p.example:3128"));
        check("P.example", Some("p.example:80"));
        check("https://p.example", Some("p.example:443"));
        check("socks5h://192.0.2.1", Some("192.0.2.1:1080"));
        check("http://[2001:db8::1]:3128", Some("[2001:db8::1]:3128"));
        check("http://[2001:db8::1]", Some("[2001:db8::1]:80"));
        check("http://user:secret@p.example:3128", Some("p.example:3128"));
        check("http://user:1234/x@y@p.example:3128/?a", Some("p.example:3128"));
        check("user:secret@p.example:1", Some("p.example:1"));
        for none in ["", "http://", "http://:3128", "p.example:port", "p.example:70000", "a b:1", "\u{1b}[2J:1"] {
            check(none, None);
        }
    }

    #[test]
    fn each_scheme_has_its_proxy_and_all_is_for_the_rest() {
        let both = settings(&[("http_proxy", "a:1"), ("HTTPS_PROXY", "b:2")]);
        check(&both, Scheme::Http, "x.example", Some("a:1"));
        check(&both, Scheme::Https, "x.example", Some("b:2"));
        check(&both, Scheme::Other, "x.example", None);
        let all = settings(&[("https_proxy", "b:2"), ("ALL_PROXY", "socks5://c:3")]);
        check(&all, Scheme::Http, "x.example", Some("c:3"));
        check(&all, Scheme::Https, "x.example", Some("b:2"));
        check(&all, Scheme::Other, "192.0.2.1", Some("c:3"));
        check(&settings(&[("HTTPS_PROXY", "a:1"), ("https_proxy", "b:2")]), Scheme::Https, "x.example", Some("b:2"));
        assert!(settings(&[("https_proxy", ""), ("no_proxy", "a"), ("PATH", "/bin")]).is_empty());
    }

    #[test]
    fn exempt_targets_have_no_proxy() {
        let exempt = |no_proxy, host: &str, port| {
            let host = Host::parse(host.as_bytes()).unwrap();
            settings(&[("all_proxy", "p:1"), ("NO_PROXY", no_proxy)]).proxy_for(Scheme::Other, &host, port).is_none()
        };
        for no_proxy in ["*", "example", ".example", "*.example", "x, a.example:80", "b:1 a.example", "A.Example"] {
            assert!(exempt(no_proxy, "a.example", 80), "{no_proxy}");
        }
        for no_proxy in ["", "b.example", "x.a.example", "ample", "a.example:81", ",", "a.example:x", "192.0.2.0/24"] {
            assert!(!exempt(no_proxy, "a.example", 80), "{no_proxy}");
        }
        for no_proxy in ["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "::1,192.0.2.1/32"] {
            assert!(exempt(no_proxy, "192.0.2.1", 80), "{no_proxy}");
        }
        for no_proxy in ["192.0.2.2", "192.0.2.2/31", "192.0.2.0/33", "::/0", "192.0.2"] {
            assert!(!exempt(no_proxy, "192.0.2.1", 80), "{no_proxy}");
        }
        assert!(exempt("2001:db8::/32", "2001:db8:1::1", 1) && !exempt("2001:db8::/32", "2001:db9::1", 1));
    }

    #[test]
    fn environments_and_files_are_read() {
        let expect = settings(&[("https_proxy", "p.example:3128"), ("no_proxy", "a.example")]);
        let environ = b"PATH=/bin\0https_proxy=p.example:3128\0X\xff=\xff\0=\0no_proxy=a.example\0";
        assert_eq!(ProxySettings::of_environ(environ), expect);
        let file =
            "# ours\nPATH=\"/bin\"\nexport https_proxy=\"http://u:s@p.example:3128/\"\n no_proxy = 'a.example'\n";
        assert_eq!(ProxySettings::of_file(file), expect);
        assert!(ProxySettings::of_environ(b"").is_empty() && ProxySettings::of_file("\0=").is_empty());
    }
}
