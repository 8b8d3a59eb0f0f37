//! Waiting for what happens elsewhere: the one place that sleeps and looks at a clock. The deployed functions
//! run in real time, so here is nothing to step.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "measures real time, for people")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[expect(clippy::disallowed_methods, reason = "the API is given a time from the real clock")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Asks until the answer is there. `ask` says `Err` for what can no longer come right, and `Ok(Err(seen))`
/// for not yet.
#[expect(clippy::disallowed_methods, reason = "polls a system that runs in real time")]
pub async fn eventually<T>(
    what: &str,
    at_most: Duration,
    ask: impl AsyncFn() -> Result<Result<T, String>>,
) -> Result<T> {
    let watch = Stopwatch::start();
    loop {
        let seen = match ask().await? {
            Ok(answer) => return Ok(answer),
            Err(seen) => seen,
        };
        if watch.seconds() > at_most.as_secs_f64() {
            bail!("{what}: not within {} s; last seen: {seen}", at_most.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// The client asks for a TLS provider even where it never speaks TLS.
pub fn install_tls() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
