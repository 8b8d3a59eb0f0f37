//! A member's access token as a credential: verified by the issuer's keys, then looked up as a member.
//!
//! It is told from an API key by its two dots; what is not even one of ours is refused before the issuer or the
//! table is asked. A token says who somebody is, never what he may do: that stands in the member's row, so a
//! member who is removed is out while his token has still an hour to go.

use axum::http::{HeaderMap, StatusCode};
use carillon_domain::{OrgId, Role};
use carillon_identity::SignInError;
use carillon_runtime::Context;
use carillon_store::{Member, identity};

use crate::auth::{Caller, ORGANIZATION, refused};
use crate::problem::Problem;

/// Whether a secret has the form of a token: three parts.
pub fn is_token(secret: &str) -> bool {
    secret.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// The member that a token stands for, in the organization that the request names.
///
/// # Errors
/// 401 when the token is refused, 403 when it is nobody's here, 503 when the issuer does not answer.
pub async fn caller(ctx: &Context, token: &str, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(issuer) = &ctx.issuer else {
        let detail = "This installation takes no access tokens; send an API key.";
        return Err(refused("invalid_token", detail));
    };
    let who = match issuer.access_token(token, ctx.clock.now()).await {
        Ok(who) => who,
        Err(SignInError::Token(why)) => {
            ctx.counters.add("tokens_refused", 1);
            let detail = format!("This access token is refused: {why}. Get another one.");
            return Err(refused("invalid_token", &detail));
        }
        Err(error) => {
            let detail = "The issuer of this token does not answer. Try again shortly.";
            return Err(Problem::later(&error, detail));
        }
    };
    let members = ctx.store.memberships(&identity(&who.issuer, &who.subject)).await?;
    let member = choose(members, headers)?;
    Ok(Caller { org: member.org, role: member.role, id: member.id.to_string(), home: member.org })
}

fn choose(members: Vec<Member>, headers: &HeaderMap) -> Result<Member, Problem> {
    let wanted = headers
        .get(ORGANIZATION)
        .map(|name| name.to_str().ok().and_then(|name| name.trim().parse::<OrgId>().ok()));
    let several = members.len() > 1;
    let mut members = members.into_iter();
    match wanted {
        Some(wanted) => {
            let in_it = members.clone().find(|member| Some(member.org) == wanted);
            // Who manages organizations acts in others as well: `auth` looks at that.
            in_it
                .or_else(|| members.find(|member| member.role == Role::SuperAdmin))
                .ok_or_else(|| Problem::not_found("organization"))
        }
        None if several => {
            let detail = "You belong to several organizations; name one by the header \
                          “Carillon-Organization: org_…”.";
            Err(Problem::new(StatusCode::FORBIDDEN, "organization_needed", detail))
        }
        None => members.next().ok_or_else(|| {
            let detail = "Nobody has made you a member, or you have not signed in to the console \
                          yet: the first sign-in takes up the invitation.";
            Problem::new(StatusCode::FORBIDDEN, "not_a_member", detail)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::is_token;

    #[test]
    fn keys_and_tokens_are_told_apart() {
        for (secret, token) in [
            ("crl_abc", false),
            ("a.b.c", true),
            ("..", true),
            ("a.b", false),
            ("a.b.c.d.e", false),
        ] {
            assert_eq!(is_token(secret), token, "{secret}");
        }
    }
}
