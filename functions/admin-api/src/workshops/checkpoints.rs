//! `GET /v1/workshops/{id}/checkpoints`: each step and how many of its messages
//! are where.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::campaign::Audience;
use carillon_domain::{Channel, WorkshopId};
use carillon_runtime::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::found;
use crate::answers::Json;
use crate::auth::Caller;
use crate::campaigns::counts;
use crate::extract::{Id, Params};
use crate::problem::Problem;
use crate::view::campaign::Checkpoint;

/// Campaigns looked at, newest first.
const MOST: i32 = 100;

/// Of which channel.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    channel: Option<Channel>,
}

/// The steps of a workshop's sequences.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checkpoints {
    /// By their times.
    pub data: Vec<Checkpoint>,
}

/// `GET /v1/workshops/{id}/checkpoints`: the steps of the sequences that were run,
/// with live counts. Of a sequence that was cancelled and run again, the last run.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<WorkshopId>,
    params: Params<Query>,
) -> Result<Json<Checkpoints>, Problem> {
    found(&ctx, &caller, id).await?;
    let mut data = Vec::new();
    let mut seen = Vec::new();
    for (_, campaign) in ctx.store.campaigns(caller.org, Some(id), None, MOST).await? {
        let Some(campaign) = campaign else { continue };
        let Audience::Sequence(sequence) = campaign.audience else { continue };
        if params.channel.is_some_and(|c| c != campaign.channel) || seen.contains(&sequence) {
            continue;
        }
        seen.push(sequence);
        data.extend(counts::tally(&ctx, &campaign).await?.checkpoints(&campaign));
    }
    data.sort_by_key(|checkpoint| checkpoint.at);
    Ok(Json(Checkpoints { data }))
}
