//! The text of a message as its provider wants it: free text, or a registered
//! template with the values of its slots.

use carillon_domain::message::Message;
use carillon_domain::{Failure, FailureReason, ProviderName};
use carillon_providers::{Content, provider};
use serde_json::Value;

use crate::{Run, SendError};

/// # Errors
/// Outer: the table. Inner: the message cannot be sent by this provider.
pub async fn of(
    run: &Run<'_>,
    message: &Message,
    name: ProviderName,
) -> Result<Result<Content, Failure>, SendError> {
    let text = || Ok(Ok(Content::Text(message.content.body.clone())));
    let Some(reference) = &message.content.template else { return text() };
    if !provider(name).capabilities().registered_templates {
        return text();
    }
    let stored = run.ctx.store.template_version(run.org, reference.id, reference.version).await?;
    let Some(template) = stored else { return text() };
    let detail =
        |field: &str| template.details.get(field).and_then(Value::as_str).filter(|v| !v.is_empty());
    let Some(template_id) = detail("provider_template_id").or_else(|| detail("dlt_template_id"))
    else {
        return text();
    };
    let mut values = Vec::new();
    for slot in template.details.get("variables").and_then(Value::as_array).into_iter().flatten() {
        let key = slot.get("key").and_then(Value::as_str).unwrap_or_default();
        let value = message.content.variables.get(key).or_else(|| slot.get("default"));
        match value {
            Some(Value::String(text)) => values.push(text.clone()),
            Some(Value::Null) | None => {
                let detail = format!("the template's slot {key} has no value");
                let reason = FailureReason::TemplateMismatch;
                return Ok(Err(Failure::new("missing_value", reason, true, detail)));
            }
            Some(other) => values.push(other.to_string()),
        }
    }
    Ok(Ok(Content::Registered {
        template_id: template_id.to_owned(),
        sender_id: detail("sender_id").map(str::to_owned),
        values,
    }))
}
