//! From who somebody is to what he may act as.
//!
//! Somebody is invited by address. The first who signs in with that address, proven by the issuer, becomes the
//! member; from then on it is the issuer's own name of the person that counts, and the address no more. A
//! sign-in that was cut off does the rest at the next.

use carillon_domain::ids;
use carillon_identity::Identity;
use carillon_store::{Member, identity};
use jiff::Timestamp;

use crate::Context;
use crate::context::InstallationError;

/// Characters of a name that are kept.
const NAME: usize = 100;

/// How an address is looked for: a keyed hash, since keys are not for people's addresses.
///
/// # Errors
/// When the installation's secret cannot be read.
pub async fn email_hash(ctx: &Context, email: &str) -> Result<String, InstallationError> {
    let address = email.trim().to_lowercase();
    let hash = ids::hash(&[b"e-mail", address.as_bytes()]);
    Ok(ids::encode(&ctx.address_secret().await?.mac(&hash)))
}

/// As which members somebody may act who has just signed in, the first invited first; takes up the invitations
/// to his address.
///
/// # Errors
/// When the table or KMS does not answer.
pub async fn signed_in(
    ctx: &Context,
    who: &Identity,
    now: Timestamp,
) -> Result<Vec<Member>, InstallationError> {
    let identity = identity(&who.issuer, &who.subject);
    let mut members = Vec::new();
    for member in ctx.store.memberships(&identity).await? {
        members.extend(seen(ctx, member, who, &identity, now).await?);
    }
    let invited = match &who.email {
        Some(email) => ctx.store.invitations(&email_hash(ctx, email).await?).await?,
        None => Vec::new(),
    };
    for invited in invited {
        if members.iter().any(|m| m.org == invited.org) {
            continue;
        }
        // The pointer first: until the member's row says the same, it is passed over.
        ctx.store.bind_identity(&invited, &identity).await?;
        members.extend(seen(ctx, invited, who, &identity, now).await?);
    }
    // Whoever invites somebody else's member does not draw him away from where he works.
    members.sort_by_key(|member| member.created_at);
    Ok(members)
}

/// The member as this sign-in leaves it; none when somebody else became it at the same moment.
async fn seen(
    ctx: &Context,
    member: Member,
    who: &Identity,
    identity: &str,
    now: Timestamp,
) -> Result<Option<Member>, InstallationError> {
    let (org, id) = (member.org, member.id);
    let changed = Member {
        name: if member.name.is_empty() { shown(who) } else { member.name },
        identity: Some(identity.to_owned()),
        last_seen_at: Some(now),
        version: member.version + 1,
        ..member
    };
    if ctx.store.save_member(&changed).await? {
        return Ok(Some(changed));
    }
    let member = ctx.store.member(org, id).await?;
    Ok(member.filter(|m| m.identity.as_deref() == Some(identity)))
}

fn shown(who: &Identity) -> String {
    let name = who.name.as_deref().unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(NAME).collect::<String>().trim().to_owned()
}
