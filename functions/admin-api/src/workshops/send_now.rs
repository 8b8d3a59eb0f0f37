//! `POST /v1/workshops/{id}/send-now`: one message to everybody who is registered
//! at this moment. A dry run says what would come of it; a test goes to one number.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::campaign::{Campaign, Step, When};
use carillon_domain::expiry;
use carillon_domain::message::{Content, Related, TemplateRef};
use carillon_domain::settings::Settings;
use carillon_domain::workshop::Workshop;
use carillon_domain::{
    CampaignId, Channel, PhoneNumber, Purpose, StepId, WorkshopId, gates, quiet, segments,
};
use carillon_runtime::Context;
use carillon_runtime::broadcast::{Reading, Said, zone};
use carillon_store::StoredTemplate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::found;
use super::run_sequence::{About, look, new_campaign, not_configured, organization, start};
use crate::answers::Accepted;
use crate::auth::Caller;
use crate::extract::{self, Id};
use crate::idempotency;
use crate::messages::{create, read_channel, read_word};
use crate::problem::{FieldError, Problem};
use crate::view::campaign::{Deferred, SendNow, Skipped};

/// Registrations that a test is written for the first of.
const LOOKED_AT: i32 = 200;

/// A message to everybody who is registered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SendNow", example = example())]
pub struct Request {
    #[schemars(with = "Channel")]
    channel: Option<String>,
    /// `key`, `key@version` or the id of a template.
    #[schemars(with = "String")]
    template: Option<String>,
    /// Texts, numbers or yes and no, by name; the same for everybody.
    variables: Option<Map<String, Value>>,
    #[schemars(with = "Option<Purpose>")]
    purpose: Option<String>,
    /// Only says what would come of it.
    dry_run: Option<bool>,
    /// Only this number gets it, as a test: written as for the first registrant.
    test_to: Option<String>,
}

fn example() -> Value {
    json!({"channel": "sms", "template": "doors_open", "dry_run": true})
}

/// `POST /v1/workshops/{id}/send-now`: sends a template to everybody who is
/// registered.
pub async fn send(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    headers: HeaderMap,
    extract::Json { value, raw }: extract::Json<Request>,
) -> Result<Accepted<SendNow>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let w = found(&ctx, &caller, id).await?;
    let settings = ctx.store.settings(caller.org).await?;
    let now = ctx.clock.now();
    let about = About { caller: &caller, settings: &settings, now };
    let checked = value.check(&ctx, &w, &about).await?;
    let step = step(&checked, &w, now);
    if let Some(to) = checked.test_to {
        let channel = (checked.channel, checked.purpose);
        return test(&ctx, &caller, &w, (step, channel, settings), to).await;
    }
    let mut campaign = Campaign {
        name: format!("{} · {}", w.title, step.template.key),
        purpose: checked.purpose,
        ..new_campaign(&w, checked.channel, 1, &about)
    };
    if let Some(once) = once {
        // The repeat of a request that was cut off finds what that one had made.
        let parts = [b"now", caller.org.as_bytes().as_slice(), once.as_bytes(), &raw];
        campaign.id = CampaignId::from_hash(&parts);
    }
    let steps = [step];
    let organization = organization(&ctx, &caller).await?;
    let mut deferred = BTreeMap::new();
    let note = |_: &Step, said: &Said| defer(&mut deferred, said, &campaign, &settings, now);
    let (outlook, estimate) =
        look(&ctx, (&campaign, &steps), (&w, &organization), now, note).await?;
    let scheduled = outlook.scheduled();
    let is_dry = checked.dry_run;
    if scheduled == 0 && !is_dry {
        let why = Skipped::all(&steps, &outlook).into_iter().map(|s| s.reason).next();
        let why = why.unwrap_or_else(|| "nobody is registered".to_owned());
        let detail = format!("Nobody would get it ({why}); a dry run says more.");
        return Err(Problem::field("template", "no_recipients", detail));
    }
    campaign.estimate.clone_from(&estimate);
    if !is_dry {
        start(&ctx, &caller, &mut campaign, &steps).await?;
    }
    Ok(Accepted(SendNow {
        campaign_id: (!is_dry).then_some(campaign.id),
        test_message_id: None,
        scheduled: if is_dry { 0 } else { scheduled },
        recipients: scheduled,
        segments: outlook.steps.iter().map(|step| step.segments).sum(),
        price: estimate,
        deferred: deferred.into_values().collect(),
        skipped: Skipped::all(&steps, &outlook),
    }))
}

/// A request that nothing is wrong with.
struct Checked {
    channel: Channel,
    template: StoredTemplate,
    variables: Map<String, Value>,
    purpose: Purpose,
    dry_run: bool,
    test_to: Option<PhoneNumber>,
}

impl Request {
    async fn check(
        self,
        ctx: &Context,
        w: &Workshop,
        about: &About<'_>,
    ) -> Result<Checked, Problem> {
        let mut wrong = Vec::new();
        let channel = read_channel(self.channel.as_deref(), &mut wrong);
        let known = "transactional or promotional";
        let purpose = self.purpose.as_deref();
        let purpose = read_word("purpose", purpose, Purpose::parse, known, &mut wrong);
        let name = self.template.as_deref().unwrap_or_default();
        let template = crate::templates::find(ctx, w.org, name).await?;
        match &template {
            None => {
                let detail = format!("There is no template “{name}” in this organization.");
                wrong.push(FieldError::new("template", "unknown_template", detail));
            }
            Some(t) if !t.is_active => {
                let detail =
                    format!("The template “{name}” is switched off; switch it on or use another.");
                wrong.push(FieldError::new("template", "template_inactive", detail));
            }
            Some(t) if channel.is_some_and(|channel| channel != t.channel) => {
                let detail =
                    format!("The template “{name}” is for the channel {}.", t.channel.as_str());
                wrong.push(FieldError::new("template", "template_of_other_channel", detail));
            }
            Some(_) => {}
        }
        let contents = template.iter().map(|t| &t.content);
        let purpose = crate::templates::purpose_of(purpose, contents, &mut wrong);
        let variables = self.variables.unwrap_or_default();
        for (name, value) in &variables {
            if !(value.is_string() || value.is_number() || value.is_boolean()) {
                let detail = "A variable is a text, a number, true or false.";
                wrong.push(FieldError::new(format!("variables.{name}"), "invalid_value", detail));
            }
        }
        let test_to = match self.test_to.as_deref() {
            None => None,
            Some(to) => match PhoneNumber::parse_mobile(to, about.settings.default_country) {
                Ok(to) => Some(to),
                Err(error) => {
                    wrong.push(FieldError::new("test_to", error.code(), error.to_string()));
                    None
                }
            },
        };
        if let Some(channel) = channel
            && !ctx.accounts(w.org).await?.has(channel, None)
        {
            return Err(not_configured(channel));
        }
        let (Some(channel), Some(template), true) = (channel, template, wrong.is_empty()) else {
            return Err(Problem::fields(wrong));
        };
        Ok(Checked {
            channel,
            template,
            variables,
            purpose: purpose.unwrap_or_default(),
            dry_run: self.dry_run.unwrap_or(false),
            test_to,
        })
    }
}

fn step(checked: &Checked, w: &Workshop, now: Timestamp) -> Step {
    let t = &checked.template;
    let (body, details) = t.content.row();
    Step {
        place: 0,
        id: StepId::from_hash(&[b"now", w.id.as_bytes()]),
        label: None,
        when: When::At(now),
        template: TemplateRef { id: t.id, key: t.key.clone(), version: t.version },
        body: body.to_owned(),
        details,
        mapping: BTreeMap::new(),
        given: checked.variables.clone(),
    }
}

/// Who would wait, for now, and for what.
fn defer(
    deferred: &mut BTreeMap<(&'static str, Option<Timestamp>), Deferred>,
    said: &Said,
    campaign: &Campaign,
    settings: &Settings,
    now: Timestamp,
) {
    let (channel, purpose) = (campaign.channel, campaign.purpose);
    let zone = said.frozen.zone.as_deref().and_then(quiet::zones::named);
    let ask = gates::quiet_ask(channel, purpose, &said.frozen.to, settings, false, zone.as_ref());
    let (reason, until) = match quiet::at(now, &ask) {
        quiet::Answer::Open { .. } => return,
        quiet::Answer::Closed { opens, reason, .. } => (reason.as_str(), Some(opens.at)),
        quiet::Answer::Unknown { reason, .. } => (reason.as_str(), None),
    };
    let one = || Deferred { reason: reason.to_owned(), until, count: 0 };
    deferred.entry((reason, until)).or_insert_with(one).count += 1;
}

/// One message to one number, as the first registrant's would be.
async fn test(
    ctx: &Context,
    caller: &Caller,
    w: &Workshop,
    (step, (channel, purpose), settings): (Step, (Channel, Purpose), Settings),
    to: PhoneNumber,
) -> Result<Accepted<SendNow>, Problem> {
    let registrations =
        ctx.store.registrations(w.org, w.id, (1, w.registrations), LOOKED_AT).await?;
    let ids: Vec<_> = registrations.iter().filter(|r| r.is_active()).map(|r| r.contact).collect();
    let contacts = ctx.store.contacts(w.org, &ids, false).await?;
    let organization = organization(ctx, caller).await?;
    let (reading, zone) = (Reading::new(&step, settings.max_segments), zone(w));
    let said =
        ids.iter().find_map(|id| reading.of(contacts.get(id), (w, &zone), &organization).ok());
    let Some(said) = said else {
        let detail = "There is no registrant whom it could be written for; a dry run says why.";
        return Err(Problem::field("test_to", "no_recipients", detail));
    };
    let body = said.frozen.body.unwrap_or_else(|| {
        let template = carillon_domain::template::Template::parse(&reading.source);
        template.and_then(|t| t.render(&said.frozen.variables)).unwrap_or_default()
    });
    let counted = segments::count(&body);
    let now = ctx.clock.now();
    let draft = create::Draft {
        channel,
        to,
        content: Content {
            body,
            encoding: Some(counted.encoding),
            segments: counted.segments,
            template: Some(step.template.clone()),
            variables: said.frozen.variables,
            ..Content::default()
        },
        purpose,
        contact: None,
        zone: None,
        related: Some(Related { kind: "workshop".to_owned(), id: w.id.to_string() }),
        integration: None,
        scheduled_for: now,
        expires_at: expiry::default(now, now, true),
        override_quiet_hours: false,
    };
    let id = create::put(ctx, caller, draft, now).await?;
    Ok(Accepted(SendNow {
        campaign_id: None,
        test_message_id: Some(id),
        scheduled: 1,
        recipients: 1,
        segments: u64::from(counted.segments),
        price: None,
        deferred: Vec::new(),
        skipped: Vec::new(),
    }))
}
