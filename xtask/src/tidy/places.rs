//! What may only be in certain places: `unsafe`, aya, clap, serialisation, clocks and I/O; and what may be nowhere.

use super::{Finding, source::Source};

/// Paths or words that belong in few places.
struct Rule {
    name: &'static str,
    paths: &'static [&'static str],
    /// Where the rule holds.
    within: &'static [&'static str],
    /// Where it does not.
    except: &'static [&'static str],
    tests: Tests,
    advice: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tests {
    Included,
    Exempt,
}

const EVERYWHERE: &[&str] = &[""];

const RULES: &[Rule] = &[
    Rule {
        name: "unsafe",
        paths: &["unsafe"],
        within: EVERYWHERE,
        except: &["monitor-ebpf", "monitor/src/kernel"],
        tests: Tests::Included,
        advice: "move it into monitor/src/kernel behind a safe function",
    },
    Rule {
        name: "aya",
        paths: &["aya", "aya_ebpf", "aya_log", "aya_log_ebpf", "aya_obj"],
        within: EVERYWHERE,
        except: &["monitor-ebpf", "monitor/src/kernel"],
        tests: Tests::Included,
        advice: "only the kernel module knows aya: give it a function or a type of ours",
    },
    Rule {
        name: "clap",
        paths: &["clap"],
        within: EVERYWHERE,
        except: &["monitor/src/cli", "xtask"],
        tests: Tests::Included,
        advice: "only monitor/src/cli knows clap: pass the parsed value on",
    },
    Rule {
        name: "serialize",
        paths: &["Serialize"],
        within: EVERYWHERE,
        except: &["monitor/src/record", "monitor/src/control/status"],
        tests: Tests::Included,
        advice: "only records and the status are serialised: turn the value into one of them in monitor/src/record or \
                 monitor/src/control/status.rs",
    },
    Rule {
        name: "pure",
        paths: &[
            // `std::net` has the address types and `std::io` has `Write` for buffers in memory: not they are named, but
            // what does I/O.
            "File",
            "TcpListener",
            "TcpStream",
            "ToSocketAddrs",
            "UdpSocket",
            "UnixListener",
            "UnixStream",
            "eprint!",
            "eprintln!",
            "io::BufReader",
            "io::Read",
            "io::copy",
            "io::stderr",
            "io::stdin",
            "io::stdout",
            "print!",
            "println!",
            "Instant::now",
            "SystemTime",
            "Timestamp::now",
            "Zoned::now",
            "libc",
            "rustix",
            "std::env",
            "std::fs",
            "std::process",
            "std::thread",
            "tokio",
        ],
        within: &[
            "monitor/src/correlate",
            "monitor/src/decide",
            "monitor/src/dns",
            "monitor/src/hello",
            "monitor/src/hostname",
            "monitor/src/quic",
            "monitor/src/reader",
            "monitor/src/record",
            "monitor-kql/src",
        ],
        except: &[],
        tests: Tests::Exempt,
        advice: "no clock and no I/O here: take the time or the bytes as an argument",
    },
    Rule {
        name: "unfinished",
        paths: &["todo!", "unimplemented!"],
        within: EVERYWHERE,
        except: &[],
        tests: Tests::Included,
        advice: "finish it, or take it out",
    },
];

/// Attributes that hide a problem, and what to do instead.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("#[allow(", "use #[expect(lint, reason = \"…\")]"),
    ("#![allow(", "use #![expect(lint, reason = \"…\")]"),
    ("#[ignore", "make the test run, or remove it"),
    ("#[should_panic", "test for an error value"),
];

/// Where the one decoder of kernel events is.
const EVENTS: &str = "monitor-common/src/event";

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES
        .iter()
        .filter(|rule| holds(rule, source))
        .flat_map(|rule| {
            let breaks = source.names.iter().filter(|name| {
                let counts = rule.tests == Tests::Included || !source.is_test(name.line);
                counts && rule.paths.iter().any(|path| name.has(path))
            });
            breaks.map(|name| Finding::error(source, name.line, rule.name, rule.advice))
        })
        .collect();
    // A group names its crate once for each item.
    findings.dedup();
    findings.extend(attributes(source));
    findings.extend(decoders(source));
    findings
}

fn holds(rule: &Rule, source: &Source) -> bool {
    rule.within.iter().any(|place| source.is_in(place)) && !rule.except.iter().any(|place| source.is_in(place))
}

fn attributes(source: &Source) -> impl Iterator<Item = Finding> {
    source.code.iter().zip(1..).flat_map(move |(text, line)| {
        let squeezed: String = text.split_whitespace().collect();
        let breaks = ATTRIBUTES.iter().filter(move |(attribute, _)| squeezed.contains(attribute));
        breaks.map(move |(_, advice)| Finding::error(source, line, "attribute", *advice))
    })
}

/// Free functions only: `decode` of one event's body is a method that the decoder calls.
fn decoders(source: &Source) -> impl Iterator<Item = Finding> {
    let is_public_decoder = |text: &&(usize, &String)| source.is_in(EVENTS) && text.1.contains("fn decode(");
    let lines: Vec<(usize, &String)> = (1..).zip(&source.code).collect();
    let is_home = source.path.ends_with("/mod.rs") || source.path.ends_with("/event.rs");
    let allowed = usize::from(is_home);
    let found: Vec<usize> = lines.iter().filter(is_public_decoder).map(|(line, _)| *line).collect();
    found.into_iter().skip(allowed).map(|line| {
        Finding::error(source, line, "one-decoder", format!("{EVENTS}/mod.rs has the one `fn decode`: extend that"))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::fired, *};

    #[test]
    fn unsafe_fires_outside_the_kernel_modules_and_in_tests() {
        let text = "fn a() { unsafe { b() } }";
        assert_eq!(fired(check, "monitor/src/pipeline.rs", text), [(1, "unsafe")]);
        assert_eq!(fired(check, "tests/src/netns.rs", text), [(1, "unsafe")]);
        assert_eq!(fired(check, "monitor/src/kernel/ring.rs", text), []);
        assert_eq!(fired(check, "monitor-ebpf/src/main.rs", text), []);
        assert_eq!(
            fired(check, "monitor/src/lib.rs", "#![deny(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";"),
            []
        );
    }

    #[test]
    fn aya_fires_outside_the_kernel_modules() {
        assert_eq!(fired(check, "monitor/src/command/run.rs", "use aya::Ebpf;"), [(1, "aya")]);
        assert_eq!(fired(check, "monitor/src/kernel.rs", "use aya::Ebpf;"), []);
    }

    #[test]
    fn clap_fires_outside_the_command_line() {
        assert_eq!(fired(check, "monitor/src/main.rs", "use clap::Parser as _;"), [(1, "clap")]);
        assert_eq!(fired(check, "monitor/src/cli.rs", "use clap::Parser;"), []);
    }

    #[test]
    fn serialize_fires_outside_records_and_the_status() {
        let text = "#[derive(Clone, Serialize)]\nstruct A;";
        assert_eq!(fired(check, "monitor/src/decide/rule.rs", text), [(1, "serialize")]);
        assert_eq!(fired(check, "monitor/src/record/row.rs", text), []);
        assert_eq!(fired(check, "monitor/src/control/status.rs", text), []);
        assert_eq!(fired(check, "monitor/src/control/service.rs", text), [(1, "serialize")]);
    }

    #[test]
    fn clocks_and_io_fire_in_the_pure_modules_also_from_a_group() {
        let text = "use std::{\n    fs,\n    net::IpAddr,\n    time::Instant,\n};\nfn a() { Instant::now() }";
        assert_eq!(fired(check, "monitor/src/correlate/mod.rs", text), [(2, "pure"), (6, "pure")]);
        assert_eq!(fired(check, "monitor/src/stream.rs", text), []);
        let printing = "use std::io::{self, Write as _};\nfn a() { io::stdout().write(b) }\nfn b() { println!() }";
        assert_eq!(fired(check, "monitor/src/record/json.rs", printing), [(2, "pure"), (3, "pure")]);
        let tested = "fn a() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}";
        assert_eq!(fired(check, "monitor/src/decide/mod.rs", tested), []);
    }

    #[test]
    fn unfinished_code_fires() {
        assert_eq!(fired(check, "monitor/src/a.rs", "fn a() { todo!() }\nfn b() { unimplemented!() }").len(), 2);
        assert_eq!(fired(check, "monitor/src/a.rs", "fn todo() {}"), []);
    }

    #[test]
    fn attributes_that_hide_a_problem_fire() {
        let text = "#[allow(dead_code)]\n#![ allow(x)]\n#[ignore]\n#[should_panic(expected = \"x\")]\n#[expect(x, reason = \"y\")]";
        let lines: Vec<usize> = fired(check, "xtask/src/a.rs", text).iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 4]);
    }

    #[test]
    fn a_second_decoder_fires() {
        let text = "pub fn decode(bytes: &[u8]) {}\n";
        assert_eq!(fired(check, "monitor-common/src/event/mod.rs", text), []);
        assert_eq!(fired(check, "monitor-common/src/event/mod.rs", &text.repeat(2)), [(2, "one-decoder")]);
        assert_eq!(fired(check, "monitor-common/src/event/named.rs", text), [(1, "one-decoder")]);
    }
}
