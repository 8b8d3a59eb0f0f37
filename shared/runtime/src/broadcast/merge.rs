//! Two contacts become one person, and may both be registered for a workshop. Of
//! two places one stays, so that nobody is told twice; a single place is the
//! person's from then on, with its number, and so with what is pending for it.

use carillon_domain::{ContactId, OrgId, WorkshopId};
use carillon_store::StoreError;

use super::join;
use crate::{Context, random};

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;
/// Workshops of a contact read at a time.
const WORKSHOPS: i32 = 50;

/// The places of one contact become another's, who is the same person.
///
/// # Errors
/// When the table does not answer. To be repeated: what was done is found.
pub async fn places(
    ctx: &Context,
    org: OrgId,
    from: ContactId,
    into: ContactId,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = ctx.store.workshops_of(org, from, after, WORKSHOPS).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, place) in page {
            if place.is_active {
                place_in(ctx, (org, id), from, into).await?;
            }
        }
    }
}

async fn place_in(
    ctx: &Context,
    (org, id): (OrgId, WorkshopId),
    from: ContactId,
    into: ContactId,
) -> Result<(), StoreError> {
    for _ in 0..ROUNDS {
        let w = ctx.store.workshop(org, id).await?;
        let Some(mut w) = w.filter(|w| w.deleted_at.is_none()) else { return Ok(()) };
        let places = ctx.store.places(org, id, &[from, into]).await?;
        let is_in = |contact| places.get(&contact).filter(|place| place.is_active);
        let Some(place) = is_in(from) else { return Ok(()) };
        if is_in(into).is_some() {
            join::leave(ctx, (org, id), &[from]).await?;
            return Ok(());
        }
        let Some(r) = ctx.store.registration(org, id, place.number).await? else { return Ok(()) };
        if ctx.store.hand_registration(&mut w, &r, into, &random::token()).await? {
            return Ok(());
        }
    }
    Err(StoreError::Contended("a workshop"))
}
