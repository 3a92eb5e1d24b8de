//! Lines of a running program's pipe, collected by a thread and awaited by the test.
//!
//! A line that cannot be understood is kept as a fault: it fails the next wait and the end, so nothing passes unread.

use std::{
    io::{BufRead as _, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

use anyhow::{Result, anyhow, bail};

use crate::wait::PATIENCE;

/// What a program has printed so far, as items of type `T`.
#[derive(Debug)]
pub struct Feed<T> {
    shared: Arc<Shared<T>>,
    reader: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: Vec<T>,
    fault: Option<String>,
    closed: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // The state is whole between any two statements, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, item: Result<T>) {
        let mut state = self.lock();
        match item {
            Ok(item) => state.items.push(item),
            Err(fault) => {
                state.fault.get_or_insert(format!("{fault:#}"));
            }
        }
        drop(state);
        self.changed.notify_all();
    }
}

impl<T: Send + 'static> Feed<T> {
    /// Starts to read `pipe`, turning each line into an item with `parse`.
    pub fn read(pipe: impl Read + Send + 'static, parse: fn(&str) -> Result<T>) -> Self {
        let state = State { items: Vec::new(), fault: None, closed: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let writer = Arc::clone(&shared);
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                writer.push(line.map_err(Into::into).and_then(|line| parse(&line)));
            }
            writer.lock().closed = true;
            writer.changed.notify_all();
        });
        Self { shared, reader }
    }

    /// Waits until `look` finds what it wants among all items so far. `None`: the deadline passed, or the pipe closed.
    ///
    /// # Errors
    /// When a line could not be understood.
    pub fn wait_for<R>(&self, mut look: impl FnMut(&[T]) -> Option<R>) -> Result<Option<R>> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        loop {
            if let Some(fault) = &state.fault {
                bail!("{fault}");
            }
            if let Some(found) = look(&state.items) {
                return Ok(Some(found));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return Ok(None);
            }
            let woken = self.shared.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All items, once the program has closed its end of the pipe. Call it when the program has ended.
    ///
    /// # Errors
    /// When a line could not be understood.
    pub fn finish(self) -> Result<Vec<T>> {
        self.reader.join().map_err(|_| anyhow!("the reader of a pipe panicked"))?;
        let mut state = self.shared.lock();
        if let Some(fault) = state.fault.take() {
            bail!("{fault}");
        }
        Ok(std::mem::take(&mut state.items))
    }
}
