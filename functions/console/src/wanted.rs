//! The page that somebody asked for before signing in: there he lands afterwards. It travels in the address of the
//! sign-in page, in its form, and in a cookie to the issuer and back; wherever it comes back from, it is believed only
//! if it is a page of ours.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carillon_runtime::Context;
use http::HeaderValue;
use serde::Deserialize;

use crate::api;
use crate::cookies::Cookie;
use crate::routes;

/// Of an address; a longer one is not kept.
const LONGEST: usize = 1_000;

/// An address of ours that is no part of signing in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted(Option<String>);

/// As an address or a form says it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub next: String,
}

impl Wanted {
    pub fn read(address: &str) -> Self {
        let is_page = |address: &&str| {
            let path = address.split(['?', '#']).next().unwrap_or_default();
            let is_door = [routes::SIGN_IN, routes::CALLBACK, routes::FIRST_VISIT]
                .iter()
                .any(|door| path.starts_with(door));
            // A browser takes dots out of a path, which may lead anywhere.
            let is_plain = !path.split('/').any(|part| part.starts_with('.') || part.contains('%'));
            address.len() <= LONGEST && is_plain && !is_door && *address != routes::HOME
        };
        let is_text = address.bytes().all(|b| b.is_ascii_graphic());
        let found = routes::inside(address).filter(|_| is_text).filter(is_page);
        Self(found.map(str::to_owned))
    }

    /// What a request without a session asked for: a page, or the page that a script asks for a part of.
    pub fn of_request(parts: &Parts, address: &str) -> Self {
        let page = parts.headers.get("hx-current-url").and_then(|url| url.to_str().ok());
        match page {
            Some(url) if parts.headers.contains_key("hx-request") => {
                let uri: Option<Uri> = url.parse().ok();
                let here = uri.as_ref().and_then(Uri::path_and_query).map(|path| path.as_str());
                Self::read(here.unwrap_or_default())
            }
            _ if parts.method == Method::GET => Self::read(address),
            // What was sent with a form is not sent again.
            _ => Self::default(),
        }
    }

    pub fn of_cookie(ctx: &Context, headers: &HeaderMap) -> Self {
        let text = Cookie::Wanted.read(ctx, headers);
        let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let address = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        Self::read(&address.unwrap_or_default())
    }

    /// Kept while somebody is with the issuer; what another attempt left is taken away.
    pub fn cookie(&self, ctx: &Context) -> HeaderValue {
        match &self.0 {
            Some(address) => Cookie::Wanted.set(ctx, &URL_SAFE_NO_PAD.encode(address)),
            None => Cookie::Wanted.clear(ctx),
        }
    }

    /// A way that carries it.
    pub fn through(&self, way: &str) -> String {
        api::path(way, &[("next", self.text())])
    }

    /// Empty for the first page.
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Where to land.
    pub fn landing(&self) -> &str {
        self.0.as_deref().unwrap_or(routes::HOME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lands_on_pages_of_ours_alone() {
        for (address, landing) in [
            ("/console/messages?status=failed&q=a%20b", "/console/messages?status=failed&q=a%20b"),
            ("/console/workshops/wsh_1", "/console/workshops/wsh_1"),
            ("/console?done=saved", "/console?done=saved"),
            ("/console", "/console"),
            ("", "/console"),
            ("//evil.example/console", "/console"),
            ("https://evil.example/console", "/console"),
            ("/console/../issuer", "/console"),
            ("/console/%2e%2e/issuer", "/console"),
            ("/console/\u{e9}", "/console"),
            ("/console/sign-in/person", "/console"),
            ("/console/callback?code=x", "/console"),
            ("/console/first-visit/x", "/console"),
        ] {
            assert_eq!(Wanted::read(address).landing(), landing, "{address}");
        }
        let long = format!("/console/messages?q={}", "a".repeat(LONGEST));
        assert_eq!(Wanted::read(&long).landing(), "/console");
    }

    #[test]
    fn it_is_carried_as_one_value() {
        let wanted = Wanted::read("/console/messages?status=failed&q=x");
        let carried = "/console/sign-in?next=%2Fconsole%2Fmessages%3Fstatus%3Dfailed%26q%3Dx";
        assert_eq!(wanted.through(routes::SIGN_IN), carried);
        assert_eq!(Wanted::default().through(routes::SIGN_IN), routes::SIGN_IN);
    }
}
