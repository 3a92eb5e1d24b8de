//! Records as they are made. [`Stream`] is standard output, written by a thread of its own, and [`Live`] is whoever asks
//! the daemon: who reads slowly, or not at all, never makes the pipeline wait. What finds a queue full is lost and counted.

mod live;
mod queue;
mod text;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use bytes::{BufMut as _, BytesMut};
pub use live::{Live, READERS_MAX, Reader};
use tokio::sync::oneshot;

use crate::account::Account;
use crate::record::Record;

/// Batches that may wait for the writer. A batch holds what one look into the ring gave.
const BATCHES_MAX: usize = 1024;

/// Bytes that are gathered before they are written, unless each row is written at once.
const WRITE_BYTES: usize = 64 * 1024;

/// How a row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An aligned line for people.
    Text,
    /// A JSON object.
    Json,
}

/// When rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Each by itself: somebody is waiting at the other end.
    EachRow,
    /// As they come: the other end is a file.
    EachBatch,
}

/// Rows, and how many events they stand for.
pub struct Batch {
    /// The rows.
    pub records: Arc<Vec<Record>>,
    /// How many events.
    pub events: u64,
}

/// The writer.
pub struct Stream {
    queue: Option<SyncSender<Batch>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    account: Arc<Account>,
}

impl Stream {
    /// Starts writing to `out`. The receiver hears when the reader of a pipe is gone, or writing failed.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(
        out: impl Write + Send + 'static,
        form: Form,
        flush: Flush,
        account: Arc<Account>,
    ) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let (queue, batches) = sync_channel(BATCHES_MAX);
        let (ended, end) = oneshot::channel();
        let theirs = account.clone();
        let thread = std::thread::Builder::new().name("stream".to_owned()).spawn(move || {
            let result = write_batches(out, form, flush, &batches, &theirs);
            // Nobody listens any more when the daemon itself is about to end.
            let _ = ended.send(());
            result
        })?;
        Ok((Self { queue: Some(queue), thread: Some(thread), account }, end))
    }

    /// Hands rows to the writer. Never waits.
    pub fn send(&self, batch: Batch) {
        match self.queue.as_ref().map(|queue| queue.try_send(batch)) {
            Some(Ok(())) | None => {}
            Some(Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch))) => {
                self.account.unwritten(batch.events);
            }
        }
    }

    /// Writes what is waiting and ends.
    ///
    /// # Errors
    /// Why writing ended before; a reader that went away is no error.
    pub fn finish(mut self) -> io::Result<()> {
        self.queue = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the writer of the stream panicked")),
            None => Ok(()),
        }
    }
}

/// Writes rows in the thread that makes them: for those who would rather wait than lose one.
pub struct Rows<W> {
    out: W,
    form: Form,
    flush: Flush,
    buffer: BytesMut,
}

impl<W: Write> Rows<W> {
    /// To `out`.
    pub fn new(out: W, form: Form, flush: Flush) -> Self {
        Self { out, form, flush, buffer: BytesMut::with_capacity(WRITE_BYTES) }
    }

    /// Takes rows. Those that are not to be written one by one may stay in a buffer.
    ///
    /// # Errors
    /// Writing failed, or nobody reads any more ([`BrokenPipe`](io::ErrorKind::BrokenPipe)).
    pub fn write(&mut self, records: &[Record]) -> io::Result<()> {
        for record in records {
            append(&mut self.buffer, record, self.form)?;
            if self.flush == Flush::EachRow || self.buffer.len() >= WRITE_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes what is in the buffer.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.out.write_all(&self.buffer)?;
            self.out.flush()?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// Appends a row and its line end.
fn append(out: &mut BytesMut, record: &Record, form: Form) -> io::Result<()> {
    match form {
        Form::Text => writeln!(out.writer(), "{}", text::line(record)),
        Form::Json => {
            record.write_json(out)?;
            out.put_u8(b'\n');
            Ok(())
        }
    }
}

fn write_batches(
    out: impl Write,
    form: Form,
    flush: Flush,
    batches: &Receiver<Batch>,
    account: &Account,
) -> io::Result<()> {
    let mut rows = Rows::new(out, form, flush);
    while let Ok(batch) = batches.recv() {
        if let Err(error) = rows.write(&batch.records).and_then(|()| rows.flush()) {
            account.unwritten(batch.events);
            // What is in the queue now can never be written; what is sent later is counted by the sender.
            batches.try_iter().for_each(|batch| account.unwritten(batch.events));
            return Err(error);
        }
        account.recorded(batch.events);
    }
    Ok(())
}
