//! A record as a JSON object: the table, then each column of its schema.

use std::io::{self, Write as _};

use bytes::{BufMut as _, BytesMut};

use super::Record;
use super::schema::{Value, columns};

impl Record {
    /// Appends the record as one JSON object, without a line end.
    ///
    /// # Errors
    /// None in practice: a buffer in memory takes everything.
    pub fn write_json(&self, out: &mut BytesMut) -> io::Result<()> {
        let (table, columns) = columns(self.action_type().is_verdict());
        write!(out.writer(), "{{\"Table\":\"{table}\"")?;
        for column in columns {
            // Names are letters only, so they need no escape.
            out.put_slice(b",\"");
            out.put_slice(column.name.as_bytes());
            out.put_slice(b"\":");
            match (column.value)(self) {
                Value::Text("") => out.put_slice(b"\"\""),
                Value::Text(text) => serde_json::to_writer(out.writer(), text)?,
                Value::OwnedText(text) => serde_json::to_writer(out.writer(), &text)?,
                Value::Address(Some(address)) => write!(out.writer(), "\"{address}\"")?,
                Value::Address(None) => out.put_slice(b"\"\""),
                Value::Long(Some(number)) => write!(out.writer(), "{number}")?,
                Value::Time(Some(time)) => write!(out.writer(), "\"{time}\"")?,
                Value::Long(None) | Value::Time(None) => out.put_slice(b"null"),
                Value::Bool(true) => out.put_slice(b"true"),
                Value::Bool(false) => out.put_slice(b"false"),
            }
        }
        out.put_u8(b'}');
        Ok(())
    }
}
