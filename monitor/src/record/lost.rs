//! What a reader did not get: a row of `DeviceEvents` that stands where the missing rows would be.

use std::io;
use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use monitor_store::schema::{Table, Type};

use super::{Device, Record, Timestamp};

/// Rows that were lost in a row.
#[derive(Clone, Debug)]
pub struct EventsLost {
    /// Which host.
    pub device: Arc<Device>,
    /// Where they were lost.
    pub stage: &'static str,
    /// How many rows.
    pub count: u64,
    /// When what the first of them tells of happened.
    pub from: Timestamp,
    /// The same of the last.
    pub to: Timestamp,
}

/// The facts of the row.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct LostFields {
    stage: &'static str,
    kind: &'static str,
    count: u64,
    from: String,
    to: String,
}

impl EventsLost {
    /// `ActionType` of the row.
    pub const ACTION: &str = "SensorEventsLost";

    /// These were lost together. None: there are none.
    pub fn of(stage: &'static str, records: &[Record]) -> Option<Self> {
        let (first, last) = (records.first()?, records.last()?);
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        Some(Self { device: first.device.clone(), stage, count, from: first.timestamp, to: last.timestamp })
    }

    /// What was lost right after this is part of it.
    pub fn extend(&mut self, next: &Self) {
        self.count = self.count.saturating_add(next.count);
        self.to = next.to;
    }

    /// Appends the row as one JSON object, without a line end. Its `ReportId` is 0: it is no part of the record.
    ///
    /// # Errors
    /// None in practice: a buffer in memory takes everything.
    pub fn write_json(&self, out: &mut BytesMut) -> io::Result<()> {
        let table = Table::DeviceEvents;
        out.put_slice(format!("{{\"Table\":\"{}\"", table.name()).as_bytes());
        for column in table.columns() {
            out.put_slice(format!(",\"{}\":", column.name).as_bytes());
            let text = match (column.name, column.r#type) {
                ("Timestamp", _) => self.to.to_string(),
                ("DeviceId", _) => self.device.id.clone(),
                ("DeviceName", _) => self.device.name.clone(),
                ("ActionType", _) => Self::ACTION.to_owned(),
                ("AdditionalFields", _) => serde_json::to_string(&self.fields())?,
                (_, Type::String) => String::new(),
                (name, Type::Int | Type::Long | Type::Bool | Type::Datetime) => {
                    out.put_slice(if name == "ReportId" { b"0" } else { b"null" });
                    continue;
                }
            };
            serde_json::to_writer(out.writer(), &text)?;
        }
        out.put_u8(b'}');
        Ok(())
    }

    fn fields(&self) -> LostFields {
        LostFields {
            stage: self.stage,
            kind: "Full",
            count: self.count,
            from: self.from.to_string(),
            to: self.to.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use monitor_common::event::{Endpoints, Header, Origin, Owner};
    use monitor_common::policy::{Mode, Verdict};
    use monitor_common::wire::NameSource;
    use monitor_store::schema::{ACTION_TYPES, ADDITIONAL_FIELDS};
    use serde_json::{Map, Value};

    use super::*;
    use crate::correlate::{Change, Connection, Target, What};
    use crate::hostname::Host;
    use crate::process::{Image, Parent, Process};
    use crate::record::{Clock, Recorder};

    fn verdict(time_ns: u64) -> Change {
        let origin = Origin { owner: Owner::EMPTY, endpoints: Endpoints { family: 4, ..Endpoints::EMPTY } };
        let started_ns = Some(1);
        let process = Process {
            id: 7,
            image: Image { started_ns, ..Image::default() },
            parent: Some(Parent { id: 6, started_ns, ..Parent::default() }),
            ..Process::default()
        };
        let connection = Connection::new(&Header::EMPTY, &origin, 1, Arc::new(process));
        let host = Host::parse(b"evil.example").unwrap();
        let target = Target { host, port: 443, source: NameSource::TlsSni, proxy: None };
        Change {
            time_ns,
            connection: Arc::new(connection),
            what: What::Judged { target, verdict: Verdict::Audited, rule: 0, service: None },
        }
    }

    fn records(count: u64) -> Vec<Record> {
        let device = Device { id: "ab".to_owned(), name: "host".to_owned() };
        let mut recorder = Recorder::new(device, Mode::Audit);
        (1..=count).map(|s| recorder.record(verdict(s * 1_000_000_000), None, Clock::new(0, 0))).collect()
    }

    fn row(write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Map<String, Value> {
        let mut out = BytesMut::new();
        write(&mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_loss_tells_how_much_and_from_when_to_when() {
        let records = records(5);
        let mut lost = EventsLost::of("Stream", &records[..2]).unwrap();
        lost.extend(&EventsLost::of("Stream", &records[2..]).unwrap());
        let row = row(|out| lost.write_json(out));
        let additional: Value = serde_json::from_str(row["AdditionalFields"].as_str().unwrap()).unwrap();
        let expect = serde_json::json!({
            "Stage": "Stream", "Kind": "Full", "Count": 5,
            "From": "1970-01-01T00:00:01.0000000Z", "To": "1970-01-01T00:00:05.0000000Z",
        });
        assert_eq!(additional, expect);
        assert_eq!(row["Timestamp"], expect["To"]);
        assert_eq!((&row["ActionType"], &row["DeviceName"]), (&"SensorEventsLost".into(), &"host".into()));
        assert!(EventsLost::of("Stream", &[]).is_none());
    }

    #[test]
    fn a_loss_has_the_columns_of_every_row_and_its_fields_are_documented() {
        let records = records(1);
        let usual = row(|out| records[0].write_json(out));
        let lost = row(|out| EventsLost::of("Stream", &records).unwrap().write_json(out));
        assert!(usual.keys().eq(lost.keys()));
        for column in Table::DeviceEvents.columns() {
            let value = &lost[column.name];
            assert!(value.is_string() || value.is_null() || column.name == "ReportId", "{}", column.name);
            assert!(value.is_string() || column.r#type != Type::String, "{}", column.name);
        }
        let action = ACTION_TYPES.iter().find(|action| action.name == EventsLost::ACTION).unwrap();
        assert_eq!(action.table, Table::DeviceEvents);
        let additional: Map<String, Value> = serde_json::from_str(lost["AdditionalFields"].as_str().unwrap()).unwrap();
        for key in additional.keys() {
            assert!(ADDITIONAL_FIELDS.iter().any(|field| field.keys.contains(&key.as_str())), "{key}");
        }
    }
}
