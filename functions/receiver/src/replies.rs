//! C and R: what a client answers to a notice of a booking is noted on the next
//! session that they were told of. Anything else stays what it is, a message.

use carillon_domain::booking::{Booking, Notice, NoticeKind, Reply, State};
use carillon_domain::keywords;
use carillon_domain::message::Message;
use carillon_runtime::{Context, booking};

use crate::ReceiveError;

/// Rounds against others who change the booking.
const ROUNDS: usize = 8;

/// Notes the answer, if `m` is one. Idempotent: the same message once.
pub async fn note(ctx: &Context, m: &Message) -> Result<(), ReceiveError> {
    let Some(answer) = keywords::booking_answer(&m.content.body) else { return Ok(()) };
    let (org, at) = (m.org, m.created_at);
    let Some(client) = ctx.store.contact_of_phone(org, m.id.address()).await? else {
        return Ok(());
    };
    for _ in 0..ROUNDS {
        let Some(mut booking) = next_told(ctx, m, client).await? else { return Ok(()) };
        // What came first may be applied last.
        if booking.reply.as_ref().is_some_and(|r| r.message == m.id || r.at > at) {
            return Ok(());
        }
        booking.reply = Some(Reply { answer, at, message: m.id });
        if ctx.store.save_booking(&mut booking).await? {
            return Ok(());
        }
    }
    Err(carillon_store::StoreError::Contended("a booking").into())
}

/// The first session to come that the client was told of.
async fn next_told(
    ctx: &Context,
    m: &Message,
    client: carillon_domain::ContactId,
) -> Result<Option<Booking>, ReceiveError> {
    for booking in ctx.store.bookings_of(m.org, client).await? {
        if booking.state != State::Confirmed || booking.starts_at <= m.created_at {
            continue;
        }
        let messages = booking::messages(ctx, &booking).await?;
        let is_told = |n: &Notice| {
            let sent = n.message().and_then(|id| messages.get(&id)).and_then(|m| m.sent_at);
            n.kind != NoticeKind::Feedback && sent.is_some_and(|sent| sent <= m.created_at)
        };
        if booking.notices.iter().any(is_told) {
            return Ok(Some(booking));
        }
    }
    Ok(None)
}
