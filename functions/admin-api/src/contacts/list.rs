//! `GET /v1/contacts`: all of them by name, or those that are looked for. Each
//! page costs the same, however many contacts there are: it is read from a list
//! that is in that order already.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::contact::search::{self, Query as Search};
use carillon_domain::{Contact, ContactId, PhoneNumber};
use carillon_runtime::Context;
use carillon_store::keys::ContactList;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::Params;
use crate::lists::{self, ByPlace, Limit, Page, paged};
use crate::problem::Problem;
use crate::view::contact::Contact as Shown;

/// Which contacts, and which part of the list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The beginning of a word of the name, of a number or of an email address.
    q: Option<String>,
    label: Option<String>,
    status: Option<String>,
    /// Whose number it is.
    phone: Option<String>,
    /// Whose email address it is; it may be several contacts'.
    email: Option<String>,
    /// Whose external id it is.
    external_id: Option<String>,
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}
paged!(Query);

impl Query {
    /// Whether a contact is one of those that are asked for.
    fn fits(&self, c: &Contact) -> bool {
        let is_status = |status: &str| {
            c.status.as_deref().is_some_and(|own| search::fold(own) == search::fold(status))
        };
        self.label.as_deref().is_none_or(|label| c.has_label(label))
            && self.status.as_deref().is_none_or(is_status)
            && self.email.as_deref().is_none_or(|email| {
                c.email.as_deref().is_some_and(|own| own == email.trim().to_lowercase())
            })
            && self.external_id.as_deref().is_none_or(|id| c.external_id.as_deref() == Some(id))
    }
}

/// `GET /v1/contacts`: contacts, by name.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<Page<Shown>>, Problem> {
    let settings = ctx.store.settings(caller.org).await?;
    if let Some(phone) = &params.phone {
        let phone = PhoneNumber::parse(phone, settings.default_country)
            .map_err(|e| Problem::field("phone", e.code(), e.to_string()))?;
        let key = ctx.address_key(caller.org, phone.as_str()).await?;
        let id = ctx.store.contact_of_phone(caller.org, key).await?;
        return one(&ctx, &caller, &params, id).await;
    }
    if let Some(external_id) = &params.external_id {
        let id = ctx.store.contact_of_external_id(caller.org, external_id).await?;
        return one(&ctx, &caller, &params, id).await;
    }
    let code = settings.default_country.and_then(carillon_domain::Country::calling_code);
    let search = match params.q.as_deref().or(params.email.as_deref()) {
        None => None,
        Some(text) => match Search::read(text, code.as_deref()) {
            // Nothing of it can be the beginning of anything.
            None => return Ok(Json(Page::of(&params, Vec::new(), None))),
            Some(search) => Some(search),
        },
    };
    let label = params.label.as_deref().map(search::fold);
    let status = params.status.as_deref().map(search::fold);
    let (lists, prefix) = match (&search, &label, &status) {
        (Some(Search::Email(text)), ..) => (vec![ContactList::Emails], text.as_str()),
        (Some(Search::Phone(text)), ..) => (vec![ContactList::Phones], text.as_str()),
        (Some(Search::Name(text)), ..) => {
            (vec![ContactList::All, ContactList::Words], text.as_str())
        }
        (None, Some(label), _) => (vec![ContactList::Label(label)], ""),
        (None, None, Some(status)) => (vec![ContactList::Status(status)], ""),
        (None, None, None) => (vec![ContactList::All], ""),
    };
    let mut page = ByPlace::new(&params)?;
    while let Some((after, most)) = page.next() {
        let most = lists::wanted(most);
        let found =
            ctx.store.contacts_listed(caller.org, &lists, prefix, after.as_deref(), most).await?;
        let fits = |c: Option<Contact>| c.filter(|c| params.fits(c));
        page.add(found.into_iter().map(|(place, c)| (place, fits(c))).collect(), |c| Shown::of(&c));
    }
    Ok(Json(page.page(&params)))
}

/// The page of a list that has one entry at most.
async fn one(
    ctx: &Context,
    caller: &Caller,
    params: &Params<Query>,
    id: Option<ContactId>,
) -> Result<Json<Page<Shown>>, Problem> {
    let contact = match id {
        Some(id) => ctx.store.contact_now(caller.org, id).await?.filter(|c| params.fits(c)),
        None => None,
    };
    Ok(Json(Page::of(params, contact.iter().map(Shown::of).collect(), None)))
}
