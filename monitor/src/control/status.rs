//! `GET /v1/status` as JSON: the types that the daemon fills in and the client reads. docs/api.md says what each field means.

use std::collections::BTreeMap;

/// How a daemon is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Status {
    /// Of proxysight.
    pub version: String,
    /// The daemon's process.
    pub pid: u32,
    /// audit or block.
    pub mode: String,
    /// When it was attached: UTC.
    pub since: String,
    /// As `uname -r` gives it.
    pub kernel: String,
    /// Where it is attached: the root of the cgroup2 hierarchy.
    pub cgroup: String,
    /// What is attached there, in the order in which it was.
    pub hooks: Vec<Hook>,
    /// What it decides by.
    pub policy: Policy,
    /// What became of the kernel's events.
    pub events: Events,
    /// How much of the host has a name.
    pub coverage: Coverage,
    /// Who answered as a proxy.
    pub proxies: Vec<Proxy>,
    /// Every counter.
    pub counters: Counters,
    /// Who uses the control socket.
    pub control: Control,
    /// What was lost, or could not be done. None: it is healthy.
    pub problems: Vec<Problem>,
}

/// A kernel program at its place.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hook {
    /// The program's name.
    pub name: String,
    /// Whether its link is still there; others with the privilege can detach it.
    pub attached: bool,
}

/// The policy that is loaded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Policy {
    /// Names in it.
    pub rules: usize,
    /// The files that they come from.
    pub files: Vec<String>,
}

/// Events, by what became of them: `emitted = recorded + lost + waiting`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Events {
    /// The kernel programs wanted to hand them over.
    pub emitted: u64,
    /// Their records are written, or there is nobody to write them for.
    pub recorded: u64,
    /// Lost, for whatever reason.
    pub lost: u64,
    /// On their way.
    pub waiting: u64,
    /// The lost ones by reason.
    pub lost_by: LostEvents,
}

/// Lost events by reason.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LostEvents {
    /// They found the ring full.
    pub ring_full: u64,
    /// They could not be decoded.
    pub rejected: u64,
    /// `run --stream` was too slow, or failed.
    pub unwritten: u64,
}

/// Outbound TCP connections that had a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Coverage {
    /// All of them.
    pub connections: u64,
    /// Those with a name.
    pub named: u64,
    /// Those with a name by where it was found, in the words of `HostnameSource`.
    pub by_source: BTreeMap<String, u64>,
}

/// A proxy that was seen at work.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proxy {
    /// Address and port.
    pub address: String,
    /// http, socks5 or socks4a.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it first answered: UTC.
    pub first_seen: String,
    /// When it last answered: UTC.
    pub last_seen: String,
    /// Tunnels that it opened.
    pub granted: u64,
    /// Tunnels that it refused.
    pub refused: u64,
    /// Requests that it wanted again with credentials (407).
    pub challenged: u64,
    /// Connections on which it answered requests in absolute form; their status is not read.
    pub answered: u64,
}

/// Every counter by its name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Of the kernel programs.
    pub kernel: BTreeMap<String, u64>,
    /// Of the daemon.
    pub daemon: BTreeMap<String, u64>,
}

/// The control socket itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Control {
    /// Connections at this moment, the one that asks among them.
    pub connections: usize,
    /// Streams at this moment.
    pub streams: usize,
    /// Rows that streams lost because they were read too slowly.
    pub rows_lost: u64,
    /// Connections that were one too many.
    pub refused: u64,
    /// Connections of users who may not.
    pub denied: u64,
    /// Connections that the system could not give.
    pub failed: u64,
}

/// Something lost, or not done.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// The counter, or the hook.
    pub name: String,
    /// How often.
    pub count: u64,
    /// What that means, to be read behind the number.
    pub meaning: String,
}
