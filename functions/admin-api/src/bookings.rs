//! `/v1/bookings`: sessions of a client with a coach. What is changed is stored
//! first, due; then its notices are brought to what they should be. Should that be
//! cut off, the queue processor does it within a minute.

pub mod actions;
mod draft;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::booking::{self, Booking, Notice};
use carillon_domain::{BookingId, ContactId, MessageId, OrgId};
use carillon_runtime::{Context, booking as notices, random};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use self::draft::New;
use crate::answers::{Created, Json};
use crate::auth::Caller;
use crate::etag::{Tag, Tagged};
use crate::extract::{self, Id, Params};
use crate::idempotency;
use crate::lists::{self, Limit, Page, paged};
use crate::problem::Problem;
use crate::times::Moment;
use crate::view::booking::Booking as Shown;

/// Times that a page of a list looks for more.
const ROUNDS: usize = 20;

/// `POST /v1/bookings`: makes a booking; its client is told at once, reminded before and asked after, as the
/// settings say. A client without a number is not told, and the booking is made all the same.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value, raw }: extract::Json<New>,
) -> Result<Created<Shown>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let id = match &once {
        // The repeat of a request that was cut off finds what that one had made.
        Some(once) => BookingId::from_hash(&[caller.org.as_bytes(), once.as_bytes(), &raw]),
        None => BookingId::from_bytes(random::bytes()),
    };
    let mut booking = value.check(&ctx, &caller, id, now).await?;
    // One that is there was made by the same request before.
    ctx.store.save_booking(&mut booking).await?;
    let booking = follow(&ctx, booking).await?;
    Ok(Created(shown(&ctx, &booking).await?))
}

/// Bookings of a client of whom something was changed that notices tell, or where
/// they go. Those that cannot be followed now are due.
pub async fn client_changed(ctx: &Context, org: OrgId, woken: Vec<BookingId>) {
    for id in woken {
        if let Err(error) = Box::pin(notices::sync(ctx, org, id, None)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "left for the next minute");
        }
    }
}

/// Brings the notices to what they should be. The booking is stored and due: when
/// that fails, it is done within a minute, and who asked has an answer.
async fn follow(ctx: &Context, booking: Booking) -> Result<Booking, Problem> {
    match Box::pin(notices::sync(ctx, booking.org, booking.id, None)).await {
        Ok(Some(booking)) => Ok(booking),
        Ok(None) => Err(Problem::not_found("booking")),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "left for the next minute");
            Ok(booking)
        }
    }
}

async fn shown(ctx: &Context, booking: &Booking) -> Result<Shown, Problem> {
    let messages = notices::messages(ctx, booking).await?;
    Ok(Shown::of(booking, &messages, ctx.clock.now()))
}

/// Of what people change.
fn tag(b: &Booking) -> Tag {
    let overrides = serde_json::json!(b.overrides);
    Tag::of(&(b.id, b.revision, b.status(), b.duration_minutes, overrides))
}

/// `GET /v1/bookings/{id}`: a booking, and what became of its notices.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<BookingId>,
) -> Result<Tagged<Shown>, Problem> {
    let booking = ctx.store.booking(caller.org, id).await?;
    let booking = booking.ok_or_else(|| Problem::not_found("booking"))?;
    Ok(Tagged(tag(&booking), shown(&ctx, &booking).await?))
}

/// Which bookings.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BookingsQuery")]
pub struct Query {
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    client_id: Option<ContactId>,
    status: Option<booking::BookingStatus>,
    /// Beginning at this time or later, or from the beginning of this day (UTC).
    from: Option<Moment>,
    /// Beginning before this time, or until the end of this day (UTC).
    to: Option<Moment>,
}
paged!(Query);

/// `GET /v1/bookings`: in the order of their beginnings.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<Page<Shown>>, Problem> {
    let limit = lists::limit(&params);
    let mut after = match lists::cursor(&params)? {
        None => None,
        Some(parts) => match <[String; 1]>::try_from(parts) {
            Ok([place]) => Some(place),
            Err(_) => return Err(lists::invalid_cursor()),
        },
    };
    let (from, to) = (params.from.map(Moment::start), params.to.map(Moment::end));
    let mut found: Vec<Booking> = Vec::new();
    let mut ended = false;
    if let Some(client) = params.client_id {
        // A client has few: they are read whole.
        let all = ctx.store.bookings_of(caller.org, client).await?;
        let mut rest = all
            .into_iter()
            .filter(|b| is_asked(b, &params, from, to))
            .filter(|b| after.as_deref().is_none_or(|after| place(b).as_str() > after));
        found.extend(rest.by_ref().take(limit));
        ended = rest.next().is_none();
        after = found.last().map(place).or(after);
    } else {
        for _ in 0..ROUNDS {
            let (store, left) = (&ctx.store, limit - found.len());
            let page = store.bookings(caller.org, (from, to), after.as_deref(), left).await?;
            match page.last() {
                Some((last, _)) => after = Some(last.clone()),
                None => ended = true,
            }
            let page = page.into_iter().filter_map(|(_, booking)| booking);
            found.extend(page.filter(|b| is_asked(b, &params, from, to)));
            if ended || found.len() == limit {
                break;
            }
        }
    }
    let data = shown_all(&ctx, &caller, &found).await?;
    let next = after.filter(|_| !ended).map(|place| [place]);
    Ok(Json(Page::of(&params, data, next.as_ref().map(<[String; 1]>::as_slice))))
}

/// All that a client has booked.
pub async fn of_client(
    ctx: &Context,
    caller: &Caller,
    client: ContactId,
) -> Result<Vec<Shown>, Problem> {
    let bookings = ctx.store.bookings_of(caller.org, client).await?;
    shown_all(ctx, caller, &bookings).await
}

fn place(b: &Booking) -> String {
    carillon_store::keys::booking_at(b.starts_at, b.id)
}

fn is_asked(b: &Booking, query: &Query, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    query.status.is_none_or(|status| b.status() == status)
        && from.is_none_or(|from| b.starts_at >= from)
        && to.is_none_or(|to| b.starts_at < to)
}

/// With the states of their notices, read together.
async fn shown_all(
    ctx: &Context,
    caller: &Caller,
    bookings: &[Booking],
) -> Result<Vec<Shown>, Problem> {
    let ids: Vec<MessageId> =
        bookings.iter().flat_map(|b| &b.notices).filter_map(Notice::message).collect();
    let messages = ctx.store.messages(caller.org, &ids, false, false).await?;
    let messages: HashMap<_, _> = messages.into_iter().map(|m| (m.id, m)).collect();
    let now = ctx.clock.now();
    Ok(bookings.iter().map(|b| Shown::of(b, &messages, now)).collect())
}
