//! Sequences of events and what they mean.

use monitor_common::event::{Endpoints, Header, Origin, Owner};
use monitor_common::policy::Verdict::{Audited, Blocked, Mismatched, Unlisted};
use monitor_common::wire::NameSource;
use monitor_common::wire::NameSource::{AbsoluteUri, ConnectAuthority, HttpHost, TlsSni};

use super::*;

const MS: u64 = 1_000_000;

const ORIGIN: Origin =
    Origin { owner: Owner::EMPTY, endpoints: Endpoints { family: 4, remote_port: 3128, ..Endpoints::EMPTY } };
const ESTABLISHED: Body<'static> = Body::Established { origin: &ORIGIN };
const CLOSED: Body<'static> = Body::Closed { sent: 10, received: 20 };

struct Run {
    correlator: Correlator,
    changes: Vec<Change>,
    now_ns: u64,
}

impl Run {
    /// Records of targets only.
    fn new() -> Self {
        Self::with(Families {
            attempts: false,
            inbound: false,
            listening: false,
            ends: false,
            dns: false,
            mismatches: true,
            found: true,
        })
    }

    fn with(families: Families) -> Self {
        Self { correlator: Correlator::new(1, families), changes: Vec::new(), now_ns: 1000 * MS }
    }

    fn replied(&mut self, status: u16) -> &mut Self {
        self.event(Body::Replied { socks: 0, bytes: format!("HTTP/1.1 {status} X\r\n").as_bytes() })
    }

    fn event(&mut self, body: Body<'_>) -> &mut Self {
        self.now_ns += MS;
        let header = Header { time_ns: self.now_ns, cookie: 9, connect_ns: 7, ..Header::EMPTY };
        self.correlator.ingest(&Event { header: &header, body }, Arc::default(), &mut self.changes);
        self
    }

    fn name(&mut self, source: NameSource, name: &str, port: u16, in_tunnel: bool, verdict: Verdict) -> &mut Self {
        self.named(source, name, port, in_tunnel, false, verdict)
    }

    /// A name inside a tunnel that is not the one which the proxy was asked for.
    fn differs(&mut self, name: &str, verdict: Verdict) -> &mut Self {
        self.named(TlsSni, name, 0, true, true, verdict)
    }

    fn named(
        &mut self,
        source: NameSource,
        name: &str,
        port: u16,
        in_tunnel: bool,
        differs: bool,
        verdict: Verdict,
    ) -> &mut Self {
        self.event(Body::Named {
            origin: &ORIGIN,
            source,
            port,
            in_tunnel,
            is_address: false,
            differs,
            verdict,
            rule: 3,
            name: name.as_bytes(),
            hello: &[],
            service: None,
        })
    }

    /// A hello without a name.
    fn nameless(&mut self, in_tunnel: bool, differs: bool) -> &mut Self {
        self.named(TlsSni, "", 0, in_tunnel, differs, Unlisted)
    }

    fn expire(&mut self) -> &mut Self {
        self.now_ns += NAME_WAIT_NS;
        self.correlator.expire(self.now_ns, &mut self.changes);
        self
    }

    /// The changes as short lines.
    fn check(&mut self, expect: &[&str]) {
        let short = |target: &Target| {
            let via = if target.proxy.is_some() { " via" } else { "" };
            format!("{}:{}{via}", target.host, target.port)
        };
        let got: Vec<String> = self
            .changes
            .drain(..)
            .map(|change| match change.what {
                What::Attempted => "attempt".to_owned(),
                What::Connected(None) => "connected".to_owned(),
                What::Connected(Some(target)) => format!("connected {}", short(&target)),
                What::RawSocket(protocol) => format!("raw {protocol}"),
                What::Unreadable(verdict) => format!("unreadable {verdict:?}"),
                What::NotConnected(reason) => format!("{reason:?}"),
                What::Found => "found".to_owned(),
                What::Accepted => format!("accepted by {}", change.connection.process.id),
                What::Listening => "listens".to_owned(),
                What::Resolved(response) => format!("resolved {}", response.query),
                What::Reached(target) => format!("reached {}", short(&target)),
                What::Refused(target, answer) => {
                    format!("refused {} {:?}", short(&target), answer.map(|answer| answer.code))
                }
                What::Challenged(target, answer) => format!("challenged {} {}", short(&target), answer.code),
                What::SocksAnswered(target, answer) => format!("socks {} {}", short(&target), answer.code),
                What::ServerName { target, dns, .. } | What::QuicServerName(target, _, dns) => {
                    let dns = dns.map_or(String::new(), |(dns, evidence)| format!(" {dns} by {evidence}"));
                    format!("sni {}{dns}", target.as_ref().map_or("none".to_owned(), short))
                }
                What::Mismatched(mismatch) => {
                    let inner = mismatch.inner.as_ref().map_or("none".to_owned(), short);
                    format!("{} is not {inner}", short(&mismatch.outer))
                }
                What::Judged { target, verdict, rule, .. } => format!("{verdict:?} {} rule {rule}", short(&target)),
                What::Closed { target, sent, received, duration_ns } => {
                    let target = target.as_ref().map_or("no target".to_owned(), short);
                    format!("closed {target} {sent} {received} {}", duration_ns / MS)
                }
            })
            .collect();
        assert_eq!(got, expect);
    }
}

#[test]
fn a_tunnel_is_the_proxy_the_target_and_the_server_name() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "good.example", 8443, false, Unlisted).check(&["connected"]);
    run.replied(200).check(&["reached good.example:8443 via"]);
    run.name(TlsSni, "good.example", 0, true, Unlisted).check(&["sni good.example:8443 via"]);
    run.event(CLOSED).expire().check(&[]);
}

#[test]
fn a_direct_name_joins_the_record_of_its_connection() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(TlsSni, "good.example", 0, false, Unlisted);
    run.check(&["connected good.example:3128", "sni good.example:3128"]);
    run.expire().event(CLOSED).check(&[]);
}

#[test]
fn a_late_name_has_a_record_of_its_own() {
    let mut run = Run::new();
    run.event(ESTABLISHED).expire().check(&["connected"]);
    run.name(HttpHost, "good.example", 81, false, Unlisted).check(&["connected good.example:81"]);
}

#[test]
fn a_connection_without_a_name_is_recorded_once() {
    let mut run = Run::new();
    run.event(ESTABLISHED).event(CLOSED).check(&["connected"]);
    run.expire().check(&[]);
}

#[test]
fn a_challenge_and_its_retry_are_one_target() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "a.example", 443, false, Unlisted);
    run.replied(407).check(&["connected", "challenged a.example:443 via 407"]);
    run.name(ConnectAuthority, "a.example", 443, false, Unlisted).replied(200);
    run.check(&["reached a.example:443 via"]);
}

#[test]
fn a_refusal_has_its_status_or_none() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "a.example", 443, false, Unlisted);
    run.replied(503).check(&["connected", "refused a.example:443 via Some(503)"]);
    run.name(ConnectAuthority, "b.example", 443, false, Unlisted).event(CLOSED);
    run.check(&["refused b.example:443 via None"]);
}

#[test]
fn each_host_of_a_kept_alive_connection_is_recorded_once_in_a_row() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(AbsoluteUri, "a.example", 0, false, Unlisted);
    run.check(&["connected", "reached a.example:80 via"]);
    run.name(AbsoluteUri, "a.example", 0, false, Unlisted).check(&[]);
    run.name(AbsoluteUri, "b.example", 8080, false, Unlisted).check(&["reached b.example:8080 via"]);
}

#[test]
fn a_blocked_name_is_never_a_success() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "evil.example", 443, false, Blocked);
    run.check(&["connected", "Blocked evil.example:443 via rule 3"]);
    run.event(CLOSED).check(&[]);

    let mut run = Run::new();
    run.event(ESTABLISHED).name(TlsSni, "evil.example", 0, false, Blocked);
    run.check(&["connected", "Blocked evil.example:3128 rule 3"]);
}

#[test]
fn an_audited_name_is_recorded_and_judged() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(AbsoluteUri, "evil.example", 0, false, Audited);
    run.check(&["connected", "reached evil.example:80 via", "Audited evil.example:80 via rule 3"]);
}

#[test]
fn what_is_no_name_is_counted_and_not_recorded() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(TlsSni, "not a name", 0, false, Unlisted).check(&[]);
    assert_eq!(run.correlator.malformed_names(), 1);
    run.event(CLOSED).check(&["connected"]);
}

#[test]
fn a_verdict_on_what_is_no_name_is_recorded() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(TlsSni, "x y.evil.example", 0, false, Blocked);
    run.check(&["connected", "Blocked (no host name: the character ' ' is not allowed in a name):3128 rule 3"]);
}

#[test]
fn a_lost_beginning_does_not_lose_the_rest() {
    let mut run = Run::new();
    run.name(ConnectAuthority, "a.example", 443, false, Unlisted).replied(200);
    run.check(&["reached a.example:443 via"]);
    let mut run = Run::new();
    run.replied(200).event(CLOSED).check(&[]);
}

const ALL: Families =
    Families { attempts: true, inbound: true, listening: true, ends: true, dns: true, mismatches: true, found: true };

#[test]
fn a_connection_has_a_beginning_and_an_end() {
    let mut run = Run::with(ALL);
    run.event(ESTABLISHED).name(ConnectAuthority, "a.example", 443, false, Unlisted).replied(200);
    run.check(&["attempt", "connected", "reached a.example:443 via"]);
    run.event(CLOSED).check(&["closed a.example:443 via 10 20 3"]);
    let mut run = Run::with(ALL);
    run.event(ESTABLISHED).event(CLOSED).check(&["attempt", "connected", "closed no target 10 20 1"]);
}

#[test]
fn a_connection_that_comes_to_nothing_says_why() {
    let mut run = Run::with(ALL);
    run.event(Body::Failed { origin: &ORIGIN, reason: Reason::Refused }).check(&["attempt", "Refused"]);
    run.expire().event(CLOSED).check(&[]);
}

#[test]
fn a_raw_socket_is_told_once() {
    let mut run = Run::with(ALL);
    run.event(Body::RawSocket { origin: &ORIGIN, protocol: 1 }).check(&["raw 1"]);
}

#[test]
fn an_attempt_is_told_at_once_and_once() {
    for (outcome, expect) in [
        (ESTABLISHED, &["attempt"][..]),
        (Body::Failed { origin: &ORIGIN, reason: Reason::TimedOut }, &["attempt", "TimedOut"]),
    ] {
        let mut run = Run::with(ALL);
        run.event(Body::Attempted { origin: &ORIGIN });
        assert_eq!(run.changes.len(), 1);
        let (id, time_ns) = (run.changes[0].connection.id, run.changes[0].time_ns);
        assert_eq!(time_ns, run.now_ns);
        run.event(outcome);
        assert!(run.changes.iter().all(|change| change.connection.id == id));
        run.check(expect);
    }
}

#[test]
fn a_connection_is_found_only_if_no_event_told_of_it() {
    let mut run = Run::with(ALL);
    run.correlator.expect_found();
    run.event(ESTABLISHED).check(&["attempt"]);
    let socket = |cookie| {
        let (local, remote) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.2:2".parse().unwrap());
        Found { cookie, process: Arc::default(), local, remote }
    };
    run.correlator.found(vec![socket(9), socket(8)], 5, &mut run.changes);
    assert_eq!(run.changes.len(), 1);
    let found = &run.changes[0];
    assert_eq!((&found.what, found.time_ns, found.connection.id.cookie), (&What::Found, 5, 8));
    assert_eq!(found.connection.remote.port(), 2);
}

#[test]
fn what_cannot_be_read_is_told_after_the_connection() {
    let mut run = Run::with(ALL);
    run.event(ESTABLISHED).event(Body::Unreadable { origin: &ORIGIN, verdict: Blocked });
    run.check(&["attempt", "connected", "unreadable Blocked"]);
}

#[test]
fn a_peer_is_the_business_of_who_listens() {
    let mut run = Run::with(ALL);
    let local = |address: [u8; 4]| {
        let mut endpoints = Endpoints { family: 4, local_port: 80, ..Endpoints::EMPTY };
        endpoints.local[..4].copy_from_slice(&address);
        Origin { owner: Owner::EMPTY, endpoints }
    };
    let process = Arc::new(Process { id: 7, ..Process::default() });
    let header = Header { cookie: 1, ..Header::EMPTY };
    let listening = Event { header: &header, body: Body::Listening { origin: &local([0; 4]) } };
    run.correlator.ingest(&listening, process, &mut run.changes);
    run.event(Body::Accepted { origin: &local([192, 0, 2, 1]) }).check(&["listens", "accepted by 7"]);
    let closed = Event { header: &header, body: CLOSED };
    run.correlator.ingest(&closed, Arc::default(), &mut run.changes);
    run.event(Body::Accepted { origin: &local([192, 0, 2, 1]) }).check(&["accepted by 0"]);
}

#[test]
fn a_socks_proxy_is_asked_and_answers() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(NameSource::Socks5, "a.example", 443, false, Unlisted);
    run.event(Body::Replied { socks: 5, bytes: b"\x05\0\0\x01" });
    run.check(&["connected", "socks a.example:443 via 0", "reached a.example:443 via"]);
    run.name(TlsSni, "a.example", 0, true, Unlisted).check(&["sni a.example:443 via"]);
}

#[test]
fn another_name_inside_the_tunnel_is_a_mismatch_and_is_told_once() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "front.example", 443, false, Unlisted).replied(200);
    run.check(&["connected", "reached front.example:443 via"]);
    run.differs("hidden.example", Unlisted);
    run.check(&["sni hidden.example:443 via", "front.example:443 via is not hidden.example:443 via"]);
    run.differs("other.example", Unlisted).check(&["sni other.example:443 via"]);
}

#[test]
fn a_blocked_mismatch_is_told_with_its_verdict_and_reaches_nothing() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "front.example", 443, false, Unlisted).replied(200);
    run.changes.clear();
    run.differs("hidden.example", Mismatched)
        .check(&["front.example:443 via is not hidden.example:443 via", "Mismatched hidden.example:443 via rule 3"]);
}

#[test]
fn a_hello_without_a_name_is_a_mismatch_when_it_is_told_so() {
    for (differs, expect) in [(true, vec!["sni none", "front.example:443 via is not none"]), (false, vec!["sni none"])]
    {
        let mut run = Run::new();
        run.event(ESTABLISHED).name(ConnectAuthority, "front.example", 443, false, Unlisted).replied(200);
        run.changes.clear();
        run.nameless(true, differs).check(&expect);
    }
}

#[test]
fn dns_in_a_hello_is_told_by_the_target_and_not_by_the_proxy() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(TlsSni, "dns.google", 0, false, Unlisted);
    run.check(&["connected dns.google:3128", "sni dns.google:3128"]);
    for (port, dns) in [(443, "DoH by Name"), (853, "DoT by Port")] {
        let mut run = Run::new();
        run.event(ESTABLISHED).name(ConnectAuthority, "dns.google", port, false, Unlisted).replied(200);
        run.check(&["connected", &format!("reached dns.google:{port} via")]);
        run.name(TlsSni, "dns.google", 0, true, Unlisted).check(&[&format!("sni dns.google:{port} via {dns}")]);
        run.nameless(true, true).check(&[&format!("sni none {dns}"), &format!("dns.google:{port} via is not none")]);
        run.nameless(false, false).check(&["sni none"]);
    }
}

#[test]
fn an_answer_in_pieces_is_put_together() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "a.example", 443, false, Unlisted);
    for piece in [b"HTTP/1.1 1".as_slice(), b"00 Continue\r\n\r\nHTT", b"P/1.1 502 Bad"] {
        run.event(Body::Replied { socks: 0, bytes: piece });
    }
    run.check(&["connected", "refused a.example:443 via Some(502)"]);
}

#[test]
fn a_proxy_is_known_by_its_answers_and_coverage_by_the_first_name() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "good.example", 8443, false, Unlisted);
    assert_eq!(run.correlator.proxies(), []);
    run.replied(200).name(TlsSni, "good.example", 0, true, Unlisted);
    let proxies = run.correlator.proxies();
    let counts: Vec<_> = proxies.iter().map(|proxy| (proxy.address.port(), proxy.granted, proxy.refused)).collect();
    assert_eq!(counts, [(3128, 1, 0)]);
    let open = run.correlator.coverage();
    assert_eq!((open.connections, open.named), (1, vec![(ConnectAuthority, 1)]));
    run.event(CLOSED).event(ESTABLISHED).event(CLOSED);
    let closed = run.correlator.coverage();
    assert_eq!((closed.connections, closed.named), (2, vec![(ConnectAuthority, 1)]));
}

#[test]
fn an_end_that_is_not_recorded_still_tells_of_a_proxy() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(AbsoluteUri, "good.example", 0, false, Unlisted).event(CLOSED);
    run.check(&["connected", "reached good.example:80 via"]);
    assert_eq!(run.correlator.proxies().first().map(|proxy| proxy.answered), Some(1));
}
