//! When to try again, and when to give up.

use jiff::{SignedDuration, Timestamp};

use crate::settings::Settings;
use crate::{Failure, FailureReason, Message};

/// First pause; it doubles with each attempt.
const FIRST: SignedDuration = SignedDuration::from_secs(60);
/// No pause is longer, unless the provider asked for it.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// What a provider may ask for at most.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(24);
/// A handset that cannot be reached is tried less often than an API.
const UNREACHABLE_ATTEMPTS: u16 = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Not before.
    Retry(Timestamp),
    /// Final, with the failure to show.
    GiveUp(Failure),
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In all: the first attempt and the retries.
    pub max_attempts: u16,
    pub expires_at: Option<Timestamp>,
}

impl Limits {
    #[must_use]
    pub const fn of(settings: &Settings, message: &Message) -> Self {
        Self { max_attempts: settings.max_attempts, expires_at: message.expires_at }
    }
}

/// Decides after a refused attempt. `jitter` is uniform in `[0, 1)`: the pause
/// is drawn from the whole range (full jitter), so that a provider that comes
/// back is not met by everyone at once.
#[must_use]
pub fn next(
    failure: &Failure,
    attempt: u16,
    limits: Limits,
    retry_after: Option<u32>,
    now: Timestamp,
    jitter: f64,
) -> Next {
    let most = if failure.reason == FailureReason::Unreachable {
        limits.max_attempts.min(UNREACHABLE_ATTEMPTS)
    } else {
        limits.max_attempts
    };
    if failure.permanent || attempt >= most {
        return Next::GiveUp(failure.clone());
    }
    let asked = SignedDuration::from_secs(retry_after.unwrap_or(0).into()).min(LONGEST_ASKED);
    let at = now + pause(attempt, jitter).max(asked);
    match limits.expires_at {
        Some(end) if at >= end => Next::GiveUp(Failure::new(
            &failure.code,
            FailureReason::Expired,
            true,
            format!("expired before it could be tried again; last: {}", failure.detail),
        )),
        _ => Next::Retry(at),
    }
}

fn pause(attempt: u16, jitter: f64) -> SignedDuration {
    let doublings = u32::from(attempt.saturating_sub(1)).min(16);
    let ceiling = FIRST.as_secs().saturating_mul(1 << doublings).min(LONGEST.as_secs());
    // At least a second: an instant retry meets the same trouble.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "≤ 3,600 s")]
    let millis = (ceiling as f64 * 1000.0 * jitter.clamp(0.0, 1.0)) as i64;
    SignedDuration::from_millis(millis.max(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).expect("in range")
    }

    fn check(
        reason: FailureReason,
        permanent: bool,
        attempt: u16,
        retry_after: Option<u32>,
        expires: Option<i64>,
        expected: Result<i64, FailureReason>,
    ) {
        let failure = Failure::new("1", reason, permanent, "x");
        let limits = Limits { max_attempts: 4, expires_at: expires.map(at) };
        let got = match next(&failure, attempt, limits, retry_after, at(0), 1.0) {
            Next::Retry(when) => Ok(when.as_second() - at(0).as_second()),
            Next::GiveUp(failure) => Err(failure.reason),
        };
        assert_eq!(got, expected, "{reason:?} attempt {attempt}");
    }

    #[test]
    fn pauses_double_and_end_after_max_attempts() {
        use FailureReason::{ContentRejected, Expired, ProviderDown, RateLimited, Unreachable};
        check(ProviderDown, false, 1, None, None, Ok(60));
        check(ProviderDown, false, 2, None, None, Ok(120));
        check(ProviderDown, false, 3, None, None, Ok(240));
        check(ProviderDown, false, 4, None, None, Err(ProviderDown));
        check(ContentRejected, true, 1, None, None, Err(ContentRejected));
        check(RateLimited, false, 1, Some(900), None, Ok(900));
        check(RateLimited, false, 1, Some(5), None, Ok(60));
        check(RateLimited, false, 1, Some(u32::MAX), None, Ok(86_400));
        check(Unreachable, false, 1, None, None, Ok(60));
        check(Unreachable, false, 2, None, None, Err(Unreachable));
        check(ProviderDown, false, 1, None, Some(60), Err(Expired));
        check(ProviderDown, false, 1, None, Some(61), Ok(60));
    }

    #[test]
    fn a_pause_is_never_under_a_second_nor_over_an_hour() {
        for attempt in 1..40 {
            assert_eq!(pause(attempt, 0.0).as_millis(), 1000);
            assert!(pause(attempt, 1.0) <= LONGEST);
        }
    }
}
