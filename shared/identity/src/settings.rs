//! Which issuer people sign in with, and which of its tokens are meant for us.

use std::fmt;

use zeroize::Zeroizing;

/// Sign-in of people. Absent from a configuration: there are only API keys.
#[derive(Clone)]
pub struct SignIn {
    /// As it stands in `iss`, to the letter.
    pub issuer: String,
    /// The console as a client of the issuer.
    pub client_id: String,
    /// Only where the issuer wants one besides PKCE.
    pub client_secret: Option<Zeroizing<String>>,
    /// Where the issuer sends people back to: `<console>/console/callback`.
    pub redirect_uri: String,
    pub api_tokens: ApiTokens,
}

/// By which claim an access token shows that it is meant for our API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiTokens {
    /// None is taken.
    Off,
    /// `aud` must hold this.
    Audience(String),
    /// `client_id` must be this: Cognito's access tokens carry no `aud`.
    ClientId(String),
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret.as_ref().map(|_| "••••"))
            .field("redirect_uri", &self.redirect_uri)
            .field("api_tokens", &self.api_tokens)
            .finish()
    }
}

/// Settings that would not be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    #[error("the issuer must be an https:// address (http:// only on this machine)")]
    Issuer,
    /// ID tokens go through browsers and carry the client's id as audience: each would open the API.
    #[error("the API's audience must not be the console's client id")]
    Audience,
}

impl SignIn {
    /// # Errors
    /// Says what would not be safe.
    pub fn check(&self) -> Result<(), Unsafe> {
        if !is_safe(&self.issuer) {
            return Err(Unsafe::Issuer);
        }
        match &self.api_tokens {
            ApiTokens::Audience(audience) if *audience == self.client_id => Err(Unsafe::Audience),
            ApiTokens::Audience(_) | ApiTokens::ClientId(_) | ApiTokens::Off => Ok(()),
        }
    }
}

/// Whether nobody on the way can read or change what is said there.
pub(crate) fn is_safe(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    match url.scheme() {
        "https" => true,
        "http" => match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (address, safe) in [
            ("https://accounts.example.com", true),
            ("http://localhost:8080/issuer", true),
            ("http://127.0.0.1:8080/issuer", true),
            ("http://[::1]:1/", true),
            ("http://accounts.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("file:///etc/passwd", false),
            ("accounts.example.com", false),
            ("", false),
        ] {
            assert_eq!(is_safe(address), safe, "{address}");
        }
    }

    #[test]
    fn an_id_token_cannot_be_made_a_key_of_the_api() {
        let settings = |api_tokens| SignIn {
            issuer: "https://accounts.example.com".to_owned(),
            client_id: "console".to_owned(),
            client_secret: None,
            redirect_uri: "https://example.com/console/callback".to_owned(),
            api_tokens,
        };
        let audience = |text: &str| settings(ApiTokens::Audience(text.to_owned())).check();
        assert_eq!(audience("console"), Err(Unsafe::Audience));
        assert_eq!(audience("api"), Ok(()));
        assert_eq!(settings(ApiTokens::ClientId("console".to_owned())).check(), Ok(()));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let settings = SignIn {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: Some(Zeroizing::new("very secret".to_owned())),
            redirect_uri: String::new(),
            api_tokens: ApiTokens::Off,
        };
        assert!(!format!("{settings:?}").contains("very secret"));
    }
}
