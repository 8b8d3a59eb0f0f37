//! What the browser keeps for us: random texts, which scripts cannot read and other sites cannot send.

use axum::http::{HeaderMap, HeaderValue, header};
use carillon_domain::{ids, session};
use carillon_runtime::Context;

/// Seconds in which somebody has to come back from the issuer.
pub const ATTEMPT_SECONDS: i64 = 600;
/// Seconds in which the sign-in page's form can be sent.
const VISIT_SECONDS: i64 = 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Who is signed in.
    Session,
    /// An attempt to sign in with the issuer.
    Attempt,
    /// The page that he asked for before he went to the issuer.
    Wanted,
    /// Somebody looks at the sign-in page; its form's token hangs on it.
    Visit,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "carillon_session",
            Self::Attempt => "carillon_attempt",
            Self::Wanted => "carillon_wanted",
            Self::Visit => "carillon_visit",
        }
    }

    fn seconds(self) -> i64 {
        match self {
            Self::Session => session::LONGEST.as_secs(),
            Self::Attempt | Self::Wanted => ATTEMPT_SECONDS,
            Self::Visit => VISIT_SECONDS,
        }
    }

    /// Its value, if the browser sent one that we could have made.
    pub fn read(self, ctx: &Context, headers: &HeaderMap) -> Option<String> {
        let found = value(headers, &self.full_name(is_secure(ctx)))?;
        // An address is looked at by whoever reads it.
        let is_ours = self == Self::Wanted || ids::decode::<32>(found).is_some();
        is_ours.then(|| found.to_owned())
    }

    pub fn set(self, ctx: &Context, value: &str) -> HeaderValue {
        self.header(ctx, value, self.seconds())
    }

    pub fn clear(self, ctx: &Context) -> HeaderValue {
        self.header(ctx, "", 0)
    }

    /// # Panics
    /// Never: names, values and numbers are ASCII.
    fn header(self, ctx: &Context, value: &str, seconds: i64) -> HeaderValue {
        let line = self.line(is_secure(ctx), value, seconds);
        HeaderValue::from_str(&line).expect("ASCII")
    }

    fn line(self, secure: bool, value: &str, seconds: i64) -> String {
        let name = self.full_name(secure);
        let secure = if secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }

    /// With the prefix, a browser takes it from this very host only, and only over TLS.
    fn full_name(self, secure: bool) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}{}", self.name())
    }
}

/// What the browser sent under a name, whoever set it.
pub fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// All but a laptop's own address: browsers do not keep `Secure` cookies of plain HTTP.
pub fn is_secure(ctx: &Context) -> bool {
    !ctx.config.console_url.as_deref().is_some_and(|url| url.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_bound_to_this_host_and_to_tls_where_there_is_tls() {
        assert_eq!(
            Cookie::Session.line(true, "x", 60),
            "__Host-carillon_session=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        assert_eq!(
            Cookie::Visit.line(false, "", 0),
            "carillon_visit=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }
}
