//! `GET /v1/stats`: sums of the counters, never a scan of messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use carillon_domain::integration::Money;
use carillon_domain::{CampaignId, Channel};
use carillon_runtime::Context;
use carillon_store::{DayCounters, keys};
use jiff::SignedDuration;
use jiff::civil::Date;
use schemars::{JsonSchema, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::answers::Json;
use crate::auth::Caller;
use crate::campaigns;
use crate::extract::Params;
use crate::problem::Problem;
use crate::view::statistics::{self, ErrorCount, Statistics, Sums};

/// Days that are summed when the caller names none.
const DEFAULT_DAYS: i64 = 365;

/// Which days; in UTC, both included.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// A year ago, where it is absent.
    from: Option<Day>,
    /// Today, where it is absent.
    to: Option<Day>,
    channel: Option<Channel>,
    campaign_id: Option<CampaignId>,
}

/// A day as `2026-11-21`, or a time on it.
struct Day(String);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let day = text.get(..10).and_then(|day| day.parse::<Date>().ok());
        let day = day.ok_or_else(|| de::Error::custom("not a day"))?;
        Ok(Self(day.to_string()))
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        json_schema!({"type": "string", "format": "date"})
    }
}

/// `GET /v1/stats`: what was sent, and what became of it.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<Statistics>, Problem> {
    let now = ctx.clock.now();
    let year_ago = now - SignedDuration::from_hours(24 * DEFAULT_DAYS);
    let from = params.from.as_ref().map_or_else(|| keys::day(year_ago), |day| day.0.clone());
    let to = params.to.as_ref().map_or_else(|| keys::day(now), |day| day.0.clone());
    let channel = params.channel;
    let mut days = match params.campaign_id {
        None => ctx.store.counters(caller.org, &from, &to).await?,
        Some(id) => match ctx.store.campaign(caller.org, id).await? {
            Some(campaign) => campaigns::stats::days(&ctx, &campaign).await?,
            None => Vec::new(),
        },
    };
    days.retain(|d| (from.as_str()..=to.as_str()).contains(&d.date.as_str()));
    days.retain(|d| channel.is_none_or(|c| c.as_str() == d.channel));
    let currency = currency(&ctx, &caller).await?;
    Ok(Json(answer(&days, &currency)))
}

/// `cost` is in the currency of the organization's first price table.
pub async fn currency(ctx: &Context, caller: &Caller) -> Result<String, Problem> {
    let integrations = ctx.store.integrations(caller.org).await?;
    let mut currencies =
        integrations.iter().flat_map(|i| i.settings.price_table.values().map(|m| &m.currency));
    Ok(currencies.next().cloned().unwrap_or_else(|| "USD".to_owned()))
}

/// Sums over buckets; each message is in one.
#[derive(Default, Clone)]
struct Totals(BTreeMap<String, i64>);

impl Totals {
    fn add(&mut self, day: &DayCounters) {
        for (name, value) in &day.values {
            *self.0.entry(name.clone()).or_default() += value;
        }
    }

    fn of(&self, names: &[&str]) -> i64 {
        names.iter().filter_map(|name| self.0.get(*name)).sum()
    }

    /// Whatever the provider took, whatever became of it.
    fn sent(&self) -> i64 {
        self.of(&["sent", "delivered", "read", "undelivered"])
    }

    fn delivered(&self) -> i64 {
        self.of(&["delivered", "read"])
    }

    fn failed(&self) -> i64 {
        self.of(&["failed", "undelivered"])
    }

    fn cost(&self, currency: &str) -> Money {
        let name = format!("micros|{currency}");
        let micros = u64::try_from(self.of(&[&name])).unwrap_or(0);
        Money::from_micros(micros, currency)
    }

    /// One sum a currency; amounts in different ones are never added.
    fn costs(&self) -> Vec<Money> {
        let currencies = self.0.keys().filter_map(|name| name.strip_prefix("micros|"));
        currencies.map(|currency| self.cost(currency)).collect()
    }

    /// A share of what was sent, 0 to 1; none of nothing.
    fn rate(&self, count: i64) -> Option<f64> {
        let sent = self.sent();
        #[expect(clippy::cast_precision_loss, reason = "a share, shown to four places")]
        let share = count as f64 / sent.max(1) as f64;
        (sent > 0).then_some((share * 10_000.0).round() / 10_000.0)
    }
}

pub fn answer(days: &[DayCounters], currency: &str) -> Statistics {
    let mut all = Totals::default();
    let mut by_day: BTreeMap<&str, Totals> = BTreeMap::new();
    let mut by_month: BTreeMap<&str, Totals> = BTreeMap::new();
    for day in days {
        all.add(day);
        by_day.entry(&day.date).or_default().add(day);
        by_month.entry(day.date.get(..7).unwrap_or(&day.date)).or_default().add(day);
    }
    let mut by_error: Vec<ErrorCount> = all
        .0
        .iter()
        .filter(|(_, count)| **count > 0)
        .filter_map(|(name, count)| {
            let (code, reason) = name.strip_prefix("e|")?.rsplit_once('|')?;
            Some(ErrorCount { code: code.to_owned(), reason: reason.to_owned(), count: *count })
        })
        .collect();
    by_error.sort_by(|a, b| (b.count, &a.code).cmp(&(a.count, &b.code)));
    let sums = |t: &Totals| Sums {
        sent: t.sent(),
        delivered: t.delivered(),
        failed: t.failed(),
        cost: t.cost(currency),
    };
    let day =
        |(date, t): (&&str, &Totals)| statistics::Day { date: (*date).to_owned(), sums: sums(t) };
    let replied = all.of(&["received"]);
    let opted_out = all.of(&["opted_out"]);
    Statistics {
        counts_as_of: days.iter().filter_map(|day| day.counted_at).max(),
        total_sent: all.sent(),
        total_delivered: all.delivered(),
        total_failed: all.failed(),
        total_suppressed: all.of(&["suppressed"]),
        total_cancelled: all.of(&["cancelled"]),
        total_unknown: all.of(&["unknown"]),
        total_pending: all.of(&["pending"]),
        total_replied: replied,
        total_opted_out: opted_out,
        delivery_rate: all.rate(all.delivered()),
        reply_rate: all.rate(replied),
        opt_out_rate: all.rate(opted_out),
        cost: all.cost(currency),
        costs: all.costs(),
        by_day: by_day.iter().map(day).collect(),
        by_month: by_month.iter().map(|(m, t)| ((*m).to_owned(), sums(t))).collect(),
        by_error,
    }
}
