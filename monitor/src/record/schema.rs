//! Where each column gets its value. The columns themselves, with types and order, are those of `monitor_store::schema`; one
//! without a line here is empty.

use std::borrow::Cow;
use std::net::IpAddr;

use monitor_store::schema::{Column, Table, Type};

use super::additional::AdditionalFields;
use super::ip_type::ip_type;
use super::{Clock, Record, Timestamp};
use crate::correlate::Transport;
use crate::process::Process;

/// What the rows of a column have.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// Each its own.
    Of(OfRow),
    /// All rows of one process the same.
    OfProcess(OfProcess),
    /// All the same: this JSON.
    Always(&'static str),
}

pub(super) type OfRow = for<'a> fn(&'a Record) -> Value<'a>;
pub(super) type OfProcess = for<'a> fn(&'a Process, Clock) -> Value<'a>;

/// A cell. Text is never null.
pub(super) enum Value<'a> {
    /// `string`.
    Text(&'a str),
    /// `string`, made for this row.
    OwnedText(String),
    /// `string`: an address, or empty.
    Address(Option<IpAddr>),
    /// `long` or `int`.
    Long(Option<u64>),
    /// `datetime`.
    Time(Option<Timestamp>),
}

/// The columns of a table, and what its rows have there.
pub(super) fn columns(table: Table) -> impl Iterator<Item = (&'static Column, Content)> {
    table.columns().map(|column| (column, content(column)))
}

fn content(column: &Column) -> Content {
    let known = CONTENTS.iter().find(|(name, _)| *name == column.name);
    known.map_or(Content::Always(if column.r#type == Type::String { "\"\"" } else { "null" }), |(_, content)| *content)
}

const fn of_row(name: &'static str, value: OfRow) -> (&'static str, Content) {
    (name, Content::Of(value))
}

const fn of_process(name: &'static str, value: OfProcess) -> (&'static str, Content) {
    (name, Content::OfProcess(value))
}

const fn always(name: &'static str, json: &'static str) -> (&'static str, Content) {
    (name, Content::Always(json))
}

const CONTENTS: &[(&str, Content)] = &[
    of_row("Timestamp", |r| Value::Time(Some(r.timestamp))),
    of_row("DeviceId", |r| Value::Text(&r.device.id)),
    of_row("DeviceName", |r| Value::Text(&r.device.name)),
    of_row("ActionType", |r| Value::Text(r.action_type().name())),
    of_row("RemoteIP", |r| Value::Address(r.remote().ip)),
    of_row("RemotePort", remote_port),
    of_row("RemoteUrl", remote_url),
    of_row("LocalIP", |r| Value::Address(r.local().map(|local| local.ip()))),
    of_row("LocalPort", local_port),
    of_row("Protocol", |r| {
        Value::Text(match r.connection.transport {
            Transport::Tcp => "Tcp",
            Transport::Udp => "Udp",
            Transport::Raw => "Raw",
        })
    }),
    of_row("LocalIPType", |r| Value::Text(r.local().map_or("", |local| ip_type(local.ip())))),
    of_row("RemoteIPType", |r| Value::Text(r.remote().ip.map_or("", ip_type))),
    of_process("InitiatingProcessFileName", |p, _| Value::Text(&p.image.file_name)),
    of_process("InitiatingProcessId", |p, _| Value::Long((p.id != 0).then(|| p.id.into()))),
    of_process("InitiatingProcessCommandLine", |p, _| Value::Text(&p.image.command_line)),
    of_process("InitiatingProcessCreationTime", |p, clock| since_boot(p.image.started_ns, clock)),
    of_process("InitiatingProcessFolderPath", |p, _| Value::Text(&p.image.folder_path)),
    of_process("InitiatingProcessParentFileName", |p, _| {
        Value::Text(p.parent.as_ref().map_or("", |parent| &parent.file_name))
    }),
    of_process("InitiatingProcessParentId", |p, _| Value::Long(p.parent.as_ref().map(|parent| parent.id.into()))),
    of_process("InitiatingProcessParentCreationTime", |p, clock| {
        since_boot(p.parent.as_ref().and_then(|parent| parent.started_ns), clock)
    }),
    of_process("InitiatingProcessAccountName", |p, _| Value::Text(&p.account_name)),
    of_row("ReportId", |r| Value::Long(Some(r.report_id))),
    of_row("AdditionalFields", |r| Value::OwnedText(AdditionalFields::of(r).to_json())),
    always("IsInitiatingProcessRemoteSession", "false"),
];

fn remote_port(record: &Record) -> Value<'_> {
    Value::Long(record.remote().port.map(u64::from))
}

fn remote_url(record: &Record) -> Value<'_> {
    match record.remote().url {
        Cow::Borrowed(url) => Value::Text(url),
        Cow::Owned(url) => Value::OwnedText(url),
    }
}

fn local_port(record: &Record) -> Value<'_> {
    Value::Long(record.local().map(|local| local.port().into()))
}

fn since_boot(ns: Option<u64>, clock: Clock) -> Value<'static> {
    Value::Time(ns.map(|ns| clock.wall(ns)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_of_a_column() {
        for (name, _) in CONTENTS {
            assert!(Table::ALL.into_iter().any(|table| table.column(name).is_some()), "{name}");
        }
    }
}
