//! The columns of the two tables, in Microsoft's order, as they are written: empty strings for what has no meaning on
//! Linux or is not known, null for numbers and times that are not known.

use super::ip_type::ip_type;
use super::{ActionType, Record, Timestamp};
use serde::ser::{Error as _, Serialize, Serializer};
use std::net::IpAddr;

/// A row of `DeviceNetworkEvents`.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkRow<'a> {
    table: &'static str,
    timestamp: Timestamp,
    device_id: &'a str,
    device_name: &'a str,
    action_type: ActionType,
    #[serde(rename = "RemoteIP")]
    remote_ip: Address,
    remote_port: u16,
    remote_url: &'a str,
    #[serde(rename = "LocalIP")]
    local_ip: Address,
    local_port: u16,
    protocol: &'static str,
    #[serde(rename = "LocalIPType")]
    local_ip_type: &'static str,
    #[serde(rename = "RemoteIPType")]
    remote_ip_type: &'static str,
    #[serde(flatten)]
    process: ProcessColumns<'a>,
    report_id: u64,
    app_guard_container_id: &'static str,
    additional_fields: &'a str,
    #[serde(flatten)]
    session: SessionColumns,
}

/// A row of `DeviceEvents`.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventRow<'a> {
    table: &'static str,
    timestamp: Timestamp,
    device_id: &'a str,
    device_name: &'a str,
    action_type: ActionType,
    file_name: &'static str,
    folder_path: &'static str,
    #[serde(rename = "SHA1")]
    sha1: &'static str,
    #[serde(rename = "SHA256")]
    sha256: &'static str,
    #[serde(rename = "MD5")]
    md5: &'static str,
    file_size: Option<i64>,
    account_domain: &'static str,
    account_name: &'static str,
    account_sid: &'static str,
    remote_url: &'a str,
    remote_device_name: &'static str,
    process_id: Option<i64>,
    process_command_line: &'static str,
    process_creation_time: Option<Timestamp>,
    process_token_elevation: &'static str,
    logon_id: Option<i64>,
    registry_key: &'static str,
    registry_value_name: &'static str,
    registry_value_data: &'static str,
    #[serde(rename = "RemoteIP")]
    remote_ip: Address,
    remote_port: u16,
    #[serde(rename = "LocalIP")]
    local_ip: Address,
    local_port: u16,
    file_origin_url: &'static str,
    #[serde(rename = "FileOriginIP")]
    file_origin_ip: &'static str,
    #[serde(flatten)]
    process: ProcessColumns<'a>,
    report_id: u64,
    app_guard_container_id: &'static str,
    additional_fields: &'a str,
    #[serde(flatten)]
    session: SessionColumns,
}

/// The `InitiatingProcess` columns that both tables have.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessColumns<'a> {
    #[serde(rename = "InitiatingProcessSHA1")]
    sha1: &'static str,
    #[serde(rename = "InitiatingProcessSHA256")]
    sha256: &'static str,
    #[serde(rename = "InitiatingProcessMD5")]
    md5: &'static str,
    initiating_process_file_name: &'a str,
    initiating_process_file_size: Option<i64>,
    initiating_process_version_info_company_name: &'static str,
    initiating_process_version_info_product_name: &'static str,
    initiating_process_version_info_product_version: &'static str,
    initiating_process_version_info_internal_file_name: &'static str,
    initiating_process_version_info_original_file_name: &'static str,
    initiating_process_version_info_file_description: &'static str,
    initiating_process_id: u32,
    initiating_process_command_line: &'a str,
    initiating_process_creation_time: Option<Timestamp>,
    initiating_process_folder_path: &'a str,
    initiating_process_parent_file_name: &'a str,
    initiating_process_parent_id: Option<u32>,
    initiating_process_parent_creation_time: Option<Timestamp>,
    initiating_process_account_domain: &'static str,
    initiating_process_account_name: &'a str,
    initiating_process_account_sid: &'static str,
    initiating_process_account_upn: &'static str,
    initiating_process_account_object_id: &'static str,
    initiating_process_integrity_level: &'static str,
    initiating_process_token_elevation: &'static str,
}

/// The columns about the session of the process.
#[derive(Default, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct SessionColumns {
    initiating_process_session_id: Option<i64>,
    is_initiating_process_remote_session: bool,
    initiating_process_remote_session_device_name: &'static str,
    #[serde(rename = "InitiatingProcessRemoteSessionIP")]
    initiating_process_remote_session_ip: &'static str,
}

/// An address, or an empty string.
struct Address(Option<IpAddr>);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(address) => serializer.collect_str(&address),
            None => serializer.serialize_str(""),
        }
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let additional = serde_json::to_string(&self.additional).map_err(S::Error::custom)?;
        if self.action_type.is_verdict() {
            self.event_row(&additional).serialize(serializer)
        } else {
            self.network_row(&additional).serialize(serializer)
        }
    }
}

impl Record {
    fn network_row<'a>(&'a self, additional_fields: &'a str) -> NetworkRow<'a> {
        let local = self.connection.local;
        NetworkRow {
            table: "DeviceNetworkEvents",
            timestamp: self.timestamp,
            device_id: &self.device.id,
            device_name: &self.device.name,
            action_type: self.action_type,
            remote_ip: Address(self.remote.ip),
            remote_port: self.remote.port,
            remote_url: &self.remote.url,
            local_ip: Address(Some(local.ip())),
            local_port: local.port(),
            protocol: "Tcp",
            local_ip_type: ip_type(local.ip()),
            remote_ip_type: self.remote.ip.map_or("", ip_type),
            process: self.process_columns(),
            report_id: self.report_id,
            app_guard_container_id: "",
            additional_fields,
            session: SessionColumns::default(),
        }
    }

    fn event_row<'a>(&'a self, additional_fields: &'a str) -> EventRow<'a> {
        let local = self.connection.local;
        EventRow {
            table: "DeviceEvents",
            timestamp: self.timestamp,
            device_id: &self.device.id,
            device_name: &self.device.name,
            action_type: self.action_type,
            file_name: "",
            folder_path: "",
            sha1: "",
            sha256: "",
            md5: "",
            file_size: None,
            account_domain: "",
            account_name: "",
            account_sid: "",
            remote_url: &self.remote.url,
            remote_device_name: "",
            process_id: None,
            process_command_line: "",
            process_creation_time: None,
            process_token_elevation: "",
            logon_id: None,
            registry_key: "",
            registry_value_name: "",
            registry_value_data: "",
            remote_ip: Address(self.remote.ip),
            remote_port: self.remote.port,
            local_ip: Address(Some(local.ip())),
            local_port: local.port(),
            file_origin_url: "",
            file_origin_ip: "",
            process: self.process_columns(),
            report_id: self.report_id,
            app_guard_container_id: "",
            additional_fields,
            session: SessionColumns::default(),
        }
    }

    fn process_columns(&self) -> ProcessColumns<'_> {
        let process = &*self.connection.process;
        let parent = process.parent.as_ref();
        let wall = |since_boot: Option<u64>| since_boot.map(|ns| self.clock.wall(ns));
        ProcessColumns {
            sha1: "",
            sha256: "",
            md5: "",
            initiating_process_file_name: &process.image.file_name,
            initiating_process_file_size: None,
            initiating_process_version_info_company_name: "",
            initiating_process_version_info_product_name: "",
            initiating_process_version_info_product_version: "",
            initiating_process_version_info_internal_file_name: "",
            initiating_process_version_info_original_file_name: "",
            initiating_process_version_info_file_description: "",
            initiating_process_id: process.id,
            initiating_process_command_line: &process.image.command_line,
            initiating_process_creation_time: wall(process.image.started_ns),
            initiating_process_folder_path: &process.image.folder_path,
            initiating_process_parent_file_name: parent.map_or("", |parent| &parent.file_name),
            initiating_process_parent_id: parent.map(|parent| parent.id),
            initiating_process_parent_creation_time: wall(parent.and_then(|parent| parent.started_ns)),
            initiating_process_account_domain: "",
            initiating_process_account_name: &process.account_name,
            initiating_process_account_sid: "",
            initiating_process_account_upn: "",
            initiating_process_account_object_id: "",
            initiating_process_integrity_level: "",
            initiating_process_token_elevation: "",
        }
    }
}
