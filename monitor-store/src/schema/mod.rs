//! The schema of the record: one table of columns, action types and additional fields, from which everything else is
//! derived: JSON rows, Arrow batches, what a query may name, and the tables of docs/records.md.
//!
//! Names, types and order are those of Microsoft's advanced hunting, so that queries and parsers carry over. Columns that
//! have no meaning on Linux are there and empty.

mod actions;
mod arrow;
mod columns;
mod fields;
mod markdown;

pub use actions::{ACTION_TYPES, ActionType};
pub use arrow::{arrow_schema, data_type};
pub use columns::{DEVICE_COLUMNS, EVENT_COLUMNS, NETWORK_COLUMNS, PROCESS_COLUMNS};
pub use fields::{ADDITIONAL_FIELDS, AdditionalField};
pub use markdown::{SECTIONS, section};

/// The type of a column, in Kusto's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `string`: never null; what does not apply is empty.
    String,
    /// `int`: 32 bits, or null.
    Int,
    /// `long`: 64 bits, or null.
    Long,
    /// `bool`, or null.
    Bool,
    /// `datetime`: UTC, in steps of 100 ns, or null.
    Datetime,
}

impl Type {
    /// The word of Kusto.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Long => "long",
            Self::Bool => "bool",
            Self::Datetime => "datetime",
        }
    }
}

/// Who gave a thing its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Microsoft's advanced hunting.
    Microsoft,
    /// Zeek's logs.
    Zeek,
    /// This project.
    Proxysight,
}

impl Origin {
    /// As the documentation has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Microsoft => "Microsoft",
            Self::Zeek => "Zeek",
            Self::Proxysight => "proxysight",
        }
    }
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name; letters only, case matters.
    pub name: &'static str,
    /// What its cells are.
    pub r#type: Type,
    /// What its cells mean, in one line.
    pub meaning: &'static str,
    /// The first version that has it.
    pub since: &'static str,
}

/// One of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Connections.
    DeviceNetworkEvents,
    /// Verdicts, changes of mode, and what the sensor has to say of itself.
    DeviceEvents,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 2] = [Self::DeviceNetworkEvents, Self::DeviceEvents];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceNetworkEvents => "DeviceNetworkEvents",
            Self::DeviceEvents => "DeviceEvents",
        }
    }

    /// The table of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The columns, in order.
    pub fn columns(self) -> impl Iterator<Item = &'static Column> + Clone {
        let own = match self {
            Self::DeviceNetworkEvents => NETWORK_COLUMNS,
            Self::DeviceEvents => EVENT_COLUMNS,
        };
        DEVICE_COLUMNS.iter().chain(own).chain(PROCESS_COLUMNS)
    }

    /// The column of a name.
    #[must_use]
    pub fn column(self, name: &str) -> Option<&'static Column> {
        self.columns().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_name_is_in_a_table_once_and_needs_no_escape() {
        for table in Table::ALL {
            let names: Vec<&str> = table.columns().map(|column| column.name).collect();
            assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{}", table.name());
            assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric())));
        }
    }

    #[test]
    fn columns_of_one_name_have_one_type() {
        for column in Table::DeviceNetworkEvents.columns() {
            if let Some(other) = Table::DeviceEvents.column(column.name) {
                assert_eq!(column.r#type, other.r#type, "{}", column.name);
            }
        }
    }

    #[test]
    fn a_table_is_found_by_its_name() {
        assert_eq!(Table::named("DeviceNetworkEvents"), Some(Table::DeviceNetworkEvents));
        assert_eq!(Table::named("deviceevents"), None);
    }
}
