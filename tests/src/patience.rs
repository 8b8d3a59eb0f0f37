//! Waiting for what happens elsewhere: the one place that sleeps and looks at a clock. A process and a deployed
//! stack run in real time, so there is nothing to step.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two questions to what is quick to ask.
pub const PAUSE: Duration = Duration::from_millis(250);

pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "measures real time, for people")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "what is asked of a real system has a real time")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// For what is measured over a time.
#[expect(clippy::disallowed_methods, reason = "measures a process that runs in real time")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Asks every `pause` until the answer is there. `ask` says `Err` for what can no longer come right, and
/// `Ok(Err(seen))` for not yet.
#[expect(clippy::disallowed_methods, reason = "polls a process that runs in real time")]
pub async fn eventually<T>(
    what: &str,
    at_most: Duration,
    pause: Duration,
    mut ask: impl AsyncFnMut() -> Result<Result<T, String>>,
) -> Result<T> {
    let watch = Stopwatch::start();
    loop {
        let seen = match ask().await? {
            Ok(answer) => return Ok(answer),
            Err(seen) => seen,
        };
        if watch.elapsed() > at_most {
            bail!("{what}: not within {} s; last seen: {seen}", at_most.as_secs());
        }
        tokio::time::sleep(pause).await;
    }
}
