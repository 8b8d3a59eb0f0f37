//! `/v1/consents`: what a person agreed to, by channel and purpose, and took
//! back. The sender asks the same rows before each call.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::consent::{Consent, ConsentStatus};
use carillon_domain::{Channel, Purpose};
use carillon_runtime::Context;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::{Created, Json};
use crate::auth::Caller;
use crate::extract::{self, Params};
use crate::lists::{self, ByAddress, Page};
use crate::messages::read_word;
use crate::problem::{FieldError, Problem};
use crate::{address, view};

/// A time this little ahead is now: clocks differ.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
const LONGEST_SOURCE: usize = 100;
const LONGEST_TEXT: usize = 1_000;

/// What a person said.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewConsent", example = example())]
pub struct Request {
    /// A number, with its country code or as in the organization's country.
    #[schemars(with = "String")]
    to: Option<String>,
    #[schemars(with = "Channel")]
    channel: Option<String>,
    #[schemars(with = "Purpose")]
    purpose: Option<String>,
    #[schemars(with = "ConsentStatus")]
    status: Option<String>,
    /// When it was said; now, where it is absent.
    #[schemars(with = "Option<Timestamp>")]
    at: Option<String>,
    /// Where it was said: a form, a till, a message.
    #[schemars(with = "String", length(min = 1, max = LONGEST_SOURCE))]
    source: Option<String>,
    /// What was said: the form's words or the person's.
    #[schemars(with = "String", length(min = 1, max = LONGEST_TEXT))]
    text: Option<String>,
}

/// What a contact said: of its own number, so that it names none.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct OfContact(Request);

impl JsonSchema for OfContact {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ContactConsent".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = Request::json_schema(generator);
        schema.remove("examples");
        if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            fields.remove("to");
        }
        if let Some(needed) = schema.get_mut("required").and_then(Value::as_array_mut) {
            needed.retain(|field| field != "to");
        }
        schema
    }
}

fn example() -> Value {
    json!({
        "to": "+61491570006", "channel": "sms", "purpose": "promotional", "status": "granted",
        "source": "sign-up form", "text": "Yes, tell me about new workshops by SMS.",
    })
}

/// `POST /v1/consents`: records what a person said. It counts from now on; what
/// was said later than this stays, and is a 409.
pub async fn put(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<Created<view::consent::Consent>, Problem> {
    let mut wrong = Vec::new();
    let to = address::read(&ctx, &caller, value.to.as_deref()).await?;
    let to = to.map_err(|error| wrong.push(error)).ok();
    let consent = value.consent(ctx.clock.now(), &mut wrong);
    let (Some((to, key)), Some(consent), true) = (to, consent, wrong.is_empty()) else {
        return Err(Problem::fields(wrong));
    };
    let counts = ctx.store.put_consent(caller.org, key, to.as_str(), &consent).await?;
    if counts != consent {
        let detail = format!(
            "What the person said on {} counts: {}. Give the time of this one if it was later.",
            counts.at,
            counts.status.as_str()
        );
        return Err(Problem::conflict("later_consent", detail));
    }
    Ok(Created(view::consent::Consent::of(to.as_str(), &consent)))
}

/// `GET /v1/consents`: what counts, at most one of each number, channel and
/// purpose; of one number (`to`), or of all, newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<ByAddress>,
) -> Result<Json<Page<view::consent::Consent>>, Problem> {
    let channel = params.channel;
    let Some(to) = &params.to else {
        let mut list = lists::ByPlace::new(&params)?;
        while let Some((before, most)) = list.next() {
            let store = &ctx.store;
            let found = store.consents(caller.org, channel, before.as_deref(), most).await?;
            list.add(found, |(to, c)| view::consent::Consent::of(&to, &c));
        }
        return Ok(Json(list.page(&params)));
    };
    // What one number has is one page.
    let (to, key) = address::of_query(&ctx, &caller, to).await?;
    let all = ctx.store.all_gates_of(caller.org, key).await?;
    let consents = all.iter().flat_map(|(_, rows)| &rows.consents);
    let consents = consents.filter(|c| channel.is_none_or(|channel| channel == c.channel));
    let data = consents.map(|c| view::consent::Consent::of(to.as_str(), c)).collect();
    Ok(Json(Page::of(&params, data, None)))
}

impl OfContact {
    /// `place` names it: `consents[0]`.
    pub fn of_contact(
        &self,
        place: &str,
        now: Timestamp,
        wrong: &mut Vec<FieldError>,
    ) -> Option<Consent> {
        let mut own = Vec::new();
        let Self(said) = self;
        if said.to.is_some() {
            let detail = "A contact's consents are for its own number; leave “to” out.";
            own.push(FieldError::new("to", "unknown_field", detail));
        }
        let consent = said.consent(now, &mut own);
        let is_right = own.is_empty();
        wrong.extend(
            own.into_iter().map(|e| FieldError { field: format!("{place}.{}", e.field), ..e }),
        );
        consent.filter(|_| is_right)
    }
}

impl Request {
    fn consent(&self, now: Timestamp, wrong: &mut Vec<FieldError>) -> Option<Consent> {
        let channels = "sms, whatsapp, whatsapp_group or voice";
        let channel = needed("channel", &self.channel, Channel::parse, channels, wrong);
        let purposes = "transactional or promotional";
        let purpose = needed("purpose", &self.purpose, Purpose::parse, purposes, wrong);
        let words = "granted or revoked";
        let status = needed("status", &self.status, ConsentStatus::parse, words, wrong);
        let at = self.at(now, wrong);
        let source = text("source", &self.source, LONGEST_SOURCE, wrong);
        let text = text("text", &self.text, LONGEST_TEXT, wrong);
        Some(Consent {
            channel: channel?,
            purpose: purpose?,
            status: status?,
            at: at?,
            source: source?,
            text: text?,
        })
    }

    fn at(&self, now: Timestamp, wrong: &mut Vec<FieldError>) -> Option<Timestamp> {
        let Some(text) = &self.at else { return Some(now) };
        let (code, detail) = match text.parse::<Timestamp>() {
            // To the millisecond, as it is stored.
            Ok(at) if at <= now + AHEAD => {
                return Timestamp::from_millisecond(at.min(now).as_millisecond()).ok();
            }
            Ok(_) => ("time_in_future", "A consent is recorded when it was given, not before."),
            Err(_) => (
                "invalid_time",
                "Write the time as RFC 3339 with an offset, such as 2026-11-21T18:30:00+05:30.",
            ),
        };
        wrong.push(FieldError::new("at", code, detail));
        None
    }
}

fn needed<T>(
    field: &str,
    value: &Option<String>,
    parse: impl Fn(&str) -> Option<T>,
    known: &str,
    wrong: &mut Vec<FieldError>,
) -> Option<T> {
    if value.is_none() {
        let detail = format!("The field “{field}” is needed: {known}.");
        wrong.push(FieldError::new(field, "missing_field", detail));
    }
    read_word(field, value.as_deref(), parse, known, wrong)
}

/// Proof is worth little without where it was given and what was said.
fn text(
    field: &str,
    value: &Option<String>,
    longest: usize,
    wrong: &mut Vec<FieldError>,
) -> Option<String> {
    let value = value.as_deref().unwrap_or_default().trim();
    if value.is_empty() || value.chars().count() > longest {
        let detail = format!("“{field}” has 1 to {longest} characters: it is what proves it.");
        wrong.push(FieldError::new(field, "invalid_value", detail));
        return None;
    }
    Some(value.to_owned())
}
