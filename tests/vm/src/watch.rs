//! What the kernel programs say: every event, decoded and kept, so that a check can ask for those of its own socket.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use monitor::kernel::Ring;
use monitor_common::event::{Body, Event, Origin, Reason, decode};
use monitor_common::policy::Verdict;
use monitor_common::wire::NameSource;
use monitor_common::wire::starttls::Service;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How long anything may take before a check fails. Generous: an emulated machine is slow, and a loaded host slower.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An event that was decoded, with its own copy of the name.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// The handshake is done.
    Established(Origin),
    /// A name was found.
    Named(Named),
    /// The proxy answered; the bytes with which it began.
    Replied(Vec<u8>),
    /// The connection is gone.
    Closed {
        /// Bytes that arrived at the peer.
        sent: u64,
        /// Bytes that came from it.
        received: u64,
    },
    /// A connection came to nothing.
    Failed(Origin, Reason),
    /// A connection came in.
    Accepted(Origin),
    /// A socket waits for connections.
    Listening(Origin),
    /// A datagram for user space to read.
    Datagram { origin: Origin, is_inbound: bool, payload: Vec<u8> },
    /// What was sent can be read in two ways.
    Unreadable(Verdict),
    /// A raw socket was made, for this protocol.
    RawSocket(Origin, u16),
    /// Bytes that are no event.
    Malformed(String),
}

/// A name, and what the kernel did.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) origin: Origin,
    pub(crate) source: NameSource,
    pub(crate) port: u16,
    pub(crate) in_tunnel: bool,
    /// Whether it is not what the proxy was asked for.
    pub(crate) differs: bool,
    pub(crate) verdict: Verdict,
    pub(crate) rule: u32,
    pub(crate) name: String,
    /// The hello that the name is from; empty for other sources.
    pub(crate) hello: Vec<u8>,
    /// The protocol that turned into TLS.
    pub(crate) service: Option<Service>,
}

/// The reader of the ring.
pub(crate) struct Watch {
    log: Arc<Log>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

#[derive(Default)]
struct Log {
    /// The socket's cookie, and what was said about it, in the order of the ring.
    said: Mutex<Vec<(u64, Said)>>,
    more: Condvar,
}

impl Watch {
    /// Reads until it is [finished](Self::finish). The ring must have been made inside `runtime`.
    pub(crate) fn start(runtime: Runtime, mut ring: Ring) -> Self {
        let log = Arc::<Log>::default();
        let (stop, mut stopped) = oneshot::channel();
        let writer = Arc::clone(&log);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        readable = ring.readable() => readable?,
                        _ = &mut stopped => {
                            writer.drain(&mut ring);
                            return Ok(());
                        }
                    }
                    writer.drain(&mut ring);
                }
            })
        });
        Self { log, stop, thread }
    }

    /// Waits until `pick` finds what it wants in what was said about one socket.
    ///
    /// # Errors
    /// It does not in [`PATIENCE`]; the error has what was said instead.
    pub(crate) fn wait<T>(&self, cookie: u64, what: &str, pick: impl Fn(&[Said]) -> Option<T>) -> Result<T> {
        self.wait_among(|about| about == cookie, what, pick)
    }

    /// The same for all sockets, when it is not known which one it is.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(crate) fn wait_for_any<T>(&self, what: &str, pick: impl Fn(&Said) -> Option<T>) -> Result<T> {
        self.wait_among(|_| true, what, |said| said.iter().find_map(&pick))
    }

    fn wait_among<T>(
        &self,
        is_wanted: impl Fn(u64) -> bool,
        what: &str,
        pick: impl Fn(&[Said]) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut said = self.log.said.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let about = said.iter().filter(|(about, _)| is_wanted(*about));
            let about: Vec<Said> = about.map(|(_, said)| said.clone()).collect();
            if let Some(found) = pick(&about) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("no event says {what}; the last of {} is {:?}", about.len(), about.last());
            }
            said = self.log.more.wait_timeout(said, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reads what is left and gives how many events there were in all.
    ///
    /// # Errors
    /// The ring could not be read, or held something that is no event.
    pub(crate) fn finish(self) -> Result<u64> {
        // The thread may have ended by itself, with an error that `join` tells.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow!("the reader of the ring panicked"))??;
        let said = self.log.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, Said::Malformed(why))) = said.iter().find(|(_, said)| matches!(said, Said::Malformed(_))) {
            bail!("the ring held something that is no event: {why}");
        }
        u64::try_from(said.len()).context("count the events")
    }
}

impl Log {
    fn drain(&self, ring: &mut Ring) {
        ring.drain(|bytes| {
            let one = match decode(bytes) {
                Ok(event) => (event.header.cookie, said(&event)),
                Err(error) => (0, Said::Malformed(error.to_string())),
            };
            self.said.lock().unwrap_or_else(PoisonError::into_inner).push(one);
            ControlFlow::Continue(())
        });
        self.more.notify_all();
    }
}

fn said(event: &Event<'_>) -> Said {
    match event.body {
        Body::Attempted { .. } => Said::Malformed("an attempt that nobody asked to hear of".to_owned()),
        Body::Established { origin } => Said::Established(*origin),
        Body::Named { origin, source, port, in_tunnel, differs, verdict, rule, is_address, name, hello, service } => {
            Said::Named(Named {
                origin: *origin,
                source,
                port,
                in_tunnel,
                differs,
                verdict,
                rule,
                name: if is_address { address(name) } else { String::from_utf8_lossy(name).into_owned() },
                hello: hello.to_vec(),
                service,
            })
        }
        Body::Replied { bytes, .. } => Said::Replied(bytes.to_vec()),
        Body::Closed { sent, received } => Said::Closed { sent, received },
        Body::Failed { origin, reason } => Said::Failed(*origin, reason),
        Body::RawSocket { origin, protocol } => Said::RawSocket(*origin, protocol),
        Body::Unreadable { verdict, .. } => Said::Unreadable(verdict),
        Body::Accepted { origin } => Said::Accepted(*origin),
        Body::Listening { origin } => Said::Listening(*origin),
        Body::Datagram { origin, is_inbound, payload, .. } => {
            Said::Datagram { origin: *origin, is_inbound, payload: payload.to_vec() }
        }
        Body::Doomed { .. } => Said::Malformed("a doomed socket in the ring of events".to_owned()),
    }
}

/// An address as text; bytes that are none stay visible.
fn address(bytes: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        IpAddr::from(v4).to_string()
    } else if let Ok(v6) = <[u8; 16]>::try_from(bytes) {
        IpAddr::from(v6).to_string()
    } else {
        format!("{bytes:?}")
    }
}
