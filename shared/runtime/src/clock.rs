//! The one place that reads the time. A function asks it at the edge of a step
//! and hands the answer down; tests hand in a clock they move by hand.

mod steps;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

pub use steps::Steps;

#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// Milliseconds since 1970, moved by the test.
    Manual(Arc<AtomicI64>),
    /// For several who wait side by side.
    Stepped(Arc<Steps>),
}

impl Clock {
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// A clock that stands while people sleep, and what moves it.
    #[must_use]
    pub fn stepped(start: Timestamp) -> (Self, Arc<Steps>) {
        let steps = Arc::new(Steps::new(start));
        (Self::Stepped(Arc::clone(&steps)), steps)
    }

    /// To the millisecond, as times are stored: what was written compares
    /// equal to what is read.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Manual(millis) => millis.load(Ordering::SeqCst),
            Self::Stepped(steps) => steps.now(),
        };
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Waits until `at`. A manual clock is moved there: what is stepped by hand
    /// waits for nothing.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub async fn sleep_until(&self, at: Timestamp) {
        match self {
            Self::System => {
                let wait = at.duration_since(Timestamp::now());
                if let Ok(wait) = std::time::Duration::try_from(wait) {
                    tokio::time::sleep(wait).await;
                }
            }
            Self::Manual(millis) => {
                millis.fetch_max(rounded_up(at), Ordering::SeqCst);
            }
            Self::Stepped(steps) => steps.sleep_until(rounded_up(at)).await,
        }
    }

    /// Moves a clock of a test; the system's does not move.
    pub fn advance(&self, by: jiff::SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(0);
        match self {
            Self::System => {}
            Self::Manual(millis) => {
                millis.fetch_add(by, Ordering::SeqCst);
            }
            Self::Stepped(steps) => steps.advance(by),
        }
    }
}

/// A clock of milliseconds: never before `at`.
fn rounded_up(at: Timestamp) -> i64 {
    let micros = at.as_microsecond();
    micros.div_euclid(1_000) + i64::from(micros.rem_euclid(1_000) > 0)
}
