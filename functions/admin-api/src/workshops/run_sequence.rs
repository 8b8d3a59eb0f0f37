//! `POST /v1/workshops/{id}/run-sequence`: the sequence that the workshop's tag
//! has for a channel, to everybody who is registered. Records what is wanted;
//! the reconciler plans it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::campaign::{Audience, Campaign, MAX_RUNS, Plan, Status, Step, When};
use carillon_domain::integration::Money;
use carillon_domain::message::TemplateRef;
use carillon_domain::sequence::Sequence;
use carillon_domain::workshop::{MAX_CAMPAIGNS, Workshop};
use carillon_domain::{Channel, Purpose, WorkshopId, settings::Settings};
use carillon_runtime::broadcast::outlook::{self, Outlook};
use carillon_runtime::{Context, random};
use carillon_store::StoreError;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ROUNDS, found};
use crate::answers::Accepted;
use crate::auth::Caller;
use crate::extract::{self, Id};
use crate::messages::{read_channel, read_word};
use crate::problem::{FieldError, Problem};
use crate::view::campaign::{Run, Skipped};

/// Which sequence is run.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RunSequence", example = example())]
pub struct Request {
    #[schemars(with = "Channel")]
    channel: Option<String>,
    /// Only says what would come of it.
    dry_run: Option<bool>,
    #[schemars(with = "Option<Purpose>")]
    purpose: Option<String>,
}

fn example() -> Value {
    json!({"channel": "sms", "dry_run": true})
}

/// `POST /v1/workshops/{id}/run-sequence`: plans a message for each registrant
/// and step still ahead, each at the step's time in the workshop's zone. Run
/// twice, nothing is planned twice.
pub async fn run(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    extract::Json { value, .. }: extract::Json<Request>,
) -> Result<Accepted<Run>, Problem> {
    let mut wrong = Vec::new();
    let w = found(&ctx, &caller, id).await?;
    let channel = read_channel(value.channel.as_deref(), &mut wrong);
    let known = "transactional or promotional";
    let purpose = value.purpose.as_deref();
    let purpose = read_word("purpose", purpose, Purpose::parse, known, &mut wrong);
    let (Some(channel), true) = (channel, wrong.is_empty()) else {
        return Err(Problem::fields(wrong));
    };
    let sequence = sequence_of(&ctx, &w, channel).await?;
    let accounts = ctx.accounts(caller.org).await?;
    if !accounts.has(channel, None) {
        return Err(not_configured(channel));
    }
    let steps = steps_of(&ctx, &w, &sequence).await?;
    let contents: Vec<_> = steps.iter().map(Step::content).collect();
    let purpose = crate::templates::purpose_of(purpose, &contents, &mut wrong);
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    let settings = ctx.store.settings(caller.org).await?;
    let now = ctx.clock.now();
    let (first, before) = last_run(&ctx, &w, &sequence).await?;
    let about = About { caller: &caller, settings: &settings, now };
    let mut campaign = Campaign {
        id: first,
        name: format!("{} · {}", w.title, sequence.name),
        purpose: purpose.unwrap_or_default(),
        audience: Audience::Sequence(sequence.id),
        ..new_campaign(&w, channel, steps.len(), &about)
    };
    let organization = organization(&ctx, &caller).await?;
    let (outlook, estimate) =
        look(&ctx, (&campaign, &steps), (&w, &organization), now, |_, _| {}).await?;
    if steps.iter().all(|s| outlook.steps[usize::from(s.place)].moment.is_none())
        && w.starts_at <= now
    {
        let detail = "The workshop has begun, and the times of all steps have passed.";
        return Err(Problem::conflict("workshop_over", detail));
    }
    let is_running = before.is_some();
    if value.dry_run == Some(true) {
        let shown = before.map(|c| c.id);
        return Ok(Accepted(answer(shown, is_running, &steps, &outlook, estimate)));
    }
    campaign.estimate.clone_from(&estimate);
    let started = match before {
        Some(before) => {
            keep(&ctx, &caller, &before).await?;
            false
        }
        None => start(&ctx, &caller, &mut campaign, &steps).await?,
    };
    Ok(Accepted(answer(Some(campaign.id), !started, &steps, &outlook, estimate)))
}

/// What all campaigns of a workshop begin with.
pub struct About<'a> {
    pub caller: &'a Caller,
    pub settings: &'a Settings,
    pub now: Timestamp,
}

pub fn new_campaign(w: &Workshop, channel: Channel, steps: usize, about: &About<'_>) -> Campaign {
    Campaign {
        org: w.org,
        id: carillon_domain::CampaignId::from_bytes(random::bytes()),
        name: w.title.clone(),
        channel,
        purpose: Purpose::default(),
        integration: None,
        workshop: w.id,
        audience: Audience::Registered { until: w.registrations },
        status: Status::Running,
        changed: None,
        steps: u16::try_from(steps).unwrap_or(u16::MAX),
        max_segments: about.settings.max_segments,
        estimate: None,
        completed_at: None,
        plan: Plan::new(w.revision, about.now),
        created_by: about.caller.id.clone(),
        created_at: about.now,
        updated_at: about.now,
        version: 1,
    }
}

/// What would come of it, and what it would cost; `each` is told each recipient.
pub async fn look(
    ctx: &Context,
    (campaign, steps): (&Campaign, &[Step]),
    about: (&Workshop, &str),
    now: Timestamp,
    mut each: impl FnMut(&Step, &carillon_runtime::broadcast::Said),
) -> Result<(Outlook, Option<Money>), Problem> {
    let accounts = ctx.accounts(campaign.org).await?;
    let mut cost: Option<(u64, String)> = None;
    let outlook = outlook::of(&ctx.store, (campaign, steps), about, 1, now, |step, said| {
        let to = &said.frozen.to;
        let mut serving = accounts.serving(campaign.channel, to, campaign.integration);
        let price = serving.next().and_then(|(_, a)| a.settings.price_of_part(to));
        if let Some((micros, currency)) = price {
            let (sum, of) = cost.get_or_insert_with(|| (0, currency.to_owned()));
            // Amounts in different currencies are never added.
            if *of == currency {
                *sum += micros * u64::from(said.segments);
            }
        }
        each(step, said);
    })
    .await?;
    Ok((outlook, cost.map(|(micros, currency)| Money::from_micros(micros, &currency))))
}

pub async fn organization(ctx: &Context, caller: &Caller) -> Result<String, Problem> {
    let organization = ctx.store.organization(caller.org).await?;
    Ok(organization.map(|o| o.name).unwrap_or_default())
}

pub fn not_configured(channel: Channel) -> Problem {
    let detail = format!(
        "No integration that is switched on sends on the channel {}; set one up under \
         /v1/integrations.",
        channel.as_str()
    );
    Problem::field("channel", "channel_not_configured", detail)
}

async fn sequence_of(ctx: &Context, w: &Workshop, channel: Channel) -> Result<Sequence, Problem> {
    let tag = ctx.store.tag(w.org, w.tag).await?;
    let tag = tag.ok_or_else(|| Problem::not_found("tag"))?.what;
    let sequence = match tag.sequences.get(&channel) {
        Some(id) => ctx.store.sequence(w.org, *id).await?,
        None => None,
    };
    let Some(sequence) = sequence else {
        let detail = format!(
            "The tag “{}” has no sequence for the channel {}; give it one with PATCH /v1/tags/{}.",
            tag.name,
            channel.as_str(),
            tag.id
        );
        return Err(Problem::field("channel", "no_sequence_for_channel", detail));
    };
    if sequence.what.steps.is_empty() {
        let detail = format!("The sequence “{}” has no steps; give it some.", sequence.what.name);
        return Err(Problem::field("channel", "sequence_without_steps", detail));
    }
    Ok(sequence.what)
}

/// The steps as they are now, each with the newest version of its template.
async fn steps_of(ctx: &Context, w: &Workshop, sequence: &Sequence) -> Result<Vec<Step>, Problem> {
    let mut steps = Vec::with_capacity(sequence.steps.len());
    let mut wrong = Vec::new();
    for (place, step) in (0_u16..).zip(&sequence.steps) {
        let named = step.label.clone().unwrap_or_else(|| format!("step {}", place + 1));
        let template = ctx.store.template(w.org, step.template).await?;
        let Some(template) = template.filter(|t| t.is_active) else {
            let detail = format!(
                "The template of “{named}” is switched off; switch it on, or give the step another."
            );
            wrong.push(FieldError::new("channel", "template_inactive", detail));
            continue;
        };
        let (body, details) = template.content.row();
        steps.push(Step {
            place,
            id: step.id,
            label: step.label.clone(),
            when: When::Workshop(step.time),
            template: TemplateRef { id: template.id, key: template.key, version: template.version },
            body: body.to_owned(),
            details,
            mapping: step.variables.clone(),
            given: Map::new(),
        });
    }
    if wrong.is_empty() { Ok(steps) } else { Err(Problem::fields(wrong)) }
}

/// The id of the next run, and the run that is under way, if one is. Each run has
/// its id; one that was cancelled makes room for the next.
async fn last_run(
    ctx: &Context,
    w: &Workshop,
    sequence: &Sequence,
) -> Result<(carillon_domain::CampaignId, Option<Campaign>), Problem> {
    for run in 1..=MAX_RUNS {
        let id = Campaign::id_of_run(w.id, sequence.id, run);
        match ctx.store.campaign(w.org, id).await? {
            None => return Ok((id, None)),
            Some(c) if c.status != Status::Cancelled => return Ok((id, Some(c))),
            Some(_) => {}
        }
    }
    let detail = format!("This sequence was run and cancelled {MAX_RUNS} times for this workshop.");
    Err(Problem::new(StatusCode::CONFLICT, "too_many_runs", detail))
}

/// False: somebody else has started the same one meanwhile.
pub async fn start(
    ctx: &Context,
    caller: &Caller,
    campaign: &mut Campaign,
    steps: &[Step],
) -> Result<bool, Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let mut w = found(ctx, caller, campaign.workshop).await?;
        if w.campaigns.len() >= MAX_CAMPAIGNS {
            let detail = format!(
                "At most {MAX_CAMPAIGNS} campaigns of a workshop are under way at a time; cancel \
                 one."
            );
            return Err(Problem::conflict("too_many_campaigns", detail));
        }
        campaign.plan = Plan::new(w.revision, now);
        w.campaigns.insert(campaign.id);
        w.touch(now);
        if ctx.store.start_campaign(&mut w, campaign, steps, &random::token()).await? {
            return Ok(true);
        }
        if ctx.store.campaign(campaign.org, campaign.id).await?.is_some() {
            return Ok(false);
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

/// One that was thought to be over goes on.
async fn keep(ctx: &Context, caller: &Caller, campaign: &Campaign) -> Result<(), Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let mut w = found(ctx, caller, campaign.workshop).await?;
        if !w.campaigns.insert(campaign.id) {
            return Ok(());
        }
        w.touch(now);
        if ctx.store.save_workshop(&mut w, &random::token()).await? {
            return Ok(());
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

fn answer(
    id: Option<carillon_domain::CampaignId>,
    is_running: bool,
    steps: &[Step],
    outlook: &Outlook,
    estimate: Option<Money>,
) -> Run {
    let scheduled = outlook.scheduled();
    let mut skipped = Skipped::all(steps, outlook);
    if is_running && scheduled > 0 {
        skipped.insert(0, Skipped::already(scheduled));
    }
    Run {
        campaign_id: id,
        scheduled: if is_running { 0 } else { scheduled },
        recipients: outlook.people,
        skipped,
        steps: Run::steps(steps, outlook),
        estimate,
    }
}
