//! `/v1/consents`: what a person agreed to, by channel and purpose, and took
//! back. The sender asks the same rows before each call.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::consent::{Consent, ConsentStatus};
use carillon_domain::{Channel, PhoneNumber, Purpose};
use carillon_runtime::Context;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::extract::{self, Params};
use crate::messages::read_word;
use crate::problem::{FieldError, Problem};
use crate::{address, lists, view};

/// A time this little ahead is now: clocks differ.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
const LONGEST_SOURCE: usize = 100;
const LONGEST_TEXT: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    to: Option<String>,
    channel: Option<String>,
    purpose: Option<String>,
    status: Option<String>,
    at: Option<String>,
    source: Option<String>,
    text: Option<String>,
}

/// `POST /v1/consents`: 201 and what counts from now on. What was said later
/// than this stays: 409.
pub async fn put(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<(StatusCode, Json<Value>), Problem> {
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
    Ok((StatusCode::CREATED, Json(show(&to, &consent))))
}

/// `GET /v1/consents?to=…&channel=…`: what counts for a number, at most one of
/// each channel and purpose.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params,
) -> Result<Json<Value>, Problem> {
    params.only(&["to", "channel"])?;
    let channel = params.read("channel", Channel::parse)?;
    let (to, key) = address::of_query(&ctx, &caller, &params).await?;
    let all = ctx.store.all_gates_of(caller.org, key).await?;
    let consents = all.iter().flat_map(|(_, rows)| &rows.consents);
    let consents = consents.filter(|c| channel.is_none_or(|channel| channel == c.channel));
    Ok(Json(lists::page(&params, consents.map(|c| show(&to, c)).collect(), None)))
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

fn show(to: &PhoneNumber, c: &Consent) -> Value {
    json!({
        "to": to.as_str(),
        "channel": c.channel,
        "purpose": c.purpose,
        "status": c.status.as_str(),
        "at": view::time(c.at),
        "source": c.source,
        "text": c.text,
    })
}
