//! The columns that every row must have, by table, as RECORDS.md in the design lists them.
//!
//! Written out a second time on purpose: the daemon's own table cannot vouch for itself.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::row::Row;

#[derive(Clone, Copy)]
enum Kind {
    /// Never null.
    Text,
    /// A number, or null where it does not apply.
    Number,
    /// True, false, or null where it does not apply.
    Bool,
    /// A time in text, or null where it is not known.
    Time,
}

const TIMES: &[&str] = &["Timestamp", "InitiatingProcessCreationTime", "InitiatingProcessParentCreationTime"];

const NUMBERS: &[&str] = &[
    "RemotePort",
    "LocalPort",
    "InitiatingProcessFileSize",
    "InitiatingProcessId",
    "InitiatingProcessParentId",
    "InitiatingProcessSessionId",
    "ReportId",
];

const BOOLS: &[&str] = &["IsInitiatingProcessRemoteSession"];

const TEXTS: &[&str] = &[
    "DeviceId",
    "DeviceName",
    "ActionType",
    "RemoteIP",
    "RemoteUrl",
    "LocalIP",
    "InitiatingProcessSHA1",
    "InitiatingProcessSHA256",
    "InitiatingProcessMD5",
    "InitiatingProcessFileName",
    "InitiatingProcessVersionInfoCompanyName",
    "InitiatingProcessVersionInfoProductName",
    "InitiatingProcessVersionInfoProductVersion",
    "InitiatingProcessVersionInfoInternalFileName",
    "InitiatingProcessVersionInfoOriginalFileName",
    "InitiatingProcessVersionInfoFileDescription",
    "InitiatingProcessCommandLine",
    "InitiatingProcessFolderPath",
    "InitiatingProcessParentFileName",
    "InitiatingProcessAccountDomain",
    "InitiatingProcessAccountName",
    "InitiatingProcessAccountSid",
    "InitiatingProcessAccountUpn",
    "InitiatingProcessAccountObjectId",
    "InitiatingProcessIntegrityLevel",
    "InitiatingProcessTokenElevation",
    "AppGuardContainerId",
    "AdditionalFields",
    "InitiatingProcessRemoteSessionDeviceName",
    "InitiatingProcessRemoteSessionIP",
];

const NETWORK_TEXTS: &[&str] = &["Protocol", "LocalIPType", "RemoteIPType"];

const DEVICE_TEXTS: &[&str] = &["FileName", "FolderPath", "SHA1", "SHA256", "MD5", "ProcessCommandLine", "AccountName"];

const DEVICE_NUMBERS: &[&str] = &["ProcessId"];

/// Checks that a row has the columns of its table, each of the right kind.
///
/// # Errors
/// Names the table when it is unknown, else the first column that is missing or of another kind.
pub fn check(row: &Row) -> Result<()> {
    let own: [(&[&str], Kind); 2] = match row.text("Table")? {
        "DeviceNetworkEvents" => [(NETWORK_TEXTS, Kind::Text), (&[], Kind::Number)],
        "DeviceEvents" => [(DEVICE_TEXTS, Kind::Text), (DEVICE_NUMBERS, Kind::Number)],
        other => bail!("no such table: {other}"),
    };
    let shared = [(TIMES, Kind::Time), (NUMBERS, Kind::Number), (BOOLS, Kind::Bool), (TEXTS, Kind::Text)];
    for (names, kind) in shared.into_iter().chain(own) {
        for name in names {
            let Some(value) = row.column(name) else { bail!("no column {name} in {row}") };
            if !is_of(kind, value) {
                bail!("column {name} is {value} in {row}");
            }
        }
    }
    Ok(())
}

fn is_of(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.is_string(),
        Kind::Number => value.is_null() || value.is_i64() || value.is_u64(),
        Kind::Bool => value.is_null() || value.is_boolean(),
        Kind::Time => value.is_null() || value.as_str().is_some_and(|time| time.parse::<jiff::Timestamp>().is_ok()),
    }
}
