//! Reads the configuration file and says what is wrong with it: all of it at once, each with its line and column.
//!
//! The file is somebody's typing, or not even that: it is read up to a limit, and nothing in it makes this panic.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::value::{Wrong, quoted, wrong_type};
use super::{Origin, Settings};

/// Bytes of a configuration file that are read: far beyond any that is written by hand, and little to hold in memory. A
/// longer file is an error.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Problems of one file that are told.
const PROBLEMS_MAX: usize = 20;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("read the configuration {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is too long to be a configuration.
    #[error("the configuration {} is longer than {FILE_BYTES_MAX} bytes; is it another file?", path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// What it says cannot be followed.
    #[error("{} is no configuration: mend what is wrong, and see docs/config.md for every key", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// What is wrong, at least one; of many the first ones.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key that there is not.
    #[error("there is no key {key}; the nearest one is `{nearest}`")]
    UnknownKey {
        /// As written, with the table's name in front.
        key: String,
        /// The key that looks most like it.
        nearest: &'static str,
    },
    /// A value that its key does not take.
    #[error("`{key}`: {wrong}")]
    Value {
        /// Of which key.
        key: &'static str,
        /// Why not.
        wrong: Wrong,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.kind)
    }
}

/// The settings of a file, and the defaults of what it does not say.
///
/// # Errors
/// The file cannot be read, or not be followed.
pub fn load(path: &Path) -> Result<Settings, Error> {
    let on_read = |source| Error::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(on_read)?;
    if u64::try_from(bytes.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
        return Err(Error::TooLong { path: path.to_owned() });
    }
    parse(&bytes, path).map_err(|problems| Error::Wrong { path: path.to_owned(), problems })
}

/// Never panics, on any bytes.
pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Settings, Vec<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let (line, column) = place(&String::from_utf8_lossy(good), good.len());
        vec![Problem { line, column, kind: ProblemKind::NotText }]
    })?;
    let mut reading = Reading {
        text,
        path: path.into(),
        folder: path.parent().unwrap_or(Path::new("")),
        settings: Settings::default(),
        problems: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => reading.table("", table.get_ref()),
        Err(error) => {
            let at = error.span().unwrap_or_default();
            reading.problem(&at, ProblemKind::Syntax(error.message().to_owned()));
        }
    }
    if reading.problems.is_empty() { Ok(reading.settings) } else { Err(reading.problems) }
}

struct Reading<'a> {
    text: &'a str,
    path: Arc<Path>,
    folder: &'a Path,
    settings: Settings,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    /// Takes a table; `prefix` is its name with a dot behind it.
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        // In the order of the file.
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            // Whatever else there is would not be told, and each look for a place reads the text from its start.
            if self.problems.len() == PROBLEMS_MAX {
                return;
            }
            self.entry(&format!("{prefix}{}", key.get_ref()), &key.span(), value.get_ref(), &value.span());
        }
    }

    fn entry(&mut self, name: &str, at: &Range<usize>, value: &DeValue<'_>, value_at: &Range<usize>) {
        let origin = Origin::File(self.path.clone(), place(self.text, at.start).0);
        let mut keys = self.settings.keys();
        if let Some(key) = keys.iter_mut().find(|key| key.name == name) {
            let (key, set) = (key.name, key.field.set(value, origin, self.folder));
            if let Err(wrong) = set {
                self.problem(value_at, ProblemKind::Value { key, wrong });
            }
            return;
        }
        // A table is the beginning of a key's name.
        let table =
            keys.iter().map(|key| key.name).find_map(|key| key.get(..name.len()).filter(|_| is_within(key, name)));
        match (table, value.as_table()) {
            (Some(_), Some(table)) => self.table(&format!("{name}."), table),
            (Some(key), None) => {
                let wrong = wrong_type(value, "a table");
                self.problem(value_at, ProblemKind::Value { key, wrong });
            }
            (None, _) => {
                let tables = keys.iter().filter_map(|key| key.name.split_once('.')).map(|(table, _)| table);
                let nearest = nearest(name, keys.iter().map(|key| key.name).chain(tables));
                self.problem(at, ProblemKind::UnknownKey { key: quoted(name), nearest });
            }
        }
    }

    fn problem(&mut self, at: &Range<usize>, kind: ProblemKind) {
        let (line, column) = place(self.text, at.start);
        self.problems.push(Problem { line, column, kind });
    }
}

fn is_within(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

/// The name among `known` that looks most like `name`: as a whole, or by what follows the table, which may be forgotten.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> &'static str {
    // Whoever writes a longer name means none of ours, and comparing takes the product of both lengths.
    const CHARS_MAX: usize = 64;
    let name: String = name.chars().take(CHARS_MAX).collect();
    let likeness = |key: &str| {
        let whole = strsim::normalized_damerau_levenshtein(key, &name);
        whole.max(strsim::normalized_damerau_levenshtein(last(key), last(&name)))
    };
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

/// What follows the table.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// Line and column of a place in a text, both counted from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}
