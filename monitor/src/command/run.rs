//! `proxysight run`: the daemon in the foreground.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use monitor_common::counter::Counter;
use monitor_common::event::Header;
use monitor_common::limits::EVENTS_RING_BYTES;
use monitor_common::policy::Mode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::found::{self, Listed};
use super::report::{Known, Parts};
use super::{Failure, lock, policy_files, settings};
use crate::account::Account;
use crate::cli::Run;
use crate::config::Settings;
use crate::control::{Question, Server, Status};
use crate::correlate::{Correlator, NAME_WAIT_NS};
use crate::decide::Policy;
use crate::host;
use crate::kernel::{self, Attached, Destroyer, PolicyTable, Ring, TableEntry};
use crate::pipeline::{Output, Pipeline};
use crate::record::Recorder;
use crate::stream::{Batch, Flush, Form, Live, Stream};

/// Events taken from the ring before signals and timers get their turn.
const EVENTS_PER_TURN: usize = 4096;

/// Turns in which everything is taken that a ring can hold: no event is shorter than its header.
const TURNS_OF_A_FULL_RING: usize = EVENTS_RING_BYTES as usize / size_of::<Header>() / EVENTS_PER_TURN + 1;

/// After a turn with as many events, the daemon lets more gather before it looks again: on a busy host most of the cost of
/// an event is being woken for it. Blocked sockets do not wait for this: they have a ring and a thread of their own.
const BUSY_EVENTS: usize = 8;
const GATHER: Duration = Duration::from_millis(10);

/// How often the connections that wait for a name are looked at.
const EXPIRE_EVERY: Duration = Duration::from_millis(50);

pub(super) fn run(args: &Run) -> Result<ExitCode, Failure> {
    let (settings, file) = settings::resolve(&args.settings)?;
    if let Some(file) = file {
        eprintln!("proxysight: configured by {}", file.display());
    }
    let mode = *settings.mode.value();
    let policy = policy_files::read(settings.policy.value(), args.lenient.into())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(async {
        let mut stop = Stop::listen()?;
        if mode == Mode::Off {
            eprintln!("proxysight: mode off: nothing is attached; give --mode audit or --mode block, or set mode in the configuration, to see something");
            stop.wait().await;
            return Ok(ExitCode::SUCCESS);
        }
        let support = kernel::probe()?;
        let _lock = lock::take()?;
        let entries = policy.indicators().iter();
        let entries = entries.map(|each| TableEntry { name: each.name.as_str(), exact: each.exact });
        let table = PolicyTable::new(settings.orders(), entries)?;
        let rules = policy.indicators().len();
        let kernel = Attached::new(&support, &table)?;
        let known = Known::new(&support, settings.policy.value(), host::clock().wall(host::boot_ns()));
        let daemon = Daemon::new(args, &settings, policy, known, kernel)?;
        eprintln!(
            "proxysight: attached to {} on Linux {}: mode {}, {rules} {}",
            support.cgroup.display(),
            support.release,
            mode.name(),
            if rules == 1 { "rule" } else { "rules" }
        );
        daemon.work(&mut stop).await
    })
}

/// Everything at work.
struct Daemon {
    attached: Attached,
    ring: Ring,
    pipeline: Pipeline,
    destroyer: Destroyer,
    account: Arc<Account>,
    stream: Option<Stream>,
    stream_ended: oneshot::Receiver<()>,
    live: Arc<Live>,
    control: Server,
    questions: mpsc::Receiver<Question>,
    known: Known,
    /// What was open at the start, until it is told.
    found: Option<oneshot::Receiver<Listed>>,
}

/// When the ring is looked into again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// There was more than one turn takes.
    AtOnce,
    /// Much is going on.
    Gathered,
    /// The ring was as good as empty.
    Readable,
}

impl Daemon {
    fn new(
        args: &Run,
        settings: &Settings,
        policy: Policy,
        known: Known,
        (attached, ring, destroyer): (Attached, Ring, Destroyer),
    ) -> Result<Self, Failure> {
        let account = Arc::<Account>::default();
        let mut correlator = Correlator::new(host::boot_id()?, settings.families());
        let found = if *settings.records.found.value() {
            correlator.expect_found();
            Some(found::start().context("start the list of open connections")?)
        } else {
            None
        };
        let recorder = Recorder::new(host::device(), settings.orders());
        // Without a stream there is no end to hear of, and `work` does not listen.
        let (stream, stream_ended) = if args.stream {
            let form = *settings.records.format.value();
            let (stream, ended) = start_stream(form, account.clone()).context("start the stream")?;
            (Some(stream), ended)
        } else {
            (None, oneshot::channel().1)
        };
        let live = Arc::<Live>::default();
        let (control, questions) = Server::start(&args.control, live.clone())?;
        Ok(Self {
            attached,
            ring,
            pipeline: Pipeline::new(account.clone(), correlator, policy, recorder),
            destroyer,
            account,
            stream,
            stream_ended,
            live,
            control,
            questions,
            known,
            found,
        })
    }

    async fn work(mut self, stop: &mut Stop) -> Result<ExitCode, Failure> {
        let streams = self.stream.is_some();
        let mut next = Next::Readable;
        let mut expiry = interval(EXPIRE_EVERY);
        expiry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                readable = self.ring.readable(), if next == Next::Readable => readable?,
                () = sleep(GATHER), if next == Next::Gathered => {}
                () = yield_now(), if next == Next::AtOnce => {}
                _ = expiry.tick(), if self.pipeline.is_waiting() => {
                    self.expire(host::boot_ns());
                    continue;
                }
                Some(question) = self.questions.recv() => {
                    match self.status() {
                        // Who asked may have gone.
                        Ok(status) => drop(question.send(status)),
                        // No reason to stop; who asked hears that there is no answer.
                        Err(error) => eprintln!("proxysight: the status is not known: {error}"),
                    }
                    continue;
                }
                listed = listed(&mut self.found) => {
                    self.tell_found(listed)?;
                    continue;
                }
                () = stop.wait() => break,
                // Whoever read the rows is gone.
                _ = &mut self.stream_ended, if streams => break,
            }
            next = match self.take_turn()? {
                EVENTS_PER_TURN => Next::AtOnce,
                BUSY_EVENTS.. => Next::Gathered,
                _ => Next::Readable,
            };
        }
        self.finish()
    }

    fn status(&self) -> Result<Status, kernel::Error> {
        let parts = Parts {
            known: &self.known,
            attached: &self.attached,
            pipeline: &self.pipeline,
            destroyed: self.destroyer.destroyed(),
            account: &self.account,
            live: &self.live,
            usage: self.control.usage(),
        };
        parts.status()
    }

    /// Takes events from the ring; gives how many.
    fn take_turn(&mut self) -> Result<usize, Failure> {
        let clock = host::clock();
        let mut output = Output::default();
        let mut taken = 0;
        let pipeline = &mut self.pipeline;
        pipeline.begin_turn();
        self.ring.drain(|bytes| {
            pipeline.event(bytes, clock, &mut output);
            taken += 1;
            if taken < EVENTS_PER_TURN { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        for (flow, verdict) in output.quic.drain(..) {
            self.attached.decide_quic(flow, verdict)?;
        }
        self.hand_on(output);
        Ok(taken)
    }

    /// Tells what was open at the start. None: the thread that lists has ended without a list.
    fn tell_found(&mut self, listed: Option<Listed>) -> Result<(), Failure> {
        self.found = None;
        let Some(Listed { list, time_ns, remarks }) = listed else {
            eprintln!("proxysight: the connections that were open at the start could not be listed");
            return Ok(());
        };
        remarks.iter().for_each(|remark| eprintln!("proxysight: {remark}"));
        // What began before the list was made is in the ring, and is not found. A full ring is that many turns; what comes
        // meanwhile began later.
        for _ in 0..TURNS_OF_A_FULL_RING {
            if self.take_turn()? == 0 {
                break;
            }
        }
        let mut output = Output::default();
        self.pipeline.found(list, time_ns, host::clock(), &mut output);
        self.hand_on(output);
        Ok(())
    }

    fn expire(&mut self, now_ns: u64) {
        let mut output = Output::default();
        self.pipeline.expire(now_ns, host::clock(), &mut output);
        self.hand_on(output);
    }

    fn hand_on(&self, output: Output) {
        let Output { records, events, .. } = output;
        if self.stream.is_none() && !self.live.has_readers() {
            return self.account.recorded(events);
        }
        let records = Arc::new(records);
        self.live.send(&records);
        match &self.stream {
            Some(stream) if events != 0 || !records.is_empty() => stream.send(Batch { records, events }),
            Some(_) => {}
            None => self.account.recorded(events),
        }
    }

    /// Detaches, records what is still in the ring, and accounts for everything.
    fn finish(mut self) -> Result<ExitCode, Failure> {
        self.attached.detach();
        while self.take_turn()? != 0 {}
        self.expire(host::boot_ns().saturating_add(NAME_WAIT_NS));
        let written = self.stream.take().map_or(Ok(()), Stream::finish);
        self.control.finish().context("end the control socket")?;
        let counts = self.attached.counts()?;
        let totals = self.account.totals(counts.of(Counter::Emitted), counts.of(Counter::RingFull));
        eprintln!("proxysight: detached: {totals}");
        let failed = self.destroyer.finish()?.failed + counts.of(Counter::DoomedRingFull);
        let failed = (failed, "blocked sockets could not be destroyed; their owners waited for a time-out");
        let downgraded =
            (counts.of(Counter::QuicDowngraded), "QUIC packets were dropped, so that their clients use TCP");
        let remarks = self.pipeline.remarks().map(|remark| (remark.count, remark.meaning));
        for (count, what) in [failed, downgraded].into_iter().chain(remarks) {
            if count != 0 {
                eprintln!("proxysight: {count} {what}");
            }
        }
        written.context("write the stream")?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Waits for a list; for ever when none is awaited.
async fn listed(found: &mut Option<oneshot::Receiver<Listed>>) -> Option<Listed> {
    match found {
        Some(receiver) => receiver.await.ok(),
        None => std::future::pending().await,
    }
}

/// Rows go out one by one where somebody waits for them, in larger writes to a file.
fn start_stream(form: Form, account: Arc<Account>) -> io::Result<(Stream, oneshot::Receiver<()>)> {
    // A descriptor of its own: `Stdout` has a line buffer in front.
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let flush = if !out.is_terminal() && out.metadata()?.is_file() { Flush::EachBatch } else { Flush::EachRow };
    Stream::start(out, form, flush, account)
}

/// SIGINT or SIGTERM.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("listen to SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("listen to SIGTERM")?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
