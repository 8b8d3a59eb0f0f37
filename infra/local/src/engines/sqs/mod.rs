//! SQS in memory, behind the real SDK client: standard queues with fair groups, delays, visibility,
//! dead letters and long polling.
//!
//! Most queues do not outlive the process, and need not: due rows in the table are the durable
//! record, so a lost queue means that a lease runs out. A queue that is the only record of what is
//! on it is named durable when the engine is opened: a message sent to it is on disk before the
//! send is answered, gone from there before its delete is answered, and back (visible) when the
//! queue is created after a restart ([`journal`]). A call the disk refused is answered 500.
//!
//! Time comes from the stack's clock; whoever moves that clock calls [`SqsEngine::clock_moved`]. A
//! message whose dead-letter queue does not exist is delivered again and again, never dropped.
//!
//! Left out: FIFO queues (refused), access policies (accepted, ignored), message move tasks, tags.

mod checksum;
mod error;
mod input;
mod journal;
mod operations;
mod queue;
mod receipt;
mod settings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::Notify;

use self::error::SqsError;
use self::journal::{Change, Journal};
use self::queue::{Message, Millis, Queue};
use super::Clock;
use super::connector::{Call, Reply, Service};
use super::fault::ServiceName;
use super::meter::Usage;
pub use queue::Depth;

/// SQS bills a request for each 64 KiB of payload begun.
const BILLED_BYTES: u64 = 65_536;

/// Why the engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SqsOpenError {
    #[error("no randomness")]
    Randomness(#[from] getrandom::Error),
    #[error("{path}: {source}")]
    Journal { path: PathBuf, source: rusqlite::Error },
}

/// An SQS-compatible engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct SqsEngine {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    /// Held for moments, never over a wait or a sync.
    state: Mutex<State>,
    /// Where durable queues are kept; nowhere in memory.
    journal: Option<Journal>,
    /// Something may have become visible.
    changed: Notify,
}

/// All queues by name.
struct State {
    queues: BTreeMap<String, Queue>,
    /// Distinguishes this engine's receipts from those of an earlier process.
    instance: u64,
    messages: u64,
    /// Names of the queues whose messages are kept; none without a journal.
    durable: &'static [&'static str],
    /// What an earlier process left on queues that are not created yet.
    earlier: BTreeMap<String, Vec<Message>>,
    /// Still to be written to the journal, before the call that caused it is answered.
    changes: Vec<Change>,
}

impl std::fmt::Debug for SqsEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqsEngine")
    }
}

impl SqsEngine {
    /// An engine without queues. Those named in `durable` keep their messages in the SQLite file at
    /// `path`; without a path nothing is kept. Not for two engines at once: whoever opens the
    /// folder sees to that.
    ///
    /// # Errors
    /// When the system has no randomness to give, or the file is not a journal.
    #[expect(clippy::disallowed_methods, reason = "receipts must differ from an earlier process's")]
    pub fn open(
        path: Option<&Path>,
        durable: &'static [&'static str],
        clock: Clock,
    ) -> Result<Self, SqsOpenError> {
        let now = clock().as_millisecond();
        let opened = path.map(|path| {
            Journal::open(path, now)
                .map_err(|source| SqsOpenError::Journal { path: path.into(), source })
        });
        let (journal, earlier) = opened.transpose()?.unzip();
        let state = State {
            queues: BTreeMap::new(),
            instance: getrandom::u64()?,
            messages: 0,
            durable: if journal.is_some() { durable } else { &[] },
            earlier: earlier.unwrap_or_default(),
            changes: Vec::new(),
        };
        let (state, changed) = (Mutex::new(state), Notify::new());
        Ok(Self { inner: Arc::new(Inner { clock, state, journal, changed }) })
    }

    /// Wakes long polls so that they look at the clock again. To be called after the clock was set,
    /// not for its own ticks.
    pub fn clock_moved(&self) {
        self.inner.changed.notify_waiters();
    }

    /// Messages of a queue by where they are now, `None` when there is no such queue.
    pub fn depth(&self, queue: &str) -> Option<Depth> {
        let now = self.inner.now();
        self.inner.lock().queues.get_mut(queue).map(|queue| queue.depth(now))
    }

    /// When the next delayed or in-flight message of any queue becomes visible: how far a test may
    /// move its clock.
    pub fn next_change(&self) -> Option<jiff::Timestamp> {
        let next = self.inner.lock().queues.values().filter_map(Queue::next_change).min()?;
        jiff::Timestamp::from_millisecond(next).ok()
    }
}

impl Inner {
    fn now(&self) -> Millis {
        (self.clock)().as_millisecond()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self: &Arc<Self>, operation: &str, body: &Value) -> Result<Value, SqsError> {
        if operation == "ReceiveMessage" {
            return self.receive(body).await;
        }
        let (answer, changes) = {
            let mut state = self.lock();
            (state.run(operation, body, self.now()), std::mem::take(&mut state.changes))
        };
        self.keep(changes).await?;
        self.changed.notify_waiters();
        answer
    }

    /// Writes `changes` to the journal, then puts what was sent on its queue. Also done to the end
    /// when the caller no longer waits.
    ///
    /// # Errors
    /// When the disk refuses. What was sent is then nowhere; what was deleted or moved comes back
    /// after a restart, as SQS may also deliver again.
    async fn keep(self: &Arc<Self>, changes: Vec<Change>) -> Result<(), SqsError> {
        if changes.is_empty() {
            return Ok(());
        }
        let inner = Arc::clone(self);
        let work = move || {
            inner.journal.as_ref().map_or(Ok(()), |journal| journal.write(&changes))?;
            inner.lock().settle(changes);
            inner.changed.notify_waiters();
            Ok::<(), rusqlite::Error>(())
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "queue journal failed");
                Err(SqsError::internal())
            }
            Err(error) => {
                tracing::error!(%error, "queue journal stopped in a write");
                Err(SqsError::internal())
            }
        }
    }

    /// Long polling: looks again whenever something changed or the time has come for something to
    /// change.
    #[expect(
        clippy::disallowed_methods,
        reason = "a poll waits; what it waits for is the given clock"
    )]
    async fn receive(self: &Arc<Self>, body: &Value) -> Result<Value, SqsError> {
        let started = self.now();
        loop {
            let mut changed = pin!(self.changed.notified());
            // Registered before looking, so that nothing is missed in between.
            changed.as_mut().enable();
            let now = self.now();
            let (looked, changes) = {
                let mut state = self.lock();
                (state.receive(body, now)?, std::mem::take(&mut state.changes))
            };
            // Refused by the disk, a dead letter is only on its old queue again after a restart:
            // no reason to hold back what was received.
            let _ = self.keep(changes).await;
            if looked.moved {
                self.changed.notify_waiters();
            }
            let deadline = started + looked.wait;
            if looked.found || now >= deadline {
                return Ok(looked.answer);
            }
            let until = looked.next_change.map_or(deadline, |next| next.min(deadline));
            let pause = Duration::from_millis((until - now).max(1).unsigned_abs());
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

impl Service for SqsEngine {
    const NAME: ServiceName = ServiceName::Sqs;

    fn call(self: Arc<Self>, call: Call) -> BoxFuture<'static, Reply> {
        async move {
            let answer = self.inner.answer(&call.operation, &call.body).await;
            let payload = match &answer {
                Ok(answer) => operations::payload(&call.body) + operations::payload(answer),
                Err(_) => 0,
            };
            let usage = Usage {
                error: answer.is_err(),
                billed_requests: (payload as u64).div_ceil(BILLED_BYTES).max(1),
                ..Usage::default()
            };
            call.meter.record(Self::NAME, &call.operation, usage);
            match answer {
                Ok(answer) => Reply::ok(&answer),
                Err(error) => error.reply(),
            }
        }
        .boxed()
    }

    fn throttled() -> Reply {
        SqsError::new(
            "RequestThrottled",
            "The request was denied due to request throttling (injected).",
        )
        .reply()
    }
}
