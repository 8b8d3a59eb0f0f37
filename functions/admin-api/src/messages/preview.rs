//! `POST /v1/messages/preview`: what would be sent, to whom, for how much, and
//! what stands against it. Sends nothing and stores nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_domain::integration::Money;
use carillon_domain::segments;
use carillon_runtime::Context;
use serde_json::json;

use super::draft::SendRequest;
use crate::auth::Caller;
use crate::extract;
use crate::problem::Problem;
use crate::view;

pub async fn preview(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value: request, .. }: extract::Json<SendRequest>,
) -> Result<Json<serde_json::Value>, Problem> {
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
    let suppression = ctx.store.suppression(caller.org, address, draft.channel).await?;
    let (decision, reason) = match (&suppression, chosen) {
        (Some(s), _) => ("suppressed", Some(s.reason.as_str())),
        (None, None) => ("failed", Some("misconfigured")),
        (None, Some(_)) => ("send", None),
    };
    Ok(Json(json!({
        "channel": draft.channel,
        "to": draft.to.as_str(),
        "body": draft.content.body,
        "segments": draft.content.segments,
        "encoding": draft.content.encoding.map(segments::Encoding::as_str),
        "gsm7_replacement": segments::gsm7_replacements(&draft.content.body),
        "provider": chosen.map(|(name, _)| name.as_str()),
        "price": price,
        "scheduled_for": view::time(draft.scheduled_for),
        "decision": decision,
        "reason": reason,
    })))
}
