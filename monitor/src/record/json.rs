//! A record as a JSON object: the table, then each column of its schema.
//!
//! Most columns are the same in every row, so what stands between two values is put together once.

use std::io::{self, Write as _};
use std::sync::LazyLock;

use bytes::{BufMut as _, BytesMut};

use super::Record;
use super::schema::{Content, Value, columns};

static NETWORK_ROW: LazyLock<Template> = LazyLock::new(|| Template::new(false));
static VERDICT_ROW: LazyLock<Template> = LazyLock::new(|| Template::new(true));

type Getter = for<'a> fn(&'a Record) -> Value<'a>;

/// What each row of a table is made of.
struct Template {
    /// A value, and what stands before it.
    values: Vec<(String, Getter)>,
    /// What stands behind the last value.
    end: String,
}

impl Template {
    fn new(verdict: bool) -> Self {
        let (table, columns) = columns(verdict);
        let mut values = Vec::new();
        // Names are letters only, so they need no escape.
        let mut between = format!("{{\"Table\":\"{table}\"");
        for column in columns {
            between.push_str(&format!(",\"{}\":", column.name));
            match column.content {
                Content::Always(json) => between.push_str(json),
                Content::Of(value) => values.push((std::mem::take(&mut between), value)),
            }
        }
        between.push('}');
        Self { values, end: between }
    }
}

impl Record {
    /// Appends the record as one JSON object, without a line end.
    ///
    /// # Errors
    /// None in practice: a buffer in memory takes everything.
    pub fn write_json(&self, out: &mut BytesMut) -> io::Result<()> {
        let template = if self.action_type().is_verdict() { &VERDICT_ROW } else { &NETWORK_ROW };
        for (before, value) in &template.values {
            out.put_slice(before.as_bytes());
            match value(self) {
                Value::Text("") | Value::Address(None) => out.put_slice(b"\"\""),
                Value::Text(text) => serde_json::to_writer(out.writer(), text)?,
                Value::OwnedText(text) => serde_json::to_writer(out.writer(), &text)?,
                Value::Address(Some(address)) => write!(out.writer(), "\"{address}\"")?,
                Value::Long(Some(number)) => write!(out.writer(), "{number}")?,
                Value::Time(Some(time)) => write!(out.writer(), "\"{time}\"")?,
                Value::Long(None) | Value::Time(None) => out.put_slice(b"null"),
            }
        }
        out.put_slice(template.end.as_bytes());
        Ok(())
    }
}
