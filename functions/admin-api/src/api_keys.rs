//! `/v1/api-keys`: who calls by machine. The secret is in the answer that makes
//! the key, and nowhere else.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use carillon_domain::{KeyId, Role, access};
use carillon_runtime::{Context, random};
use carillon_store::ApiKey;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{Created, Json, NoContent};
use crate::auth::{self, Caller};
use crate::extract::{self, Id, Params};
use crate::lists::{self, Page, PageQuery};
use crate::names::{LONGEST_NAME, read_name};
use crate::problem::{FieldError, Problem};
use crate::{idempotency, secret_key};

/// A key for a program.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewApiKey", example = example())]
pub struct Create {
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: String,
    /// Not higher than your own.
    #[schemars(with = "Role")]
    role: String,
    /// Never, where it is absent.
    #[serde(default)]
    #[schemars(with = "Option<Timestamp>")]
    expires_at: Option<String>,
}

fn example() -> Value {
    json!({"name": "Booking system", "role": "manager", "expires_at": "2027-11-21T00:00:00Z"})
}

/// An API key as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub struct View {
    id: KeyId,
    name: String,
    role: Role,
    /// The first characters of the secret.
    prefix: String,
    /// The whole secret, once: in the answer that made the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    /// To five minutes.
    last_used_at: Option<Timestamp>,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl View {
    pub fn of(key: ApiKey, secret: Option<String>) -> Self {
        Self {
            id: key.id,
            name: key.name,
            role: key.role,
            prefix: key.prefix,
            secret,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
            created_by: key.created_by,
            created_at: key.created_at,
            updated_at: key.revoked_at.unwrap_or(key.created_at),
        }
    }
}

/// `POST /v1/api-keys`: makes a key. Its secret is in this answer only.
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
    let role = read_role(&new.role, caller.role, &mut wrong);
    let expires_at = read_expiry(new.expires_at.as_deref(), now, &mut wrong);
    let (Some(name), Some(role), true) = (name, role, wrong.is_empty()) else {
        return Err(Problem::fields(wrong));
    };
    // The same request makes the same key again, another one under the same
    // idempotency key another secret: the first is in its hash.
    let request = idempotency::request_hash(&[&raw]);
    let once = once.map(|key| format!("{key}/{request}"));
    let secret = secret_key::new(&ctx, caller.org, "create", once.as_deref()).await?;
    let id = match &once {
        Some(once) => KeyId::from_hash(&[caller.org.as_bytes(), once.as_bytes()]),
        None => KeyId::from_bytes(random::bytes()),
    };
    let key = ApiKey {
        prefix: secret_key::shown(&secret),
        expires_at,
        created_by: caller.id.clone(),
        ..ApiKey::new(id, caller.org, role, name, now)
    };
    let hash = auth::hash(&secret);
    let key = if ctx.store.ensure_api_key(&key, &hash).await? {
        key
    } else {
        ctx.store.api_key(&hash).await?.unwrap_or(key)
    };
    Ok(Created(View::of(key, Some(secret.to_string()))))
}

/// `GET /v1/api-keys`: all of them, without their secrets.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<View>>, Problem> {
    let (limit, after) = lists::by_id::<KeyId>(&params)?;
    let keys = ctx.store.api_keys(caller.org, after, lists::wanted(limit)).await?;
    let next = (keys.len() == limit).then(|| keys.last().map(|key| key.id)).flatten();
    Ok(Json(Page::by_id(&params, keys.into_iter().map(|key| View::of(key, None)).collect(), next)))
}

/// `GET /v1/api-keys/{id}`: a key, without its secret.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<KeyId>,
) -> Result<Json<View>, Problem> {
    let key = ctx.store.api_key_by_id(caller.org, id).await?;
    Ok(Json(View::of(key.ok_or_else(|| Problem::not_found("API key"))?, None)))
}

/// `DELETE /v1/api-keys/{id}`: revoked at once; it stays listed.
pub async fn revoke(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<KeyId>,
) -> Result<NoContent, Problem> {
    let key = ctx.store.api_key_by_id(caller.org, id).await?;
    let key = key.ok_or_else(|| Problem::not_found("API key"))?;
    if !access::may_give(caller.role, key.role) {
        let detail = "This key's role is higher than yours; ask somebody who has that role.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail));
    }
    ctx.store.revoke_api_key(caller.org, id, ctx.clock.now()).await?;
    Ok(NoContent)
}

/// A role that its giver has.
pub fn read_role(text: &str, giver: Role, wrong: &mut Vec<FieldError>) -> Option<Role> {
    let Some(role) = Role::parse(text) else {
        let known = Role::ALL.map(Role::as_str).join(", ");
        let detail = format!("“{text}” is no role; there are {known}.");
        wrong.push(FieldError::new("role", "unknown_role", detail));
        return None;
    };
    if !access::may_give(giver, role) {
        let detail = format!("Your role is {}; you can give that or a lower one.", giver.as_str());
        wrong.push(FieldError::new("role", "role_too_high", detail));
        return None;
    }
    Some(role)
}

fn read_expiry(
    text: Option<&str>,
    now: Timestamp,
    wrong: &mut Vec<FieldError>,
) -> Option<Timestamp> {
    let (code, detail) = match text?.parse::<Timestamp>() {
        Ok(at) if at > now => return Some(at),
        Ok(_) => ("time_in_past", "A key that has expired opens nothing; give a time to come."),
        Err(_) => (
            "invalid_time",
            "Write the time as RFC 3339 with an offset, such as 2027-01-31T00:00:00Z.",
        ),
    };
    wrong.push(FieldError::new("expires_at", code, detail));
    None
}
