//! Caps and spend by clock hour, day and month.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::Wait;
use crate::settings::Settings;

const HOUR_SECONDS: i64 = 3_600;

/// What was reserved in the hour, day and month that are running.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    /// Hours since 1970.
    #[serde(rename = "h", default)]
    pub hour: i64,
    #[serde(rename = "hn", default)]
    pub hour_messages: u32,
    /// `2026-11-21`, in the organization's zone.
    #[serde(rename = "d", default)]
    pub day: String,
    #[serde(rename = "dn", default)]
    pub day_messages: u32,
    /// Millionths of the limit's currency.
    #[serde(rename = "dm", default)]
    pub day_micros: u64,
    #[serde(rename = "mm", default)]
    pub month_micros: u64,
}

/// An organization's limits, read for one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    pub max_per_hour: Option<u32>,
    pub max_per_day: Option<u32>,
    /// Millionths.
    pub spend_per_day: Option<u64>,
    pub spend_per_month: Option<u64>,
    /// Of the spend limits; prices in another one are not counted.
    pub currency: Option<String>,
    pub zone: TimeZone,
}

impl Limits {
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let spend = |limit: &Option<crate::integration::Money>| limit.as_ref()?.micros();
        let limits = [&settings.spend_limit_per_day, &settings.spend_limit_per_month];
        Self {
            max_per_hour: settings.max_per_hour,
            max_per_day: settings.max_per_day,
            spend_per_day: spend(&settings.spend_limit_per_day),
            spend_per_month: spend(&settings.spend_limit_per_month),
            currency: limits.into_iter().flatten().next().map(|m| m.currency.clone()),
            zone: TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
        }
    }

    /// Whether anything is counted at all.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.max_per_hour.is_some()
            || self.max_per_day.is_some()
            || self.spend_per_day.is_some()
            || self.spend_per_month.is_some()
    }
}

impl Periods {
    /// Begins a new hour, day or month when `now` is in one.
    pub(super) fn roll(&mut self, now: Timestamp, zone: &TimeZone) {
        let hour = now.as_second().div_euclid(HOUR_SECONDS);
        if self.hour != hour {
            self.hour = hour;
            self.hour_messages = 0;
        }
        let day = now.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string();
        if self.day != day {
            if self.day.get(..7) != day.get(..7) {
                self.month_micros = 0;
            }
            self.day = day;
            self.day_messages = 0;
            self.day_micros = 0;
        }
    }

    /// Whether one more message of this price fits; else what stands against it.
    pub(super) fn fits(&self, micros: u64, limits: &Limits) -> Result<(), Wait> {
        let full = |limit: Option<u32>, taken: u32| limit.is_some_and(|most| taken >= most);
        let over = |limit: Option<u64>, spent: u64| {
            micros > 0 && limit.is_some_and(|most| spent.saturating_add(micros) > most)
        };
        if full(limits.max_per_day, self.day_messages) {
            return Err(Wait::MaxPerDay);
        }
        if full(limits.max_per_hour, self.hour_messages) {
            return Err(Wait::MaxPerHour);
        }
        if over(limits.spend_per_month, self.month_micros) {
            return Err(Wait::SpendPerMonth);
        }
        if over(limits.spend_per_day, self.day_micros) {
            return Err(Wait::SpendPerDay);
        }
        Ok(())
    }

    /// The share of the tighter spend limit that is used up, in percent.
    #[must_use]
    pub fn spent(&self, limits: &Limits) -> u64 {
        let share = |limit: Option<u64>, spent: u64| {
            limit.map_or(0, |most| spent.saturating_mul(100).checked_div(most).unwrap_or(100))
        };
        let day = share(limits.spend_per_day, self.day_micros);
        day.max(share(limits.spend_per_month, self.month_micros))
    }

    pub(super) fn take(&mut self, micros: u64) {
        self.hour_messages += 1;
        self.day_messages += 1;
        self.day_micros += micros;
        self.month_micros += micros;
    }

    /// Gives back what was taken in `hour` and `day`, as far as they still run.
    pub(super) fn give_back(&mut self, messages: u32, micros: u64, hour: i64, day: &str) {
        if self.hour == hour {
            self.hour_messages = self.hour_messages.saturating_sub(messages);
        }
        if self.day == day {
            self.day_messages = self.day_messages.saturating_sub(messages);
            self.day_micros = self.day_micros.saturating_sub(micros);
        }
        if self.day.get(..7) == day.get(..7) {
            self.month_micros = self.month_micros.saturating_sub(micros);
        }
    }
}

/// When the limit that stands against a message is new again.
#[must_use]
pub fn renewed(wait: Wait, now: Timestamp, zone: &TimeZone) -> Timestamp {
    let local = now.to_zoned(zone.clone());
    let start = match wait {
        Wait::MaxPerHour => {
            let next = (now.as_second().div_euclid(HOUR_SECONDS) + 1) * HOUR_SECONDS;
            return Timestamp::from_second(next).unwrap_or(now);
        }
        Wait::MaxPerDay | Wait::SpendPerDay => {
            local.date().checked_add(1.day()).ok().and_then(|day| day.to_zoned(zone.clone()).ok())
        }
        Wait::SpendPerMonth => {
            let next = local.date().first_of_month().checked_add(1.month());
            next.ok().and_then(|day| day.to_zoned(zone.clone()).ok())
        }
        Wait::Rate | Wait::ProviderDown => None,
    };
    start.map_or(now + SignedDuration::from_hours(1), |start| start.timestamp())
}
