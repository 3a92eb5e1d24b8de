//! The columns, in Microsoft's order.

use super::Column;
use super::Type::{self, Bool, Datetime, Int, Long, String};

const NOT_ON_LINUX: &str = "not on Linux";
const NOT_COLLECTED: &str = "not collected";

const fn column(name: &'static str, r#type: Type, meaning: &'static str) -> Column {
    Column { name, r#type, meaning, since: "0.1" }
}

/// Columns that begin every row.
pub const DEVICE_COLUMNS: &[Column] = &[
    column("Timestamp", Datetime, "when it happened, by the kernel's clock"),
    column("DeviceId", String, "40 hexadecimal digits that stay the same as long as the host's machine id does"),
    column("DeviceName", String, "the host's name"),
    column("ActionType", String, "what happened"),
];

/// Columns that `DeviceNetworkEvents` has for itself.
pub const NETWORK_COLUMNS: &[Column] = &[
    column(
        "RemoteIP",
        String,
        "the peer: the proxy's address in the row of the connection to it; empty for a target behind a proxy, unless it was asked for by address",
    ),
    column("RemotePort", Int, "the peer's port, or the port that a proxy was asked for"),
    column("RemoteUrl", String, "the real target's host name; empty in the row of the connection to a proxy"),
    column("LocalIP", String, "the connection's own address"),
    column("LocalPort", Int, "the connection's own port"),
    column("Protocol", String, "Tcp, Udp; Raw for a raw socket"),
    column("LocalIPType", String, "Public, Private, Reserved, Loopback, Teredo, FourToSixMapping, Broadcast"),
    column("RemoteIPType", String, "the same of RemoteIP; empty where that is"),
];

/// Columns that `DeviceEvents` has for itself.
pub const EVENT_COLUMNS: &[Column] = &[
    column("FileName", String, NOT_COLLECTED),
    column("FolderPath", String, NOT_COLLECTED),
    column("SHA1", String, NOT_COLLECTED),
    column("SHA256", String, NOT_COLLECTED),
    column("MD5", String, NOT_COLLECTED),
    column("FileSize", Long, NOT_COLLECTED),
    column("AccountDomain", String, NOT_COLLECTED),
    column("AccountName", String, NOT_COLLECTED),
    column("AccountSid", String, NOT_ON_LINUX),
    column("RemoteUrl", String, "the host name that a rule matches"),
    column("RemoteDeviceName", String, NOT_COLLECTED),
    column("ProcessId", Long, NOT_COLLECTED),
    column("ProcessCommandLine", String, NOT_COLLECTED),
    column("ProcessCreationTime", Datetime, NOT_COLLECTED),
    column("ProcessTokenElevation", String, NOT_ON_LINUX),
    column("LogonId", Long, NOT_ON_LINUX),
    column("RegistryKey", String, NOT_ON_LINUX),
    column("RegistryValueName", String, NOT_ON_LINUX),
    column("RegistryValueData", String, NOT_ON_LINUX),
    column("RemoteIP", String, "the peer; empty for a target behind a proxy, unless it was asked for by address"),
    column("RemotePort", Int, "the peer's port, or the port that a proxy was asked for"),
    column("LocalIP", String, "the connection's own address"),
    column("LocalPort", Int, "the connection's own port"),
    column("FileOriginUrl", String, NOT_COLLECTED),
    column("FileOriginIP", String, NOT_COLLECTED),
];

/// Columns that end every row: the process whose connection it is, and what has no column.
pub const PROCESS_COLUMNS: &[Column] = &[
    column("InitiatingProcessSHA1", String, NOT_COLLECTED),
    column("InitiatingProcessSHA256", String, NOT_COLLECTED),
    column("InitiatingProcessMD5", String, NOT_COLLECTED),
    column("InitiatingProcessFileName", String, "the program's file name; the thread's name when the process was gone"),
    column("InitiatingProcessFileSize", Long, NOT_COLLECTED),
    column("InitiatingProcessVersionInfoCompanyName", String, NOT_ON_LINUX),
    column("InitiatingProcessVersionInfoProductName", String, NOT_ON_LINUX),
    column("InitiatingProcessVersionInfoProductVersion", String, NOT_ON_LINUX),
    column("InitiatingProcessVersionInfoInternalFileName", String, NOT_ON_LINUX),
    column("InitiatingProcessVersionInfoOriginalFileName", String, NOT_ON_LINUX),
    column("InitiatingProcessVersionInfoFileDescription", String, NOT_ON_LINUX),
    column("InitiatingProcessId", Long, "the process id in the initial namespace"),
    column("InitiatingProcessCommandLine", String, "the arguments, separated by spaces"),
    column("InitiatingProcessCreationTime", Datetime, "when the process started"),
    column("InitiatingProcessFolderPath", String, "the program's path, file name included"),
    column("InitiatingProcessParentFileName", String, "the parent's file name"),
    column("InitiatingProcessParentId", Long, "the parent's process id"),
    column("InitiatingProcessParentCreationTime", Datetime, "when the parent started"),
    column("InitiatingProcessAccountDomain", String, NOT_ON_LINUX),
    column("InitiatingProcessAccountName", String, "the user's name, by /etc/passwd"),
    column("InitiatingProcessAccountSid", String, NOT_ON_LINUX),
    column("InitiatingProcessAccountUpn", String, NOT_ON_LINUX),
    column("InitiatingProcessAccountObjectId", String, NOT_ON_LINUX),
    column("InitiatingProcessIntegrityLevel", String, NOT_ON_LINUX),
    column("InitiatingProcessTokenElevation", String, NOT_ON_LINUX),
    column("ReportId", Long, "the row's number; a row is unique by DeviceName, Timestamp and ReportId"),
    column("AppGuardContainerId", String, NOT_ON_LINUX),
    column("AdditionalFields", String, "a JSON object with everything that has no column"),
    column("InitiatingProcessSessionId", Long, NOT_ON_LINUX),
    column("IsInitiatingProcessRemoteSession", Bool, "false"),
    column("InitiatingProcessRemoteSessionDeviceName", String, NOT_ON_LINUX),
    column("InitiatingProcessRemoteSessionIP", String, NOT_ON_LINUX),
];
