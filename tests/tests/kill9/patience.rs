//! The one place that waits and looks at a clock: the process runs in real time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

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
