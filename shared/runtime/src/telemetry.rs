//! Logs and counters. Logs are JSON without personal data; counters leave as
//! one CloudWatch embedded-metric line an invocation.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Logs to standard error, `RUST_LOG` decides how much (default: warnings). What other crates would trace
/// (requests with their bodies, records) is never written: it holds what people wrote.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let ours = |target: &str| target.starts_with("carillon");
    let without_bodies =
        filter_fn(move |event| *event.level() < Level::TRACE || ours(event.target()));
    // A second start in the same process (tests) keeps the first.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .finish()
        .with(without_bodies)
        .try_init();
}

/// Things counted since they were last taken.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<&'static str, u64>>);

impl Counters {
    pub fn add(&self, name: &'static str, count: u64) {
        *self.lock().entry(name).or_default() += count;
    }

    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.lock().get(name).copied().unwrap_or(0)
    }

    /// Writes what was counted as CloudWatch's embedded metric format, and
    /// begins anew.
    #[expect(clippy::print_stdout, reason = "the format is a line on standard output")]
    pub fn flush(&self, now: Timestamp) {
        let counted = std::mem::take(&mut *self.lock());
        if counted.is_empty() {
            return;
        }
        let metrics: Vec<_> =
            counted.keys().map(|name| serde_json::json!({"Name": name, "Unit": "Count"})).collect();
        let mut line = serde_json::json!({
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [
                    {"Namespace": "Carillon", "Dimensions": [[]], "Metrics": metrics}
                ],
            },
        });
        for (name, count) in counted {
            line[name] = count.into();
        }
        println!("{line}");
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
