//! Records for any number of readers at once, as they are made. Each reader has a queue of its own: one that is too slow
//! loses rows of its own, is told how many and since when, and never makes anybody wait. Without a reader it costs one
//! look at a number.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::queue::{Item, Queue};
use super::{Form, append, text};
use crate::record::{EventsLost, Record};

/// Readers at one moment. A reader that stands still holds the rows of its queue, so their number bounds the memory; beyond
/// it [`Live::read`] gives none, and whoever asked counts that.
pub const READERS_MAX: usize = 16;

/// Rows that are written at once. What one look into the ring gave may be thousands.
pub(super) const CHUNK_ROWS: usize = 64;

/// Where rows of this stream are lost, as `Stage` has it.
const STAGE: &str = "Stream";

/// The readers.
#[derive(Default)]
pub struct Live {
    queues: Mutex<Vec<Arc<Queue>>>,
    /// How many queues there are: known without the lock.
    readers: AtomicUsize,
    lost_rows: AtomicU64,
}

/// Some rows, in each form written once for all who read that form, by the first of them.
pub(super) struct Chunk {
    records: Arc<Vec<Record>>,
    range: Range<usize>,
    text: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
}

/// One reader's end.
pub struct Reader {
    live: Arc<Live>,
    queue: Arc<Queue>,
    form: Form,
}

impl Live {
    /// Whether somebody reads.
    pub fn has_readers(&self) -> bool {
        self.readers() != 0
    }

    /// How many read.
    pub fn readers(&self) -> usize {
        self.readers.load(Ordering::Relaxed)
    }

    /// Rows that readers lost because they were too slow, each counted for each reader.
    pub fn lost_rows(&self) -> u64 {
        self.lost_rows.load(Ordering::Relaxed)
    }

    /// Hands rows to every reader. Never waits.
    pub fn send(&self, records: &Arc<Vec<Record>>) {
        if !self.has_readers() {
            return;
        }
        let queues = self.lock();
        for start in (0..records.len()).step_by(CHUNK_ROWS) {
            let range = start..records.len().min(start + CHUNK_ROWS);
            let chunk = Chunk { records: records.clone(), range, text: OnceLock::new(), json: OnceLock::new() };
            let chunk = Arc::new(chunk);
            let lost: u64 = queues.iter().map(|queue| queue.push(&chunk)).sum();
            self.lost_rows.fetch_add(lost, Ordering::Relaxed);
        }
    }

    /// Begins to read. None: there are [`READERS_MAX`] already.
    pub fn read(self: &Arc<Self>, form: Form) -> Option<Reader> {
        let mut queues = self.lock();
        if queues.len() >= READERS_MAX {
            return None;
        }
        let queue = Arc::<Queue>::default();
        queues.push(queue.clone());
        self.readers.store(queues.len(), Ordering::Relaxed);
        Some(Reader { live: self.clone(), queue, form })
    }

    /// Nothing comes any more: readers get what is in their queues, and then the end.
    pub fn close(&self) {
        self.lock().iter().for_each(|queue| queue.close());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Queue>>> {
        // The list is whole between any two statements, so a panic elsewhere does not spoil it.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chunk {
    pub(super) fn rows(&self) -> usize {
        self.range.len()
    }

    fn records(&self) -> &[Record] {
        self.records.get(self.range.clone()).unwrap_or_default()
    }

    /// What is told of these rows when they are lost.
    pub(super) fn lost(&self) -> Option<EventsLost> {
        EventsLost::of(STAGE, self.records())
    }

    fn bytes(&self, form: Form) -> io::Result<Bytes> {
        let written = match form {
            Form::Text => &self.text,
            Form::Json => &self.json,
        };
        if let Some(bytes) = written.get() {
            return Ok(bytes.clone());
        }
        let mut out = BytesMut::new();
        self.records().iter().try_for_each(|record| append(&mut out, record, form))?;
        Ok(written.get_or_init(|| out.freeze()).clone())
    }
}

impl Reader {
    /// The next lines, or the end.
    ///
    /// # Errors
    /// Of writing rows; none in practice.
    pub fn poll_rows(&self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.queue.poll(context).map(|item| match item? {
            Item::Rows(chunk) => Some(chunk.bytes(self.form)),
            Item::Lost(lost) => Some(lost_line(&lost, self.form)),
        })
    }
}

fn lost_line(lost: &EventsLost, form: Form) -> io::Result<Bytes> {
    let mut out = BytesMut::new();
    match form {
        Form::Text => out.put_slice(text::lost_line(lost).as_bytes()),
        Form::Json => lost.write_json(&mut out)?,
    }
    out.put_u8(b'\n');
    Ok(out.freeze())
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut queues = self.live.lock();
        queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        self.live.readers.store(queues.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use monitor_common::event::{Endpoints, Header, Origin, Owner, Reason};
    use monitor_common::policy::Mode;

    use super::*;
    use crate::correlate::{Change, Connection, What};
    use crate::record::{Clock, Device, Recorder};
    use crate::stream::queue::QUEUED_ROWS_MAX;

    struct Source {
        recorder: Recorder,
        connection: Arc<Connection>,
    }

    impl Source {
        fn new() -> Self {
            let endpoints = Endpoints { family: 4, ..Endpoints::EMPTY };
            let origin = Origin { owner: Owner::EMPTY, endpoints };
            let connection = Arc::new(Connection::new(&Header::EMPTY, &origin, 1, Arc::default()));
            Self { recorder: Recorder::new(Device { id: String::new(), name: String::new() }, Mode::Audit), connection }
        }

        fn rows(&mut self, count: usize) -> Arc<Vec<Record>> {
            let change = || Change {
                time_ns: 1,
                connection: self.connection.clone(),
                what: What::NotConnected(Reason::Refused),
            };
            Arc::new((0..count).map(|_| self.recorder.record(change(), None, Clock::new(0, 0))).collect())
        }
    }

    /// Every line that waits for a reader, and whether the end is reached.
    fn lines(reader: &Reader) -> (Vec<String>, bool) {
        let mut all = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        let ended = loop {
            match reader.poll_rows(&mut context) {
                Poll::Ready(Some(bytes)) => all.extend_from_slice(&bytes.unwrap()),
                Poll::Ready(None) => break true,
                Poll::Pending => break false,
            }
        };
        let text = String::from_utf8(all).unwrap();
        (text.lines().map(str::to_owned).collect(), ended)
    }

    fn count_of(line: &str) -> usize {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        if row["ActionType"] != EventsLost::ACTION {
            return 1;
        }
        let additional: serde_json::Value = serde_json::from_str(row["AdditionalFields"].as_str().unwrap()).unwrap();
        additional["Count"].as_u64().unwrap().try_into().unwrap()
    }

    #[test]
    fn every_reader_gets_every_row_in_order_and_then_the_end() {
        let (live, mut source) = (Arc::<Live>::default(), Source::new());
        live.send(&source.rows(3));
        let readers = [Form::Json, Form::Json, Form::Text].map(|form| live.read(form).unwrap());
        live.send(&source.rows(CHUNK_ROWS + 1));
        live.send(&source.rows(1));
        live.close();
        let all = readers.each_ref().map(lines);
        assert_eq!(all.each_ref().map(|(lines, ended)| (lines.len(), *ended)), [(CHUNK_ROWS + 2, true); 3]);
        assert_eq!(all[0], all[1]);
        assert!(all[0].0[0].contains("\"ReportId\":4,") && all[2].0[0].contains("refused"));
        drop(readers);
        assert!(!live.has_readers());
    }

    #[test]
    fn a_slow_reader_loses_its_own_rows_and_is_told_where_and_how_many() {
        let (live, mut source) = (Arc::<Live>::default(), Source::new());
        let [slow, quick] = [(); 2].map(|()| live.read(Form::Json).unwrap());
        let (mut read, batches) = (0, 3 * QUEUED_ROWS_MAX / 1000);
        for _ in 0..batches {
            live.send(&source.rows(1000));
            read += lines(&quick).0.len();
        }
        assert_eq!(read, 1000 * batches);
        let (got, _) = lines(&slow);
        assert!(got.len() <= QUEUED_ROWS_MAX + 1);
        assert!(got.last().unwrap().contains("SensorEventsLost"));
        assert_eq!(got.iter().map(|line| count_of(line)).sum::<usize>(), read);
        assert_eq!(usize::try_from(live.lost_rows()).unwrap(), read + 1 - got.len());
        live.send(&source.rows(5));
        assert_eq!(lines(&slow).0.len(), 5);
    }

    #[test]
    fn there_is_room_for_so_many_readers() {
        let live = Arc::<Live>::default();
        let mut readers: Vec<Reader> = std::iter::from_fn(|| live.read(Form::Text)).take(READERS_MAX + 1).collect();
        assert_eq!((readers.len(), live.readers()), (READERS_MAX, READERS_MAX));
        readers.pop();
        assert!(live.read(Form::Text).is_some());
    }
}
