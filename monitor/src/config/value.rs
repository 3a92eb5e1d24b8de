//! What a value of the file may be, and how it is written.

use std::path::{Path, PathBuf};

use monitor_common::policy::{Mode, OnMismatch, Quic};
use toml::de::DeValue;

use crate::stream::Form;

/// Why a value is not what its key takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A value of another type.
    #[error("{found} where {wanted} belongs")]
    Type {
        /// What there is.
        found: String,
        /// What there should be.
        wanted: String,
    },
    /// A word that is none of those that there are.
    #[error("{word} is none of {words}")]
    Word {
        /// As written, cut when it is long.
        word: String,
        /// Those that there are.
        words: String,
    },
    /// A path without a character.
    #[error("an empty path")]
    EmptyPath,
}

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// Reads a value; `folder` is where a relative path begins.
    fn read(value: &DeValue<'_>, folder: &Path) -> Result<Self, Wrong>;

    /// As it is written in a file.
    fn written(&self) -> String;
}

/// A type that has a few values, each with a word.
trait Word: Copy + PartialEq + 'static {
    /// The first word of a value is the one that is written.
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for Mode {
    const WORDS: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("audit", Self::Audit), ("block", Self::Block), ("disabled", Self::Off)];
}

impl Word for OnMismatch {
    const WORDS: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("audit", Self::Audit), ("block", Self::Block)];
}

impl Word for Quic {
    const WORDS: &'static [(&'static str, Self)] = &[("inspect", Self::Inspect), ("downgrade", Self::Downgrade)];
}

impl Word for Form {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

impl<T: Word> Value for T {
    fn read(value: &DeValue<'_>, _folder: &Path) -> Result<Self, Wrong> {
        let words = || T::WORDS.iter().map(|(word, _)| quoted(word)).collect::<Vec<_>>().join(", ");
        let Some(word) = value.as_str() else {
            return Err(wrong_type(value, &format!("one of {}", words())));
        };
        let found = T::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
        found.ok_or_else(|| Wrong::Word { word: quoted(word), words: words() })
    }

    fn written(&self) -> String {
        T::WORDS.iter().find(|(_, value)| value == self).map_or_else(String::new, |(word, _)| quoted(word))
    }
}

impl Value for bool {
    fn read(value: &DeValue<'_>, _folder: &Path) -> Result<Self, Wrong> {
        value.as_bool().ok_or_else(|| wrong_type(value, "true or false"))
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

impl Value for Vec<PathBuf> {
    fn read(value: &DeValue<'_>, folder: &Path) -> Result<Self, Wrong> {
        const WANTED: &str = "an array of paths";
        let paths = value.as_array().ok_or_else(|| wrong_type(value, WANTED))?;
        let path = |path: &DeValue<'_>| match path.as_str() {
            None => Err(wrong_type(path, "a path of that array")),
            Some("") => Err(Wrong::EmptyPath),
            Some(path) => Ok(folder.join(path)),
        };
        paths.iter().map(|each| path(each.get_ref())).collect()
    }

    fn written(&self) -> String {
        let paths: Vec<String> = self.iter().map(|path| quoted(&path.to_string_lossy())).collect();
        format!("[{}]", paths.join(", "))
    }
}

/// With what there is instead.
pub(super) fn wrong_type(found: &DeValue<'_>, wanted: &str) -> Wrong {
    let found = match found.type_str() {
        kind @ ("integer" | "array") => format!("an {kind}"),
        kind => format!("a {kind}"),
    };
    Wrong::Type { found, wanted: wanted.to_owned() }
}

/// A text as it is written in a file, on one line; a long one is cut.
pub(super) fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 4096;
    let mut quoted = String::from('"');
    for c in text.chars().take(CHARS_MAX) {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    if text.chars().nth(CHARS_MAX).is_some() {
        quoted.push('…');
    }
    quoted.push('"');
    quoted
}
