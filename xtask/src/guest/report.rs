//! What `monitor-guest` says: its lines among those of a kernel. `tests/vm/src/main.rs` has their form.

use anyhow::{Context as _, Result, bail};

/// Everything that was said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The kernel's release.
    pub(crate) kernel: Option<String>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) passed: Vec<String>,
    /// Each with its reason.
    pub(crate) failed: Vec<(String, String)>,
    /// Whether it came to its end.
    pub(crate) done: bool,
}

/// What one kernel program cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) program: String,
    /// Instructions that the verifier went through.
    pub(crate) insns: u32,
    pub(crate) load_us: u64,
}

impl Report {
    /// Reads the lines; those of others are left out.
    ///
    /// # Errors
    /// A line begins like one of the guest's and goes on otherwise: program and xtask do not fit.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut report = Self::default();
        for line in text.lines().map(|line| line.trim_end_matches('\r')) {
            let mut fields = line.split('\t');
            if fields.next() != Some("guest") {
                continue;
            }
            let fields: Vec<&str> = fields.collect();
            match fields.as_slice() {
                ["kernel", release] => report.kernel = Some((*release).to_owned()),
                ["cost", program, insns, load_us] => {
                    let cost = Cost::parse(program, insns, load_us);
                    report.costs.push(cost.with_context(|| format!("cannot read `{line}`"))?);
                }
                ["pass", check] => report.passed.push((*check).to_owned()),
                ["fail", check, reason] => report.failed.push(((*check).to_owned(), (*reason).to_owned())),
                ["done"] => report.done = true,
                _ => bail!("`{line}` is no line of the guest's: build both from the same source"),
            }
        }
        Ok(report)
    }
}

impl Cost {
    fn parse(program: &str, insns: &str, load_us: &str) -> Result<Self> {
        Ok(Self { program: program.to_owned(), insns: insns.parse()?, load_us: load_us.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_guest_are_read_and_those_of_the_kernel_left_out() {
        let text = "[    0.5] PCI: Fatal: x\r\nguest\tkernel\t5.10.0\r\nguest\tcost\tkeep\t192\t4000\r\n\
                    guest\tcost\tdecide\t59249\t12\r\nguest\tpass\ta name\r\nguest\tfail\tb name\tnot so\r\nguest\tdone\r\n";
        let cost = |program: &str, insns, load_us| Cost { program: program.into(), insns, load_us };
        let report = Report {
            kernel: Some("5.10.0".into()),
            costs: vec![cost("keep", 192, 4000), cost("decide", 59_249, 12)],
            passed: vec!["a name".into()],
            failed: vec![("b name".into(), "not so".into())],
            done: true,
        };
        assert_eq!(Report::parse(text).unwrap(), report);
    }

    #[test]
    fn a_line_of_another_version_is_an_error() {
        assert!(Report::parse("guest\tcost\tkeep\tmany\t4000\n").is_err());
        assert!(Report::parse("guest\tnews\n").is_err());
        assert_eq!(Report::parse("guests are many\n").unwrap(), Report::default());
    }
}
