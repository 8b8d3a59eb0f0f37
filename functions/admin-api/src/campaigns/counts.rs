//! What has become of a campaign's messages: from what rollup has counted of each
//! source, by message. What is frozen and not counted yet is pending, and so is
//! what planning has not come to: counted by the rules that it goes by.

use std::collections::BTreeMap;

use carillon_domain::campaign::{Batch, Campaign, Status, Step};
use carillon_domain::workshop::Workshop;
use carillon_runtime::Context;
use carillon_runtime::broadcast::{self, PAST};
use carillon_runtime::broadcast::{finish, outlook};
use jiff::Timestamp;

use crate::problem::Problem;
use crate::view::campaign::{Campaign as Shown, CampaignStep, Checkpoint};
use crate::view::counts::Counts;

/// Of each step, by its place.
pub struct Tally {
    pub workshop: Option<Workshop>,
    pub steps: Vec<Step>,
    pub counts: Vec<Counts>,
    /// Steps that nothing was planned of, since their time had passed.
    pub past: Vec<bool>,
    /// Micros, messages with a price, and the currency.
    pub cost: Option<(u64, u64, String)>,
    /// All registrations are planned.
    pub is_planned: bool,
}

/// # Errors
/// When the table does not answer.
pub async fn tally(ctx: &Context, c: &Campaign) -> Result<Tally, Problem> {
    let steps = ctx.store.campaign_steps(c.org, c.id).await?;
    let workshop = ctx.store.workshop(c.org, c.workshop).await?;
    let batches = ctx.store.batches(c.org, c.id).await?;
    let mut tally = Tally {
        workshop,
        counts: vec![Counts::default(); steps.len()],
        past: vec![false; steps.len()],
        steps,
        cost: None,
        is_planned: true,
    };
    let sources: Vec<_> = batches.iter().map(|b| b.source).collect();
    let counted = ctx.store.counted_of(c.org, &sources).await?;
    let mut costs: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (batch, messages) in batches.iter().zip(&counted) {
        let Some(of_step) = tally.counts.get_mut(usize::from(batch.step)) else { continue };
        let mut counts = Counts::default();
        for (_, fact) in messages.values() {
            counts.add(fact.bucket, 1);
            if let Some((micros, currency)) = &fact.price {
                let currency = String::from_utf8_lossy(currency).into_owned();
                let (sum, priced) = costs.entry(currency).or_default();
                *sum += u64::from(*micros);
                *priced += 1;
            }
        }
        counts.pending += finish::not_counted(&ctx.store, c.org, batch, messages.len()).await?;
        if finish::is_withdrawn(c, batch, tally.workshop.as_ref()) {
            // Nothing of it is sent any more, whoever comes to it first.
            counts.cancelled += std::mem::take(&mut counts.pending);
        }
        of_step.sum(&counts);
    }
    // Amounts in different currencies are never added: the largest is shown.
    let largest = costs.into_iter().max_by_key(|(_, (micros, _))| *micros);
    tally.cost = largest.map(|(currency, (micros, priced))| (micros, priced, currency));
    to_come(ctx, c, &batches, &mut tally).await?;
    Ok(tally)
}

/// Registrations that planning has not come to.
async fn to_come(
    ctx: &Context,
    c: &Campaign,
    batches: &[Batch],
    tally: &mut Tally,
) -> Result<(), Problem> {
    let Some(w) = tally.workshop.as_ref().filter(|w| w.deleted_at.is_none()) else {
        return Ok(());
    };
    if c.status == Status::Cancelled {
        return Ok(());
    }
    let is_moved = c.audience.follows() && c.plan.revision != w.revision;
    let next = if is_moved { 1 } else { c.plan.next };
    if next > c.last(w.registrations) {
        let zone = broadcast::zone(w);
        for (place, step) in tally.steps.iter().enumerate() {
            let began = c.plan.began_at;
            let is_past = broadcast::ahead(step, w, &zone, began).is_none();
            tally.past[place] = is_past;
        }
        return Ok(());
    }
    tally.is_planned = false;
    let organization = ctx.store.organization(c.org).await?.map(|o| o.name).unwrap_or_default();
    let now = ctx.clock.now();
    let about = (w, organization.as_str());
    let outlook = outlook::of(&ctx.store, (c, &tally.steps), about, next, now, |_, _| {}).await?;
    for (place, of) in outlook.steps.iter().enumerate() {
        // A batch that is being planned has some of its sources already.
        let is_begun = |b: &&Batch| {
            b.first == next && b.revision == w.revision && usize::from(b.step) == place
        };
        let begun = batches.iter().find(is_begun).filter(|_| !is_moved);
        let begun = begun.map_or(0, |b| b.recipients);
        tally.counts[place].pending += u64::from(of.scheduled.saturating_sub(begun));
        tally.past[place] = of.moment.is_none()
            && outlook
                .skipped
                .keys()
                .any(|(why, step)| why == PAST && step.map(usize::from) == Some(place));
    }
    Ok(())
}

impl Tally {
    fn at(&self, step: &Step) -> Option<Timestamp> {
        let w = self.workshop.as_ref()?;
        step.moment(w, &broadcast::zone(w)).ok().map(|m| m.at)
    }

    pub fn all(&self) -> Counts {
        let mut all = Counts::default();
        self.counts.iter().for_each(|counts| all.sum(counts));
        all
    }

    pub fn checkpoints(&self, c: &Campaign) -> Vec<Checkpoint> {
        let steps = self.steps.iter().enumerate().map(|(place, step)| Checkpoint {
            campaign_id: c.id,
            step_id: step.id,
            at: self.at(step),
            label: step.label.clone(),
            template: format!("{}@{}", step.template.key, step.template.version),
            skipped: self.past[place].then(|| PAST.to_owned()),
            counts: self.counts[place],
        });
        steps.collect()
    }
}

/// A campaign with its counts.
///
/// # Errors
/// When the table does not answer.
pub async fn shown(ctx: &Context, c: &Campaign) -> Result<Shown, Problem> {
    let tally = tally(ctx, c).await?;
    let now = ctx.clock.now();
    let is_over =
        tally.is_planned && tally.steps.iter().all(|step| tally.at(step).is_none_or(|at| at < now));
    let steps = tally.steps.iter().map(|step| CampaignStep::of(step, tally.at(step))).collect();
    Ok(Shown::of(c, steps, (tally.all(), tally.cost), is_over))
}
