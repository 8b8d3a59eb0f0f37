//! The built-in issuer: whom it knows, and that they are members.

use carillon_domain::{OrgId, Role};
use carillon_identity::{ApiTokens, SignIn};
use carillon_issuer::{Clock, Issuer, Options, Person};
use carillon_runtime::{Context, people, sign_in};
use carillon_store::{Member, member_id};

/// Where it is, beside the console.
pub const PATH: &str = "/issuer";
const CLIENT: &str = "carillon-console";
const AUDIENCE: &str = "carillon-api";

/// Who can sign in, and as what.
pub const PEOPLE: [(&str, &str, Role); 3] = [
    ("Ada Lovelace", "ada@example.com", Role::Admin),
    ("Mary Somerville", "mary@example.com", Role::Manager),
    ("Charles Babbage", "charles@example.com", Role::Viewer),
];

/// The issuer for a console at this address, and how the console uses it. It is where the stack listens: a
/// console that is opened as `localhost` is another site, as it would be in the world.
pub fn at(console_url: &str, clock: Clock) -> (Issuer, SignIn) {
    let url = format!("{}{PATH}", console_url.replacen("://localhost", "://127.0.0.1", 1));
    let redirect_uri = sign_in::redirect_uri(console_url);
    let people = PEOPLE.map(|(name, email, _)| Person {
        subject: format!("person-{}", email.split('@').next().unwrap_or_default()),
        email: email.to_owned(),
        email_verified: true,
        name: name.to_owned(),
    });
    let issuer = Issuer::new(Options {
        url: url.clone(),
        client_id: CLIENT.to_owned(),
        redirect_uri: redirect_uri.clone(),
        audience: AUDIENCE.to_owned(),
        people: people.into(),
        clock,
    });
    let sign_in = SignIn {
        issuer: url,
        client_id: CLIENT.to_owned(),
        client_secret: None,
        redirect_uri,
        api_tokens: ApiTokens::Audience(AUDIENCE.to_owned()),
    };
    (issuer, sign_in)
}

/// Those of [`PEOPLE`] who are not yet, in an organization without members: who was removed stays away.
///
/// # Errors
/// When the engines do not answer.
pub async fn invite_everybody(ctx: &Context, org: OrgId) -> anyhow::Result<()> {
    if !ctx.store.members(org, None, 1).await?.is_empty() {
        return Ok(());
    }
    let now = ctx.clock.now();
    for (_, email, role) in PEOPLE {
        let hash = people::email_hash(ctx, email).await?;
        let member = Member {
            id: member_id(org, &hash),
            org,
            email: email.to_owned(),
            name: String::new(),
            role,
            identity: None,
            last_seen_at: None,
            created_by: "installation".to_owned(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        ctx.store.invite_member(&member, &hash).await?;
    }
    Ok(())
}
