//! `POST /v1/messages/preview`: what would be sent, to whom, for how much, and
//! what stands against it. Sends nothing and stores nothing.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::integration::Money;
use carillon_domain::message::DecisionKind;
use carillon_domain::{quiet, segments};
use carillon_runtime::Context;
use carillon_store::OrganizationStatus;

use super::decide::{self, Standing};
use super::draft::SendRequest;
use crate::answers::Json;
use crate::auth::Caller;
use crate::extract;
use crate::problem::Problem;
use crate::view::message::Decision as Shown;
use crate::view::preview::{Outlook, Preview};

/// `POST /v1/messages/preview`: what would be sent, for how much, and what
/// stands against it. Sends nothing.
pub async fn preview(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value: request, .. }: extract::Json<SendRequest>,
) -> Result<Json<Preview>, Problem> {
    let settings = ctx.store.settings(caller.org).await?;
    let now = ctx.clock.now();
    let draft = request.check(&ctx, &caller, &settings, now).await?;
    let accounts = ctx.accounts(caller.org).await?;
    let chosen = accounts.serving(draft.channel, &draft.to, draft.integration).next();
    let price = chosen.and_then(|(_, account)| {
        let (micros, currency) = account.settings.price_of_part(&draft.to)?;
        Some(Money::from_micros(micros * u64::from(draft.content.segments), currency))
    });
    let address = ctx.address_key(caller.org, draft.to.as_str()).await?;
    // When it would go: what counts is the hour of that moment.
    let at = draft.scheduled_for.max(now);
    let zone = draft.zone();
    let ask = decide::quiet_ask(&draft, &zone, &settings);
    let day = quiet::local_day(at, &ask).to_string();
    let (gates, ledger, had_today, organization) = futures::try_join!(
        ctx.store.gates_of(caller.org, address, draft.channel),
        ctx.store.ledger(caller.org),
        ctx.store.places_taken(caller.org, address, &day),
        ctx.store.organization(caller.org),
    )?;
    let suspended = organization.is_some_and(|o| o.status == OrganizationStatus::Suspended);
    let standing =
        Standing { settings: &settings, suspended, accounts: &accounts, gates, ledger, had_today };
    let decisions = decide::decide(&draft, &standing, at);
    let first = decisions.first();
    let decision = match first.map(|d| d.kind) {
        None => Outlook::Send,
        // It cannot wait as long as it would have to.
        Some(DecisionKind::Deferred)
            if decisions.get(1).is_some_and(|next| next.kind == DecisionKind::Expired) =>
        {
            Outlook::Failed
        }
        Some(DecisionKind::Deferred) => Outlook::Deferred,
        Some(DecisionKind::Suppressed) => Outlook::Suppressed,
        Some(_) => Outlook::Failed,
    };
    Ok(Json(Preview {
        channel: draft.channel,
        to: draft.to.as_str().to_owned(),
        segments: draft.content.segments,
        encoding: draft.content.encoding,
        gsm7_replacement: segments::gsm7_replacements(&draft.content.body),
        body: draft.content.body,
        provider: chosen.map(|(name, _)| name),
        price,
        scheduled_for: draft.scheduled_for,
        decision,
        reason: first.map(|d| d.reason.clone()),
        until: first.and_then(|d| d.until),
        decisions: decisions.iter().map(Shown::of).collect(),
    }))
}
