//! One open connection: what is known of it so far, and what each event adds.

use std::sync::Arc;

use monitor_common::event::Reason;
use monitor_common::policy::Verdict;
use monitor_common::wire::NameSource;
use monitor_common::wire::starttls::Service;

use super::target::{Answer, Meaning, ProxyProtocol, Target};
use super::{Asker, Change, Connection, Mismatch, What};
use crate::dns::{Alone, Carrier, EncryptedDns, Evidence, Hello, NameCache, recognise};
use crate::hello::ClientHello;
use crate::hostname::Host;

/// Port of `http` (RFC 9110 section 4.2.1): what an absolute-form target without a port means.
const HTTP_PORT: u16 = 80;

/// Bytes of a proxy's answer that are put together: several interim answers and a status line. Of a longer one the status is
/// not told.
const ANSWER_BYTES_MAX: usize = 1024;

/// A name as an event tells it.
pub(super) struct Named {
    pub(super) host: Host,
    /// 0 when the message names none.
    pub(super) port: u16,
    pub(super) source: NameSource,
    pub(super) in_tunnel: bool,
    /// Not what the proxy was asked for.
    pub(super) differs: bool,
    pub(super) verdict: Verdict,
    pub(super) rule: u32,
    pub(super) hello: Option<Arc<ClientHello>>,
    pub(super) service: Option<Service>,
}

/// Where a hello was sent.
#[derive(Clone, Copy)]
pub(super) struct Inside {
    pub(super) in_tunnel: bool,
    /// Its tunnel is one to another host.
    pub(super) differs: bool,
}

pub(super) struct State {
    pub(super) connection: Arc<Connection>,
    /// Whether it was told that the connection is on its way.
    is_attempted: bool,
    /// When the handshake was done, if that is known.
    established_ns: Option<u64>,
    /// Whether the record of the connection still waits for a name.
    is_waiting: bool,
    /// The way through a proxy that was asked for last.
    tunnel: Option<Tunnel>,
    /// The name that was seen last: a kept-alive connection repeats it with each request.
    last: Option<Target>,
    /// Where the first name was found.
    pub(super) name_source: Option<NameSource>,
}

struct Tunnel {
    target: Target,
    is_answered: bool,
    /// How the answer starts, while it cannot be read.
    answer: Vec<u8>,
    is_mismatch_told: bool,
}

impl State {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection: Arc::new(connection),
            is_attempted: false,
            established_ns: None,
            is_waiting: false,
            tunnel: None,
            last: None,
            name_source: None,
        }
    }

    pub(super) fn change(&self, time_ns: u64, what: What) -> Change {
        Change { time_ns, connection: self.connection.clone(), what }
    }

    /// The connection is on its way. Told once: the kernel side says so when it is asked to, and in any case how it turned
    /// out.
    pub(super) fn attempted(&mut self, time_ns: u64, changes: &mut Vec<Change>) {
        if !std::mem::replace(&mut self.is_attempted, true) {
            changes.push(self.change(time_ns, What::Attempted));
        }
    }

    /// The handshake is done: the record waits for a name.
    pub(super) fn established(&mut self, time_ns: u64, changes: &mut Vec<Change>) {
        (self.established_ns, self.is_waiting) = (Some(time_ns), true);
        self.attempted(self.connection.id.connect_ns, changes);
    }

    /// Reports the TCP connection without a name of its own, unless that is done.
    pub(super) fn connected(&mut self, changes: &mut Vec<Change>) {
        if let Some(since_ns) = self.take_wait() {
            changes.push(self.change(since_ns, What::Connected(None)));
        }
    }

    /// The same; when the connection's own bytes gave no name, by the one name that whoever opened it was given the address for.
    pub(super) fn connected_by_name(&mut self, names: &NameCache<Asker>, now_ns: u64, changes: &mut Vec<Change>) {
        let Some(since_ns) = self.take_wait() else {
            return;
        };
        let remote = self.connection.remote;
        let asker = Asker::of(&self.connection);
        let found = asker.and_then(|asker| names.look_up(&asker, remote.ip(), now_ns));
        // An address that several names led to has none that is sure.
        let target = found.filter(|found| found.alone == Alone::Yes).map(|found| Target {
            host: Host::Name(found.name.clone()),
            port: remote.port(),
            source: NameSource::Dns,
            proxy: None,
        });
        self.name_source = self.name_source.or(target.as_ref().map(|target| target.source));
        changes.push(self.change(since_ns, What::Connected(target)));
    }

    fn take_wait(&mut self) -> Option<u64> {
        std::mem::take(&mut self.is_waiting).then_some(self.established_ns).flatten()
    }

    pub(super) fn failed(&mut self, time_ns: u64, reason: Reason, changes: &mut Vec<Change>) {
        self.attempted(self.connection.id.connect_ns, changes);
        changes.push(self.change(time_ns, What::NotConnected(reason)));
    }

    fn target(&self, host: Host, port: u16, source: NameSource, in_tunnel: bool) -> Target {
        let tunnel = self.tunnel.as_ref().map(|tunnel| &tunnel.target);
        let proxy = ProxyProtocol::of(source)
            .or_else(|| in_tunnel.then(|| tunnel.and_then(|target| target.proxy).unwrap_or(ProxyProtocol::Http)));
        let port = match (port, source) {
            (0, NameSource::AbsoluteUri) => HTTP_PORT,
            (0, NameSource::HttpHost | NameSource::TlsSni) if in_tunnel => tunnel.map_or(0, |target| target.port),
            (0, NameSource::HttpHost | NameSource::TlsSni) => self.connection.remote.port(),
            (port, _) => port,
        };
        Target { host, port, source, proxy }
    }

    pub(super) fn named(&mut self, time_ns: u64, named: Named, changes: &mut Vec<Change>) {
        let Named { host, port, source, in_tunnel, differs, verdict, rule, hello, service } = named;
        let target = self.target(host, port, source, in_tunnel);
        if let Host::Malformed { .. } = target.host {
            self.connected(changes);
            changes.push(self.change(time_ns, What::Judged { target, verdict, rule, service }));
            return;
        }
        // What the connection itself says is worth more than what DNS said of its address.
        self.name_source = self.name_source.filter(|known| *known != NameSource::Dns).or(Some(source));
        let asks_proxy = matches!(source, NameSource::ConnectAuthority | NameSource::Socks5 | NameSource::Socks4);
        let repeated = self.last.as_ref() == Some(&target) && !asks_proxy;
        if repeated && !verdict.drops() {
            return;
        }
        if verdict.drops() || target.proxy.is_some() {
            self.connected(changes);
        }
        if !verdict.drops() {
            self.passed(time_ns, &target, asks_proxy, service, hello, changes);
        }
        self.last = Some(target.clone());
        if differs {
            self.mismatched(time_ns, Some(&target), changes);
        }
        if verdict != Verdict::Unlisted {
            changes.push(self.change(time_ns, What::Judged { target, verdict, rule, service }));
        }
    }

    /// A hello that names nobody.
    pub(super) fn nameless(
        &mut self,
        time_ns: u64,
        Inside { in_tunnel, differs }: Inside,
        service: Option<Service>,
        hello: Option<Arc<ClientHello>>,
        changes: &mut Vec<Change>,
    ) {
        self.connected(changes);
        let dns = self.encrypted_dns(Carrier::Tls, None, in_tunnel, hello.as_deref());
        changes.push(self.change(time_ns, What::ServerName { target: None, service, hello, dns }));
        if differs {
            self.mismatched(time_ns, None, changes);
        }
    }

    /// A name that left the host.
    fn passed(
        &mut self,
        time_ns: u64,
        target: &Target,
        asks_proxy: bool,
        service: Option<Service>,
        hello: Option<Arc<ClientHello>>,
        changes: &mut Vec<Change>,
    ) {
        if asks_proxy {
            self.unanswered(time_ns, changes);
            self.tunnel = Some(Tunnel {
                target: target.clone(),
                is_answered: false,
                answer: Vec::new(),
                is_mismatch_told: false,
            });
            return;
        }
        if target.proxy.is_none() {
            let since_ns = self.take_wait().unwrap_or(time_ns);
            changes.push(self.change(since_ns, What::Connected(Some(target.clone()))));
        } else if target.source != NameSource::TlsSni {
            changes.push(self.change(time_ns, What::Reached(target.clone())));
        }
        if target.source == NameSource::TlsSni {
            let dns = self.encrypted_dns(Carrier::Tls, Some(target), target.proxy.is_some(), hello.as_deref());
            let target = Some(target.clone());
            changes.push(self.change(time_ns, What::ServerName { target, service, hello, dns }));
        }
    }

    /// Whether DNS goes on behind a hello. The target is the one that it names; without a name, the one of its tunnel.
    pub(super) fn encrypted_dns(
        &self,
        carrier: Carrier,
        target: Option<&Target>,
        in_tunnel: bool,
        hello: Option<&ClientHello>,
    ) -> Option<(EncryptedDns, Evidence)> {
        let tunnel = self.tunnel.as_ref().filter(|_| in_tunnel).map(|tunnel| &tunnel.target);
        let target = target.or(tunnel);
        let port = target.map_or_else(|| self.connection.remote.port(), |target| target.port);
        let alpn: Vec<&[u8]> = hello.iter().flat_map(|hello| hello.protocols.iter()).collect();
        recognise(&Hello { carrier, port, alpn: &alpn, name: target.and_then(|target| target.host.name()) })
    }

    /// What is asked for inside the tunnel is not what the proxy was asked for: told once for each tunnel. When what it was asked
    /// for is not known, its event was lost.
    fn mismatched(&mut self, time_ns: u64, inner: Option<&Target>, changes: &mut Vec<Change>) {
        let Some(tunnel) = self.tunnel.as_mut().filter(|tunnel| !tunnel.is_mismatch_told) else {
            return;
        };
        tunnel.is_mismatch_told = true;
        let mismatch = Mismatch { outer: tunnel.target.clone(), inner: inner.cloned() };
        changes.push(self.change(time_ns, What::Mismatched(mismatch)));
    }

    pub(super) fn replied(&mut self, time_ns: u64, socks: u8, bytes: &[u8], changes: &mut Vec<Change>) {
        let Some(tunnel) = self.tunnel.as_mut().filter(|tunnel| !tunnel.is_answered) else {
            return;
        };
        let room = ANSWER_BYTES_MAX.saturating_sub(tunnel.answer.len());
        tunnel.answer.extend(bytes.iter().take(room));
        let Some(answer) = Answer::read(socks, &tunnel.answer) else {
            return;
        };
        (tunnel.is_answered, tunnel.answer) = (true, Vec::new());
        let target = tunnel.target.clone();
        if answer.protocol != ProxyProtocol::Http {
            changes.push(self.change(time_ns, What::SocksAnswered(target.clone(), answer)));
        }
        let what = match answer.meaning() {
            Meaning::Open => What::Reached(target),
            Meaning::Challenge => What::Challenged(target, answer),
            Meaning::Closed => What::Refused(target, Some(answer)),
        };
        changes.push(self.change(time_ns, what));
    }

    /// The connection went on, or ended, without an answer that could be read.
    fn unanswered(&self, time_ns: u64, changes: &mut Vec<Change>) {
        if let Some(tunnel) = self.tunnel.as_ref().filter(|tunnel| !tunnel.is_answered) {
            changes.push(self.change(time_ns, What::Refused(tunnel.target.clone(), None)));
        }
    }

    /// `bytes`: payload sent and received, when the kernel has said so.
    pub(super) fn close(mut self, time_ns: u64, bytes: Option<(u64, u64)>, changes: &mut Vec<Change>) {
        self.connected(changes);
        self.unanswered(time_ns, changes);
        if let (Some((sent, received)), Some(since_ns)) = (bytes, self.established_ns) {
            let duration_ns = time_ns.saturating_sub(since_ns);
            let target = self.tunnel.take().map(|tunnel| tunnel.target).or(self.last.take());
            changes.push(self.change(time_ns, What::Closed { target, sent, received, duration_ns }));
        }
    }
}
