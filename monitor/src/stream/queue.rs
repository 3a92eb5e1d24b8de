//! What waits for one reader: rows, and in their place a mark where rows are missing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::live::{CHUNK_ROWS, Chunk};
use crate::record::EventsLost;

/// Rows that may wait: about 16 MiB as JSON. Beyond it they are lost, and the reader is told.
pub(super) const QUEUED_ROWS_MAX: usize = 8192;

const _: () = assert!(CHUNK_ROWS <= QUEUED_ROWS_MAX, "an empty queue takes everything that comes at once");

/// The queue, filled by the pipeline and emptied by a task elsewhere.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    rows: usize,
    is_closed: bool,
    waker: Option<Waker>,
}

pub(super) enum Item {
    Rows(Arc<Chunk>),
    Lost(EventsLost),
}

impl Queue {
    /// Adds rows, or the mark that they are missing; gives how many were lost.
    pub(super) fn push(&self, chunk: &Arc<Chunk>) -> u64 {
        let mut state = self.lock();
        let lost = if state.rows + chunk.rows() <= QUEUED_ROWS_MAX {
            state.rows += chunk.rows();
            state.items.push_back(Item::Rows(chunk.clone()));
            0
        } else {
            state.lose(chunk)
        };
        wake(state);
        lost
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        wake(state);
    }

    /// The next item; none at the end.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.lock();
        match state.items.pop_front() {
            Some(Item::Rows(chunk)) => {
                state.rows -= chunk.rows();
                Poll::Ready(Some(Item::Rows(chunk)))
            }
            Some(lost) => Poll::Ready(Some(lost)),
            None if state.is_closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lose(&mut self, chunk: &Chunk) -> u64 {
        let Some(lost) = chunk.lost() else {
            return 0;
        };
        let count = lost.count;
        match self.items.back_mut() {
            Some(Item::Lost(before)) => before.extend(&lost),
            Some(Item::Rows(_)) | None => self.items.push_back(Item::Lost(lost)),
        }
        count
    }
}

/// Wakes the reader when the lock is free again: it would only wait for it.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
