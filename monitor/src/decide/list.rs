//! Domain lists and hosts files, line by line. One reader for both: a line that begins with an address is a hosts line.
//!
//! ```text
//! # a comment
//! evil.example          the domain and its subdomains
//! =only.example         the name alone
//! 0.0.0.0 bad.example   hosts(5): every name of the line, each with its subdomains
//! ```

use std::fmt;
use std::net::IpAddr;

use crate::hostname::{Hostname, HostnameError};

/// Names that hosts files give to the host itself: no indicators.
const LOCAL_NAMES: [&str; 9] = [
    "localhost",
    "localhost.localdomain",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-allnodes",
    "ip6-allrouters",
];

/// A line that is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Counted from 1.
    pub line: u32,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// Not a name.
    #[error("`{name}` is no domain name: {reason}")]
    NotAName {
        /// As written, cut when it is long.
        name: String,
        /// Which rule it breaks.
        reason: HostnameError,
    },
    /// A name of one label would match a whole top-level domain.
    #[error("`{name}` is a top-level name; blocking all of it is surely not meant")]
    TopLevel {
        /// As written.
        name: String,
    },
    /// An address where a name is expected.
    #[error("`{address}` is an address; a domain list holds names")]
    Address {
        /// As written.
        address: IpAddr,
    },
    /// More than one word.
    #[error("`{rest}` after the name; write one name a line, and `#` before a comment")]
    ExtraWord {
        /// The second word.
        rest: String,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.problem)
    }
}

/// One rule of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRule {
    /// Counted from 1.
    pub line: u32,
    /// The name.
    pub name: Hostname,
    /// For the name itself only.
    pub exact: bool,
}

/// Reads a list. `rule` gets each rule in order; what is returned are the lines that are none. Never panics.
pub fn parse_list(bytes: &[u8], mut rule: impl FnMut(ListRule)) -> Vec<LineError> {
    let mut errors = Vec::new();
    // Editors of other systems put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if let Err(problem) = parse_line(line, text, &mut rule) {
            errors.push(LineError { line, problem });
        }
    }
    errors
}

fn parse_line(line: u32, bytes: &[u8], rule: &mut impl FnMut(ListRule)) -> Result<(), LineProblem> {
    let text = std::str::from_utf8(bytes).map_err(|_| LineProblem::NotText)?;
    let text = text.split('#').next().unwrap_or_default();
    let mut words = text.split_ascii_whitespace();
    let Some(first) = words.next() else {
        return Ok(());
    };
    if let Ok(address) = first.parse::<IpAddr>() {
        let mut names = words.peekable();
        if names.peek().is_none() {
            return Err(LineProblem::Address { address });
        }
        for name in names.filter(|name| !is_local(name)) {
            rule(ListRule { line, name: parse_name(name)?, exact: false });
        }
        return Ok(());
    }
    let (name, exact) = match first.strip_prefix('=') {
        Some(name) => (name, true),
        None => (first, false),
    };
    if let Some(rest) = words.next() {
        return Err(LineProblem::ExtraWord { rest: shortened(rest) });
    }
    rule(ListRule { line, name: parse_name(name)?, exact });
    Ok(())
}

/// Hosts files also map addresses to themselves (`0.0.0.0 0.0.0.0`).
fn is_local(name: &str) -> bool {
    LOCAL_NAMES.iter().any(|local| name.eq_ignore_ascii_case(local)) || name.parse::<IpAddr>().is_ok()
}

fn parse_name(text: &str) -> Result<Hostname, LineProblem> {
    if let Ok(address) = text.parse() {
        return Err(LineProblem::Address { address });
    }
    let name =
        Hostname::parse(text.as_bytes()).map_err(|reason| LineProblem::NotAName { name: shortened(text), reason })?;
    if name.as_str().contains('.') { Ok(name) } else { Err(LineProblem::TopLevel { name: shortened(text) }) }
}

/// What an error message shows of a word.
fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], rules: &[&str], errors: &[&str]) {
        let mut got = Vec::new();
        let problems = parse_list(input, |rule| {
            got.push(format!("{}{} {}", if rule.exact { "=" } else { "" }, rule.name.as_str(), rule.line));
        });
        assert_eq!(got, rules);
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), errors);
    }

    #[test]
    fn lists_and_hosts_files_are_read() {
        check(b"", &[], &[]);
        check(b"# nothing\n\n  # here\n", &[], &[]);
        check(b"Evil.Example\n=only.example # why\r\n", &["evil.example 1", "=only.example 2"], &[]);
        check(b"\xef\xbb\xbfa.example.", &["a.example 1"], &[]);
        check(b"0.0.0.0 a.example b.example # c\n::1 localhost ip6-localhost\n", &["a.example 1", "b.example 1"], &[]);
        check(b"127.0.0.1\tlocalhost\n0.0.0.0 0.0.0.0\n", &[], &[]);
    }

    #[test]
    fn a_bad_line_says_where_and_why_and_spares_the_others() {
        check(
            b"a.example\nbad name.example\n\xff\nb.example\n",
            &["a.example 1", "b.example 4"],
            &["2: `name.example` after the name; write one name a line, and `#` before a comment", "3: not UTF-8 text"],
        );
        check(b"com", &[], &["1: `com` is a top-level name; blocking all of it is surely not meant"]);
        check(b"192.0.2.1", &[], &["1: `192.0.2.1` is an address; a domain list holds names"]);
        check(b"=192.0.2.1", &[], &["1: `192.0.2.1` is an address; a domain list holds names"]);
        check(b"*.example", &[], &["1: `*.example` is no domain name: the character '*' is not allowed in a name"]);
        check(b"=", &[], &["1: `` is no domain name: empty"]);
        check(
            "bücher.example".as_bytes(),
            &[],
            &["1: `bücher.example` is no domain name: not ASCII; write it as an A-label (xn--…)"],
        );
        check(b"0.0.0.0 a..b", &[], &["1: `a..b` is no domain name: an empty label"]);
    }
}
