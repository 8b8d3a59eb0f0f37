//! `/v1/members`: people who sign in. Somebody is invited by address; whoever
//! signs in with that address, proven by the issuer, becomes the member.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::{MemberId, OrgId, Role, access, ids};
use carillon_runtime::Context;
use carillon_runtime::context::InstallationError;
use carillon_store::{Member, MemberStatus, StoreError};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{Created, Json, NoContent};
use crate::api_keys::read_role;
use crate::auth::Caller;
use crate::extract::{self, Id, Params};
use crate::lists::{self, Page, PageQuery};
use crate::names::{LONGEST_EMAIL, LONGEST_NAME, read_email, read_name};
use crate::problem::Problem;

/// How often a change that met another is tried again.
const ROUNDS: usize = 20;

/// A person to invite.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewMember", example = example())]
pub struct Invite {
    #[schemars(length(min = 3, max = LONGEST_EMAIL))]
    email: String,
    #[serde(default)]
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: Option<String>,
    /// Not higher than your own.
    #[schemars(with = "Role")]
    role: String,
}

fn example() -> Value {
    json!({"email": "ada@example.com", "name": "Ada", "role": "manager"})
}

/// What is to change of a member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MemberPatch", example = patch_example())]
pub struct Patch {
    #[serde(default)]
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    name: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<Role>")]
    role: Option<String>,
}

fn patch_example() -> Value {
    json!({"role": "viewer"})
}

/// A member as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
pub struct View {
    id: MemberId,
    email: String,
    name: String,
    role: Role,
    /// `invited` until the first sign-in, then `active`.
    status: MemberStatus,
    /// The last sign-in.
    last_seen_at: Option<Timestamp>,
    created_by: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Member> for View {
    fn from(m: Member) -> Self {
        Self {
            id: m.id,
            status: m.status(),
            email: m.email,
            name: m.name,
            role: m.role,
            last_seen_at: m.last_seen_at,
            created_by: m.created_by,
            created_at: m.created_at,
            updated_at: m.updated_at,
        }
    }
}

/// How an address is looked for: a keyed hash, since keys are not for people's addresses.
///
/// # Errors
/// When the installation's secret cannot be read.
pub async fn email_hash(ctx: &Context, email: &str) -> Result<String, InstallationError> {
    let secret = ctx.address_secret().await?;
    let hash = ids::hash(&[b"e-mail", email.trim().to_lowercase().as_bytes()]);
    Ok(ids::encode(&secret.mac(&hash)))
}

/// `POST /v1/members`: invites a person by address.
pub async fn invite(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value: new, .. }: extract::Json<Invite>,
) -> Result<Created<View>, Problem> {
    let now = ctx.clock.now();
    let mut wrong = Vec::new();
    let email = read_email("email", &new.email, &mut wrong);
    let role = read_role(&new.role, caller.role, &mut wrong);
    let name = match &new.name {
        None => Some(String::new()),
        Some(name) => read_name("name", name, &mut wrong),
    };
    let (Some(email), Some(role), Some(name)) = (email, role, name) else {
        return Err(Problem::fields(wrong));
    };
    let hash = email_hash(&ctx, &email).await?;
    let member = Member {
        id: id_of(caller.org, &hash),
        org: caller.org,
        email,
        name,
        role,
        identity: None,
        last_seen_at: None,
        created_by: caller.id.clone(),
        created_at: now,
        updated_at: now,
        version: 1,
    };
    if ctx.store.invite_member(&member, &hash).await? {
        return Ok(Created(member.into()));
    }
    let detail = format!("This address is a member already ({}); PATCH its role.", member.id);
    Err(Problem::conflict("already_a_member", detail))
}

/// Invited twice, somebody is still one member.
fn id_of(org: OrgId, email_hash: &str) -> MemberId {
    MemberId::from_hash(&[b"member", org.as_bytes(), email_hash.as_bytes()])
}

/// `GET /v1/members`: all of them.
pub async fn list(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    params: Params<PageQuery>,
) -> Result<Json<Page<View>>, Problem> {
    let (limit, after) = lists::by_id::<MemberId>(&params)?;
    let members = ctx.store.members(caller.org, after, lists::wanted(limit)).await?;
    let next = (members.len() == limit).then(|| members.last().map(|m| m.id)).flatten();
    Ok(Json(Page::by_id(&params, members.into_iter().map(View::from).collect(), next)))
}

/// `GET /v1/members/{id}`: a member.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<MemberId>,
) -> Result<Json<View>, Problem> {
    Ok(Json(found(&ctx, &caller, id).await?.into()))
}

async fn found(ctx: &Context, caller: &Caller, id: MemberId) -> Result<Member, Problem> {
    let member = ctx.store.member(caller.org, id).await?;
    member.ok_or_else(|| Problem::not_found("member"))
}

/// `PATCH /v1/members/{id}`: changes name or role.
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<MemberId>,
    extract::Json { value: patch, .. }: extract::Json<Patch>,
) -> Result<Json<View>, Problem> {
    for _ in 0..ROUNDS {
        let mut member = found(&ctx, &caller, id).await?;
        may_change(&caller, &member)?;
        let mut wrong = Vec::new();
        if let Some(name) = &patch.name {
            member.name = read_name("name", name, &mut wrong).unwrap_or_default();
        }
        if let Some(role) = &patch.role {
            member.role = read_role(role, caller.role, &mut wrong).unwrap_or(member.role);
        }
        if !wrong.is_empty() {
            return Err(Problem::fields(wrong));
        }
        member.updated_at = ctx.clock.now();
        member.version += 1;
        if ctx.store.save_member(&member).await? {
            return Ok(Json(member.into()));
        }
    }
    Err(StoreError::Contended("a member").into())
}

/// `DELETE /v1/members/{id}`: from the next request on this member is let in no more.
pub async fn remove(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<MemberId>,
) -> Result<NoContent, Problem> {
    let member = found(&ctx, &caller, id).await?;
    may_change(&caller, &member)?;
    ctx.store.remove_member(caller.org, id).await?;
    Ok(NoContent)
}

/// Nobody changes who stands above, and nobody shuts out himself by mistake.
fn may_change(caller: &Caller, member: &Member) -> Result<(), Problem> {
    if !access::may_give(caller.role, member.role) {
        let detail = "This member's role is higher than yours; ask somebody who has that role.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail));
    }
    if caller.id == member.id.to_string() {
        let detail = "This is you; another admin has to change or remove you.";
        return Err(Problem::conflict("own_membership", detail));
    }
    Ok(())
}
