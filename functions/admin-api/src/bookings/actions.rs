//! Change, move, cancel, complete, delete: each one conditional write, and then the
//! notices follow.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::BookingId;
use carillon_domain::booking::{Booking, Refused};
use carillon_runtime::{Context, booking as notices};
use carillon_store::StoreError;

use super::draft::{MoveRequest, Patch};
use super::{follow, shown, tag};
use crate::answers::{Json, NoContent};
use crate::audit::note;
use crate::auth::Caller;
use crate::etag::Tagged;
use crate::extract::{self, Id};
use crate::problem::Problem;
use crate::view::booking::Booking as Shown;

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;

/// `PATCH /v1/bookings/{id}`: changes what is named. Another time or coach is a move, as by
/// `/v1/bookings/{id}/move`.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<BookingId>,
    headers: HeaderMap,
    extract::Json { value, .. }: extract::Json<Patch>,
) -> Result<Tagged<Shown>, Problem> {
    let now = ctx.clock.now();
    let (to, edit) = value.check(now)?;
    let booking = change(&ctx, &caller, id, Some(&headers), |b| {
        // As it is now; another patch may have come between.
        let edit = edit.on(b);
        b.move_to(to.clone(), now)?;
        b.edit(edit, now)
    })
    .await?;
    Ok(Tagged(tag(&booking), shown(&ctx, &booking).await?))
}

/// `POST /v1/bookings/{id}/move`: to another time, another coach, or both. What was planned for the time before
/// is withdrawn and planned anew; the client is told, where there is a template for it.
pub async fn move_to(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<BookingId>,
    extract::Json { value, .. }: extract::Json<MoveRequest>,
) -> Result<Json<Shown>, Problem> {
    let now = ctx.clock.now();
    let to = value.check(now)?;
    let booking = change(&ctx, &caller, id, None, |b| b.move_to(to.clone(), now)).await?;
    Ok(Json(shown(&ctx, &booking).await?))
}

/// `POST /v1/bookings/{id}/cancel`: it does not take place; what was planned is withdrawn. Once more changes
/// nothing.
pub async fn cancel(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<BookingId>,
) -> Result<Json<Shown>, Problem> {
    let (now, by) = (ctx.clock.now(), caller.id.clone());
    let booking = change(&ctx, &caller, id, None, |b| b.cancel(&by, now)).await?;
    Ok(Json(shown(&ctx, &booking).await?))
}

/// `POST /v1/bookings/{id}/complete`: it has taken place. Feedback is asked for from its end on. Once more
/// changes nothing.
pub async fn complete(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<BookingId>,
) -> Result<Json<Shown>, Problem> {
    let (now, by) = (ctx.clock.now(), caller.id.clone());
    let booking = change(&ctx, &caller, id, None, |b| b.complete(&by, now)).await?;
    Ok(Json(shown(&ctx, &booking).await?))
}

/// `DELETE /v1/bookings/{id}`: forgets a booking that is cancelled or completed. Its messages stay.
pub async fn delete(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<BookingId>,
) -> Result<NoContent, Problem> {
    for _ in 0..ROUNDS {
        let booking = found(&ctx, &caller, id).await?;
        let messages = notices::messages(&ctx, &booking).await?;
        let waits = booking.due.is_some() || messages.values().any(|m| !m.state.is_settled());
        let is_open =
            matches!(booking.status(), carillon_domain::booking::BookingStatus::Confirmed);
        if is_open || waits {
            let detail = "Something may still be sent for this booking; cancel it first, or wait \
                          until its notices are settled.";
            return Err(Problem::conflict("booking_open", detail));
        }
        note::before(&Shown::of(&booking, &messages, ctx.clock.now()));
        if ctx.store.delete_booking(&booking).await? {
            return Ok(NoContent);
        }
    }
    Err(StoreError::Contended("a booking").into())
}

async fn found(ctx: &Context, caller: &Caller, id: BookingId) -> Result<Booking, Problem> {
    let booking = ctx.store.booking(caller.org, id).await?;
    booking.ok_or_else(|| Problem::not_found("booking"))
}

async fn change(
    ctx: &Context,
    caller: &Caller,
    id: BookingId,
    headers: Option<&HeaderMap>,
    action: impl Fn(&mut Booking) -> Result<(), Refused>,
) -> Result<Booking, Problem> {
    for _ in 0..ROUNDS {
        let mut booking = found(ctx, caller, id).await?;
        if let Some(headers) = headers {
            tag(&booking).check(headers)?;
        }
        note::before(&Shown::of(&booking, &Default::default(), ctx.clock.now()));
        let before = booking.clone();
        action(&mut booking).map_err(refused)?;
        if booking == before {
            return Ok(booking);
        }
        if ctx.store.save_booking(&mut booking).await? {
            return follow(ctx, booking).await;
        }
    }
    Err(StoreError::Contended("a booking").into())
}

fn refused(why: Refused) -> Problem {
    let detail = match why {
        Refused::Cancelled => "The booking is cancelled; make a new one.",
        Refused::Completed => "The booking is completed; this cannot be done any more.",
    };
    Problem::conflict(why.code(), detail)
}
