//! A notice as a message: its template, its variables, its end.

use carillon_domain::booking::link::Link;
use carillon_domain::booking::{Booking, Notice, NoticeKind, SkipReason};
use carillon_domain::message::{Content, Message, Related, Single, Source, TemplateRef};
use carillon_domain::personal::{self, About as Mentioned, Person};
use carillon_domain::{Channel, MessageId, written_out};
use carillon_store::StoredTemplate;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::SyncError;
use super::about::About;
use crate::{Context, outbox};

/// What the key of feedback links is derived for.
pub const FEEDBACK_KEY: &str = "feedback links";
/// Where no place is known.
const NO_PLACE: &str = "TBD";
/// Feedback is asked for at most this long after its time.
const FEEDBACK_ENDS: SignedDuration = SignedDuration::from_hours(72);

/// # Errors
/// Outer: the table. Inner: why it is not sent.
pub async fn write(
    ctx: &Context,
    b: &Booking,
    about: &About,
    notice: &Notice,
    id: MessageId,
    now: Timestamp,
) -> Result<Result<Message, SkipReason>, SyncError> {
    let (Some(contact), Some(phone)) = (&about.contact, &about.phone) else {
        return Ok(Err(about.no_phone()));
    };
    if !is_served(ctx, b, notice.channel).await? {
        return Ok(Err(SkipReason::NoProvider));
    }
    let template = ctx.store.template_by_key(b.org, notice.kind.template()).await?;
    let template = match template {
        None => return Ok(Err(SkipReason::NoTemplate)),
        Some(template) if !template.is_active => return Ok(Err(SkipReason::TemplateInactive)),
        Some(template) => template,
    };
    let mut given = variables(b, about);
    if notice.kind == NoticeKind::Feedback {
        match link(ctx, b, about).await? {
            Some(link) => given.insert("feedback_link".to_owned(), link.into()),
            None => return Ok(Err(SkipReason::NoPublicUrl)),
        };
    }
    let Some(content) = content(&template, about, given) else {
        return Ok(Err(SkipReason::TemplateUnusable));
    };
    let single = Single {
        id,
        org: b.org,
        channel: notice.channel,
        address: phone.as_str().to_owned(),
        content,
        source: Source::Single,
        related: Some(Related { kind: "booking".to_owned(), id: b.id.to_string() }),
        contact: Some(contact.id),
        zone: contact.time_zone.clone(),
        integration: None,
        scheduled_for: notice.at,
        expires_at: end(b, notice.kind, notice.at),
        override_quiet_hours: false,
        created_by: b.created_by.clone(),
    };
    Ok(Ok(outbox::planned(ctx, single, now)))
}

/// After this it is of no use.
pub fn end(b: &Booking, kind: NoticeKind, at: Timestamp) -> Option<Timestamp> {
    match kind {
        NoticeKind::Feedback => at.checked_add(FEEDBACK_ENDS).ok(),
        NoticeKind::Reminder
        | NoticeKind::Confirmation
        | NoticeKind::Moved
        | NoticeKind::Reassigned
        | NoticeKind::Cancelled => Some(b.starts_at),
    }
}

/// An SMS account may be set up until the notice is due; of what nothing can
/// send, nothing is planned.
async fn is_served(ctx: &Context, b: &Booking, channel: Channel) -> Result<bool, SyncError> {
    if channel == Channel::Sms {
        return Ok(true);
    }
    let integrations = ctx.store.integrations(b.org).await?;
    Ok(integrations.iter().any(|i| i.enabled && i.provider.channel() == channel))
}

fn variables(b: &Booking, about: &About) -> Map<String, Value> {
    let contact = about.contact.as_ref();
    let or = |text: &str, other: &str| -> Value {
        (if text.is_empty() { other } else { text }).to_owned().into()
    };
    let language = contact.and_then(|c| c.language.as_deref());
    let mut values = Map::new();
    if let Some(name) = contact.and_then(|c| c.first_name()) {
        values.insert("client_name".to_owned(), name.into());
    }
    values.insert("coach_name".to_owned(), or(&b.coach_name, &about.organization));
    let starts = written_out::date_and_time(b.starts_at, &about.zone, language);
    values.insert("session_datetime".to_owned(), starts.into());
    values.insert("location".to_owned(), or(&b.location, NO_PLACE));
    values
}

/// None where it has no text for this client, or one that is too long.
fn content(template: &StoredTemplate, about: &About, given: Map<String, Value>) -> Option<Content> {
    let contact = about.contact.as_ref();
    let first_name = contact.and_then(|c| c.first_name());
    let person = contact.map(|c| Person {
        name: c.name.as_deref(),
        first_name: first_name.as_deref(),
        email: c.email.as_deref(),
        phone: about.phone.as_ref().map(|p| p.as_str()),
        external_id: c.external_id.as_deref(),
        status: c.status.as_deref(),
        language: c.language.as_deref(),
        zone: Some(&about.zone),
        attributes: None,
    });
    let mentioned = Mentioned {
        contact: person,
        workshop: None,
        organization: Some(about.organization.as_str()),
    };
    let written = match personal::write(&template.content, &Default::default(), &given, &mentioned)
    {
        Ok(written) => written,
        Err(error) => {
            tracing::warn!(template = template.key, code = error.code(), "a notice has no text");
            return None;
        }
    };
    let reference =
        TemplateRef { id: template.id, key: template.key.clone(), version: template.version };
    let content = Content::text(written.body, Some(reference), written.variables);
    (content.segments <= about.settings.max_segments).then_some(content)
}

/// Where the client rates the session; none where no address of ours is known.
async fn link(ctx: &Context, b: &Booking, about: &About) -> Result<Option<String>, SyncError> {
    let token = Link::to(b).token(&ctx.derived_key(FEEDBACK_KEY).await?);
    Ok(match (&about.settings.feedback_url, &ctx.config.pages_url) {
        (Some(own), _) => {
            let joint = if own.contains('?') { '&' } else { '?' };
            Some(format!("{own}{joint}token={token}"))
        }
        (None, Some(base)) => Some(format!("{base}/feedback/{token}")),
        (None, None) => None,
    })
}
