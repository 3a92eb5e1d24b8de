//! `proxysight replay`: a capture as if it had been seen live.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use monitor_common::policy::Mode;

use super::{Failure, policy_files};
use crate::account::Account;
use crate::cli::{Format, Replay as Arguments, ReplayMode};
use crate::correlate::{Correlator, Families};
use crate::pipeline::{Output, Pipeline};
use crate::record::{Clock, Device, Recorder};
use crate::replay::Replay;
use crate::replay::capture::{Capture, Packet};
use crate::stream::{Flush, Form, Rows};

/// No boot: the connections of a capture are told apart by when they began.
const NO_BOOT: u64 = 0;

pub(super) fn replay(args: &Arguments) -> Result<ExitCode, Failure> {
    let policy = policy_files::read(&args.policy, args.lenient.into())?;
    let path = args.file.display();
    let file = File::open(&args.file).with_context(|| format!("open the capture {path}")).map_err(Failure::Usage)?;
    let mode = match args.mode {
        ReplayMode::Audit => Mode::Audit,
        ReplayMode::Block => Mode::Block,
    };
    let form = match args.format {
        Format::Text => Form::Text,
        Format::Json => Form::Json,
    };
    // A descriptor of its own: `Stdout` has a line buffer in front.
    let out = File::from(io::stdout().as_fd().try_clone_to_owned().context("write to standard output")?);
    let mut capture = Capture::new(file).with_context(|| format!("read the capture {path}"))?;
    let account = Arc::<Account>::default();
    let mut work = Work {
        replay: Replay::new(&policy, mode),
        // The host that reads a capture is not the one that it was taken on.
        pipeline: Pipeline::of_capture(
            account.clone(),
            Correlator::new(NO_BOOT, Families::default()),
            policy,
            Recorder::new(Device { id: String::new(), name: String::new() }, mode),
        ),
        account,
        output: Output::default(),
        rows: Rows::new(out, form, Flush::EachBatch),
    };
    let mut written = Ok(());
    let read = capture.each(|packet| {
        written = work.take(packet);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if let Err(error) = written.and_then(|()| work.finish(&args.file)) {
        // Whoever read the rows has seen enough.
        return if error.kind() == ErrorKind::BrokenPipe {
            Ok(ExitCode::SUCCESS)
        } else {
            Err(anyhow::Error::new(error).context("write the rows").into())
        };
    }
    read.with_context(|| format!("read the capture {path}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Everything at work.
struct Work {
    replay: Replay,
    pipeline: Pipeline,
    account: Arc<Account>,
    output: Output,
    rows: Rows<File>,
}

impl Work {
    fn take(&mut self, packet: Packet<'_>) -> io::Result<()> {
        let Self { replay, pipeline, output, .. } = self;
        if pipeline.is_waiting() {
            pipeline.expire(packet.time_ns, clock(), output);
        }
        replay.packet(packet, |event| pipeline.event(event, clock(), output));
        self.write()
    }

    /// Writes the last rows and accounts for everything.
    fn finish(&mut self, path: &Path) -> io::Result<()> {
        let Self { replay, pipeline, output, .. } = self;
        let mut report = replay.finish(|event| pipeline.event(event, clock(), output));
        pipeline.finish(replay.now_ns(), clock(), output);
        // Datagrams are read behind the events.
        report.names += pipeline.quic_names();
        self.write()?;
        self.rows.flush()?;
        eprintln!("proxysight: {}: {report}", path.display());
        let rejected = self.account.totals(0, 0).rejected;
        let rejected = (rejected, "events could not be decoded; please report this");
        let remarks = self.pipeline.remarks().map(|remark| (remark.count, remark.meaning));
        for (count, what) in [rejected].into_iter().chain(remarks) {
            if count != 0 {
                eprintln!("proxysight: {count} {what}");
            }
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        self.rows.write(&self.output.records)?;
        self.output.records.clear();
        Ok(())
    }
}

/// A capture's time is the time of day.
fn clock() -> Clock {
    Clock::new(0, 0)
}
