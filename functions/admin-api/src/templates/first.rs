//! The templates that every organization begins with, found by their keys:
//! confirmation, reminder and feedback request of a booking. Made once; what an
//! organization edits or deletes stays so.

use carillon_domain::content::{Kind, TemplateContent, Text, Translations};
use carillon_domain::library::{FIRST, LIBRARY, Ready};
use carillon_domain::{Channel, OrgId, TemplateId};
use carillon_runtime::Context;
use carillon_store::{StoreError, StoredTemplate};

/// Makes them where they were not made yet. Cut off anywhere, a repeat makes the
/// rest: each has the same id every time.
///
/// # Errors
/// When the table does not answer.
pub async fn ensure(ctx: &Context, org: OrgId, by: &str) -> Result<(), StoreError> {
    if ctx.store.has_first_templates(org).await? {
        return Ok(());
    }
    for ready in LIBRARY.iter().filter(|ready| FIRST.contains(&ready.key)) {
        // Taken: made by the run before, or the organization has its own.
        ctx.store.put_template(org, &template(ctx, org, ready, by)).await?;
    }
    ctx.store.note_first_templates(org, ctx.clock.now()).await
}

fn template(ctx: &Context, org: OrgId, ready: &Ready, by: &str) -> StoredTemplate {
    let now = ctx.clock.now();
    let text = Text {
        body: ready.body.to_owned(),
        translations: Translations {
            language: Some(ready.language.to_owned()),
            ..Translations::default()
        },
        ..Text::default()
    };
    StoredTemplate {
        id: TemplateId::from_hash(&[b"first template", org.as_bytes(), ready.key.as_bytes()]),
        key: ready.key.to_owned(),
        version: 1,
        channel: Channel::Sms,
        name: Some(ready.name.to_owned()),
        strategy: None,
        content: TemplateContent { kind: Kind::Text(text), variables: ready.variables() },
        is_active: true,
        created_by: by.to_owned(),
        created_at: now,
        updated_at: now,
    }
}
