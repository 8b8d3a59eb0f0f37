//! Addresses that send keys nobody knows. After so many in a minute they are
//! told to wait before the table is asked, so that guessing is slow and costs
//! nothing. Each instance counts for itself: a guesser who meets n instances has
//! n times as many tries, which is nothing against 2^256 keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// Addresses remembered at most; then all are forgotten.
const MOST: usize = 10_000;
const MINUTE: i64 = 60;

/// Failures by network, in the minute that is running.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    failures: HashMap<IpAddr, u32>,
}

impl Strangers {
    /// Seconds to wait when this one has failed `most` times; else `None`.
    pub fn wait(&self, network: IpAddr, most: u32, now: Timestamp) -> Option<u32> {
        let minute = self.minute(now);
        let failed = minute.failures.get(&network).copied().unwrap_or(0);
        let left = MINUTE - now.as_second().rem_euclid(MINUTE);
        (failed >= most).then(|| u32::try_from(left).unwrap_or(1))
    }

    pub fn failed(&self, network: IpAddr, now: Timestamp) {
        let mut minute = self.minute(now);
        if minute.failures.len() >= MOST {
            minute.failures.clear();
        }
        *minute.failures.entry(network).or_default() += 1;
    }

    fn minute(&self, now: Timestamp) -> MutexGuard<'_, Minute> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_second().div_euclid(MINUTE);
        if minute.number != number {
            *minute = Minute { number, failures: HashMap::new() };
        }
        minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_too_often_waits_for_the_next_minute_and_others_do_not() {
        let strangers = Strangers::default();
        let at = |second: i64| Timestamp::from_second(1_795_219_200 + second).expect("in range");
        let [one, other] = ["203.0.113.7", "203.0.113.8"].map(|a| a.parse().expect("an address"));
        for _ in 0..3 {
            assert_eq!(strangers.wait(one, 3, at(20)), None);
            strangers.failed(one, at(20));
        }
        assert_eq!(strangers.wait(one, 3, at(20)), Some(40));
        assert_eq!(strangers.wait(one, 3, at(59)), Some(1));
        assert_eq!(strangers.wait(other, 3, at(59)), None);
        assert_eq!(strangers.wait(one, 3, at(60)), None);
    }
}
