//! A key or member that is seen at an address for the first time in three
//! months.

use std::net::IpAddr;

use carillon_domain::audit::Entry;
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
        let now = ctx.clock.now();
        let entry = Entry {
            client: Some(address.to_string()),
            request_id: request_id::current(),
            ..Entry::of_actor(org, &caller.id, caller.role, &action, now, random::bytes())
        };
        ctx.store.add_audit(&entry).await?;
        ctx.store.note_address(org, &caller.id, &network, now).await?;
    }
    hall.seen.add(name);
    Ok(())
}
