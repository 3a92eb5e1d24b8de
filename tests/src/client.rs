//! The programs under observation, as processes, and the pieces that a test sends by itself.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::{netns::Netns, tool, wait::PATIENCE};

/// How long curl itself may take. An exit by this limit is status 28 and never the right end of a test.
const CURL_SECONDS_MAX: &str = "30";

/// A client that ran to its end.
#[derive(Debug)]
pub struct Ran {
    /// Its process id.
    pub pid: u32,
    /// Its exit status; 128 and above for a signal.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
    /// From its start to its end.
    pub took: Duration,
    /// Its command line, as a row should have it.
    pub command_line: String,
}

impl Ran {
    /// Checks that it succeeded with `page` in its output.
    ///
    /// # Errors
    /// When it did not; the error has what it said.
    pub fn got(&self, page: &str) -> Result<()> {
        ensure!(self.status == 0 && self.stdout.contains(page), "the client did not get its page: {self:#?}");
        Ok(())
    }

    /// Checks that it failed because its connection was ended under it, at once and not by a time-out.
    ///
    /// # Errors
    /// When it ended otherwise.
    pub fn was_cut_off(&self) -> Result<()> {
        ensure!(self.status != 0 && self.status != 28, "the client was not cut off: {self:#?}");
        ensure!(
            self.stderr.contains("Software caused connection abort"),
            "the client failed for another reason than ECONNABORTED: {self:#?}"
        );
        ensure!(self.took < Duration::from_secs(5), "the client hung before it failed: {self:#?}");
        println!("cut off after {} ms: {}", self.took.as_millis(), self.command_line);
        Ok(())
    }
}

/// Runs curl inside `netns` with a silent progress meter and any certificate accepted.
///
/// # Errors
/// When it is missing or cannot be started; a failed request is in the result.
pub fn curl(netns: &Netns, arguments: &[&str]) -> Result<Ran> {
    let mut all = vec!["-sSk", "--max-time", CURL_SECONDS_MAX];
    all.extend(arguments);
    run(netns, "curl", &all)
}

/// Runs a client program inside `netns` to its end, with nothing on its stdin.
///
/// # Errors
/// When it is missing or cannot be started.
pub fn run(netns: &Netns, program: &str, arguments: &[&str]) -> Result<Ran> {
    let program = tool::path_of(program)?;
    let mut command: Command = netns.command_at(&program)?;
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    // `ip netns exec` becomes the program, so this is the program's own process id.
    let child = command.spawn().with_context(|| format!("start {}", program.display()))?;
    let pid = child.id();
    let output = child.wait_with_output()?;
    Ok(Ran {
        pid,
        status: output.status.code().unwrap_or(128),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: begun.elapsed(),
        command_line: format!("{} {}", program.display(), arguments.join(" ")),
    })
}

/// Cuts `bytes` at the given places.
///
/// # Errors
/// When a place is outside, or before the one before it.
pub fn cut(bytes: &[u8], places: &[usize]) -> Result<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for &to in places.iter().chain([&bytes.len()]) {
        pieces.push(bytes.get(from..to).context("a cut is out of place")?.to_vec());
        from = to;
    }
    Ok(pieces)
}

/// Where `part` begins in `bytes`.
///
/// # Errors
/// When it is not in there.
pub fn position(bytes: &[u8], part: &str) -> Result<usize> {
    let found = bytes.windows(part.len()).position(|window| window == part.as_bytes());
    found.with_context(|| format!("{part} is not in the {} bytes", bytes.len()))
}

/// Sends one piece in a packet of its own, and waits for no answer.
///
/// # Errors
/// Those of the socket.
pub fn send(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(piece)
}

/// A request for a tunnel to a TLS port of `host`.
#[must_use]
pub fn connect_request(host: &str) -> Vec<u8> {
    format!("CONNECT {host}:8443 HTTP/1.1\r\nHost: {host}:8443\r\n\r\n").into_bytes()
}

/// Bytes as the `probe` program takes them.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of such a line. None: it is not hexadecimal.
#[must_use]
pub fn from_hex(line: &str) -> Option<Vec<u8>> {
    let digit = |index: usize| char::from(*line.as_bytes().get(index)?).to_digit(16);
    let byte = |index: usize| u8::try_from(digit(index)? * 16 + digit(index + 1)?).ok();
    (0..line.len()).step_by(2).map(byte).collect()
}

/// Reads until the connection ends, and returns how it ended: what it brought, or the error.
///
/// # Errors
/// The error that ended the connection; `WouldBlock` when nothing came for the patience of the tests.
pub fn read_to_end(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{cut, from_hex, to_hex};

    #[test]
    fn bytes_come_back_from_hexadecimal() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&all)), Some(all));
        assert_eq!(from_hex("0"), None);
        assert_eq!(from_hex("0g"), None);
    }

    #[test]
    fn pieces_together_are_the_whole() {
        assert_eq!(cut(b"abcdef", &[1, 4]).unwrap(), [b"a".to_vec(), b"bcd".to_vec(), b"ef".to_vec()]);
        assert!(cut(b"abc", &[4]).is_err());
    }
}
