//! SQS in memory, behind the real SDK client: standard queues with fair groups, delays, visibility,
//! dead letters and long polling.
//!
//! Nothing here outlives the process, and nothing must: due rows in the table are the durable
//! record, so a lost queue means that a lease runs out. Time comes from the stack's clock; whoever
//! moves that clock calls [`SqsEngine::clock_moved`]. A message whose dead-letter queue does not
//! exist is delivered again and again, never dropped.
//!
//! Left out: FIFO queues (refused), access policies (accepted, ignored), message move tasks, tags.

mod checksum;
mod error;
mod input;
mod operations;
mod queue;
mod receipt;
mod settings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::Notify;

use self::error::SqsError;
use self::queue::{Millis, Queue};
use super::Clock;
use super::connector::{Call, Reply, Service};
use super::fault::ServiceName;
use super::meter::Usage;
pub use queue::Depth;

/// SQS bills a request for each 64 KiB of payload begun.
const BILLED_BYTES: u64 = 65_536;

/// An SQS-compatible engine. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct SqsEngine {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    /// Something may have become visible.
    changed: Notify,
}

/// All queues by name.
struct State {
    queues: BTreeMap<String, Queue>,
    /// Distinguishes this engine's receipts from those of an earlier process.
    instance: u64,
    messages: u64,
}

impl std::fmt::Debug for SqsEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqsEngine")
    }
}

impl SqsEngine {
    /// An engine without queues.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    #[expect(clippy::disallowed_methods, reason = "receipts must differ from an earlier process's")]
    pub fn new(clock: Clock) -> Result<Self, getrandom::Error> {
        let state = State { queues: BTreeMap::new(), instance: getrandom::u64()?, messages: 0 };
        Ok(Self {
            inner: Arc::new(Inner { clock, state: Mutex::new(state), changed: Notify::new() }),
        })
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

    async fn answer(&self, operation: &str, body: &Value) -> Result<Value, SqsError> {
        if operation == "ReceiveMessage" {
            return self.receive(body).await;
        }
        let answer = self.lock().run(operation, body, self.now());
        self.changed.notify_waiters();
        answer
    }

    /// Long polling: looks again whenever something changed or the time has come for something to
    /// change.
    #[expect(
        clippy::disallowed_methods,
        reason = "a poll waits; what it waits for is the given clock"
    )]
    async fn receive(&self, body: &Value) -> Result<Value, SqsError> {
        let started = self.now();
        loop {
            let mut changed = pin!(self.changed.notified());
            // Registered before looking, so that nothing is missed in between.
            changed.as_mut().enable();
            let now = self.now();
            let looked = self.lock().receive(body, now)?;
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
