//! Which module of the daemon may use which: dependencies point one way, along the data's path.
//!
//! Unit tests may reach anywhere, and so may `main.rs`; `lib.rs` only declares.

use super::{Finding, source::Source};

/// A module of monitor/src, and the others that it may use. Every module has a line; a module may use itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("reader", &[]),
    ("hello", &["reader"]),
    ("quic", &["reader"]),
    ("process", &["hostname"]),
    ("account", &[]),
    ("hostname", &[]),
    ("dns", &["hostname"]),
    ("correlate", &["process", "dns", "hello", "hostname"]),
    ("decide", &["hostname"]),
    ("record", &["process", "dns", "hello", "hostname", "correlate", "decide"]),
    ("host", &["record"]),
    ("config", &["correlate", "stream"]),
    ("replay", &["decide", "quic"]),
    ("stream", &["account", "process", "correlate", "record"]),
    ("control", &["stream"]),
    (
        "pipeline",
        &[
            "kernel",
            "process",
            "dns",
            "hello",
            "hostname",
            "quic",
            "account",
            "correlate",
            "decide",
            "record",
            "stream",
        ],
    ),
    ("cli", &[]),
    (
        "command",
        &[
            "kernel",
            "process",
            "account",
            "config",
            "correlate",
            "decide",
            "record",
            "host",
            "replay",
            "stream",
            "pipeline",
            "control",
            "cli",
        ],
    ),
];

const MODULES: &str = "monitor/src/";
const ROOTS: [&str; 2] = ["lib.rs", "main.rs"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let Some(file) = source.path.strip_prefix(MODULES).filter(|file| !ROOTS.contains(file)) else {
        return Vec::new();
    };
    let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    let Some(module) = parts.first().copied() else {
        return Vec::new();
    };
    let Some(allowed) = allowed(module) else {
        let advice =
            format!("module `{module}` has no line in MAY_USE of xtask/src/tidy/edges.rs: say what it may use");
        return vec![Finding::error(source, 1, "edge", advice)];
    };
    let forbidden = |target: &&str| *target != module && !allowed.contains(target);
    let mut found: Vec<(usize, &str)> = source
        .names
        .iter()
        .filter(|name| !source.is_test(name.line))
        .filter_map(|name| Some((name.line, target(&name.segments, parts.len()).filter(forbidden)?)))
        .collect();
    // A group names its module once for each item.
    found.dedup();
    found.into_iter().map(|(line, target)| Finding::error(source, line, "edge", advice(module, target))).collect()
}

fn allowed(module: &str) -> Option<&'static [&'static str]> {
    MAY_USE.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed)
}

/// The module at the top that a path leads to: `crate::X`, or as many `super` as lead out of the file's own.
fn target(segments: &[String], depth: usize) -> Option<&str> {
    let supers = segments.iter().take_while(|segment| *segment == "super").count();
    let index = match segments.first()?.as_str() {
        "crate" => 1,
        "super" if supers >= depth => supers,
        _ => return None,
    };
    segments.get(index).map(String::as_str)
}

fn advice(module: &str, target: &str) -> String {
    match target {
        "command" | "cli" => format!("only main and command use `{target}`: pass the value into `{module}`"),
        _ => format!("`{module}` may not use `{target}`: pass a value, or move the type to where both may see it"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fired, *};

    #[test]
    fn an_edge_against_the_stream_fires() {
        assert_eq!(fired(check, "monitor/src/record/row.rs", "use crate::stream::Text;"), [(1, "edge")]);
        assert_eq!(fired(check, "monitor/src/stream.rs", "use crate::record::Row;"), []);
        assert_eq!(fired(check, "monitor/src/stream.rs", "use crate::stream::Row;"), []);
    }

    #[test]
    fn a_group_an_inline_path_and_super_fire_too() {
        let text = "use crate::{\n    correlate::A,\n    kernel::B,\n};\nfn a() { crate::stream::b() }\nuse super::super::cli;";
        assert_eq!(fired(check, "monitor/src/record/row.rs", text), [(3, "edge"), (5, "edge"), (6, "edge")]);
        assert_eq!(fired(check, "monitor/src/record/row.rs", "use super::column;"), []);
        assert_eq!(fired(check, "monitor/src/record/mod.rs", "use super::cli;"), [(1, "edge")]);
    }

    #[test]
    fn nothing_but_main_and_command_use_the_command_line() {
        assert_eq!(fired(check, "monitor/src/pipeline.rs", "use crate::command::run;"), [(1, "edge")]);
        assert_eq!(fired(check, "monitor/src/stream/mod.rs", "use crate::cli::Format;"), [(1, "edge")]);
        assert_eq!(fired(check, "monitor/src/main.rs", "use monitor::command::run;"), []);
    }

    #[test]
    fn a_module_without_a_line_in_the_table_fires() {
        assert_eq!(fired(check, "monitor/src/store/segment.rs", ""), [(1, "edge")]);
    }

    #[test]
    fn the_table_names_only_modules_that_have_a_line() {
        let mut targets = MAY_USE.iter().flat_map(|(_, allowed)| allowed.iter());
        assert!(targets.all(|target| allowed(target).is_some()));
    }
}
