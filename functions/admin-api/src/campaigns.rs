//! `/v1/campaigns`: what is sent to many, what has become of it, and pause,
//! resume, cancel. Each of these is one write; the sender asks seconds before
//! each call, so nothing is begun more than ten seconds after the answer.

pub mod counts;
pub mod messages;
pub mod stats;

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::campaign::{Campaign, Status};
use carillon_domain::{CampaignId, WorkshopId};
use carillon_runtime::broadcast::resume;
use carillon_runtime::{Context, random};
use carillon_store::StoreError;

use crate::answers::Json;
use crate::audit::note;
use crate::auth::Caller;
use crate::extract::{Id, Params};
use crate::lists::{self, Page, PageQuery, Paged};
use crate::problem::Problem;
use crate::view::campaign::Campaign as Shown;
use crate::workshops::{self, ROUNDS};

/// `GET /v1/campaigns`: newest first.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    Ok(Json(page(&ctx, &caller, None, &params).await?))
}

/// `GET /v1/workshops/{id}/broadcasts`: the campaigns of a workshop, newest
/// first.
pub async fn broadcasts(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    params: Params<PageQuery>,
) -> Result<Json<Page<Shown>>, Problem> {
    workshops::found(&ctx, &caller, id).await?;
    Ok(Json(page(&ctx, &caller, Some(id), &params).await?))
}

async fn page(
    ctx: &Context,
    caller: &Caller,
    workshop: Option<WorkshopId>,
    params: &Params<impl Paged>,
) -> Result<Page<Shown>, Problem> {
    let mut list = lists::ByPlace::new(params)?;
    while let Some((before, most)) = list.next() {
        let most = lists::wanted(most);
        let found = ctx.store.campaigns(caller.org, workshop, before.as_deref(), most).await?;
        let mut shown = Vec::with_capacity(found.len());
        for (place, campaign) in found {
            let campaign = match campaign {
                Some(campaign) => Some(counts::shown(ctx, &campaign).await?),
                None => None,
            };
            shown.push((place, campaign));
        }
        list.add(shown, |campaign| campaign);
    }
    Ok(list.page(params))
}

/// `GET /v1/campaigns/{id}`: one campaign, with what has become of its messages.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Shown>, Problem> {
    let campaign = found(&ctx, &caller, id).await?;
    Ok(Json(counts::shown(&ctx, &campaign).await?))
}

/// `POST /v1/campaigns/{id}/pause`: nothing more of it is sent until it is
/// resumed.
pub async fn pause(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Shown>, Problem> {
    change(&ctx, &caller, id, Status::Paused).await
}

/// `POST /v1/campaigns/{id}/resume`: it goes on; what has expired meanwhile is not
/// sent.
pub async fn resume(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Shown>, Problem> {
    change(&ctx, &caller, id, Status::Running).await
}

/// `POST /v1/campaigns/{id}/cancel`: what is pending of it is cancelled, for
/// good.
pub async fn cancel(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<CampaignId>,
) -> Result<Json<Shown>, Problem> {
    change(&ctx, &caller, id, Status::Cancelled).await
}

async fn change(
    ctx: &Context,
    caller: &Caller,
    id: CampaignId,
    to: Status,
) -> Result<Json<Shown>, Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let mut campaign = found(ctx, caller, id).await?;
        note::before(&counts::shown(ctx, &campaign).await?);
        let before = campaign.status;
        if campaign.change(to, &caller.id, now).is_err() {
            let detail = "The campaign was cancelled, which is for good; start another one.";
            return Err(Problem::conflict("campaign_cancelled", detail));
        }
        if before != to {
            campaign.updated_at = now;
            if !ctx.store.save_campaign(&mut campaign, &random::token()).await? {
                continue;
            }
        }
        // Also for who repeats a request that was cut off here.
        reconcile(ctx, caller, &campaign).await?;
        if to == Status::Running
            && let Err(error) = resume::at_once(ctx, &campaign).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "left for its next look");
        }
        return Ok(Json(counts::shown(ctx, &campaign).await?));
    }
    Err(StoreError::Contended("a campaign").into())
}

/// What is pending follows at once instead of when it is met.
async fn reconcile(ctx: &Context, caller: &Caller, c: &Campaign) -> Result<(), Problem> {
    let now = ctx.clock.now();
    for _ in 0..ROUNDS {
        let Some(mut w) = ctx.store.workshop(caller.org, c.workshop).await? else { return Ok(()) };
        if !w.campaigns.contains(&c.id) {
            return Ok(());
        }
        w.touch(now);
        if ctx.store.save_workshop(&mut w, &random::token()).await? {
            return Ok(());
        }
    }
    Err(StoreError::Contended("a workshop").into())
}

/// # Errors
/// 404.
pub async fn found(ctx: &Context, caller: &Caller, id: CampaignId) -> Result<Campaign, Problem> {
    let campaign = ctx.store.campaign(caller.org, id).await?;
    campaign.ok_or_else(|| Problem::not_found("campaign"))
}
