//! `GET /v1/campaigns/{id}/stats`: as `/v1/stats`, of one campaign. From the
//! sources' side rows: each message stands in one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use carillon_domain::CampaignId;
use carillon_domain::campaign::Campaign;
use carillon_domain::statistics::{Fact, date};
use carillon_runtime::Context;
use carillon_store::DayCounters;

use super::found;
use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::Id;
use crate::problem::Problem;
use crate::stats;
use crate::view::statistics::Statistics;

/// `GET /v1/campaigns/{id}/stats`: what was sent of it, and what became of it.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Statistics>, Problem> {
    let campaign = found(&ctx, &caller, id).await?;
    let days = days(&ctx, &campaign).await?;
    let currency = stats::currency(&ctx, &caller).await?;
    Ok(Json(stats::answer(&days, &currency)))
}

/// Its counters by day, as those of the organization are.
///
/// # Errors
/// When the table does not answer.
pub async fn days(ctx: &Context, c: &Campaign) -> Result<Vec<DayCounters>, Problem> {
    let batches = ctx.store.batches(c.org, c.id).await?;
    let sources: Vec<_> = batches.iter().map(|b| b.source).collect();
    let mut days: BTreeMap<u16, DayCounters> = BTreeMap::new();
    for messages in ctx.store.counted_of(c.org, &sources).await? {
        for (_, fact) in messages.values() {
            let day = days.entry(fact.day).or_insert_with(|| DayCounters {
                date: date(fact.day),
                channel: c.channel.as_str().to_owned(),
                ..DayCounters::default()
            });
            add(day, fact);
        }
    }
    Ok(days.into_values().collect())
}

fn add(day: &mut DayCounters, fact: &Fact) {
    let mut add = |name: String, by: i64| *day.values.entry(name).or_default() += by;
    add(fact.bucket.as_str().to_owned(), 1);
    if let Some((micros, currency)) = &fact.price {
        add(format!("micros|{}", String::from_utf8_lossy(currency)), i64::from(*micros));
    }
    if let Some(error) = &fact.error {
        add(format!("e|{error}"), 1);
    }
}
