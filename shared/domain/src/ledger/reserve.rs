//! Reserving, and giving back.

use jiff::{SignedDuration, Timestamp};

use super::period::{Limits, renewed};
use super::{Holding, Ledger, Tally, interval, micros, time};
use crate::{Lane, ProviderName};

/// How far ahead slots are reserved. Short for bulk, so that what a person waits
/// for never stands behind more than this.
const AHEAD: [SignedDuration; 2] = [SignedDuration::from_secs(20), SignedDuration::from_secs(5)];

/// One message that asks for its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    pub parts: u16,
    /// Millionths of the limit's currency; 0 when it has no price in it.
    pub micros: u64,
}

#[derive(Debug)]
pub struct Ask<'a> {
    /// The pack or message that the run is for.
    pub holder: &'a str,
    pub identity: ProviderName,
    /// Parts a second of the identity.
    pub rate: u32,
    pub lane: Lane,
    /// In the order in which they are sent; at least one.
    pub wants: &'a [Want],
    pub now: Timestamp,
    /// The run ends then: later slots are of no use to it.
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// The first `messages` of those that asked: their parts go from `start`,
    /// one each [`interval`].
    Slots {
        start: i64,
        messages: usize,
    },
    Later {
        until: Timestamp,
        why: Wait,
    },
}

/// What stands against sending now, for a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Others have the slots.
    Rate,
    MaxPerHour,
    MaxPerDay,
    SpendPerDay,
    SpendPerMonth,
    /// The breaker of the account is open.
    ProviderDown,
}

impl Wait {
    /// As it stands in a decision.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::MaxPerHour => "max_per_hour",
            Self::MaxPerDay => "max_per_day",
            Self::SpendPerDay => "spend_limit_per_day",
            Self::SpendPerMonth => "spend_limit_per_month",
            Self::ProviderDown => "provider_down",
        }
    }
}

/// What a run ends with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unused {
    pub messages: u32,
    pub micros: u64,
}

/// When to be back for a slot that is one's own. Queues delay by whole seconds,
/// rounded up: who comes a second early waits for it, who comes late leaves it
/// empty.
#[must_use]
pub fn in_time(slot: i64, now: Timestamp) -> Timestamp {
    time((slot - 1_000_000).max(micros(now)))
}

impl Ledger {
    /// Takes what is free, as much of what is asked as fits.
    pub fn reserve(&mut self, ask: &Ask<'_>, limits: &Limits) -> Grant {
        let now = ask.now;
        self.periods.roll(now, &limits.zone);
        // Of a day that is over nothing is owed, whoever was cut off in it.
        let today = &self.periods.day;
        self.holdings.retain(|_, held| held.day == *today);
        let identity = self.identities.entry(ask.identity).or_default();
        if let Some(until) = identity.breaker.closed_until(now) {
            return Grant::Later { until, why: Wait::ProviderDown };
        }
        let probing = identity.breaker.is_half_open();
        let (step, lane) = (interval(ask.rate), usize::from(ask.lane == Lane::Bulk));
        let start = identity.next.max(micros(now));
        let ahead = micros(now + AHEAD[lane]);
        let end = ahead.min(micros(ask.until));
        if start >= end && start < ahead {
            // Not behind the others: it was its turn, only its time is over.
            return Grant::Later { until: in_time(start, now), why: Wait::Rate };
        }
        if start >= end {
            // Behind those who were told to come later before.
            let place = identity.line[lane].max(start);
            let parts: i64 = ask.wants.iter().map(|w| i64::from(w.parts)).sum();
            identity.line[lane] = place + parts * step;
            return Grant::Later { until: time(place), why: Wait::Rate };
        }
        let mut next = start;
        let mut taken = Unused::default();
        let mut stopped = None;
        for want in ask.wants {
            if next >= end || (probing && taken.messages == 1) {
                break;
            }
            if let Err(wait) = self.periods.fits(want.micros, limits) {
                stopped = Some(wait);
                break;
            }
            self.periods.take(want.micros);
            next += i64::from(want.parts.max(1)) * step;
            taken.messages += 1;
            taken.micros += want.micros;
        }
        if taken.messages == 0 {
            let why = stopped.unwrap_or(Wait::Rate);
            return Grant::Later { until: renewed(why, now, &limits.zone), why };
        }
        identity.next = next;
        if probing {
            identity.breaker.begin_probe(now);
        }
        if limits.any() {
            self.hold(ask, taken);
        }
        Grant::Slots { start, messages: usize::try_from(taken.messages).unwrap_or(0) }
    }

    fn hold(&mut self, ask: &Ask<'_>, taken: Unused) {
        let (hour, day) = (self.periods.hour, self.periods.day.clone());
        let holding = self.holdings.entry(ask.holder.to_owned()).or_insert_with(|| Holding {
            at: ask.now.as_millisecond(),
            messages: 0,
            micros: 0,
            hour,
            day: day.clone(),
        });
        if (holding.hour, &holding.day) != (hour, &day) {
            // What was held of the hour before is owed by nobody any more.
            (holding.messages, holding.micros) = (0, 0);
            (holding.hour, holding.day) = (hour, day);
        }
        holding.messages += taken.messages;
        holding.micros += taken.micros;
    }

    /// Ends a holding: what was not used is free again.
    pub fn settle(&mut self, holder: &str, unused: Unused, now: Timestamp, limits: &Limits) {
        self.periods.roll(now, &limits.zone);
        let Some(held) = self.holdings.remove(holder) else { return };
        let messages = unused.messages.min(held.messages);
        let micros = unused.micros.min(held.micros);
        self.periods.give_back(messages, micros, held.hour, &held.day);
    }

    /// Slots from `from` to `to` (microseconds) that are not used: free again if
    /// nobody has taken any behind them.
    pub fn give_back_slots(&mut self, identity: ProviderName, from: i64, to: i64) {
        if let Some(identity) = self.identities.get_mut(&identity)
            && identity.next == to
            && from < to
        {
            identity.next = from;
        }
    }

    /// What the calls of a run showed of an account; `not_before`: the provider
    /// asked to be left alone until then.
    pub fn learn(
        &mut self,
        identity: ProviderName,
        tally: Tally,
        not_before: Option<Timestamp>,
        now: Timestamp,
    ) {
        let identity = self.identities.entry(identity).or_default();
        identity.breaker.learn(tally, now);
        if let Some(at) = not_before {
            identity.next = identity.next.max(micros(at));
        }
    }
}
