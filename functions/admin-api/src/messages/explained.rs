//! What else is needed to explain a message: whose clock its times are told by,
//! the organization's policy, and the pack that it waits in.

use carillon_domain::explain::{Around, explain};
use carillon_domain::message::{Message, Source, State};
use carillon_domain::pack::Pack;
use carillon_domain::quiet::zones;
use carillon_domain::{PhoneNumber, settings::Settings};
use carillon_runtime::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::problem::Problem;

/// The message's story, in sentences.
///
/// # Errors
/// When the table does not answer.
pub async fn of(ctx: &Context, m: &Message, now: Timestamp) -> Result<String, Problem> {
    let settings = ctx.store.settings(m.org).await?;
    let zone = zone(m, &settings);
    let pack = if waits_in_a_pack(m, now) { pack_of(ctx, m).await? } else { None };
    let around =
        Around { now, zone: &zone, unknown_policy: settings.unknown_policy, pack: pack.as_ref() };
    Ok(explain(m, &around))
}

/// The recipient's zone where the number tells one; else the organization's.
fn zone(m: &Message, settings: &Settings) -> TimeZone {
    let number = PhoneNumber::parse(&m.address, None).ok();
    let of_number = number.as_ref().map(zones::of);
    match of_number.as_ref().map(zones::Zones::as_slice) {
        Some([zone]) => zone.clone(),
        _ => TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
    }
}

fn waits_in_a_pack(m: &Message, now: Timestamp) -> bool {
    m.due.is_none() && m.state == State::Scheduled && m.scheduled_for <= now
}

/// Packs are cut at the same size all over a page.
async fn pack_of(ctx: &Context, m: &Message) -> Result<Option<Pack>, Problem> {
    let Source::Import { id, page: number, .. } = m.source else { return Ok(None) };
    let Some(page) = ctx.store.page(m.org, id, number).await? else { return Ok(None) };
    let Some(place) = page.entries.iter().position(|e| e.has(m)) else { return Ok(None) };
    let size = ctx.config.tuning.pack_size.max(1);
    let from = u32::try_from(place - place % size).unwrap_or(u32::MAX);
    Ok(ctx.store.pack(m.org, Pack::id_of(id, number, from)).await?)
}
