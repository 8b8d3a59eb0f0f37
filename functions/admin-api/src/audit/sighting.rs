//! A key or member that is seen at an address for the first time in three
//! months.

use std::net::IpAddr;

use carillon_domain::audit::{Entry, Outcome};
use carillon_domain::{AuditId, MemberId, OrgId, Role};
use carillon_runtime::{Context, random};
use carillon_store::StoreError;

use crate::auth::Caller;
use crate::hall::Hall;
use crate::{client, request_id};

/// Notes a new address. The entry comes first: cut off between the two, it comes
/// twice.
///
/// # Errors
/// When the table does not answer.
pub async fn sighted(
    ctx: &Context,
    hall: &Hall,
    caller: &Caller,
    address: Option<IpAddr>,
) -> Result<(), StoreError> {
    let Some(address) = address else { return Ok(()) };
    let network = client::network(address).to_string();
    let name = format!("{} {network}", caller.id);
    if hall.seen.has(&name) {
        return Ok(());
    }
    let org = caller.home;
    if !ctx.store.knows_address(org, &caller.id, &network).await? {
        let resource = if caller.id.starts_with("mem_") { "member" } else { "api_key" };
        let action = format!("{resource}.new_address");
        let entry = of_caller(ctx, org, &caller.id, caller.role, &action, Some(address));
        ctx.store.add_audit(&entry).await?;
        ctx.store.note_address(org, &caller.id, &network, ctx.clock.now()).await?;
    }
    hall.seen.add(name);
    Ok(())
}

/// Notes that a member signed in.
///
/// # Errors
/// When the table does not answer: then nobody is let in.
pub async fn signed_in(
    ctx: &Context,
    org: OrgId,
    member: MemberId,
    role: Role,
    address: Option<IpAddr>,
) -> Result<(), StoreError> {
    let entry = of_caller(ctx, org, &member.to_string(), role, "member.sign_in", address);
    ctx.store.add_audit(&entry).await
}

/// An entry about the caller himself: the actor is the resource.
fn of_caller(
    ctx: &Context,
    org: OrgId,
    actor: &str,
    role: Role,
    action: &str,
    address: Option<IpAddr>,
) -> Entry {
    let at = ctx.clock.now();
    let at_ms = u64::try_from(at.as_millisecond()).unwrap_or(0);
    Entry {
        id: AuditId::new(at_ms, random::bytes()),
        org,
        at,
        actor: actor.to_owned(),
        role,
        action: action.to_owned(),
        resource_type: action.split('.').next().unwrap_or_default().to_owned(),
        resource_id: Some(actor.to_owned()),
        outcome: Outcome::Done,
        status: None,
        code: None,
        client: address.map(|address| address.to_string()),
        request_id: request_id::current(),
        before: None,
        after: None,
    }
}
