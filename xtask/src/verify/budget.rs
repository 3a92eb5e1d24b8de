//! The budget file: how many instructions the verifier may go through for each program.
//!
//! A program without a line and a line without a program are errors: the file is the list of what there is.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::guest::Cost;

/// Where the file is.
pub(crate) const FILE: &str = "monitor-ebpf/budget.toml";

/// Beyond it a line needs a reason: the kernel gives up at 1,000,000, and the next kernel may count twice as many.
const INSNS_MAX_WITHOUT_REASON: u32 = 250_000;

/// Every program's line.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Budget {
    lines: BTreeMap<String, Line>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    insns: u32,
    reason: Option<String>,
}

impl Budget {
    /// Reads the file.
    ///
    /// # Errors
    /// It is not there, or says something else; the error has the place.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let file = root.join(FILE);
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no budget", file.display()))
    }

    /// How many instructions a program may take.
    pub(crate) fn of(&self, program: &str) -> Option<u32> {
        self.lines.get(program).map(|line| line.insns)
    }

    /// Every way in which costs and budget do not fit, each as a sentence.
    pub(crate) fn offences(&self, costs: &[Cost]) -> Vec<String> {
        let mut offences = Vec::new();
        for (program, Line { insns, reason }) in &self.lines {
            if *insns > INSNS_MAX_WITHOUT_REASON && reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
                offences.push(format!(
                    "{program}: a budget of {insns} is over {INSNS_MAX_WITHOUT_REASON} and has no reason: split the program \
                     by a tail call, or say in {FILE} why not"
                ));
            }
            if costs.iter().all(|cost| cost.program != *program) {
                offences.push(format!("{program}: no such program: take its line out of {FILE}"));
            }
        }
        for Cost { program, insns, .. } in costs {
            match self.of(program) {
                None => offences.push(format!("{program}: no budget: give it one in {FILE}")),
                Some(budget) if *insns > budget => offences.push(format!(
                    "{program}: {insns} instructions are more than its {budget}: see \"Writing for the verifier\" in \
                     CONTRIBUTING.md, or raise the budget in {FILE}"
                )),
                Some(_) => {}
            }
        }
        offences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences(text: &str, costs: &[(&str, u32)]) -> Vec<String> {
        let budget: Budget = toml::from_str(text).unwrap();
        let cost = |(program, insns): &(&str, u32)| Cost { program: (*program).into(), insns: *insns, load_us: 0 };
        budget.offences(&costs.iter().map(cost).collect::<Vec<_>>())
    }

    fn check(text: &str, costs: &[(&str, u32)], beginnings: &[&str]) {
        let offences = offences(text, costs);
        assert_eq!(offences.len(), beginnings.len(), "{offences:?}");
        for (offence, beginning) in offences.iter().zip(beginnings) {
            assert!(offence.starts_with(beginning), "{offence} does not begin with {beginning}");
        }
    }

    #[test]
    fn a_program_over_its_budget_is_an_offence() {
        check("keep.insns = 200", &[("keep", 201)], &["keep: 201 instructions are more than its 200"]);
        check("keep.insns = 200", &[("keep", 200)], &[]);
    }

    #[test]
    fn a_program_without_budget_and_a_budget_without_program_are_offences() {
        check("a.insns = 1", &[("b", 1)], &["a: no such program", "b: no budget"]);
    }

    #[test]
    fn a_large_budget_needs_a_reason() {
        check("a.insns = 250001", &[("a", 1)], &["a: a budget of 250001"]);
        check("a = { insns = 250001, reason = ' ' }", &[("a", 1)], &["a: a budget of 250001"]);
        check("a = { insns = 250001, reason = 'two loops over 16 KiB' }", &[("a", 1)], &[]);
        check("a.insns = 250000", &[("a", 1)], &[]);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(toml::from_str::<Budget>("a = { insns = 1, limit = 2 }").is_err());
    }
}
