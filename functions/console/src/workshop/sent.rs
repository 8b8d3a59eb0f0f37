//! What is sent to a workshop and what became of it: by checkpoint, and by campaign.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use carillon_domain::integration::Money;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api;
use crate::counts::Counts;
use crate::desk::Desk;
use crate::figures;
use crate::page::Refusal;
use crate::sent::Sent;
use crate::status::Status;

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
        if !self.is_sequence() {
            return format!("{channel}, sent at once");
        }
        let steps = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        format!("{channel} sequence of {}", figures::of(steps, "step"))
    }

    /// Its steps have times of the workshop's.
    fn is_sequence(&self) -> bool {
        self.steps.iter().any(|step| step["send_time"].is_string() || step["offset"].is_string())
    }

    /// A sequence on this channel that is in this state.
    pub fn is(&self, status: &str, channel: &str) -> bool {
        self.status.0 == status && self.channel == channel && self.is_sequence()
    }

    pub fn cost_word(&self) -> String {
        let cost = self.cost.actual.as_ref().or(self.cost.estimate.as_ref());
        cost.map(figures::money).unwrap_or_default()
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
            return Err(Refusal::new(StatusCode::NOT_FOUND, "There is no such thing here."));
        }
    };
    let path = format!("/v1/campaigns/{}/{act}", api::segment(&id));
    desk.api.post::<Value>(&path, &json!({}), sent.filled("once")).await?;
    let workshop = api::segment(sent.text("workshop"));
    Ok(Redirect::to(&format!("/console/workshops/{workshop}?done={done}")).into_response())
}
