//! One workshop, channel by channel: who can be reached, what is sent when, and what became of it.

mod confirm;
mod people;
mod sent;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use carillon_domain::Channel;
use serde::Deserialize;

#[cfg(test)]
pub use self::confirm::ConfirmPage;
pub use self::confirm::{run, send};
pub use self::people::register;
use self::people::{Missing, Recipients, named};
pub use self::sent::steer;
use self::sent::{Broadcast, Checkpoint, Checkpoints};
use crate::api::{self, Listed, Problem};
use crate::chart::{self, Svg};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::page::{self, Refusal};
use crate::sent::Errors;
use crate::sequences::Sequence;
use crate::tags::Tag;
use crate::templates::Template as Stored;
use crate::workshops::Workshop;

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

    /// What there is to know before the sequence is run; nothing where it does not
    /// run yet.
    pub fn runs_already(&self) -> Option<&'static str> {
        let is = |status| self.broadcasts.iter().any(|b| b.is(status, self.channel));
        if is("running") {
            return Some("It runs already: who registers later gets the steps still ahead.");
        }
        is("paused").then_some("It is paused: let it go on below.")
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

#[cfg(test)]
impl WorkshopPage {
    pub fn sample() -> Self {
        use self::sent::{Audience, Cost};
        use crate::counts::Counts;
        use crate::status::Status;

        let text = || crate::page::tests::HOSTILE.to_owned();
        let at: jiff::Timestamp = "2026-11-21T09:00:00Z".parse().expect("a time");
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
