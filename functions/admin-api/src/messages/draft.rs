//! A request to send, read and checked: everything that can be wrong with it is
//! found here, before anything is promised.

use std::collections::BTreeMap;

use carillon_domain::content::TemplateContent;
use carillon_domain::expiry;
use carillon_domain::message::{Content, Related, TemplateRef};
use carillon_domain::personal::{self, About, Written};
use carillon_domain::quiet::zones;
use carillon_domain::segments;
use carillon_domain::settings::Settings;
use carillon_domain::template::Template;
use carillon_domain::{
    Channel, Contact, ContactId, OrgId, OutsideUrl, PhoneNumber, ProviderName, Purpose,
};
use carillon_runtime::Context;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::auth::Caller;
use crate::problem::{FieldError, Problem};
use crate::templates::{preview::refused, purpose_of};

/// A time this little in the past is now: clocks differ.
const PAST_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);
/// Nothing is scheduled further ahead.
const HORIZON: SignedDuration = SignedDuration::from_hours(366 * 24);
const MAX_MEDIA: usize = 10;

/// A message to send: `to`, and `body` or `template`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewMessage", example = plain_example(), example = full_example())]
pub struct SendRequest {
    #[schemars(with = "Channel")]
    channel: Option<String>,
    /// A mobile number, with its country code or as in the organization's
    /// country.
    to: Option<String>,
    /// Instead of a number: the contact's. The text may mention `contact.…`.
    #[schemars(with = "Option<ContactId>")]
    contact_id: Option<String>,
    /// The text; `{{ name }}` is a variable.
    body: Option<String>,
    /// Instead of the text: `key`, `key@version` or the id of a template.
    template: Option<String>,
    /// Texts, numbers or yes and no, by name.
    variables: Option<Map<String, Value>>,
    /// Addresses (`https://…`) of what is sent with it.
    #[schemars(length(max = MAX_MEDIA))]
    media: Option<Vec<String>>,
    /// Now, where it is absent; at most a year ahead.
    #[schemars(with = "Option<Timestamp>")]
    scheduled_for: Option<String>,
    #[schemars(with = "Option<Purpose>")]
    purpose: Option<String>,
    related: Option<Related>,
    /// Whose account to send with; the first that serves the number, where it is
    /// absent.
    #[schemars(with = "Option<ProviderName>")]
    integration: Option<String>,
    /// Shown at once, where the provider can.
    flash: Option<bool>,
    /// It is not sent after this.
    #[schemars(with = "Option<Timestamp>")]
    expires_at: Option<String>,
    override_quiet_hours: Option<bool>,
    /// The same as the header `Idempotency-Key`.
    #[schemars(length(min = 1, max = 255))]
    pub idempotency_key: Option<String>,
}

fn plain_example() -> Value {
    json!({"channel": "sms", "to": "+61491570006", "body": "Your table is ready."})
}

fn full_example() -> Value {
    json!({
        "channel": "sms", "to": "+61491570006", "body": "Hi {{ name }}, see you at {{ time }}",
        "variables": {"name": "Ada", "time": "7 PM"},
        "scheduled_for": "2026-11-22T18:30:00+05:30", "purpose": "transactional",
        "related": {"type": "booking", "id": "bkg_1042"},
    })
}

/// A send that nothing is wrong with.
pub struct Draft {
    pub channel: Channel,
    pub to: PhoneNumber,
    pub contact: Option<ContactId>,
    /// The contact's own.
    pub zone: Option<String>,
    pub content: Content,
    pub purpose: Purpose,
    pub related: Option<Related>,
    pub integration: Option<ProviderName>,
    pub scheduled_for: Timestamp,
    pub expires_at: Timestamp,
    pub override_quiet_hours: bool,
}

/// A text with placeholders, and the stored template it came from.
pub struct Text {
    pub source: String,
    pub parsed: Template,
    pub template: Option<TemplateRef>,
    /// What it says, by its kind; of a free text just that.
    pub content: TemplateContent,
}

impl Draft {
    /// Where the person's clock is, if the contact says so.
    pub fn zone(&self) -> Option<TimeZone> {
        self.zone.as_deref().and_then(zones::named)
    }
}

impl SendRequest {
    /// The contact that it is for, who must have a number.
    async fn contact(
        &self,
        ctx: &Context,
        caller: &Caller,
        wrong: &mut Vec<FieldError>,
    ) -> Result<Option<Contact>, Problem> {
        let Some(id) = &self.contact_id else { return Ok(None) };
        let found = match id.parse::<ContactId>() {
            Ok(id) => ctx.store.contact_now(caller.org, id).await?,
            Err(_) => None,
        };
        let Some(contact) = found else {
            let detail = "There is no such contact in this organization; check the id.";
            wrong.push(FieldError::new("contact_id", "unknown_contact", detail));
            return Ok(None);
        };
        if self.to.is_some() {
            let detail = "Send either “to” or “contact_id”, not both.";
            wrong.push(FieldError::new("to", "to_and_contact", detail));
            return Ok(None);
        }
        // The same rule as for a number that is sent: no landlines.
        let Some(phone) = &contact.phone else {
            let detail = "This contact has no phone number; give it one, or send “to”.";
            wrong.push(FieldError::new("contact_id", "contact_without_phone", detail));
            return Ok(Some(contact));
        };
        if let Err(error) = PhoneNumber::parse_mobile(phone.as_str(), None) {
            wrong.push(FieldError::new("contact_id", error.code(), error.to_string()));
        }
        Ok(Some(contact))
    }

    /// # Errors
    /// 422 with every field that is wrong.
    pub async fn check(
        self,
        ctx: &Context,
        caller: &Caller,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Draft, Problem> {
        let mut wrong = Vec::new();
        let channel = read_channel(self.channel.as_deref(), &mut wrong);
        let contact = self.contact(ctx, caller, &mut wrong).await?;
        let to = read_to(&self, contact.as_ref(), settings, &mut wrong);
        let text = read_text(
            ctx,
            caller.org,
            self.body.as_deref(),
            self.template.as_deref(),
            channel.unwrap_or(Channel::Sms),
        )
        .await?
        .map_err(|e| wrong.push(e))
        .ok();
        let mut variables = self.variables.clone().unwrap_or_default();
        if let (Some(contact), Some(text)) = (&contact, &text) {
            // Who knows the person by id need not say what the person is called.
            let mentioned = text.parsed.variables();
            let called = [("name", contact.name.clone()), ("first_name", contact.first_name())];
            for (name, value) in called {
                if let (true, Some(value)) = (mentioned.contains(name), value) {
                    variables.entry(name).or_insert_with(|| value.into());
                }
            }
        }
        let known = contact.as_ref().map(personal::Known::of);
        let about =
            About { contact: known.as_ref().map(personal::Known::person), ..About::default() };
        let written = text.as_ref().and_then(|text| text.write(&variables, &about, &mut wrong));
        if let Some(written) = &written {
            check_body(&written.body, settings.max_segments, &mut wrong);
        }
        let purpose = read_word(
            "purpose",
            self.purpose.as_deref(),
            Purpose::parse,
            "transactional or promotional",
            &mut wrong,
        );
        let purpose = purpose_of(purpose, text.iter().map(|text| &text.content), &mut wrong);
        let integration = read_word(
            "integration",
            self.integration.as_deref(),
            ProviderName::parse,
            "twilio or fast2sms",
            &mut wrong,
        );
        let scheduled_for =
            read_time("scheduled_for", self.scheduled_for.as_deref(), now, &mut wrong);
        let scheduled_for = scheduled_for.unwrap_or(now);
        let expires_at = read_expiry(self.expires_at.as_deref(), scheduled_for, now, &mut wrong);
        let expires_at = expires_at
            .unwrap_or_else(|| expiry::default(scheduled_for, now, self.related.is_some()));
        let media = read_media(self.media.unwrap_or_default(), &mut wrong);
        if let Some(r) = &self.related
            && (r.kind.is_empty() || r.kind.len() > 40 || r.id.is_empty() || r.id.len() > 100)
        {
            let detail = "“related” has a type of 1 to 40 and an id of 1 to 100 characters.";
            wrong.push(FieldError::new("related", "invalid_related", detail));
        }
        let (Some(channel), Some(to), Some(written), Some(text)) = (channel, to, written, text)
        else {
            return Err(Problem::fields(wrong));
        };
        if !wrong.is_empty() {
            return Err(Problem::fields(wrong));
        }
        let counted = segments::count(&written.body);
        Ok(Draft {
            channel,
            to,
            contact: contact.as_ref().map(|c| c.id),
            zone: contact.and_then(|c| c.time_zone),
            content: Content {
                body: written.body,
                encoding: Some(counted.encoding),
                segments: counted.segments,
                template: text.template,
                variables: written.variables,
                media,
                flash: self.flash.unwrap_or(false),
                introduction: None,
                elsewhere: false,
            },
            purpose: purpose.unwrap_or_default(),
            related: self.related,
            integration,
            scheduled_for,
            expires_at,
            override_quiet_hours: self.override_quiet_hours.unwrap_or(false),
        })
    }
}

pub fn read_channel(text: Option<&str>, wrong: &mut Vec<FieldError>) -> Option<Channel> {
    let Some(text) = text else {
        let detail = "Name the channel: “sms”.";
        wrong.push(FieldError::new("channel", "missing_field", detail));
        return None;
    };
    match Channel::parse(text) {
        Some(Channel::Sms) => Some(Channel::Sms),
        Some(Channel::Whatsapp | Channel::WhatsappGroup | Channel::Voice) => {
            let detail = format!("Nothing sends on the channel “{text}” yet; use “sms”.");
            wrong.push(FieldError::new("channel", "channel_not_available", detail));
            None
        }
        None => {
            let detail = format!("There is no channel “{text}”; use “sms”.");
            wrong.push(FieldError::new("channel", "unknown_channel", detail));
            None
        }
    }
}

/// The number of the contact, or the one that was sent.
fn read_to(
    request: &SendRequest,
    contact: Option<&Contact>,
    settings: &Settings,
    wrong: &mut Vec<FieldError>,
) -> Option<PhoneNumber> {
    if request.contact_id.is_some() {
        // What is wrong with the contact is said already.
        return contact.and_then(|c| c.phone.clone());
    }
    let raw = request.to.as_deref().unwrap_or_default();
    match PhoneNumber::parse_mobile(raw, settings.default_country) {
        Ok(to) => Some(to),
        Err(error) => {
            wrong.push(FieldError::new("to", error.code(), error.to_string()));
            None
        }
    }
}

/// The text to send: free, or a stored template by key (`key@3` for a version)
/// or id.
///
/// # Errors
/// Outer: storage. Inner: the field that is wrong.
pub async fn read_text(
    ctx: &Context,
    org: OrgId,
    body: Option<&str>,
    template: Option<&str>,
    channel: Channel,
) -> Result<Result<Text, FieldError>, Problem> {
    let (content, template) = match (body, template) {
        (Some(_), Some(_)) => {
            let detail = "Send either “body” or “template”, not both.";
            return Ok(Err(FieldError::new("body", "body_and_template", detail)));
        }
        (None, None) => {
            let detail = "Send a “body”, or the name of a “template”.";
            return Ok(Err(FieldError::new("body", "missing_field", detail)));
        }
        (Some(body), None) if body.trim().is_empty() => {
            return Ok(Err(FieldError::new(
                "body",
                "empty_body",
                "The text is empty; write something.",
            )));
        }
        (Some(body), None) => (TemplateContent::text(body), None),
        (None, Some(name)) => match crate::templates::find(ctx, org, name).await? {
            None => {
                let detail = format!("There is no template “{name}” in this organization.");
                return Ok(Err(FieldError::new("template", "unknown_template", detail)));
            }
            Some(t) if !t.is_active => {
                let detail =
                    format!("The template “{name}” is switched off; switch it on or use another.");
                return Ok(Err(FieldError::new("template", "template_inactive", detail)));
            }
            Some(t) if t.channel != channel => {
                let detail =
                    format!("The template “{name}” is for the channel {}.", t.channel.as_str());
                return Ok(Err(FieldError::new("template", "template_of_other_channel", detail)));
            }
            Some(t) => {
                let reference = TemplateRef { id: t.id, key: t.key, version: t.version };
                (t.content, Some(reference))
            }
        },
    };
    let field = if template.is_some() { "template" } else { "body" };
    let read = content.source(None).and_then(|(_, source)| {
        let source = source.into_owned();
        Ok((Template::parse(&source)?, source))
    });
    Ok(match read {
        Ok((parsed, source)) => Ok(Text { source, parsed, template, content }),
        Err(error) => Err(FieldError::new(field, error.code(), error.to_string())),
    })
}

impl Text {
    /// The text with these values, and everything that they lack.
    fn write(
        &self,
        variables: &Map<String, Value>,
        about: &About<'_>,
        wrong: &mut Vec<FieldError>,
    ) -> Option<Written> {
        let written = personal::write(&self.content, &BTreeMap::new(), variables, about);
        written.map_err(|error| wrong.extend(refused(&error))).ok()
    }
}

fn check_body(body: &str, max_segments: u16, wrong: &mut Vec<FieldError>) {
    if body.trim().is_empty() {
        let detail = "With these variables the text is empty; give them a value.";
        wrong.push(FieldError::new("body", "empty_body", detail));
    }
    let counted = segments::count(body);
    if counted.segments > max_segments {
        let detail = format!(
            "The text has {} segments, {max_segments} are allowed; shorten it{}.",
            counted.segments,
            if counted.encoding == segments::Encoding::Ucs2 {
                ", or take out the characters outside GSM-7, which make each segment hold 67"
            } else {
                ""
            }
        );
        wrong.push(FieldError::new("body", "too_many_segments", detail));
    }
}

/// A word of a fixed vocabulary.
pub fn read_word<T>(
    field: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    known: &str,
    wrong: &mut Vec<FieldError>,
) -> Option<T> {
    let text = text?;
    let parsed = parse(text);
    if parsed.is_none() {
        let detail = format!("“{text}” is not known here; use {known}.");
        wrong.push(FieldError::new(field, "invalid_value", detail));
    }
    parsed
}

/// A time that is not past and not too far ahead.
pub fn read_time(
    field: &str,
    text: Option<&str>,
    now: Timestamp,
    wrong: &mut Vec<FieldError>,
) -> Option<Timestamp> {
    let text = text?;
    let Ok(at) = text.parse::<Timestamp>() else {
        let detail =
            "Write the time as RFC 3339 with an offset, such as 2026-11-21T18:30:00+05:30.";
        wrong.push(FieldError::new(field, "invalid_time", detail));
        return None;
    };
    if at < now - PAST_TOLERANCE {
        let detail =
            format!("This time has passed (it is {now}); give one to come, or leave it out.");
        wrong.push(FieldError::new(field, "time_in_past", detail));
        return None;
    }
    if at > now + HORIZON {
        let detail = "This is more than a year ahead; give an earlier time.";
        wrong.push(FieldError::new(field, "time_too_far", detail));
        return None;
    }
    // To the millisecond, as it is stored.
    Timestamp::from_millisecond(at.max(now).as_millisecond()).ok()
}

/// The time after which it must not go any more.
pub fn read_expiry(
    text: Option<&str>,
    scheduled_for: Timestamp,
    now: Timestamp,
    wrong: &mut Vec<FieldError>,
) -> Option<Timestamp> {
    let end = read_time("expires_at", text, now, wrong)?;
    if end <= scheduled_for {
        let detail = "The message would expire before it is due; give a later time.";
        wrong.push(FieldError::new("expires_at", "expires_before_due", detail));
    }
    Some(end)
}

fn read_media(media: Vec<String>, wrong: &mut Vec<FieldError>) -> Vec<String> {
    if media.len() > MAX_MEDIA {
        let detail = format!("A message has at most {MAX_MEDIA} media.");
        wrong.push(FieldError::new("media", "too_many_media", detail));
    }
    for (place, url) in media.iter().enumerate() {
        if let Err(error) = OutsideUrl::parse(url) {
            let detail = format!("The provider cannot be sent there: {error}.");
            wrong.push(FieldError::new(format!("media[{place}]"), "invalid_media_url", detail));
        }
    }
    media
}
