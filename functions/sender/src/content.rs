//! The text of a message as its provider wants it: free text, or a registered
//! template with the values of its slots.

use carillon_domain::content::Registration;
use carillon_domain::message::Message;
use carillon_domain::personal::plain;
use carillon_domain::{Failure, FailureReason, ProviderName};
use carillon_providers::{Content, provider};

use crate::{Run, SendError};

/// # Errors
/// Outer: the table. Inner: the message cannot be sent by this provider.
pub async fn of(
    run: &Run<'_>,
    message: &Message,
    name: ProviderName,
) -> Result<Result<Content, Failure>, SendError> {
    let text = || Ok(Ok(Content::Text(message.content.sent_body())));
    let Some(reference) = &message.content.template else { return text() };
    if !provider(name).capabilities().registered_templates {
        return text();
    }
    let stored = run.ctx.store.template_version(run.org, reference.id, reference.version).await?;
    let Some(template) = stored else { return text() };
    let Some(template_id) = template.content.registration().and_then(Registration::id) else {
        return text();
    };
    let sender_id = template.content.registration().and_then(|r| r.sender_id.clone());
    let mut values = Vec::new();
    for slot in &template.content.variables {
        let given = message.content.variables.get(&slot.key).filter(|value| !value.is_null());
        let value = given.map(plain).or_else(|| slot.fallback().map(str::to_owned));
        let Some(value) = value else {
            let detail = format!("the template's slot {} has no value", slot.key);
            let reason = FailureReason::TemplateMismatch;
            return Ok(Err(Failure::new("missing_value", reason, true, detail)));
        };
        values.push(value);
    }
    Ok(Ok(Content::Registered {
        template_id: template_id.to_owned(),
        sender_id: sender_id.filter(|header| !header.is_empty()),
        values,
    }))
}
