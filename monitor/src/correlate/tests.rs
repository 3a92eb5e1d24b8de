//! Sequences of events and what they mean.

use monitor_common::event::{Endpoints, Header, Origin, Owner};
use monitor_common::policy::Verdict::{Audited, Blocked, Unlisted};
use monitor_common::wire::NameSource::{AbsoluteUri, ConnectAuthority, HttpHost, TlsSni};

use super::*;

const MS: u64 = 1_000_000;

const ORIGIN: Origin =
    Origin { owner: Owner::EMPTY, endpoints: Endpoints { family: 4, remote_port: 3128, ..Endpoints::EMPTY } };
const ESTABLISHED: Body<'static> = Body::Established { origin: &ORIGIN };

struct Run {
    correlator: Correlator,
    changes: Vec<Change>,
    now_ns: u64,
}

impl Run {
    fn new() -> Self {
        Self { correlator: Correlator::new(1), changes: Vec::new(), now_ns: 1000 * MS }
    }

    fn event(&mut self, body: Body<'_>) -> &mut Self {
        self.now_ns += MS;
        let header = Header { time_ns: self.now_ns, cookie: 9, connect_ns: 7, ..Header::EMPTY };
        self.correlator.ingest(&Event { header: &header, body }, Arc::default(), &mut self.changes);
        self
    }

    fn name(&mut self, source: NameSource, name: &str, port: u16, in_tunnel: bool, verdict: Verdict) -> &mut Self {
        self.event(Body::Named { origin: &ORIGIN, source, port, in_tunnel, verdict, rule: 3, name: name.as_bytes() })
    }

    fn expire(&mut self) -> &mut Self {
        self.now_ns += NAME_WAIT_NS;
        self.correlator.expire(self.now_ns, &mut self.changes);
        self
    }

    /// The changes as short lines.
    fn check(&mut self, expect: &[&str]) {
        let short = |target: &Target| {
            let via = if target.proxied { " via" } else { "" };
            format!("{}:{}{via}", target.host, target.port)
        };
        let got: Vec<String> = self
            .changes
            .drain(..)
            .map(|change| match change.what {
                What::Connected(None) => "connected".to_owned(),
                What::Connected(Some(target)) => format!("connected {}", short(&target)),
                What::Reached(target) => format!("reached {}", short(&target)),
                What::Refused(target, status) => format!("refused {} {status:?}", short(&target)),
                What::Challenged(target, status) => format!("challenged {} {status}", short(&target)),
                What::ServerName(target) => format!("sni {}", short(&target)),
                What::Judged { target, verdict, rule } => format!("{verdict:?} {} rule {rule}", short(&target)),
            })
            .collect();
        assert_eq!(got, expect);
    }
}

#[test]
fn a_tunnel_is_the_proxy_the_target_and_the_server_name() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "good.example", 8443, false, Unlisted).check(&["connected"]);
    run.event(Body::Replied { status: 200 }).check(&["reached good.example:8443 via"]);
    run.name(TlsSni, "good.example", 0, true, Unlisted).check(&["sni good.example:8443 via"]);
    run.event(Body::Closed).expire().check(&[]);
}

#[test]
fn a_direct_name_joins_the_record_of_its_connection() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(TlsSni, "good.example", 0, false, Unlisted);
    run.check(&["connected good.example:3128"]);
    run.expire().event(Body::Closed).check(&[]);
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
    run.event(ESTABLISHED).event(Body::Closed).check(&["connected"]);
    run.expire().check(&[]);
}

#[test]
fn a_challenge_and_its_retry_are_one_target() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "a.example", 443, false, Unlisted);
    run.event(Body::Replied { status: 407 }).check(&["connected", "challenged a.example:443 via 407"]);
    run.name(ConnectAuthority, "a.example", 443, false, Unlisted).event(Body::Replied { status: 200 });
    run.check(&["reached a.example:443 via"]);
}

#[test]
fn a_refusal_has_its_status_or_none() {
    let mut run = Run::new();
    run.event(ESTABLISHED).name(ConnectAuthority, "a.example", 443, false, Unlisted);
    run.event(Body::Replied { status: 503 }).check(&["connected", "refused a.example:443 via Some(503)"]);
    run.name(ConnectAuthority, "b.example", 443, false, Unlisted).event(Body::Closed);
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
    run.event(Body::Closed).check(&[]);

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
    run.event(Body::Closed).check(&["connected"]);
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
    run.name(ConnectAuthority, "a.example", 443, false, Unlisted).event(Body::Replied { status: 200 });
    run.check(&["reached a.example:443 via"]);
    let mut run = Run::new();
    run.event(Body::Replied { status: 200 }).event(Body::Closed).check(&[]);
}
