//! What users type, as typed. `command` gives it its meaning.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Where a daemon listens for those who ask how it is.
const CONTROL_SOCKET: &str = "/run/proxysight/control.sock";

/// Sees the real target of connections behind forward proxies; audits or blocks dangerous domains.
#[derive(Debug, Parser)]
#[command(
    name = "proxysight",
    version,
    args_override_self = true,
    after_help = "\
Exit status: 0 done; 1 a check found something; 2 usage; 3 failed at run time, or no daemon answers.

Example:
  proxysight run --mode audit --policy /etc/proxysight/evil.list --stream"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What was typed. Help, version and mistakes are answered here, and end the program.
    pub fn from_arguments() -> Self {
        Self::parse()
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon in the foreground
    #[command(
        args_override_self = true,
        after_help = "\
Example: watch live what every process asks its proxy for, and stop what is listed:
  proxysight run --mode block --policy evil.list --stream

Example: one JSON row per line, for another program:
  proxysight run --mode audit --stream --format json | jq -r .RemoteUrl"
    )]
    Run(Run),
    /// Read a capture file as if its packets were seen live; needs no privilege
    #[command(
        args_override_self = true,
        after_help = "\
The capture is a pcap or pcapng file. Rows go to standard output and what was skipped, with reasons, to standard error. A
damaged file gives the rows before the damage, says where it is, and exits with 3. Rows have no process and no device:
a capture tells neither.

Example: what a policy would have stopped yesterday:
  proxysight replay --mode block --policy evil.list --format text yesterday.pcapng"
    )]
    Replay(Replay),
    /// Show the records of the running daemon as they are made (root)
    #[command(
        args_override_self = true,
        after_help = "\
Any number of these may run, and none makes the daemon or another one wait: one that is read too slowly loses rows of its own,
and has a SensorEventsLost row in their place. It ends with the daemon.

Example: what curl asks its proxy for, from now on:
  proxysight stream | grep 'curl\\['"
    )]
    Stream(StreamArgs),
    /// Tell how the running daemon is: hooks, policy, coverage, proxies, every counter (root)
    #[command(
        args_override_self = true,
        after_help = "\
Exit status: 0 healthy; 1 something was lost or could not be done, and the text says what; 3 no daemon answers.

Example: the proxies that this host was seen to use:
  proxysight status --format json | jq .proxies"
    )]
    Status(StatusArgs),
    /// Work with policy files
    #[command(subcommand)]
    Policy(Policy),
    /// Work with the configuration file
    #[command(subcommand)]
    Config(Config),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// What the configuration file says, too.
    #[command(flatten)]
    pub settings: Settings,
    /// Load the good lines of a policy file that has bad ones
    #[arg(long)]
    pub lenient: bool,
    /// Write records to standard output as they are made
    #[arg(long)]
    pub stream: bool,
    /// Where `stream` and `status` find this daemon
    #[arg(long, value_name = "SOCK", default_value = CONTROL_SOCKET)]
    pub control: PathBuf,
}

/// Arguments of `stream`.
#[derive(Debug, Args)]
pub struct StreamArgs {
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// The daemon's control socket
    #[arg(long, value_name = "SOCK", default_value = CONTROL_SOCKET)]
    pub control: PathBuf,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Text for people, JSON for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// The daemon's control socket
    #[arg(long, value_name = "SOCK", default_value = CONTROL_SOCKET)]
    pub control: PathBuf,
}

/// Settings as typed; they win over the configuration file.
#[derive(Debug, Args)]
pub struct Settings {
    /// The configuration file [default: /etc/proxysight/config.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// off: nothing is attached; audit: dangerous names are recorded; block: they do not leave the host [default: off]
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// A domain list or hosts file of dangerous names; may be given several times, and replaces those of the configuration
    #[arg(long, value_name = "PATH")]
    pub policy: Vec<PathBuf>,
    /// How the stream is written [default: text]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A pcap or pcapng file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// audit: dangerous names are marked; block: rows are as if they had not left the host
    #[arg(long, value_enum, default_value_t = ReplayMode::Audit)]
    pub mode: ReplayMode,
    /// A domain list or hosts file of dangerous names; may be given several times
    #[arg(long, value_name = "PATH")]
    pub policy: Vec<PathBuf>,
    /// Load the good lines of a policy file that has bad ones
    #[arg(long)]
    pub lenient: bool,
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
}

/// What `policy` does.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Check policy files without loading them
    #[command(after_help = "\
Exit status is 1 when a line is bad.

Example:
  proxysight policy check evil.list /etc/hosts.block")]
    Check {
        /// Domain lists and hosts files
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// What `config` does.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Check a configuration file and the policy files that it names
    #[command(after_help = "\
Exit status is 1 when something is wrong.

Example:
  proxysight config check ./config.toml")]
    Check {
        /// The configuration file [default: /etc/proxysight/config.toml, if it is there]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Show what `run` would go by with the same options, and where each setting comes from
    #[command(after_help = "\
The output can be used as a configuration file.

Example:
  proxysight config show --mode block")]
    Show(Settings),
}

/// A mode, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Nothing is attached.
    #[value(alias = "disabled")]
    Off,
    /// Dangerous names are recorded and pass.
    Audit,
    /// Dangerous names are recorded and do not leave the host.
    Block,
}

/// A mode of `replay`, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReplayMode {
    /// Dangerous names are marked.
    Audit,
    /// Rows are as if dangerous names had not left the host.
    Block,
}

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned lines for people.
    Text,
    /// One JSON object a line.
    Json,
}
