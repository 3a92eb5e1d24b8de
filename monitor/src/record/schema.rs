//! The columns of the two tables, in Microsoft's order and with its names, and where each gets its value.
//!
//! Columns that have no meaning on Linux are there and empty, so that queries and parsers find them.

use std::borrow::Cow;
use std::net::IpAddr;

use super::additional::AdditionalFields;
use super::ip_type::ip_type;
use super::{Clock, Record, Timestamp};
use crate::correlate::Transport;
use crate::process::Process;

/// One column.
pub(super) struct Column {
    /// As Microsoft has it.
    pub(super) name: &'static str,
    /// What rows have there.
    pub(super) content: Content,
}

/// What the rows of a column have.
pub(super) enum Content {
    /// Each its own.
    Of(for<'a> fn(&'a Record) -> Value<'a>),
    /// All rows of one process the same.
    OfProcess(for<'a> fn(&'a Process, Clock) -> Value<'a>),
    /// All the same: this JSON.
    Always(&'static str),
}

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

/// The table that a record belongs to, and its columns.
pub(super) fn columns(verdict: bool) -> (&'static str, impl Iterator<Item = &'static Column>) {
    let (table, own) = if verdict { ("DeviceEvents", EVENT_COLUMNS) } else { ("DeviceNetworkEvents", NETWORK_COLUMNS) };
    (table, DEVICE_COLUMNS.iter().chain(own).chain(PROCESS_COLUMNS))
}

const fn column(name: &'static str, value: for<'a> fn(&'a Record) -> Value<'a>) -> Column {
    Column { name, content: Content::Of(value) }
}

const fn of_process(name: &'static str, value: for<'a> fn(&'a Process, Clock) -> Value<'a>) -> Column {
    Column { name, content: Content::OfProcess(value) }
}

const fn always(name: &'static str, json: &'static str) -> Column {
    Column { name, content: Content::Always(json) }
}

const fn empty(name: &'static str) -> Column {
    always(name, "\"\"")
}

const fn unknown(name: &'static str) -> Column {
    always(name, "null")
}

const DEVICE_COLUMNS: &[Column] = &[
    column("Timestamp", |r| Value::Time(Some(r.timestamp))),
    column("DeviceId", |r| Value::Text(&r.device.id)),
    column("DeviceName", |r| Value::Text(&r.device.name)),
    column("ActionType", |r| Value::Text(r.action_type().name())),
];

const NETWORK_COLUMNS: &[Column] = &[
    column("RemoteIP", |r| Value::Address(r.remote().ip)),
    column("RemotePort", remote_port),
    column("RemoteUrl", remote_url),
    column("LocalIP", |r| Value::Address(Some(r.connection.local.ip()))),
    column("LocalPort", local_port),
    column("Protocol", |r| {
        Value::Text(match r.connection.transport {
            Transport::Tcp => "Tcp",
            Transport::Udp => "Udp",
        })
    }),
    column("LocalIPType", |r| Value::Text(ip_type(r.connection.local.ip()))),
    column("RemoteIPType", |r| Value::Text(r.remote().ip.map_or("", ip_type))),
];

const EVENT_COLUMNS: &[Column] = &[
    empty("FileName"),
    empty("FolderPath"),
    empty("SHA1"),
    empty("SHA256"),
    empty("MD5"),
    unknown("FileSize"),
    empty("AccountDomain"),
    empty("AccountName"),
    empty("AccountSid"),
    column("RemoteUrl", remote_url),
    empty("RemoteDeviceName"),
    unknown("ProcessId"),
    empty("ProcessCommandLine"),
    unknown("ProcessCreationTime"),
    empty("ProcessTokenElevation"),
    unknown("LogonId"),
    empty("RegistryKey"),
    empty("RegistryValueName"),
    empty("RegistryValueData"),
    column("RemoteIP", |r| Value::Address(r.remote().ip)),
    column("RemotePort", remote_port),
    column("LocalIP", |r| Value::Address(Some(r.connection.local.ip()))),
    column("LocalPort", local_port),
    empty("FileOriginUrl"),
    empty("FileOriginIP"),
];

const PROCESS_COLUMNS: &[Column] = &[
    empty("InitiatingProcessSHA1"),
    empty("InitiatingProcessSHA256"),
    empty("InitiatingProcessMD5"),
    of_process("InitiatingProcessFileName", |p, _| Value::Text(&p.image.file_name)),
    unknown("InitiatingProcessFileSize"),
    empty("InitiatingProcessVersionInfoCompanyName"),
    empty("InitiatingProcessVersionInfoProductName"),
    empty("InitiatingProcessVersionInfoProductVersion"),
    empty("InitiatingProcessVersionInfoInternalFileName"),
    empty("InitiatingProcessVersionInfoOriginalFileName"),
    empty("InitiatingProcessVersionInfoFileDescription"),
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
    empty("InitiatingProcessAccountDomain"),
    of_process("InitiatingProcessAccountName", |p, _| Value::Text(&p.account_name)),
    empty("InitiatingProcessAccountSid"),
    empty("InitiatingProcessAccountUpn"),
    empty("InitiatingProcessAccountObjectId"),
    empty("InitiatingProcessIntegrityLevel"),
    empty("InitiatingProcessTokenElevation"),
    column("ReportId", |r| Value::Long(Some(r.report_id))),
    empty("AppGuardContainerId"),
    column("AdditionalFields", |r| Value::OwnedText(AdditionalFields::of(r).to_json())),
    unknown("InitiatingProcessSessionId"),
    always("IsInitiatingProcessRemoteSession", "false"),
    empty("InitiatingProcessRemoteSessionDeviceName"),
    empty("InitiatingProcessRemoteSessionIP"),
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
    Value::Long(Some(record.connection.local.port().into()))
}

fn since_boot(ns: Option<u64>, clock: Clock) -> Value<'static> {
    Value::Time(ns.map(|ns| clock.wall(ns)))
}
