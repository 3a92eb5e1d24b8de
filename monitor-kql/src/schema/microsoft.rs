//! Microsoft's tables, which a host does not fill: queries over several tables run, and these give no rows.

use super::Table;
use crate::types::Type;

/// The names that tables had until 2019, which published queries still have.
const FORMER: [(&str, &[&str]); 9] = [
    ("DeviceEvents", &["MiscEvents"]),
    ("DeviceFileEvents", &["FileCreationEvents"]),
    ("DeviceImageLoadEvents", &["ImageLoadEvents"]),
    ("DeviceInfo", &["MachineInfo"]),
    ("DeviceLogonEvents", &["LogonEvents"]),
    ("DeviceNetworkEvents", &["NetworkCommunicationEvents", "NetworkConnectionEvents"]),
    ("DeviceNetworkInfo", &["MachineNetworkInfo"]),
    ("DeviceProcessEvents", &["ProcessCreationEvents"]),
    ("DeviceRegistryEvents", &["RegistryEvents"]),
];

/// The names that columns had then, and what they are called today.
pub(super) const FORMER_COLUMNS: [(&str, &str); 8] = [
    ("TimeGenerated", "Timestamp"),
    ("EventTime", "Timestamp"),
    ("ComputerName", "DeviceName"),
    ("MachineId", "DeviceId"),
    ("InitiatingProcessMd5", "InitiatingProcessMD5"),
    ("InitiatingProcessSha1", "InitiatingProcessSHA1"),
    ("InitiatingProcessSha256", "InitiatingProcessSHA256"),
    ("InitiatingProcessParentName", "InitiatingProcessParentFileName"),
];

/// Functions of Microsoft's portal that give rows; a host has none.
const FUNCTIONS: [(&str, &str); 2] = [
    (
        "AssignedIPAddresses",
        "Timestamp:datetime, IPAddress:string, IPType:string, NetworkAdapterType:string, ConnectedNetworks:dynamic",
    ),
    ("DeviceFromIP", "IP:string, DeviceId:string"),
];

pub(super) fn tables() -> Vec<Table> {
    let lines = include_str!("microsoft.txt").lines();
    let mut tables: Vec<Table> = lines.filter_map(read).collect();
    tables.extend(FUNCTIONS.iter().map(|(name, columns)| Table::new(name, columns).as_function()));
    tables
}

/// `Name(column:type, …)`
fn read(line: &str) -> Option<Table> {
    let (name, columns) = line.strip_suffix(')')?.split_once('(')?;
    if name.starts_with('#') {
        return None;
    }
    let mut table = Table::new(name, columns);
    let former = FORMER.iter().find(|(today, _)| *today == name);
    for alias in former.into_iter().flat_map(|(_, former)| former.iter()) {
        table = table.with_alias(alias);
    }
    Some(table.with_former_names())
}

/// The columns that a function of Microsoft's portal adds to rows (`invoke FileProfile(SHA1)`).
pub(crate) fn enrichment(function: &str) -> Option<&'static [(&'static str, Type)]> {
    match function {
        "FileProfile" => Some(&[
            ("SHA1", Type::String),
            ("SHA256", Type::String),
            ("MD5", Type::String),
            ("FileSize", Type::Long),
            ("GlobalPrevalence", Type::Long),
            ("GlobalFirstSeen", Type::DateTime),
            ("GlobalLastSeen", Type::DateTime),
            ("Signer", Type::String),
            ("Issuer", Type::String),
            ("SignerHash", Type::String),
            ("IsCertificateValid", Type::Bool),
            ("IsRootSignerMicrosoft", Type::Bool),
            ("SignatureState", Type::String),
            ("IsExecutable", Type::Bool),
            ("ThreatName", Type::String),
            ("Publisher", Type::String),
            ("SoftwareName", Type::String),
            ("ProfileAvailability", Type::String),
        ]),
        "SeenBy" => Some(&[("SeenBy", Type::Dynamic)]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Form, *};

    #[test]
    fn every_line_is_a_table_whose_columns_are_all_read() {
        for line in include_str!("microsoft.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let table = read(line).unwrap();
            assert_eq!(table.columns.len(), line.matches(':').count(), "{}", table.name);
            assert_eq!(table.form, Form::Table);
        }
    }
}
