//! The daemon's control socket, asked by curl: what answers is HTTP to a client that knows nothing of proxysight.

use std::{
    fmt::{Display, Formatter},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::tool;

/// Where a daemon listens when it is told nothing else.
pub const SOCKET: &str = "/run/proxysight/control.sock";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// The body.
    pub body: String,
    /// What curl complained about.
    pub complaint: String,
}

/// A curl that asks for `path`; the caller may add arguments.
///
/// # Errors
/// When curl is missing.
pub fn curl(path: &str) -> Result<Command> {
    let mut command = Command::new(tool::path_of("curl")?);
    command.args(["-sSN", "--max-time", "60", "--unix-socket", SOCKET]).arg(format!("http://localhost{path}"));
    Ok(command)
}

/// The status of the daemon, as it was told.
#[derive(Debug)]
pub struct Told(Value);

impl Told {
    /// What is at a JSON pointer (RFC 6901); null where nothing is.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// A number.
    ///
    /// # Errors
    /// When there is none.
    pub fn number(&self, pointer: &str) -> Result<u64> {
        self.at(pointer).as_u64().with_context(|| format!("no number at {pointer} in {self}"))
    }

    /// A list.
    ///
    /// # Errors
    /// When there is none.
    pub fn list(&self, pointer: &str) -> Result<&[Value]> {
        let list = self.at(pointer).as_array().with_context(|| format!("no list at {pointer} in {self}"))?;
        Ok(list)
    }
}

impl Display for Told {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

/// Asks for `path`.
///
/// # Errors
/// When curl is missing.
pub fn get(path: &str) -> Result<Answer> {
    answer(curl(path)?)
}

/// Runs a curl, perhaps by another program, to its end.
///
/// # Errors
/// When it cannot be started.
pub fn answer(mut command: Command) -> Result<Answer> {
    let output = command.args(["-w", "\n%{http_code}"]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let (body, status) = text.rsplit_once('\n').context("curl tells no status")?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Answer { status: status.parse()?, body: body.to_owned(), complaint })
}

/// The status of the daemon.
///
/// # Errors
/// When it does not tell it.
pub fn status() -> Result<Told> {
    let answer = get("/v1/status")?;
    ensure!(answer.status == 200, "no status: {answer:?}");
    Ok(Told(serde_json::from_str(&answer.body)?))
}
