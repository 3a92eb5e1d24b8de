//! `proxysight status`: how the running daemon is, for people or for programs.

mod text;

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use text::Colour;

use super::Failure;
use crate::cli::{Format, StatusArgs};
use crate::control::{self, Status};

/// Something was lost, or could not be done.
const UNHEALTHY: u8 = 1;

pub(super) fn status(args: &StatusArgs) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let json = runtime.block_on(async { control::get(&args.control, "/v1/status").await?.whole().await })?;
    let status: Status = serde_json::from_slice(&json)
        .context("read the daemon's status; daemon and command are of different versions, perhaps")?;
    let mut out = io::stdout().lock();
    let written = match args.format {
        Format::Json => out.write_all(&json).and_then(|()| out.write_all(b"\n")),
        Format::Text => {
            let colour = if out.is_terminal() { Colour::Some } else { Colour::None };
            out.write_all(text::page(&status, colour).as_bytes())
        }
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("write the status")?,
        Ok(()) | Err(_) => {}
    }
    Ok(if status.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UNHEALTHY) })
}
