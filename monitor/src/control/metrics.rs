//! `GET /metrics`: the numbers of the status in Prometheus' text format, version 0.0.4.

use std::fmt::Write as _;

use super::Status;

impl Status {
    /// The numbers as text.
    pub(super) fn metrics(&self) -> String {
        let mut out = String::new();
        let mut family = |name, kind, help, samples: Vec<(String, u64)>| {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "# HELP proxysight_{name} {help}\n# TYPE proxysight_{name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(out, "proxysight_{name}{labels} {value}");
            }
        };
        let one = |value| vec![(String::new(), value)];
        let Self { events, coverage, control, counters, .. } = self;
        let info = format!("{{version=\"{}\",mode=\"{}\"}}", self.version, self.mode);
        family("info", "gauge", "The daemon, by version and mode.", vec![(info, 1)]);
        family("events_emitted_total", "counter", "Events of the kernel programs.", one(events.emitted));
        family("events_recorded_total", "counter", "Events that were recorded.", one(events.recorded));
        family("events_lost_total", "counter", "Events that were lost.", one(events.lost));
        family("connections_total", "counter", "Outbound TCP connections.", one(coverage.connections));
        let named = coverage.by_source.iter().map(|(source, count)| (format!("{{source=\"{source}\"}}"), *count));
        let help = "Outbound TCP connections with a name, by its source.";
        family("connections_named_total", "counter", help, named.collect());
        let answers = self.proxies.iter().flat_map(|proxy| {
            let outcomes = [("granted", proxy.granted), ("refused", proxy.refused), ("challenged", proxy.challenged)];
            let of = format!("proxy=\"{}\",type=\"{}\"", proxy.address, proxy.kind);
            outcomes.map(|(outcome, count)| (format!("{{{of},outcome=\"{outcome}\"}}"), count))
        });
        let help = "Answers of proxies to requests for a tunnel.";
        family("proxy_answers_total", "counter", help, answers.collect());
        let sides = [("kernel", &counters.kernel), ("daemon", &counters.daemon)];
        let all = sides.into_iter().flat_map(|(side, counters)| {
            counters.iter().map(move |(name, count)| (format!("{{side=\"{side}\",name=\"{name}\"}}"), *count))
        });
        family("counter_total", "counter", "Every counter, by side and name.", all.collect());
        family("stream_rows_lost_total", "counter", "Rows that slow streams lost.", one(control.rows_lost));
        let problems = self.problems.iter().map(|problem| (format!("{{name=\"{}\"}}", problem.name), problem.count));
        family("problem", "gauge", "What was lost or not done; none is healthy.", problems.collect());
        out
    }
}
