//! `GET /v1/workshops/{id}/recipients`: how many can be reached, and who cannot.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::{Channel, Contact, PhoneNumber, WorkshopId};
use carillon_runtime::Context;
use schemars::JsonSchema;
use serde::Deserialize;

use super::found;
use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::view::workshop::{Recipients, Unreachable};

/// Registrations looked at a time.
const A_TIME: u32 = 200;
/// People who are named; all are counted.
const NAMED: usize = 1_000;

/// By which channel.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    channel: Option<Channel>,
}

/// `GET /v1/workshops/{id}/recipients`: who can be reached, and who cannot and
/// why.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    params: Params<Query>,
) -> Result<Json<Recipients>, Problem> {
    let w = found(&ctx, &caller, id).await?;
    let channel = params.channel.unwrap_or(Channel::Sms);
    let mut all = Recipients::default();
    let mut next = 1;
    while next <= w.registrations {
        let to = w.registrations.min(next + A_TIME - 1);
        let limit = i32::try_from(A_TIME).unwrap_or(i32::MAX);
        let part = ctx.store.registrations(caller.org, id, (next, to), limit).await?;
        next = to + 1;
        let active = || part.iter().filter(|r| r.is_active());
        let ids: Vec<_> = active().map(|r| r.contact).collect();
        let contacts = ctx.store.contacts(caller.org, &ids, false).await?;
        for r in active() {
            let contact = contacts.get(&r.contact);
            all.total += 1;
            match contact.is_some_and(|c| c.email.is_some()) {
                true => all.with_email += 1,
                false => all.missing_email += 1,
            }
            match why_not(contact, channel) {
                None => all.reachable += 1,
                Some(_) if all.unreachable.len() >= NAMED => {}
                Some(reason) => all
                    .unreachable
                    .push(Unreachable { contact_id: r.contact, reason: reason.to_owned() }),
            }
        }
    }
    Ok(Json(all))
}

fn why_not(contact: Option<&Contact>, channel: Channel) -> Option<&'static str> {
    let Some(contact) = contact else { return Some("contact_gone") };
    let Some(phone) = &contact.phone else { return Some("no_phone") };
    match channel {
        Channel::Voice => None,
        Channel::Sms | Channel::Whatsapp | Channel::WhatsappGroup => {
            PhoneNumber::parse_mobile(phone.as_str(), None).err().map(|error| error.code())
        }
    }
}
