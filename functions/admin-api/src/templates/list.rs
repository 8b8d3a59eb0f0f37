//! `GET /v1/templates`: all of them, or those that are asked for. An organization
//! has some hundreds at most, so a filter looks at each.

use std::sync::Arc;

use axum::extract::State;
use carillon_domain::{Channel, TemplateId};
use carillon_runtime::Context;
use carillon_store::StoredTemplate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answers::Json;
use crate::auth::Caller;
use crate::extract::Params;
use crate::lists::{self, Limit, Page, paged};
use crate::problem::Problem;
use crate::view::template::{Template as Shown, TemplateKind};

/// Times that a page looks for more.
const ROUNDS: usize = 20;

/// Which templates, and which part of the list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplatesQuery")]
pub struct Query {
    channel: Option<Channel>,
    kind: Option<TemplateKind>,
    /// Those with a text in this language: `de` also finds `de-AT`.
    language: Option<String>,
    is_active: Option<bool>,
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}
paged!(Query);

impl Query {
    fn fits(&self, t: &StoredTemplate) -> bool {
        self.channel.is_none_or(|channel| t.channel == channel)
            && self.kind.is_none_or(|kind| TemplateKind::of(&t.content.kind) == kind)
            && self.language.as_deref().is_none_or(|language| is_in(t, language))
            && self.is_active.is_none_or(|is_active| t.is_active == is_active)
    }
}

/// Whether it has a text in a language, or in that of one of its regions.
fn is_in(t: &StoredTemplate, language: &str) -> bool {
    let wanted = language.trim().to_lowercase();
    let is_wanted = |tag: &String| {
        let rest = tag.to_lowercase();
        let rest = rest.strip_prefix(&wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    t.content.translations().is_some_and(|translations| {
        translations.language.iter().chain(translations.others.keys()).any(is_wanted)
    })
}

/// `GET /v1/templates`: all of them, or those that are asked for. A narrow filter
/// may answer a short page with a cursor to go on from.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<Query>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (limit, mut after) = lists::by_id::<TemplateId>(&params)?;
    let mut data = Vec::new();
    for _ in 0..ROUNDS {
        let most = limit - data.len();
        let found = ctx.store.templates(caller.org, after, lists::wanted(most)).await?;
        let is_end = found.len() < most;
        after = found.last().map(|t| t.id).filter(|_| !is_end);
        data.extend(found.iter().filter(|t| params.fits(t)).map(Shown::of));
        if is_end || data.len() == limit {
            break;
        }
    }
    Ok(Json(Page::by_id(&params, data, after)))
}
