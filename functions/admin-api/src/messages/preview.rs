//! `POST /v1/messages/preview`: what would be sent, to whom, for how much, and
//! what stands against it. Sends nothing and stores nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_domain::integration::Money;
use carillon_domain::message::{Decision, DecisionKind, SuppressionReason};
use carillon_domain::settings::Settings;
use carillon_domain::{FailureReason, consent, segments};
use carillon_runtime::Context;
use carillon_runtime::accounts::Accounts;
use carillon_store::GateRows;
use jiff::Timestamp;

use super::draft::{Draft, SendRequest};
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
    let gates = ctx.store.gates_of(caller.org, address, draft.channel).await?;
    let decisions = decide(&draft, &settings, &accounts, &gates, now);
    let first = decisions.first();
    let decision = match first.map(|d| d.kind) {
        None => Outlook::Send,
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
        decisions: decisions.iter().map(Shown::of).collect(),
    }))
}

/// What the sender would decide now, in the order in which it asks; the first
/// is what would happen.
fn decide(
    draft: &Draft,
    settings: &Settings,
    accounts: &Accounts,
    gates: &GateRows,
    now: Timestamp,
) -> Vec<Decision> {
    let (channel, asked) = (draft.channel, draft.integration);
    let mut decisions = Vec::new();
    let mut decided = |kind, reason: &str, detail: String| {
        decisions.push(Decision { at: now, kind, reason: reason.to_owned(), until: None, detail });
    };
    if !settings.sending_enabled {
        let detail = "sending is switched off for the organization".to_owned();
        decided(DecisionKind::Deferred, "sending_disabled", detail);
    }
    if accounts.serving(channel, &draft.to, asked).next().is_none() {
        match accounts.switched_off(channel, &draft.to, asked) {
            Some(off) => {
                let detail = format!("the integration {} is switched off", off.as_str());
                decided(DecisionKind::Deferred, "integration_disabled", detail);
            }
            None => {
                let detail = "no integration serves this number".to_owned();
                decided(DecisionKind::GaveUp, FailureReason::Misconfigured.as_str(), detail);
            }
        }
    }
    if let Some(s) = &gates.suppression {
        decided(DecisionKind::Suppressed, s.reason.as_str(), s.detail());
    }
    let required = &settings.consent_required;
    if let Some(refusal) = consent::refuses(draft.purpose, &gates.consents, required) {
        let reason = SuppressionReason::NoConsent.as_str();
        decided(DecisionKind::Suppressed, reason, refusal.detail());
    }
    decisions
}
