//! `proxysight stream`: the records of the running daemon, as they are made.

use std::future::pending;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::io::Interest;
use tokio::net::unix::pipe::Sender;

use super::Failure;
use crate::cli::{Format, StreamArgs};
use crate::control;

pub(super) fn stream(args: &StreamArgs) -> Result<ExitCode, Failure> {
    let path = match args.format {
        Format::Text => "/v1/stream?format=text",
        Format::Json => "/v1/stream?format=json",
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(async {
        let mut rows = control::get(&args.control, path).await?;
        let out = io::stdout().as_fd().try_clone_to_owned().context("write to standard output")?;
        // Never written by this, so that it need not be non-blocking. A file cannot be waited for: nobody hangs up there.
        let reader = Sender::from_owned_fd_unchecked(out).ok();
        loop {
            let part = tokio::select! {
                part = rows.part() => part?,
                () = gone(reader.as_ref()) => return Ok(ExitCode::SUCCESS),
            };
            let Some(part) = part else {
                break;
            };
            let mut out = io::stdout().lock();
            match out.write_all(&part).and_then(|()| out.flush()) {
                Ok(()) => {}
                // Whoever read the rows has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                Err(error) => return Err(anyhow::Error::new(error).context("write the rows").into()),
            }
        }
        eprintln!("proxysight: the daemon has ended");
        Ok(ExitCode::SUCCESS)
    })
}

/// Waits until nobody reads standard output any more, which is otherwise noticed with the next row.
async fn gone(reader: Option<&Sender>) {
    match reader {
        Some(reader) if reader.ready(Interest::ERROR).await.is_ok() => {}
        Some(_) | None => pending().await,
    }
}
