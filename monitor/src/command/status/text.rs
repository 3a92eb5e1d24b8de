//! The status as a page for people.

use std::fmt::{self, Write as _};

use crate::control::{Coverage, Proxy, Status};

/// Where values begin.
const LABEL_WIDTH: usize = 12;

/// Whether the page is for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    None,
    Some,
}

impl Colour {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Some => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

const RED: &str = "31;1";
const GREEN: &str = "32";
const BOLD: &str = "1";

/// The page.
pub(super) fn page(status: &Status, colour: Colour) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut out, status, colour);
    out
}

fn write_page(out: &mut String, status: &Status, colour: Colour) -> fmt::Result {
    let Status { version, pid, mode, since, kernel, cgroup, hooks, policy, events, control, .. } = status;
    line(out, "proxysight", &format!("{version}, pid {pid}"))?;
    let health = match status.problems.len() {
        0 => colour.paint(GREEN, "healthy"),
        1 => colour.paint(RED, "1 problem"),
        more => colour.paint(RED, &format!("{more} problems")),
    };
    line(out, "health", &health)?;
    for problem in &status.problems {
        line(out, "", &format!("{} {} ({})", problem.count, problem.meaning, problem.name))?;
    }
    line(out, "mode", &colour.paint(BOLD, mode))?;
    line(out, "since", since)?;
    line(out, "kernel", &format!("Linux {kernel}"))?;
    let attached: Vec<&str> = hooks.iter().filter(|hook| hook.attached).map(|hook| hook.name.as_str()).collect();
    line(out, "hooks", &format!("{} of {} attached to {cgroup}", attached.len(), hooks.len()))?;
    line(out, "", &attached.join(" "))?;
    line(out, "policy", &counted(policy.rules, "rule"))?;
    for file in &policy.files {
        line(out, "", file)?;
    }
    let sum = format!(
        "{} emitted, {} recorded, {} lost, {} waiting",
        events.emitted, events.recorded, events.lost, events.waiting
    );
    line(out, "events", &sum)?;
    write_coverage(out, &status.coverage)?;
    line(out, "streams", &format!("{}, {} rows lost to slow readers", control.streams, control.rows_lost))?;
    write_proxies(out, &status.proxies)?;
    for (label, counters) in [("in kernel", &status.counters.kernel), ("in daemon", &status.counters.daemon)] {
        let width = counters.keys().map(String::len).max().unwrap_or_default();
        let mut label = label;
        for (name, count) in counters {
            line(out, label, &format!("{name:<width$}  {count}"))?;
            label = "";
        }
    }
    Ok(())
}

fn write_coverage(out: &mut String, coverage: &Coverage) -> fmt::Result {
    let Coverage { connections, named, by_source } = coverage;
    let share = per_cent(*named, *connections);
    line(out, "coverage", &format!("{named} of {connections} outbound TCP connections had a name{share}"))?;
    let width = by_source.keys().map(String::len).max().unwrap_or_default();
    for (source, count) in by_source {
        line(out, "", &format!("{source:<width$}  {count}{}", per_cent(*count, *connections)))?;
    }
    Ok(())
}

fn write_proxies(out: &mut String, proxies: &[Proxy]) -> fmt::Result {
    if proxies.is_empty() {
        return line(out, "proxies", "none seen");
    }
    let width = proxies.iter().map(|proxy| proxy.address.len()).max().unwrap_or_default();
    let mut label = "proxies";
    for proxy in proxies {
        let Proxy { address, kind, granted, refused, challenged, answered, last_seen, .. } = proxy;
        let outcomes = [
            (granted, "granted"),
            (refused, "refused"),
            (challenged, "wanted credentials"),
            (answered, "answered without a tunnel"),
        ];
        let outcomes = outcomes.iter().filter(|(count, _)| **count != 0);
        let outcomes: Vec<String> = outcomes.map(|(count, what)| format!("{count} {what}")).collect();
        let outcomes = outcomes.join(", ");
        line(out, label, &format!("{address:<width$}  {kind:<7}  {outcomes}; last at {last_seen}"))?;
        label = "";
    }
    Ok(())
}

fn line(out: &mut String, label: &str, value: &str) -> fmt::Result {
    writeln!(out, "{label:<LABEL_WIDTH$}{value}")
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A share in whole per cent; nothing of nothing.
fn per_cent(part: u64, whole: u64) -> String {
    match part.saturating_mul(100).checked_div(whole) {
        Some(share) => format!(" ({share} %)"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::control::{Control, Counters, Events, Hook, LostEvents, Policy, Problem};

    fn status() -> Status {
        let map = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<BTreeMap<String, u64>>()
        };
        let hook = |name: &str, attached| Hook { name: name.to_owned(), attached };
        Status {
            version: "0.1.0".to_owned(),
            pid: 7,
            mode: "audit".to_owned(),
            since: "2026-01-01T00:00:00.0000000Z".to_owned(),
            kernel: "6.18.1".to_owned(),
            cgroup: "/sys/fs/cgroup".to_owned(),
            hooks: vec![hook("first_bytes", true), hook("connect4", false)],
            policy: Policy { rules: 2, files: vec!["/etc/evil.list".to_owned()] },
            events: Events {
                emitted: 9,
                recorded: 7,
                lost: 1,
                waiting: 1,
                lost_by: LostEvents { ring_full: 1, rejected: 0, unwritten: 0 },
            },
            coverage: Coverage { connections: 3, named: 2, by_source: map(&[("ConnectAuthority", 1), ("TlsSni", 1)]) },
            proxies: vec![Proxy {
                address: "192.0.2.1:3128".to_owned(),
                kind: "http".to_owned(),
                first_seen: "2026-01-01T00:00:01.0000000Z".to_owned(),
                last_seen: "2026-01-01T00:00:02.0000000Z".to_owned(),
                granted: 5,
                refused: 1,
                challenged: 0,
                answered: 0,
            }],
            counters: Counters { kernel: map(&[("emitted", 9), ("ring_full", 1)]), daemon: map(&[("collisions", 0)]) },
            control: Control { connections: 1, streams: 0, rows_lost: 0, refused: 0, denied: 0, failed: 0 },
            problems: vec![Problem {
                name: "ring_full".to_owned(),
                count: 1,
                meaning: "events were lost because the ring was full".to_owned(),
            }],
        }
    }

    const PAGE: &str = "\
proxysight  0.1.0, pid 7
health      1 problem
            1 events were lost because the ring was full (ring_full)
mode        audit
since       2026-01-01T00:00:00.0000000Z
kernel      Linux 6.18.1
hooks       1 of 2 attached to /sys/fs/cgroup
            first_bytes
policy      2 rules
            /etc/evil.list
events      9 emitted, 7 recorded, 1 lost, 1 waiting
coverage    2 of 3 outbound TCP connections had a name (66 %)
            ConnectAuthority  1 (33 %)
            TlsSni            1 (33 %)
streams     0, 0 rows lost to slow readers
proxies     192.0.2.1:3128  http     5 granted, 1 refused; last at 2026-01-01T00:00:02.0000000Z
in kernel   emitted    9
            ring_full  1
in daemon   collisions  0
";

    #[test]
    fn the_page_is_aligned_and_plain() {
        assert_eq!(page(&status(), Colour::None), PAGE);
    }

    #[test]
    fn colours_change_nothing_else() {
        let mut coloured = page(&status(), Colour::Some);
        assert!(coloured.contains("\x1b[31;1m1 problem\x1b[0m"));
        for code in ["\x1b[31;1m", "\x1b[1m", "\x1b[0m"] {
            coloured = coloured.replace(code, "");
        }
        assert_eq!(coloured, PAGE);
    }

    #[test]
    fn nothing_seen_is_said() {
        let empty = Status { proxies: Vec::new(), problems: Vec::new(), coverage: Coverage::default(), ..status() };
        let page = page(&empty, Colour::None);
        for expect in
            ["health      healthy\n", "proxies     none seen\n", " 0 of 0 outbound TCP connections had a name\n"]
        {
            assert!(page.contains(expect), "{expect:?} in {page}");
        }
    }
}
