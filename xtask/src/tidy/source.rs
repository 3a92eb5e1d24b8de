//! A Rust file as the rules see it: without comments and the insides of literals, and as a list of paths.
//!
//! A small lexer, not a parser: it never fails, and on a file that does not compile it may see too much or too little.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

/// One Rust file of the repository.
pub(super) struct Source {
    /// From the repository's root, with `/`.
    pub(super) path: String,
    /// The lines as they are.
    pub(super) lines: Vec<String>,
    /// The same lines with comments and the insides of literals blanked.
    pub(super) code: Vec<String>,
    /// Every path and lone word of the code, `use` groups spelt out.
    pub(super) names: Vec<Name>,
    /// The first line (from 1) of the unit tests; past the end when there are none.
    tests_from: usize,
}

/// A path such as `std::fs::File`; a macro call keeps its `!`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

impl Name {
    /// Whether `path` (as in `std::fs`) is a part of this one.
    pub(super) fn has(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.split("::").collect();
        self.segments.windows(wanted.len()).any(|window| window.iter().eq(wanted.iter()))
    }
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let blanked = blank(text);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let code: Vec<String> = blanked.lines().map(str::to_owned).collect();
        let names = names(&blanked);
        let is_all_tests = path.ends_with("/tests.rs") || path.contains("/tests/");
        let tests_from = if is_all_tests { 1 } else { tests_from(&code) };
        Self { path: path.to_owned(), lines, code, names, tests_from }
    }

    /// Whether `line` (from 1) belongs to unit tests.
    pub(super) fn is_test(&self, line: usize) -> bool {
        line >= self.tests_from
    }

    /// Whether the file is the module at `place` or in it; the empty place is everywhere.
    pub(super) fn is_in(&self, place: &str) -> bool {
        place.is_empty() || self.path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    }
}

/// Tests come last, in a module of their own: everything from its attribute on.
fn tests_from(code: &[String]) -> usize {
    let opens_module = |line: &String| line.trim_start().starts_with("mod ") && line.contains('{');
    let start = code.windows(2).position(|pair| match pair {
        [attribute, next] => attribute.trim() == "#[cfg(test)]" && opens_module(next),
        _ => false,
    });
    start.map_or(usize::MAX, |index| index + 1)
}

/// Every Rust file that is tracked or could be; without git, every one outside target/.
pub(super) fn read_all(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in list(root)? {
        match fs::read_to_string(root.join(&path)) {
            Ok(text) => sources.push(Source::new(&path.to_string_lossy(), &text)),
            // Removed in the work tree and not yet in the index.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        }
    }
    Ok(sources)
}

fn list(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.rs"]).current_dir(root);
    if let Ok(answer) = git.output()
        && answer.status.success()
    {
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        return Ok(text.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect());
    }
    let mut found = Vec::new();
    walk(root, Path::new(""), &mut found)?;
    Ok(found)
}

fn walk(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let directory = root.join(below);
    for entry in fs::read_dir(&directory).with_context(|| format!("list {}", directory.display()))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let is_left_out = entry.file_name() == "target" || entry.file_name().to_string_lossy().starts_with('.');
        if is_left_out {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(root, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// `text` with comments and the insides of string and character literals as spaces; line breaks stay.
fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    while index < characters.len() {
        let begins_word = index == 0 || !is_word(at(index - 1));
        let end = match at(index) {
            '/' if at(index + 1) == '/' => line_end(&at, index, characters.len()),
            '/' if at(index + 1) == '*' => block_end(&at, index, characters.len()),
            '"' => string_end(&at, index + 1, characters.len()),
            'r' if begins_word || at(index - 1) == 'b' || at(index - 1) == 'c' => raw_end(&at, index, characters.len()),
            '\'' if at(index + 1) == '\\' => {
                (index + 3..characters.len()).find(|&i| at(i) == '\'').map_or(index + 1, |i| i + 1)
            }
            '\'' if at(index + 2) == '\'' => index + 3,
            _ => index + 1,
        };
        if end == index + 1 {
            out.push(at(index));
        } else {
            out.extend((index..end).map(|index| if at(index) == '\n' { '\n' } else { ' ' }));
        }
        index = end;
    }
    out
}

fn line_end(at: &impl Fn(usize) -> char, from: usize, end: usize) -> usize {
    (from..end).find(|&index| at(index) == '\n').unwrap_or(end)
}

fn block_end(at: &impl Fn(usize) -> char, from: usize, end: usize) -> usize {
    let mut depth = 0_usize;
    let mut index = from;
    while index < end {
        match (at(index), at(index + 1)) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            break;
        }
    }
    index.min(end)
}

fn string_end(at: &impl Fn(usize) -> char, from: usize, end: usize) -> usize {
    let mut index = from;
    while index < end {
        match at(index) {
            '\\' => index += 2,
            '"' => return index + 1,
            _ => index += 1,
        }
    }
    end
}

/// After `r#"…"#`; `r` that begins no raw string ends where it stands.
fn raw_end(at: &impl Fn(usize) -> char, from: usize, end: usize) -> usize {
    let hashes = (from + 1..end).take_while(|&index| at(index) == '#').count();
    let open = from + 1 + hashes;
    if at(open) != '"' {
        return from + 1;
    }
    let closes = |index: &usize| at(*index) == '"' && (1..=hashes).all(|hash| at(index + hash) == '#');
    (open + 1..end).find(closes).map_or(end, |index| index + hashes + 1)
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Every path of `code`.
fn names(code: &str) -> Vec<Name> {
    let mut reader = Reader { characters: code.chars().collect(), index: 0, line: 1, found: Vec::new() };
    while let Some(character) = reader.peek() {
        if is_word(character) { reader.path(&[]) } else { reader.step() }
    }
    reader.found
}

struct Reader {
    characters: Vec<char>,
    index: usize,
    line: usize,
    found: Vec<Name>,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.index).copied()
    }

    fn step(&mut self) {
        if self.peek() == Some('\n') {
            self.line += 1;
        }
        self.index += 1;
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.step();
        }
    }

    fn follows(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, character)| self.characters.get(self.index + offset) == Some(&character))
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(character) = self.peek().filter(|&character| is_word(character)) {
            word.push(character);
            self.step();
        }
        if self.follows("!") && !self.follows("!=") {
            word.push('!');
        }
        word
    }

    /// One path from its first word on, below `prefix` when it stands in a group.
    fn path(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        loop {
            let line = self.line;
            segments.push(self.word());
            // The look ahead must not lose a word: spaces are only skipped towards `::`, and then to what follows it.
            self.spaces();
            if !self.follows("::") {
                return self.found.push(Name { line, segments });
            }
            self.index += 2;
            self.spaces();
            match self.peek() {
                Some('{') => return self.group(&segments),
                Some(character) if is_word(character) => {}
                _ => return self.found.push(Name { line, segments }),
            }
        }
    }

    /// `{a::b, c}` after `prefix::`.
    fn group(&mut self, prefix: &[String]) {
        self.step();
        while let Some(character) = self.peek() {
            match character {
                '}' => return self.step(),
                _ if is_word(character) => self.path(prefix),
                '*' => {
                    self.found.push(Name { line: self.line, segments: prefix.to_vec() });
                    self.step();
                }
                _ => self.step(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(code: &str) -> Vec<String> {
        names(&blank(code)).iter().map(|name| name.segments.join("::")).collect()
    }

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text =
            "a(\"unsafe \\\" x\"); // unsafe\n/* unsafe /* nested */ unsafe */ b(r#\"un\"safe\"#, 'u', '\\'', 'life);";
        let code = blank(text);
        assert!(!code.contains("unsafe") && !code.contains("un"), "{code}");
        assert!(code.contains("b(") && code.contains("'life"), "{code}");
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn groups_are_spelt_out() {
        assert_eq!(paths("use std::{fs, io::{self, Read}};"), ["use", "std::fs", "std::io::self", "std::io::Read"]);
        assert_eq!(paths("use a::*;\nb!(c != d)"), ["use", "a", "b!", "c", "d"]);
    }

    #[test]
    fn the_line_of_a_path_is_its_last_word() {
        let found = names("use crate::{\n    one,\n    two::Three,\n};");
        assert_eq!(found.iter().map(|name| name.line).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_part_of_a_path_is_found_only_at_its_joints() {
        let [_, name] = names("use std::fs::File;").try_into().unwrap();
        assert!(name.has("std::fs") && name.has("fs") && !name.has("std::f") && !name.has("std::File"));
    }

    #[test]
    fn unit_tests_begin_at_their_module_and_not_at_a_declaration() {
        let source = Source::new("a/src/b.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n#[cfg(test)]\nmod more {\n}\n");
        assert!(!source.is_test(3) && source.is_test(4));
    }

    #[test]
    fn a_place_is_a_module_file_or_its_directory() {
        let is_in = |path: &str| Source::new(path, "").is_in("monitor/src/cli");
        assert!(is_in("monitor/src/cli.rs") && is_in("monitor/src/cli/run.rs") && !is_in("monitor/src/client.rs"));
    }
}
