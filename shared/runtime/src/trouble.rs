//! Members are told of trouble: by a message of the organization, through the same
//! gates as any other, by mail, or by a call to an address of theirs. Best effort, and at
//! most once an hour of each kind and subject: what is said is in the console too.
//!
//! Who finds it [`tell`]s the receiver, who may know the keys of addresses, and
//! [`pass_on`] brings it to members.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use carillon_domain::message::{Content, Single, Source};
use carillon_domain::settings::{Notify, Trouble};
use carillon_domain::{Channel, MessageId, OrgId, OutsideUrl, ids};
use carillon_providers::client::SetUpError;
use carillon_providers::{Body, HttpRequest, Method};
use carillon_store::{Remembered, StoreError};
use jiff::Timestamp;
use serde_json::{Map, json};

use crate::body::{ReceiveBody, Received};
use crate::context::InstallationError;
use crate::{Context, outbox};

const HOUR: i64 = 3_600;
/// Who makes the messages.
const BY: &str = "trouble";
/// What an address of a member has to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Kinds and subjects remembered at most; then all are forgotten.
const MOST: usize = 1_000;

/// What was told in which hour, so that a thousand failures ask once.
#[derive(Debug, Default)]
pub(crate) struct Lately(Mutex<HashMap<(OrgId, Trouble, String), i64>>);

impl Lately {
    /// Whether it is new in this hour.
    fn is_new(&self, org: OrgId, about: Trouble, subject: &str, hour: i64) -> bool {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.len() >= MOST {
            lately.clear();
        }
        lately.insert((org, about, subject.to_owned()), hour) != Some(hour)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TellError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    SetUp(#[from] SetUpError),
}

/// Tells whoever wants to know. `subject` is what it is about (an account, a
/// share of a limit); `what` a sentence without any person's data. Best effort.
pub async fn tell(ctx: &Context, org: OrgId, about: Trouble, subject: &str, what: &str) {
    let now = ctx.clock.now();
    let hour = now.as_second().div_euclid(HOUR);
    if !ctx.told.is_new(org, about, subject, hour) {
        return;
    }
    if !is_wanted(ctx, org, about).await {
        return;
    }
    let (subject, what) = (subject.to_owned(), what.to_owned());
    let body = ReceiveBody::new(org, Received::Trouble { about, subject, what }, now);
    if let Err(error) = ctx.queues.receive(&body).await {
        ctx.counters.add("trouble_not_told", 1);
        tracing::warn!(error = &error as &dyn std::error::Error, "members were not told");
    }
}

/// Whether anybody wants to know; yes where that cannot be seen now.
pub async fn is_wanted(ctx: &Context, org: OrgId, about: Trouble) -> bool {
    match ctx.store.settings(org).await {
        Ok(settings) => settings.notify.iter().any(|n| n.about().contains(&about)),
        Err(_) => true,
    }
}

/// Brings it to members; `at` is when it was found.
///
/// # Errors
/// When the table or KMS does not answer: it comes again.
pub async fn pass_on(
    ctx: &Context,
    org: OrgId,
    (about, subject, what): (Trouble, &str, &str),
    at: Timestamp,
) -> Result<(), TellError> {
    let hour = at.as_second().div_euclid(HOUR);
    Box::pin(all(ctx, org, (about, subject, hour), what, ctx.clock.now())).await
}

async fn all(
    ctx: &Context,
    org: OrgId,
    (about, subject, hour): (Trouble, &str, i64),
    what: &str,
    now: Timestamp,
) -> Result<(), TellError> {
    let settings = ctx.store.settings(org).await?;
    let wanted: Vec<&Notify> =
        settings.notify.iter().filter(|n| n.about().contains(&about)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let name = ctx.store.organization(org).await?.map(|o| o.name).unwrap_or_default();
    let cause = format!("{}/{subject}/{hour}", about.as_str());
    for notify in wanted {
        match notify {
            Notify::Sms { to, .. } => {
                let address = ctx.address_key(org, to).await?;
                let at = u64::try_from(hour * HOUR * 1_000).unwrap_or(0);
                let single = Single {
                    id: MessageId::new(address, at, &[b"trouble", cause.as_bytes()]),
                    org,
                    channel: Channel::Sms,
                    address: to.clone(),
                    content: Content::text(format!("{name}: {what}"), None, Map::new()),
                    source: Source::Single,
                    related: None,
                    contact: None,
                    zone: None,
                    integration: None,
                    scheduled_for: now,
                    expires_at: None,
                    override_quiet_hours: false,
                    created_by: BY.to_owned(),
                };
                outbox::post(ctx, &outbox::planned(ctx, single, now), now).await?;
            }
            Notify::Email { to, .. } => {
                mail(ctx, org, (about, &cause), (to, &name, what), now).await?
            }
            Notify::Webhook { url, .. } => {
                call(ctx, org, (about, &cause), (url, &name, what), now).await?;
            }
        }
    }
    Ok(())
}

/// The id of what is to be said, unless somebody has begun to say it: at most once.
async fn claimed(
    ctx: &Context,
    org: OrgId,
    key: &str,
    now: Timestamp,
) -> Result<Option<String>, TellError> {
    let id = ids::encode(&ids::hash(&[org.as_bytes(), key.as_bytes()])[..10]);
    let claim = Remembered {
        request_hash: String::new(),
        id: format!("trouble {id}"),
        answer: String::new(),
        at: now,
    };
    let earlier = ctx.store.remember(org, "trouble", key, &claim).await?;
    Ok(earlier.is_none().then_some(id))
}

async fn mail(
    ctx: &Context,
    org: OrgId,
    (about, cause): (Trouble, &str),
    (to, name, what): (&str, &str, &str),
    now: Timestamp,
) -> Result<(), TellError> {
    // The key of what is remembered names no person.
    let person = ids::encode(&ids::hash(&[org.as_bytes(), to.as_bytes()])[..10]);
    if claimed(ctx, org, &format!("{cause}/{person}"), now).await?.is_none() {
        return Ok(());
    }
    let subject = format!("{name}: {}", about.title());
    let text = match &ctx.config.console_url {
        Some(url) => format!("{what}\n\n{url}/console\n"),
        None => format!("{what}\n"),
    };
    let sent = match &ctx.mail {
        Some(mail) => mail.send(to, (&subject, &text), now).await.map_err(Some),
        None => Err(None),
    };
    match sent {
        Ok(()) => ctx.counters.add("trouble_told", 1),
        Err(error) => {
            ctx.counters.add("trouble_not_told", 1);
            let error = error.as_ref().map(|e| e as &dyn std::error::Error);
            tracing::warn!(error, "a mail about trouble was not taken");
        }
    }
    Ok(())
}

async fn call(
    ctx: &Context,
    org: OrgId,
    (about, cause): (Trouble, &str),
    (url, name, what): (&str, &str, &str),
    now: Timestamp,
) -> Result<(), TellError> {
    // As it was when it was set; its name is looked at again when it is called.
    let Ok(url) = OutsideUrl::parse(url) else { return Ok(()) };
    let Some(id) = claimed(ctx, org, &format!("{cause}/{}", url.as_str()), now).await? else {
        return Ok(());
    };
    let said = json!({
        "id": id, "type": format!("trouble.{}", about.as_str()), "at": now,
        "organization": {"id": org, "name": name}, "detail": what,
    });
    let request = HttpRequest {
        method: Method::Post,
        url: url.as_str().to_owned(),
        headers: Vec::new(),
        body: Some(Body { content_type: "application/json", text: said.to_string() }),
    };
    match ctx.outside()?.call(request, PATIENCE).await {
        Ok(answer) if (200..300).contains(&answer.status) => ctx.counters.add("trouble_told", 1),
        Ok(_) | Err(_) => {
            ctx.counters.add("trouble_not_told", 1);
            tracing::warn!("an address for trouble did not take it");
        }
    }
    Ok(())
}
