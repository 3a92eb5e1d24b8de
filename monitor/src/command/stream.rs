//! `proxysight stream`: the records of the running daemon, as they are made.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;

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
        // Whoever reads waits for whole lines, and a part is made of these.
        let mut out = io::stdout().lock();
        while let Some(part) = rows.part().await? {
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
