//! What is asked of somebody before money is spent: what would come of it, by the API's dry run.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::Channel;
use carillon_domain::integration::Money;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::people::why;
use crate::api;
use crate::desk::Desk;
use crate::figures;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::{Errors, Sent};
use crate::workshops::Workshop;

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
            Ok(page::again(&problem, &super::make(desk, id, channel, errors).await?))
        }
        Err(problem) => Err(problem.into()),
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
