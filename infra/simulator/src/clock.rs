//! Two clocks: the one given in [`Options`](crate::Options) stamps messages, so that tests can hold
//! it; the wall moves statuses and callbacks, which are real waiting.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;

/// What stamps messages.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock.
pub fn system() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "the edge: a provider has its own clock")]
    Arc::new(Timestamp::now)
}

#[expect(clippy::disallowed_methods, reason = "callbacks are real waiting, see above")]
pub(crate) fn wall_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// The one place where the simulator waits.
#[expect(clippy::disallowed_methods, reason = "delays of a provider are real waiting, see above")]
pub(crate) async fn wait_ms(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(crate) fn rfc3339(milliseconds: i64) -> String {
    timestamp(milliseconds).to_string()
}

/// Twilio's form: `Sat, 21 Nov 2026 00:00:00 +0000`.
pub(crate) fn rfc2822(milliseconds: i64) -> String {
    timestamp(milliseconds).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Twilio's `RawDlrDoneDate`: `YYMMDDhhmm`.
pub(crate) fn raw_dlr(milliseconds: i64) -> String {
    timestamp(milliseconds).strftime("%y%m%d%H%M").to_string()
}
