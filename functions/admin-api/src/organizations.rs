//! `/v1/organizations`: made, named, suspended by who manages the installation.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::settings::Settings;
use carillon_domain::{KeyId, OrgId, Role};
use carillon_runtime::{Context, random};
use carillon_store::{ApiKey, Organization, OrganizationStatus, StoreError};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{Created, Json};
use crate::audit::note;
use crate::auth::{self, Caller};
use crate::etag::{Tag, Tagged};
use crate::extract::{self, Id, Params};
use crate::lists::{self, Page, PageQuery};
use crate::names::{LONGEST_NAME, read_name};
use crate::problem::{FieldError, Problem};
use crate::settings::read_time_zone;
use crate::{idempotency, secret_key, templates};

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;

/// A tenant to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewOrganization", example = example())]
pub struct Create {
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: String,
    /// An IANA name; UTC, where it is absent.
    #[serde(default)]
    time_zone: Option<String>,
}

fn example() -> Value {
    json!({"name": "Northern branch", "time_zone": "Australia/Sydney"})
}

/// What is to change of an organization.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrganizationPatch", example = patch_example())]
pub struct Patch {
    #[serde(default)]
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<OrganizationStatus>")]
    status: Option<String>,
    /// Whether it sends with the installation's Twilio account while it has none of
    /// its own.
    #[serde(default)]
    installation_account: Option<bool>,
}

fn patch_example() -> Value {
    json!({"name": "Northern branch"})
}

/// An organization as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Organization")]
pub struct View {
    id: OrgId,
    name: String,
    /// Of a suspended one nobody is let in, and nothing is sent.
    status: OrganizationStatus,
    /// Without a Twilio account of its own it sends with the installation's.
    installation_account: bool,
    /// The secret of its first admin's key, once: in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_key: Option<String>,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Organization> for View {
    fn from(o: Organization) -> Self {
        Self {
            id: o.id,
            name: o.name,
            status: o.status,
            installation_account: o.installation_account,
            admin_key: None,
            created_by: o.created_by,
            created_at: o.created_at,
            updated_at: o.updated_at,
        }
    }
}

/// `POST /v1/organizations`: makes one, with its first key. Cut off anywhere, its repeat with the same
/// idempotency key finishes it.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    extract::Json { value: new, raw }: extract::Json<Create>,
) -> Result<Created<View>, Problem> {
    let once = idempotency::key(&headers, None)?;
    let now = ctx.clock.now();
    let mut wrong = Vec::new();
    let name = read_name("name", &new.name, &mut wrong);
    let mut settings = Settings::default();
    if let Some(zone) = new.time_zone {
        match read_time_zone(zone) {
            Ok(zone) => settings.time_zone = zone,
            Err(error) => wrong.push(error),
        }
    }
    let (Some(name), true) = (name, wrong.is_empty()) else {
        return Err(Problem::fields(wrong));
    };
    let request = idempotency::request_hash(&[&raw]);
    let once = once.map(|key| format!("{key}/{request}"));
    let id = match &once {
        Some(once) => OrgId::from_hash(&[b"organization", caller.id.as_bytes(), once.as_bytes()]),
        None => OrgId::from_bytes(random::bytes()),
    };
    let secret = secret_key::new(&ctx, id, "first", once.as_deref()).await?;
    let organization = Organization::new(id, name, caller.id.as_str(), now);
    let (_, seen) = ctx.store.settings_to_change(id).await?;
    if seen.are_new() {
        ctx.store.replace_settings(id, seen, &settings).await?;
    }
    let is_new = ctx.store.ensure_organization(&organization).await?;
    let key = ApiKey {
        prefix: secret_key::shown(&secret),
        created_by: caller.id.clone(),
        ..ApiKey::new(KeyId::from_hash(&[b"first", id.as_bytes()]), id, Role::Admin, "First", now)
    };
    ctx.store.ensure_api_key(&key, &auth::hash(&secret)).await?;
    templates::first::ensure(&ctx, id, &caller.id).await?;
    let organization = if is_new { organization } else { found(&ctx, id).await? };
    let view = View { admin_key: Some(secret.to_string()), ..organization.into() };
    Ok(Created(view))
}

async fn found(ctx: &Context, id: OrgId) -> Result<Organization, Problem> {
    let organization = ctx.store.organization(id).await?;
    organization.ok_or_else(|| Problem::not_found("organization"))
}

/// `GET /v1/organizations`: all of them.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    params: Params<PageQuery>,
) -> Result<Json<Page<View>>, Problem> {
    let (limit, after) = lists::by_id::<OrgId>(&params)?;
    let all = ctx.store.organizations(after, lists::wanted(limit)).await?;
    let next = (all.len() == limit).then(|| all.last().map(|o| o.id)).flatten();
    Ok(Json(Page::by_id(&params, all.into_iter().map(View::from).collect(), next)))
}

/// `GET /v1/organizations/{id}`: an organization.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    Id(id): Id<OrgId>,
) -> Result<Tagged<View>, Problem> {
    let organization = found(&ctx, id).await?;
    Ok(Tagged(tag(&organization), organization.into()))
}

/// Of what people change.
fn tag(o: &Organization) -> Tag {
    Tag::of(&(o.id, &o.name, o.status.as_str(), o.installation_account))
}

/// `PATCH /v1/organizations/{id}`: changes name, status, or with whose account it may send.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<OrgId>,
    headers: HeaderMap,
    extract::Json { value: patch, .. }: extract::Json<Patch>,
) -> Result<Tagged<View>, Problem> {
    for _ in 0..ROUNDS {
        let seen = found(&ctx, id).await?;
        tag(&seen).check(&headers)?;
        note::before(&View::from(seen.clone()));
        let mut changed = Organization { updated_at: ctx.clock.now(), ..seen.clone() };
        patch.apply(&caller, &mut changed)?;
        if ctx.store.replace_organization(&seen, &changed).await? {
            return Ok(Tagged(tag(&changed), changed.into()));
        }
    }
    Err(StoreError::Contended("an organization").into())
}

impl Patch {
    fn apply(&self, caller: &Caller, organization: &mut Organization) -> Result<(), Problem> {
        let mut wrong = Vec::new();
        if let Some(name) = &self.name {
            organization.name = read_name("name", name, &mut wrong).unwrap_or_default();
        }
        organization.installation_account =
            self.installation_account.unwrap_or(organization.installation_account);
        if let Some(status) = &self.status {
            match OrganizationStatus::parse(status) {
                Some(OrganizationStatus::Suspended) if caller.home == organization.id => {
                    let detail = "This is the organization of your own key; nobody could undo it.";
                    wrong.push(FieldError::new("status", "own_organization", detail));
                }
                Some(status) => organization.status = status,
                None => {
                    let detail = "The status of an organization is active or suspended.";
                    wrong.push(FieldError::new("status", "invalid_value", detail));
                }
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Problem::fields(wrong)) }
    }
}
