//! A record as a JSON object: the table, then each column of its schema.
//!
//! Most columns are the same in every row, so what stands between two values is put together once. The columns of a process
//! are written once for each process and kept with it: its rows agree to the last digit, also when the clock is set.

use std::io::{self, Write as _};
use std::sync::LazyLock;

use bytes::{BufMut as _, BytesMut};
use monitor_store::schema::Table;

use super::schema::{Content, OfProcess, OfRow, Value, columns};
use super::{Clock, Record};
use crate::process::Process;

static NETWORK_ROW: LazyLock<Template> = LazyLock::new(|| Template::new(Table::DeviceNetworkEvents));
static EVENT_ROW: LazyLock<Template> = LazyLock::new(|| Template::new(Table::DeviceEvents));

/// What each row of a table is made of.
#[derive(Default)]
struct Template {
    parts: Vec<Part>,
    /// What stands behind the last value.
    end: String,
}

enum Part {
    /// What stands before a value, and where it comes from.
    Row(String, OfRow),
    /// What stands before the columns of the process, which are the same in both tables, and those columns: each with what
    /// stands before it.
    Process(String, Vec<(String, OfProcess)>),
}

impl Template {
    fn new(table: Table) -> Self {
        let mut parts = Vec::new();
        // Names are letters only, so they need no escape.
        let mut between = format!("{{\"Table\":\"{}\"", table.name());
        for (column, content) in columns(table) {
            between.push_str(&format!(",\"{}\":", column.name));
            match content {
                Content::Always(json) => between.push_str(json),
                Content::Of(value) => parts.push(Part::Row(std::mem::take(&mut between), value)),
                Content::OfProcess(value) => {
                    let before = std::mem::take(&mut between);
                    match parts.last_mut() {
                        Some(Part::Process(_, values)) => values.push((before, value)),
                        Some(Part::Row(..)) | None => parts.push(Part::Process(before, vec![(String::new(), value)])),
                    }
                }
            }
        }
        between.push('}');
        Self { parts, end: between }
    }
}

impl Record {
    /// Appends the record as one JSON object, without a line end.
    ///
    /// # Errors
    /// None in practice: a buffer in memory takes everything.
    pub fn write_json(&self, out: &mut BytesMut) -> io::Result<()> {
        let template = match self.table() {
            Table::DeviceNetworkEvents => &NETWORK_ROW,
            Table::DeviceEvents => &EVENT_ROW,
        };
        for part in &template.parts {
            match part {
                Part::Row(before, value) => {
                    out.put_slice(before.as_bytes());
                    write_value(out, value(self))?;
                }
                Part::Process(before, values) => {
                    out.put_slice(before.as_bytes());
                    let process = &self.connection.process;
                    match process.columns.get() {
                        Some(columns) => out.put_slice(columns),
                        None => {
                            let columns = process_columns(values, process, self.clock)?;
                            out.put_slice(process.columns.get_or_init(|| columns));
                        }
                    }
                }
            }
        }
        out.put_slice(template.end.as_bytes());
        Ok(())
    }
}

fn process_columns(values: &[(String, OfProcess)], process: &Process, clock: Clock) -> io::Result<Vec<u8>> {
    let mut out = BytesMut::new();
    for (before, value) in values {
        out.put_slice(before.as_bytes());
        write_value(&mut out, value(process, clock))?;
    }
    Ok(out.to_vec())
}

fn write_value(out: &mut BytesMut, value: Value<'_>) -> io::Result<()> {
    match value {
        Value::Text("") | Value::Address(None) => out.put_slice(b"\"\""),
        Value::Text(text) => serde_json::to_writer(out.writer(), text)?,
        Value::OwnedText(text) => serde_json::to_writer(out.writer(), &text)?,
        Value::Address(Some(address)) => write!(out.writer(), "\"{address}\"")?,
        Value::Long(Some(number)) => write!(out.writer(), "{number}")?,
        Value::Time(Some(time)) => write!(out.writer(), "\"{time}\"")?,
        Value::Long(None) | Value::Time(None) => out.put_slice(b"null"),
    }
    Ok(())
}
