//! The one place that reads the time. A function asks it at the edge of a step
//! and hands the answer down; tests hand in a clock they move by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// Milliseconds since 1970, moved by the test.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// To the millisecond, as times are stored: what was written compares
    /// equal to what is read.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Manual(millis) => millis.load(Ordering::SeqCst),
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
                // A clock of milliseconds: never before `at`.
                let at = at.as_microsecond().div_euclid(1_000)
                    + i64::from(at.as_microsecond().rem_euclid(1_000) > 0);
                millis.fetch_max(at, Ordering::SeqCst);
            }
        }
    }

    /// Moves a manual clock; the system's does not move.
    pub fn advance(&self, by: jiff::SignedDuration) {
        if let Self::Manual(millis) = self {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
        }
    }
}
