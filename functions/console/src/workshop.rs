//! One workshop, channel by channel: who can be reached, what is sent when, and what became of it.

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::Channel;
use carillon_domain::integration::Money;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Listed, Problem};
use crate::chart::{self, Svg};
use crate::contacts::Contact;
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::status::{Status, words};
use crate::tags::{Sequence, Tag};
use crate::templates::Template as Stored;
use crate::workshops::Workshop;

/// Unreachable people who are named on the page.
const MOST_NAMED: usize = 20;

#[derive(Debug, Default, Deserialize)]
pub struct Recipients {
    pub total: i64,
    pub reachable: i64,
    pub unreachable: Vec<Unreachable>,
}

#[derive(Debug, Deserialize)]
pub struct Unreachable {
    pub contact_id: String,
    pub reason: String,
}

/// Somebody who cannot be reached, by name.
pub struct Missing {
    pub id: String,
    pub name: String,
    pub why: String,
}

#[derive(Debug, Deserialize)]
pub struct Checkpoints {
    pub data: Vec<Checkpoint>,
}

#[derive(Debug, Deserialize)]
pub struct Checkpoint {
    pub campaign_id: String,
    pub at: Option<Timestamp>,
    pub label: Option<String>,
    pub template: String,
    #[serde(default)]
    pub skipped: Option<String>,
    pub counts: Counts,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub pending: i64,
    pub queued: i64,
    pub sending: i64,
    pub unknown: i64,
    pub sent: i64,
    pub delivered: i64,
    pub read: i64,
    pub failed: i64,
    pub suppressed: i64,
    pub cancelled: i64,
}

impl Counts {
    pub fn parts(&self) -> [(&'static str, &'static str, i64); 7] {
        [
            ("good", "Delivered", self.delivered + self.read),
            ("sent", "Sent", self.sent),
            ("wait", "Sending", self.queued + self.sending),
            ("bad", "Failed", self.failed),
            ("doubt", "Unknown", self.unknown),
            ("off", "Not sent", self.suppressed + self.cancelled),
            ("rest", "Waiting", self.pending),
        ]
    }

    pub fn bar(&self) -> Svg {
        chart::bar(&self.parts())
    }

    /// Those that there are any of, in words.
    pub fn said(&self) -> Vec<(&'static str, String)> {
        let any = self.parts().into_iter().filter(|(_, _, n)| *n > 0);
        any.map(|(class, word, n)| {
            (class, format!("{} {}", figures::count(n), word.to_lowercase()))
        })
        .collect()
    }
}

impl Checkpoint {
    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.template)
    }
}

/// Something that was sent to the workshop.
#[derive(Debug, Deserialize)]
pub struct Broadcast {
    pub id: String,
    pub channel: String,
    pub status: Status,
    pub started_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub cost: Cost,
    pub counts: Audience,
    #[serde(default)]
    pub steps: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Cost {
    pub estimate: Option<Money>,
    pub actual: Option<Money>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Audience {
    pub audience: i64,
    #[serde(flatten)]
    pub counts: Counts,
}

impl Broadcast {
    pub fn when(&self) -> &Timestamp {
        self.started_at.as_ref().unwrap_or(&self.created_at)
    }

    pub fn kind(&self) -> String {
        let channel = crate::message::channel(&self.channel);
        match self.steps.len() {
            0 | 1 => format!("{channel}, sent at once"),
            n => format!("{channel} sequence of {n} steps"),
        }
    }

    pub fn cost_word(&self) -> String {
        let cost = self.cost.actual.as_ref().or(self.cost.estimate.as_ref());
        cost.map(figures::money).unwrap_or_default()
    }
}

/// A channel of the page.
pub struct Tab {
    pub channel: &'static str,
    pub name: String,
    pub is_here: bool,
}

#[derive(Template)]
#[template(path = "workshop.html")]
pub struct WorkshopPage {
    pub frame: Frame,
    pub workshop: Workshop,
    pub tag: Option<Tag>,
    pub tabs: Vec<Tab>,
    pub channel: &'static str,
    pub is_configured: bool,
    pub sequence: Option<Sequence>,
    pub recipients: Recipients,
    pub missing: Vec<Missing>,
    pub checkpoints: Vec<Checkpoint>,
    pub broadcasts: Vec<Broadcast>,
    pub templates: Vec<Stored>,
    pub is_live: bool,
    pub errors: Errors,
}

impl WorkshopPage {
    pub fn channel_word(&self) -> String {
        crate::message::channel(self.channel)
    }

    pub fn reached(&self) -> Svg {
        let left = self.recipients.total - self.recipients.reachable;
        chart::bar(&[("good", "Reachable", self.recipients.reachable), ("doubt", "Without", left)])
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    channel: String,
}

impl Which {
    fn channel(&self) -> Channel {
        Channel::parse(&self.channel).unwrap_or(Channel::Sms)
    }
}

/// `GET /console/workshops/{id}`
pub async fn page(
    desk: Desk,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Refusal> {
    Ok(page::ok(&make(&desk, &id, which.channel(), Errors::default()).await?))
}

async fn make(
    desk: &Desk,
    id: &str,
    channel: Channel,
    errors: Errors,
) -> Result<WorkshopPage, Problem> {
    let own = format!("/v1/workshops/{}", api::segment(id));
    let workshop: Workshop = desk.api.get(&own).await?;
    let name = channel.as_str();
    let tag_path = format!("/v1/tags/{}", api::segment(&workshop.tag_id));
    let (recipients_path, checkpoints_path, broadcasts_path) = (
        format!("{own}/recipients?channel={name}"),
        format!("{own}/checkpoints?channel={name}"),
        format!("{own}/broadcasts?limit=20"),
    );
    let (frame, tag, recipients, checkpoints, broadcasts, templates, accounts) = futures::join!(
        desk.frame("Workshop"),
        desk.api.get::<Tag>(&tag_path),
        desk.api.get::<Recipients>(&recipients_path),
        desk.api.get::<Checkpoints>(&checkpoints_path),
        desk.api.get::<Listed<Broadcast>>(&broadcasts_path),
        desk.api.get::<Listed<Stored>>("/v1/templates?limit=200"),
        crate::today::accounts(desk),
    );
    let (recipients, checkpoints) = (recipients?, checkpoints?.data);
    let tag = tag.ok();
    let sequence = match tag.as_ref().and_then(|tag| tag.sequences.get(name)) {
        Some(id) => desk.api.get(&format!("/v1/sequences/{}", api::segment(id))).await.ok(),
        None => None,
    };
    let mut templates = templates?.data;
    templates.retain(|template| template.is_active && template.channel == name);
    let is_configured = accounts?.iter().any(|a| a.configured && a.enabled && a.channel == name);
    let missing = named(desk, &recipients.unreachable).await;
    let waits =
        |c: &Checkpoint| c.counts.queued + c.counts.sending + c.counts.sent + c.counts.pending > 0;
    let tab = |c: Channel| Tab {
        channel: c.as_str(),
        name: crate::message::channel(c.as_str()),
        is_here: c == channel,
    };
    Ok(WorkshopPage {
        frame: frame?,
        is_live: checkpoints.iter().any(waits),
        tabs: Channel::ALL.into_iter().map(tab).collect(),
        channel: name,
        is_configured,
        workshop,
        tag,
        sequence,
        recipients,
        missing,
        checkpoints,
        broadcasts: broadcasts?.data,
        templates,
        errors,
    })
}

async fn named(desk: &Desk, unreachable: &[Unreachable]) -> Vec<Missing> {
    let some = unreachable.iter().take(MOST_NAMED);
    let asked = some.map(|one| async move {
        let path = format!("/v1/contacts/{}", api::segment(&one.contact_id));
        let contact = desk.api.get::<Contact>(&path).await.ok();
        let name = contact.map_or_else(|| one.contact_id.clone(), |c| c.called().to_owned());
        Missing { id: one.contact_id.clone(), name, why: why(&one.reason) }
    });
    futures::future::join_all(asked).await
}

fn why(reason: &str) -> String {
    match reason {
        "no_phone" => "has no number".to_owned(),
        "past" => "their time has passed".to_owned(),
        "already_scheduled" => "are planned already".to_owned(),
        "missing_variable" => "a variable has no value".to_owned(),
        "opted_out" | "suppressed" => "do not want to be written to".to_owned(),
        "quiet_hours" => "quiet hours".to_owned(),
        other => words(other).to_lowercase(),
    }
}

/// What would come of it, and what came.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Outlook {
    pub campaign_id: Option<String>,
    pub test_message_id: Option<String>,
    pub scheduled: i64,
    pub recipients: i64,
    pub segments: Option<i64>,
    pub price: Option<Money>,
    pub estimate: Option<Money>,
    pub skipped: Vec<Skipped>,
    pub deferred: Vec<Deferred>,
    pub steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub struct Skipped {
    pub reason: String,
    pub count: i64,
    #[serde(default)]
    pub step: Option<StepName>,
}

#[derive(Debug, Deserialize)]
pub struct StepName {
    pub label: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Deferred {
    pub reason: String,
    pub until: Option<Timestamp>,
    pub count: i64,
}

#[derive(Debug, Deserialize)]
pub struct Step {
    pub label: Option<String>,
    pub template: String,
    pub at: Option<Timestamp>,
    pub scheduled: i64,
    pub segments: i64,
}

impl Outlook {
    pub fn all_segments(&self) -> String {
        let of_steps = self.steps.iter().map(|step| step.segments).sum();
        figures::count(self.segments.unwrap_or(of_steps))
    }

    pub fn cost(&self) -> String {
        let cost = self.price.as_ref().or(self.estimate.as_ref());
        cost.map_or_else(|| "no price is set".to_owned(), figures::money)
    }
}

impl Skipped {
    pub fn why(&self) -> String {
        let step = self.step.as_ref().and_then(|step| step.label.as_deref());
        match step {
            Some(step) => format!("{} ({step})", why(&self.reason)),
            None => why(&self.reason),
        }
    }
}

impl Deferred {
    pub fn why(&self) -> String {
        why(&self.reason)
    }
}

impl Step {
    pub fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.template)
    }
}

/// What is asked of somebody before money is spent.
#[derive(Template)]
#[template(path = "workshop-confirm.html")]
pub struct ConfirmPage {
    pub frame: Frame,
    pub workshop: Workshop,
    pub channel: String,
    /// `run-sequence` or `send-now`.
    pub act: &'static str,
    pub template: String,
    pub outlook: Outlook,
}

impl ConfirmPage {
    pub fn channel_word(&self) -> String {
        crate::message::channel(&self.channel)
    }

    pub fn runs(&self) -> bool {
        self.act == "run-sequence"
    }
}

/// `POST /console/workshops/{id}/run-sequence`: without `sure` it only says what would come of it.
pub async fn run(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "run-sequence", &sent).await
}

/// `POST /console/workshops/{id}/send-now`: the same.
pub async fn send(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    act(&desk, &id, "send-now", &sent).await
}

async fn act(desk: &Desk, id: &str, act: &'static str, sent: &Sent) -> Result<Response, Refusal> {
    let own = format!("/v1/workshops/{}", api::segment(id));
    let (path, is_sure) = (format!("{own}/{act}"), sent.has("sure"));
    let channel = sent.text("channel");
    let mut body = json!({"channel": channel, "dry_run": !is_sure});
    if act == "send-now" {
        body["template"] = json!(sent.text("template"));
    }
    let once = sent.filled("once").filter(|_| is_sure);
    let back = format!("/console/workshops/{}?channel={}", api::segment(id), api::segment(channel));
    match desk.api.post::<Outlook>(&path, &body, once).await {
        Ok(_) if is_sure => Ok(Redirect::to(&format!("{back}&done=planned")).into_response()),
        Ok(outlook) => {
            let (frame, workshop) =
                futures::join!(desk.frame("Before it is sent"), desk.api.get(&own));
            let (channel, template) = (channel.to_owned(), sent.text("template").to_owned());
            Ok(page::ok(&ConfirmPage {
                frame: frame?,
                workshop: workshop?,
                channel,
                act,
                template,
                outlook,
            }))
        }
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::of(&problem, &["template"]);
            let channel = Channel::parse(channel).unwrap_or(Channel::Sms);
            Ok(page::again(&problem, &make(desk, id, channel, errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /console/workshops/{id}/registrations`: numbers or ids of contacts, one a line.
pub async fn register(desk: Desk, Path(id): Path<String>, sent: Sent) -> Result<Response, Refusal> {
    let own = format!("/v1/workshops/{}", api::segment(&id));
    let mut ids = Vec::new();
    for line in sent.text("people").lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("con_") {
            ids.push(line.to_owned());
            continue;
        }
        let found =
            desk.api.get::<Listed<Contact>>(&api::path("/v1/contacts", &[("phone", line)])).await;
        match found.ok().and_then(|found| found.data.into_iter().next()) {
            Some(contact) => ids.push(contact.id),
            None => {
                let errors = Errors::whole(&format!(
                    "“{line}” is nobody's number here. Make the contact first."
                ));
                return Ok(page::ok(&make(&desk, &id, Channel::Sms, errors).await?));
            }
        }
    }
    let path = format!("{own}/registrations");
    match desk.api.post::<Value>(&path, &json!({"contact_ids": ids}), sent.filled("once")).await {
        Ok(_) => Ok(Redirect::to(&format!("/console/workshops/{}?done=added", api::segment(&id)))
            .into_response()),
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            let errors = Errors::whole(&problem.detail);
            Ok(page::again(&problem, &make(&desk, &id, Channel::Sms, errors).await?))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /console/campaigns/{id}/{act}`: pause, resume or cancel.
pub async fn steer(
    desk: Desk,
    Path((id, act)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Refusal> {
    let done = match act.as_str() {
        "pause" | "resume" => "saved",
        "cancel" => "cancelled",
        _ => {
            return Err(Refusal::new(
                axum::http::StatusCode::NOT_FOUND,
                "There is no such thing here.",
            ));
        }
    };
    let path = format!("/v1/campaigns/{}/{act}", api::segment(&id));
    desk.api.post::<Value>(&path, &json!({}), sent.filled("once")).await?;
    let workshop = api::segment(sent.text("workshop"));
    Ok(Redirect::to(&format!("/console/workshops/{workshop}?done={done}")).into_response())
}

#[cfg(test)]
impl WorkshopPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let at: Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
        let counts = Counts { delivered: 40, failed: 2, pending: 5, ..Counts::default() };
        let checkpoint = Checkpoint {
            campaign_id: text(),
            at: Some(at),
            label: Some(text()),
            template: text(),
            skipped: Some(text()),
            counts,
        };
        let broadcast = Broadcast {
            id: text(),
            channel: text(),
            status: Status("running".to_owned()),
            started_at: None,
            created_at: at,
            cost: Cost::default(),
            counts: Audience { audience: 47, counts },
            steps: Vec::new(),
        };
        Self {
            frame: Frame::sample(),
            workshop: Workshop::sample(),
            tag: Some(Tag::sample()),
            tabs: vec![Tab { channel: "sms", name: "SMS".to_owned(), is_here: true }],
            channel: "sms",
            is_configured: true,
            sequence: Some(Sequence::sample()),
            recipients: Recipients { total: 52, reachable: 47, unreachable: Vec::new() },
            missing: vec![Missing { id: text(), name: text(), why: text() }],
            checkpoints: vec![checkpoint],
            broadcasts: vec![broadcast],
            templates: vec![Stored::sample()],
            is_live: true,
            errors: Errors::whole(&text()),
        }
    }
}

#[cfg(test)]
impl ConfirmPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        let outlook = json!({
            "scheduled": 141, "recipients": 47, "estimate": {"amount": text(), "currency": text()},
            "skipped": [{"reason": text(), "count": 5, "step": {"label": text()}}],
            "deferred": [{"reason": text(), "until": "2026-11-21T09:00:00Z", "count": 3}],
            "steps": [{"label": text(), "template": text(), "at": null, "scheduled": 47, "segments": 47}],
        });
        Self {
            frame: Frame::sample(),
            workshop: Workshop::sample(),
            channel: text(),
            act: "run-sequence",
            template: text(),
            outlook: serde_json::from_value(outlook).expect("an outlook"),
        }
    }
}
