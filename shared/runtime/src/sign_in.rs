//! Sign-in of people, from the environment.

use carillon_identity::settings::Unsafe;
use carillon_identity::{ApiTokens, SignIn};

use crate::config::{ConfigError, variable};

const ISSUER: &str = "CARILLON_OIDC_ISSUER";
const CLIENT_ID: &str = "CARILLON_OIDC_CLIENT_ID";
const AUDIENCE: &str = "CARILLON_OIDC_API_AUDIENCE";

/// Where the console is, without a trailing slash.
#[must_use]
pub fn console_url() -> Option<String> {
    variable("CARILLON_CONSOLE_URL").map(|url| url.trim_end_matches('/').to_owned())
}

/// None without an issuer.
///
/// # Errors
/// Names the variable that is missing, or would not be safe.
pub fn from_env(console_url: Option<&str>) -> Result<Option<SignIn>, ConfigError> {
    let Some(issuer) = variable(ISSUER) else { return Ok(None) };
    let sign_in = SignIn {
        issuer,
        client_id: variable(CLIENT_ID).ok_or(ConfigError::Missing(CLIENT_ID))?,
        client_secret: variable("CARILLON_OIDC_CLIENT_SECRET").map(Into::into),
        redirect_uri: redirect_uri(console_url.unwrap_or_default()),
        api_tokens: match (variable(AUDIENCE), variable("CARILLON_OIDC_API_CLIENT_ID")) {
            (Some(audience), _) => ApiTokens::Audience(audience),
            (None, Some(client)) => ApiTokens::ClientId(client),
            (None, None) => ApiTokens::Off,
        },
    };
    match sign_in.check() {
        Ok(()) => Ok(Some(sign_in)),
        Err(Unsafe::Issuer) => Err(ConfigError::Unsafe(ISSUER, Unsafe::Issuer)),
        Err(Unsafe::Audience) => Err(ConfigError::Unsafe(AUDIENCE, Unsafe::Audience)),
    }
}

/// Where the issuer sends people back to.
#[must_use]
pub fn redirect_uri(console_url: &str) -> String {
    format!("{console_url}/console/callback")
}
