//! What a row must say. When none says it, the error shows the nearest one and what it says instead.

use std::fmt::{Display, Formatter};

use serde_json::Value;

use crate::row::Row;

/// A description of a row, built clause by clause.
#[derive(Clone, Debug)]
pub struct Expected {
    clauses: Vec<Clause>,
}

#[derive(Clone, Debug)]
struct Clause {
    at: At,
    name: &'static str,
    want: Want,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    Column,
    Additional,
}

#[derive(Clone, Debug)]
enum Want {
    Is(Value),
    Contains(String),
}

/// A row of DeviceNetworkEvents with this ActionType.
#[must_use]
pub fn network(action: &str) -> Expected {
    Expected { clauses: Vec::new() }.column("Table", "DeviceNetworkEvents").column("ActionType", action)
}

/// The row of a verdict that let the connection pass: event 1125.
#[must_use]
pub fn audited(name: &str) -> Expected {
    verdict("ExploitGuardNetworkProtectionAudited", name)
        .additional("EventId", 1125)
        .additional("IsAudit", true)
        .additional("Verdict", "Audited")
        .additional("Mode", "audit")
}

/// The row of a verdict that stopped the connection: event 1126.
#[must_use]
pub fn blocked(name: &str) -> Expected {
    verdict("ExploitGuardNetworkProtectionBlocked", name)
        .additional("EventId", 1126)
        .additional("IsAudit", false)
        .additional("Verdict", "Blocked")
        .additional("Mode", "block")
}

fn verdict(action: &str, name: &str) -> Expected {
    Expected { clauses: Vec::new() }
        .column("Table", "DeviceEvents")
        .column("ActionType", action)
        .column("RemoteUrl", name)
}

impl Expected {
    /// The row is about this process.
    #[must_use]
    pub fn pid(self, pid: u32) -> Self {
        self.column("InitiatingProcessId", pid)
    }

    /// A column has exactly this value.
    #[must_use]
    pub fn column(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.with(At::Column, name, Want::Is(value.into()))
    }

    /// A text column contains this.
    #[must_use]
    pub fn column_contains(self, name: &'static str, part: &str) -> Self {
        self.with(At::Column, name, Want::Contains(part.to_owned()))
    }

    /// A key of AdditionalFields has exactly this value.
    #[must_use]
    pub fn additional(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.with(At::Additional, name, Want::Is(value.into()))
    }

    fn with(mut self, at: At, name: &'static str, want: Want) -> Self {
        self.clauses.push(Clause { at, name, want });
        self
    }

    /// Whether the row says all of it.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        self.clauses.iter().all(|clause| clause.holds(row))
    }

    /// A report for the case that no row matches: the nearest row, and the clauses that it misses.
    #[must_use]
    pub fn nearest<'a>(&self, rows: impl Iterator<Item = &'a Row>) -> String {
        let mut count = 0;
        let nearest = rows.inspect(|_| count += 1).min_by_key(|row| self.distance(row));
        let Some(row) = nearest else {
            return format!("expected a row with\n{self}  but there is no row at all");
        };
        let mut report = format!("expected a row with\n{self}  none of {count}; the nearest differs in\n");
        for clause in self.clauses.iter().filter(|clause| !clause.holds(row)) {
            let got = clause.value(row).map_or_else(|| "nothing".to_owned(), Value::to_string);
            report.push_str(&format!("    {clause}   got {got}\n"));
        }
        report.push_str(&format!("  that row: {row}"));
        report
    }

    fn distance(&self, row: &Row) -> u32 {
        // A row of another process is not what the test is about, however alike.
        let weight = |clause: &Clause| if clause.name == "InitiatingProcessId" { 100 } else { 1 };
        self.clauses.iter().filter(|clause| !clause.holds(row)).map(weight).sum()
    }
}

impl Display for Expected {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for clause in &self.clauses {
            writeln!(f, "    {clause}")?;
        }
        Ok(())
    }
}

impl Clause {
    fn value<'a>(&self, row: &'a Row) -> Option<&'a Value> {
        match self.at {
            At::Column => row.column(self.name),
            At::Additional => row.additional(self.name),
        }
    }

    fn holds(&self, row: &Row) -> bool {
        let value = self.value(row);
        match &self.want {
            Want::Is(wanted) => value == Some(wanted),
            Want::Contains(part) => value.and_then(Value::as_str).is_some_and(|text| text.contains(part)),
        }
    }
}

impl Display for Clause {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let place = if self.at == At::Additional { "AdditionalFields." } else { "" };
        match &self.want {
            Want::Is(value) => write!(f, "{place}{} = {value}", self.name),
            Want::Contains(part) => write!(f, "{place}{} contains {part:?}", self.name),
        }
    }
}
