//! A clock for several who sleep at the same time: it stands until a test moves
//! it on to the next who wants to wake. (A clock that jumps to whoever sleeps
//! would take the others along.)

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

/// Times are in milliseconds since 1970.
#[derive(Debug)]
pub struct Steps(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    now: i64,
    sleepers: BTreeMap<(i64, u64), Waker>,
    /// Tells sleepers of one moment apart.
    last: u64,
}

impl Steps {
    pub(super) fn new(start: Timestamp) -> Self {
        let now = start.as_millisecond();
        Self(Mutex::new(Inner { now, sleepers: BTreeMap::new(), last: 0 }))
    }

    pub(super) fn now(&self) -> i64 {
        self.lock().now
    }

    /// How many sleep.
    pub fn asleep(&self) -> usize {
        self.lock().sleepers.len()
    }

    /// Moves on to the first who wants to wake, and wakes all of that moment.
    /// False: nobody sleeps.
    pub fn step(&self) -> bool {
        let first = self.lock().sleepers.keys().next().map(|(at, _)| *at);
        first.map(|at| self.go_to(at)).is_some()
    }

    pub(super) fn advance(&self, millis: i64) {
        let at = self.now() + millis;
        self.go_to(at);
    }

    fn go_to(&self, at: i64) {
        let mut inner = self.lock();
        inner.now = inner.now.max(at);
        let after = inner.now + 1;
        let rest = inner.sleepers.split_off(&(after, 0));
        let woken = std::mem::replace(&mut inner.sleepers, rest);
        drop(inner);
        woken.into_values().for_each(Waker::wake);
    }

    pub(super) fn sleep_until(&self, at: i64) -> Sleep<'_> {
        Sleep { steps: self, at, number: None }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Sleep<'a> {
    steps: &'a Steps,
    at: i64,
    number: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.steps.lock();
        if inner.now >= self.at {
            return Poll::Ready(());
        }
        let number = self.number.unwrap_or(inner.last + 1);
        inner.last = inner.last.max(number);
        inner.sleepers.insert((self.at, number), context.waker().clone());
        drop(inner);
        self.number = Some(number);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.steps.lock().sleepers.remove(&(self.at, number));
        }
    }
}
