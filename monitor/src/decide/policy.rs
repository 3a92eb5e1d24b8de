//! A policy: its indicators in the order of their rule numbers, and where each was written.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::list::ListRule;
use super::{LineError, parse_list};
use crate::hostname::Hostname;

/// Where an indicator was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorSource {
    /// The file.
    pub file: Arc<Path>,
    /// Counted from 1.
    pub line: u32,
}

impl fmt::Display for IndicatorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// A dangerous name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// The name.
    pub name: Hostname,
    /// For the name itself only, not for its subdomains.
    pub exact: bool,
    /// Where that was written.
    pub source: IndicatorSource,
}

/// As it is written in a list.
impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.exact { "=" } else { "" }, self.name.as_str())
    }
}

impl Indicator {
    /// Whether a name falls under this indicator.
    pub fn matches(&self, name: &Hostname) -> bool {
        if self.exact { *name == self.name } else { name.is_within(&self.name) }
    }
}

/// All indicators; the place of one is the number of its rule in the kernel's table.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    indicators: Vec<Arc<Indicator>>,
    /// Where a name stands among them.
    places: HashMap<Hostname, usize>,
}

impl Policy {
    /// The indicator of a rule, if it really matches the name. None: the kernel's hashes collided, or the rule is unknown.
    pub fn explain(&self, rule: u32, name: &Hostname) -> Option<&Arc<Indicator>> {
        self.indicators.get(rule as usize).filter(|indicator| indicator.matches(name))
    }

    /// The rule for a name that the kernel cannot read: the most specific one that matches, as the kernel's table has it.
    pub fn rule_for(&self, name: &Hostname) -> Option<u32> {
        let place = name.suffixes().find_map(|suffix| {
            self.places
                .get(suffix)
                .copied()
                .filter(|place| self.indicators.get(*place).is_some_and(|indicator| indicator.matches(name)))
        })?;
        u32::try_from(place).ok()
    }

    /// In the order of their rule numbers.
    pub fn indicators(&self) -> &[Arc<Indicator>] {
        &self.indicators
    }
}

/// Collects the indicators of several files.
#[derive(Default)]
pub struct PolicyBuilder {
    policy: Policy,
    repeated: usize,
}

impl PolicyBuilder {
    /// Adds the rules of a file; gives the lines that are none.
    pub fn add_list(&mut self, file: &Path, bytes: &[u8]) -> Vec<LineError> {
        let file: Arc<Path> = PathBuf::from(file).into();
        parse_list(bytes, |rule| self.add(rule, &file))
    }

    /// The first line that lists a name is the one that counts; a rule for a domain holds the one for its name alone.
    fn add(&mut self, rule: ListRule, file: &Arc<Path>) {
        let ListRule { line, name, exact } = rule;
        let indicator = Indicator { name, exact, source: IndicatorSource { file: file.clone(), line } };
        match self.policy.places.get(&indicator.name).copied().and_then(|place| self.policy.indicators.get_mut(place)) {
            None => {
                self.policy.places.insert(indicator.name.clone(), self.policy.indicators.len());
                self.policy.indicators.push(Arc::new(indicator));
            }
            Some(before) => {
                self.repeated += 1;
                if before.exact && !indicator.exact {
                    *before = Arc::new(indicator);
                }
            }
        }
    }

    /// Rules that were listed before.
    pub fn repeated(&self) -> usize {
        self.repeated
    }

    /// The policy.
    pub fn build(self) -> Policy {
        self.policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(lists: &[(&str, &str)]) -> (Policy, usize) {
        let mut builder = PolicyBuilder::default();
        for (file, text) in lists {
            assert_eq!(builder.add_list(Path::new(file), text.as_bytes()), []);
        }
        let repeated = builder.repeated();
        (builder.build(), repeated)
    }

    #[test]
    fn an_indicator_says_where_it_was_written() {
        let (policy, repeated) = policy(&[("a", "# x\nevil.example\n"), ("b", "evil.example\n=evil.example\n")]);
        assert_eq!((policy.indicators().len(), repeated), (1, 2));
        assert_eq!(policy.indicators()[0].source.to_string(), "a:2");
    }

    #[test]
    fn a_domain_rule_replaces_the_rule_for_its_name_alone() {
        let (policy, _) = policy(&[("a", "=evil.example\nevil.example\n")]);
        assert_eq!(policy.indicators().len(), 1);
        assert!(!policy.indicators()[0].exact && policy.indicators()[0].source.line == 2);
    }

    #[test]
    fn a_rule_is_only_explained_by_a_name_that_it_matches() {
        let (policy, _) = policy(&[("a", "evil.example\n=only.example\n")]);
        let name = |text: &str| Hostname::parse(text.as_bytes()).unwrap();
        assert!(policy.explain(0, &name("www.evil.example")).is_some());
        assert!(policy.explain(0, &name("notevil.example")).is_none());
        assert!(policy.explain(1, &name("only.example")).is_some());
        assert!(policy.explain(1, &name("www.only.example")).is_none());
        assert!(policy.explain(2, &name("evil.example")).is_none());
    }

    #[test]
    fn the_most_specific_rule_that_matches_is_the_rule_for_a_name() {
        let (policy, _) = policy(&[("a", "evil.example\n=only.evil.example\nbad.evil.example\n")]);
        let rule_for = |text: &str| policy.rule_for(&Hostname::parse(text.as_bytes()).unwrap());
        assert_eq!(rule_for("www.bad.evil.example"), Some(2));
        assert_eq!(rule_for("only.evil.example"), Some(1));
        assert_eq!(rule_for("www.only.evil.example"), Some(0));
        assert_eq!(rule_for("evil.example"), Some(0));
        assert_eq!(rule_for("example.test"), None);
    }
}
