//! The settings: what the configuration file says, what the command line says against it, and what holds when neither says
//! anything. Each setting remembers which of the three it has its value from.
//!
//! [`Settings::keys`] is the one list of keys: reading the file, the advice on an unknown key, `config show` and
//! docs/config.md all go by it. Nothing here acts on a setting; `command` does.

mod file;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use file::{Error, Problem, load};
use monitor_common::policy::{Mode, OnMismatch, Orders, Quic};
use value::Value;

use crate::correlate::Families;
use crate::stream::Form;

/// The file that is read when none is named, if it exists.
pub const DEFAULT_PATH: &str = "/etc/proxysight/config.toml";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// This line of this file, counted from 1.
    File(Arc<Path>, usize),
    /// An option.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    value: T,
    origin: Origin,
}

impl<T> Setting<T> {
    fn default(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The command line wins over the file.
    pub fn overrule(&mut self, given: Option<T>) {
        if let Some(value) = given {
            *self = Self { value, origin: Origin::CommandLine };
        }
    }
}

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is done about dangerous names.
    pub mode: Setting<Mode>,
    /// Files with dangerous names. A relative path in the configuration file begins at that file's folder.
    pub policy: Setting<Vec<PathBuf>>,
    /// What is done about two different hosts of one tunnel.
    pub on_mismatch: Setting<OnMismatch>,
    /// What is done about QUIC.
    pub quic: Setting<Quic>,
    /// Which rows there are, and how they are written.
    pub records: Records,
}

/// The table `[records]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// How rows are written to standard output.
    pub format: Setting<Form>,
    /// `ConnectionAttempt`.
    pub attempts: Setting<bool>,
    /// `InboundConnectionAccepted`.
    pub inbound: Setting<bool>,
    /// `ListeningConnectionCreated`.
    pub listening: Setting<bool>,
    /// `ConnectionClosed`.
    pub ends: Setting<bool>,
    /// `DnsConnectionInspected`.
    pub dns: Setting<bool>,
    /// `ConnectionFound`.
    pub found: Setting<bool>,
}

impl Default for Settings {
    fn default() -> Self {
        let Families { attempts, inbound, listening, ends, dns, mismatches: _, found } = Families::default();
        Self {
            mode: Setting::default(Mode::Off),
            policy: Setting::default(Vec::new()),
            on_mismatch: Setting::default(OnMismatch::Audit),
            quic: Setting::default(Quic::Inspect),
            records: Records {
                format: Setting::default(Form::Text),
                attempts: Setting::default(attempts),
                inbound: Setting::default(inbound),
                listening: Setting::default(listening),
                ends: Setting::default(ends),
                dns: Setting::default(dns),
                found: Setting::default(found),
            },
        }
    }
}

/// A key of the file and its setting.
struct Key<'a> {
    /// With the name of its table in front, if it is in one.
    name: &'static str,
    field: &'a mut dyn Field,
}

/// A setting of whatever type.
trait Field {
    /// Takes what the file says.
    fn set(&mut self, value: &toml::de::DeValue<'_>, origin: Origin, folder: &Path) -> Result<(), value::Wrong>;
    /// The value as it is written in a file.
    fn written(&self) -> String;
    fn origin(&self) -> &Origin;
}

impl<T: Value> Field for Setting<T> {
    fn set(&mut self, value: &toml::de::DeValue<'_>, origin: Origin, folder: &Path) -> Result<(), value::Wrong> {
        *self = Self { value: T::read(value, folder)?, origin };
        Ok(())
    }

    fn written(&self) -> String {
        self.value.written()
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl Settings {
    /// Every key, those of a table together and behind those of none. Destructured, so that none is forgotten.
    fn keys(&mut self) -> Vec<Key<'_>> {
        fn key<'a>(name: &'static str, field: &'a mut dyn Field) -> Key<'a> {
            Key { name, field }
        }
        let Self { mode, policy, on_mismatch, quic, records } = self;
        let Records { format, attempts, inbound, listening, ends, dns, found } = records;
        vec![
            key("mode", mode),
            key("policy", policy),
            key("on_mismatch", on_mismatch),
            key("quic", quic),
            key("records.format", format),
            key("records.attempts", attempts),
            key("records.inbound", inbound),
            key("records.listening", listening),
            key("records.ends", ends),
            key("records.dns", dns),
            key("records.found", found),
        ]
    }

    /// What the kernel programs are to do.
    pub fn orders(&self) -> Orders {
        Orders {
            mode: self.mode.value,
            on_mismatch: self.on_mismatch.value,
            quic: self.quic.value,
            attempts: self.records.attempts.value,
        }
    }

    /// Which families of records there are.
    pub fn families(&self) -> Families {
        let Records { format: _, attempts, inbound, listening, ends, dns, found } = &self.records;
        Families {
            attempts: attempts.value,
            inbound: inbound.value,
            listening: listening.value,
            ends: ends.value,
            dns: dns.value,
            mismatches: self.on_mismatch.value != OnMismatch::Off,
            found: found.value,
        }
    }

    /// All settings in the form of a file, each with where it comes from.
    pub fn shown(&self) -> String {
        let mut settings = self.clone();
        let keys = settings.keys();
        let lines: Vec<(&str, String, String)> = keys
            .iter()
            .map(|key| {
                let (table, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
                (table, format!("{name} = {}", key.field.written()), key.field.origin().to_string())
            })
            .collect();
        let width = lines.iter().map(|(_, line, _)| line.chars().count()).max().unwrap_or_default();
        let (mut shown, mut last) = (String::new(), "");
        for (table, line, origin) in &lines {
            if *table != last {
                shown.push_str(&format!("\n[{table}]\n"));
                last = table;
            }
            shown.push_str(&format!("{line:<width$}  # {}\n", origin.escape_debug()));
        }
        shown
    }
}

#[cfg(test)]
mod tests;
