//! Limits are used: a capacity that nothing reads bounds nothing.

use std::collections::HashSet;

use super::{Finding, source::Source};

const LIMITS: &str = "monitor-common/src/limits.rs";

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let Some(limits) = sources.iter().find(|source| source.path == LIMITS) else {
        return Vec::new();
    };
    let others = sources.iter().filter(|source| source.path != LIMITS);
    let mut used: HashSet<&str> =
        others.flat_map(|source| &source.names).flat_map(|name| &name.segments).map(String::as_str).collect();
    let declared: Vec<(usize, &str)> =
        (1..).zip(&limits.code).filter_map(|(line, text)| Some((line, declared_name(text)?))).collect();
    // A limit that another one is made of is used through it.
    for name in &limits.names {
        let is_in_a_value = declared.iter().any(|(line, declared)| *line == name.line && !name.has(declared));
        if is_in_a_value {
            used.extend(name.segments.iter().map(String::as_str));
        }
    }
    declared
        .into_iter()
        .filter(|(_, name)| !used.contains(name))
        .map(|(line, name)| {
            Finding::error(limits, line, "limit", format!("nothing uses {name}: apply it or remove it"))
        })
        .collect()
}

/// `NAME` of `pub const NAME: …`.
fn declared_name(text: &str) -> Option<&str> {
    text.strip_prefix("pub const ")?.split(':').next().filter(|name| !name.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(limits: &str, other: &str) -> Vec<usize> {
        let sources = [Source::new(LIMITS, limits), Source::new("monitor-ebpf/src/maps.rs", other)];
        check(&sources).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_limit_that_nothing_uses_fires() {
        let limits = "pub const A_MAX: u32 = 1;\npub const B_MAX: u32 = 2;\nconst _: () = assert!(B_MAX > A_MAX);";
        assert_eq!(fired(limits, "use monitor_common::limits::{A_MAX, C};"), [2]);
        assert!(fired(limits, "fn a() { limits::A_MAX + B_MAX }").is_empty());
        assert_eq!(fired(limits, "// A_MAX B_MAX"), [1, 2]);
    }

    #[test]
    fn a_limit_that_another_is_made_of_is_used() {
        assert!(fired("pub const A: u32 = 1;\npub const B: u32 = A * 2;", "use crate::B;").is_empty());
    }
}
