//! What the machines said, as tables.

use std::time::Duration;

use crate::guest::Cost;

/// One machine that ran.
pub(super) struct Row {
    pub(super) series: &'static str,
    /// The kernel's release.
    pub(super) kernel: String,
    /// From the start of the machine to its result.
    pub(super) took: Duration,
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) costs: Vec<Cost>,
}

/// A line for each machine.
pub(super) fn machines(rows: &[Row]) -> Vec<String> {
    let head = format!("{:<7} {:<30} {:>8} {:>7} {:>7}", "series", "kernel", "seconds", "passed", "failed");
    let lines = rows.iter().map(|Row { series, kernel, took, passed, failed, .. }| {
        format!("{series:<7} {kernel:<30} {:>8.1} {passed:>7} {failed:>7}", took.as_secs_f64())
    });
    std::iter::once(head).chain(lines).collect()
}

/// A line for each program with the instructions that each verifier went through.
pub(super) fn costs(rows: &[Row]) -> Vec<String> {
    let mut programs: Vec<&str> = rows.iter().flat_map(|row| &row.costs).map(|cost| cost.program.as_str()).collect();
    programs.sort_unstable();
    programs.dedup();
    let head = rows.iter().fold(format!("{:<20}", "verified"), |head, row| format!("{head} {:>10}", row.series));
    let lines = programs.into_iter().map(|program| {
        rows.iter().fold(format!("{program:<20}"), |line, row| {
            let cost = row.costs.iter().find(|cost| cost.program == program);
            format!("{line} {:>10}", cost.map_or_else(|| "-".to_owned(), |cost| cost.insns.to_string()))
        })
    });
    std::iter::once(head).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_a_kernel_has_not_loaded_has_a_dash() {
        let row = |series, program: &str, insns| Row {
            series,
            kernel: String::new(),
            took: Duration::ZERO,
            passed: 0,
            failed: 0,
            costs: vec![Cost { program: program.to_owned(), insns, load_us: 0 }],
        };
        let lines = costs(&[row("5.10", "keep", 180), row("7.3", "keep", 172), row("7.4", "other", 1)]);
        let words: Vec<Vec<&str>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[1], ["keep", "180", "172", "-"]);
        assert_eq!(words[2], ["other", "-", "-", "1"]);
    }
}
