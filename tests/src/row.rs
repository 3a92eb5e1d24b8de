//! One row of the daemon's JSON output, as read back.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// A row: its columns, and the object inside the column `AdditionalFields`.
#[derive(Clone, Debug)]
pub struct Row {
    columns: Map<String, Value>,
    additional: Map<String, Value>,
}

impl Row {
    /// Reads a line of `--format json`.
    ///
    /// # Errors
    /// When it is not an object that begins with its table, or `AdditionalFields` is not an object in a string.
    pub fn parse(line: &str) -> Result<Self> {
        let complaint = || format!("not a row: {line}");
        if !line.starts_with(r#"{"Table":""#) {
            bail!("the first key is not \"Table\": {line}");
        }
        let columns: Map<String, Value> = serde_json::from_str(line).with_context(complaint)?;
        let additional = columns.get("AdditionalFields").and_then(Value::as_str).with_context(complaint)?;
        let additional = serde_json::from_str(additional).with_context(complaint)?;
        Ok(Self { columns, additional })
    }

    /// A column, `Table` among them.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Value> {
        self.columns.get(name)
    }

    /// A key of `AdditionalFields`.
    #[must_use]
    pub fn additional(&self, name: &str) -> Option<&Value> {
        self.additional.get(name)
    }

    /// A text column; an error when it is not there or not text.
    ///
    /// # Errors
    /// See above.
    pub fn text(&self, name: &str) -> Result<&str> {
        let value = self.column(name).and_then(Value::as_str);
        value.with_context(|| format!("{name} is not text in {self}"))
    }

    /// What ties the rows of one connection together.
    ///
    /// # Errors
    /// When the row has no `ConnectionId`, or an empty one.
    pub fn connection_id(&self) -> Result<String> {
        match self.additional("ConnectionId") {
            Some(Value::String(id)) if !id.is_empty() => Ok(id.clone()),
            Some(Value::Number(id)) => Ok(id.to_string()),
            other => bail!("ConnectionId is {other:?} in {self}"),
        }
    }
}

impl std::fmt::Display for Row {
    /// Columns that say something; the empty ones would bury them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in &self.columns {
            if !value.is_null() && value.as_str() != Some("") && name != "AdditionalFields" {
                write!(f, "{name}={value} ")?;
            }
        }
        for (name, value) in &self.additional {
            write!(f, "+{name}={value} ")?;
        }
        Ok(())
    }
}
