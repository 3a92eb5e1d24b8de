//! The server's thread: accepts, admits, and ends. It never reads a request itself; that is hyper's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fs, io};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::service::{Admission, Counts, Service, Usage};
use super::{Error, Status, socket};
use crate::stream::Live;

/// Connections that are served at one moment. Each takes a descriptor, of which a process has 1,024 and the process table
/// up to 512. Beyond it: 503, [`Usage::refused`].
const CONNECTIONS_MAX: usize = 64;

/// Connections that are told that they are one too many, at one moment. Beyond it they are closed without a word.
const REFUSALS_MAX: usize = 64;

/// Bytes of a request's line and header. Beyond it: 431.
const HEADER_BYTES_MAX: usize = 8 * 1024;

/// Fields of a request's header. Beyond it: 431.
const HEADER_FIELDS_MAX: usize = 64;

/// What is gathered for a connection before it is written. hyper's least.
const BUFFER_BYTES_MAX: usize = 8 * 1024;

/// How long a client may take to send a header; then its connection is closed.
const HEADER_TIME: Duration = Duration::from_secs(5);

/// How long streams may take to read their last rows when the daemon ends.
const LAST_ROWS_TIME: Duration = Duration::from_secs(1);

/// After the system had no descriptor for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Questions that may wait for the pipeline. Whoever comes later waits to ask.
const QUESTIONS_MAX: usize = 8;

/// Somebody wants to know how the daemon is.
pub type Question = oneshot::Sender<Status>;

/// The server, at work until it is dropped or [finished](Self::finish).
pub struct Server {
    path: PathBuf,
    live: Arc<Live>,
    counts: Arc<Counts>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Makes the socket and serves it. Who asks how the daemon is comes out of the receiver.
    ///
    /// # Errors
    /// The socket cannot be made, or the system has no thread left.
    pub fn start(path: &Path, live: Arc<Live>) -> Result<(Self, mpsc::Receiver<Question>), Error> {
        let listener = socket::listen(path)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let listener = {
            let _inside = runtime.enter();
            UnixListener::from_std(listener).map_err(Error::Thread)?
        };
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        let (stop, stopped) = oneshot::channel();
        let counts = Arc::<Counts>::default();
        let service = Service { live: live.clone(), questions, counts: counts.clone() };
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || runtime.block_on(serve(listener, service, stopped)))
            .map_err(Error::Thread)?;
        Ok((Self { path: path.to_owned(), live, counts, stop: Some(stop), thread: Some(thread) }, asked))
    }

    /// Who used it so far.
    pub fn usage(&self) -> Usage {
        self.counts.usage()
    }

    /// Ends: streams get the rows that wait for them and the end, and the socket is removed.
    ///
    /// # Errors
    /// The socket's file could not be removed, or the thread panicked.
    pub fn finish(mut self) -> io::Result<()> {
        self.live.close();
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        drop(self.stop.take());
        let joined = thread.join().map_err(|_| io::Error::other("the thread of the control socket panicked"));
        joined.and(fs::remove_file(&self.path))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The daemon ends by an error, and that is what it tells of.
        let _ = self.end();
    }
}

/// Serves until `stopped`, and then for as long as the last rows take.
async fn serve(listener: UnixListener, service: Service, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &service, &mut connections),
                Err(_) => {
                    service.counts.failed.fetch_add(1, Ordering::Relaxed);
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
        service.counts.connections.store(connections.len(), Ordering::Relaxed);
    }
    drop(listener);
    // Whoever does not read is not waited for longer.
    let _ = timeout(LAST_ROWS_TIME, async { while connections.join_next().await.is_some() {} }).await;
}

fn admit(stream: UnixStream, service: &Service, connections: &mut JoinSet<()>) {
    let counts = &service.counts;
    let admission = if connections.len() >= CONNECTIONS_MAX {
        counts.refused.fetch_add(1, Ordering::Relaxed);
        Admission::TooMany
    } else if !may_ask(&stream) {
        counts.denied.fetch_add(1, Ordering::Relaxed);
        Admission::Denied
    } else {
        Admission::Granted
    };
    if connections.len() < CONNECTIONS_MAX + REFUSALS_MAX {
        connections.spawn(converse(stream, admission, service.clone()));
    }
}

/// Root, and whoever the daemon runs as: that user can do everything to it anyway.
fn may_ask(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| [0, own].contains(&peer.uid()))
}

/// One request and its answer.
async fn converse(stream: UnixStream, admission: Admission, service: Service) {
    let answer = service_fn(move |request| service.clone().answer(admission, request));
    let conversation = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_header_size(HEADER_BYTES_MAX)
        .max_headers(HEADER_FIELDS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    // A client that goes away, or sends what is no HTTP, is its own affair.
    let _ = conversation.await;
}
