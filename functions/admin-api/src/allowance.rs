//! How fast a key or member may ask. One bucket a caller in the table, from which
//! each instance leases requests before it serves them: one at first, twice as
//! many each time it has used them up, for a few seconds. The first request of a
//! second on an instance is free, so who asks seldom costs nothing.
//!
//! In any t seconds a caller is served no more than burst + rate × (t + 5)
//! requests, and one a second and instance besides.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use carillon_runtime::Context;
use carillon_store::Leased;
use jiff::{SignedDuration, Timestamp};

use crate::auth::Caller;
use crate::problem::Problem;

/// A lease that is not used by then is lost.
const HELD: SignedDuration = SignedDuration::from_secs(5);
/// Requests of one lease, at most.
const LARGEST: u32 = 16;
/// The bucket holds what so many seconds bring.
const BURST_SECONDS: u32 = 4;
/// How long a changed setting may go unnoticed.
const SETTING_KNOWN: SignedDuration = SignedDuration::from_secs(60);
/// Callers remembered at most; then all are forgotten.
const MOST: usize = 10_000;

/// What this instance has leased, by caller.
#[derive(Debug, Default)]
pub struct Allowances(Mutex<HashMap<String, Allowance>>);

#[derive(Debug, Clone, Copy, Default)]
struct Allowance {
    /// Requests leased and not used, until then.
    left: u32,
    until: Timestamp,
    /// Size of the last lease.
    lease: u32,
    /// The second in which a request was served for nothing.
    free: i64,
    /// Nothing is to be had before.
    refused_until: Option<Timestamp>,
    /// Requests a second, as the organization had it set then.
    rate: Option<(u32, Timestamp)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Admit,
    Refuse(Timestamp),
    Lease(u32),
}

impl Allowance {
    fn ask(&mut self, now: Timestamp) -> Ask {
        if self.free != now.as_second() {
            self.free = now.as_second();
            return Ask::Admit;
        }
        let is_held = now < self.until;
        if self.left > 0 && is_held {
            self.left -= 1;
            return Ask::Admit;
        }
        match self.refused_until {
            Some(until) if now < until => Ask::Refuse(until),
            _ if is_held => Ask::Lease((self.lease * 2).clamp(1, LARGEST)),
            _ => Ask::Lease(1),
        }
    }

    /// One of them is for the request that asked.
    fn leased(&mut self, count: u32, now: Timestamp) {
        self.left = self.left.saturating_add(count - 1);
        self.lease = count;
        self.until = now + HELD;
        self.refused_until = None;
    }
}

impl Allowances {
    /// # Errors
    /// 429 when the caller has asked too fast.
    pub async fn take(&self, ctx: &Context, caller: &Caller) -> Result<(), Problem> {
        let now = ctx.clock.now();
        let wanted = match self.of(caller).ask(now) {
            Ask::Admit => return Ok(()),
            Ask::Refuse(until) => return Err(too_fast(until, now)),
            Ask::Lease(count) => count,
        };
        let rate = self.rate(ctx, caller, now).await?.max(1);
        let burst = rate.saturating_mul(BURST_SECONDS);
        let interval = 1_000_000 / i64::from(rate);
        let mut wanted = wanted.min(burst);
        loop {
            let lease =
                ctx.store.lease_requests(caller.home, &caller.id, wanted, interval, burst, now);
            match lease.await? {
                Leased::Granted => {
                    self.of(caller).leased(wanted, now);
                    return Ok(());
                }
                Leased::Later(_) if wanted > 1 => wanted = 1,
                Leased::Later(until) => {
                    self.of(caller).refused_until = Some(until);
                    return Err(too_fast(until, now));
                }
            }
        }
    }

    async fn rate(&self, ctx: &Context, caller: &Caller, now: Timestamp) -> Result<u32, Problem> {
        let known = self.of(caller).rate;
        if let Some((rate, _)) = known.filter(|(_, read)| now < *read + SETTING_KNOWN) {
            return Ok(rate);
        }
        let settings = ctx.store.settings(caller.home).await?;
        let rate = settings.api_requests_per_second.unwrap_or(ctx.config.api_requests_per_second);
        self.of(caller).rate = Some((rate, now));
        Ok(rate)
    }

    fn of(&self, caller: &Caller) -> Entry<'_> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(&caller.id) {
            all.clear();
        }
        all.entry(caller.id.clone()).or_default();
        Entry { all, id: caller.id.clone() }
    }
}

/// One caller's allowance, under the lock; never held over a wait.
struct Entry<'a> {
    all: MutexGuard<'a, HashMap<String, Allowance>>,
    id: String,
}

impl std::ops::Deref for Entry<'_> {
    type Target = Allowance;
    fn deref(&self) -> &Allowance {
        &self.all[&self.id]
    }
}

impl std::ops::DerefMut for Entry<'_> {
    fn deref_mut(&mut self) -> &mut Allowance {
        self.all.entry(self.id.clone()).or_default()
    }
}

fn too_fast(until: Timestamp, now: Timestamp) -> Problem {
    let wait = until.duration_since(now).as_millis().max(0);
    let seconds = u32::try_from((wait + 999) / 1_000).unwrap_or(u32::MAX).max(1);
    let detail = "Too many requests with this key; wait as “Retry-After” says, and spread them.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_219_200_000 + ms).expect("in range")
    }

    #[test]
    fn who_asks_seldom_leases_nothing() {
        let mut allowance = Allowance::default();
        for second in 0..10 {
            assert_eq!(allowance.ask(at(second * 1_000)), Ask::Admit);
        }
    }

    #[test]
    fn leases_grow_with_use_and_end() {
        let mut allowance = Allowance::default();
        assert_eq!(allowance.ask(at(0)), Ask::Admit, "free");
        let mut leases = Vec::new();
        for _ in 0..60 {
            if let Ask::Lease(count) = allowance.ask(at(1)) {
                leases.push(count);
                allowance.leased(count, at(1));
            }
        }
        assert_eq!(leases, [1, 2, 4, 8, 16, 16, 16]);
        assert_eq!(allowance.ask(at(1_001)), Ask::Admit, "free");
        assert_eq!(allowance.ask(at(6_000)), Ask::Admit, "free");
        assert_eq!(allowance.ask(at(6_002)), Ask::Lease(1), "the last lease is over");
    }

    #[test]
    fn who_was_refused_is_not_asked_for_again() {
        let mut allowance = Allowance { refused_until: Some(at(500)), ..Allowance::default() };
        assert_eq!(allowance.ask(at(1)), Ask::Admit, "free");
        assert_eq!(allowance.ask(at(2)), Ask::Refuse(at(500)));
        assert_eq!(allowance.ask(at(500)), Ask::Lease(1));
    }
}
