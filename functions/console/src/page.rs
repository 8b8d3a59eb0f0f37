//! How pages are made, and the plain one that says what went wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use carillon_runtime::context::InstallationError;
use carillon_store::StoreError;

use crate::routes;

/// A page as an answer.
pub fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Somebody is told what went wrong, and what to do.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    text: String,
}

#[derive(Template)]
#[template(path = "refusal.html")]
pub struct RefusalPage<'a> {
    pub title: &'a str,
    pub text: &'a str,
    pub back: &'a str,
}

impl Refusal {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a page could not be served");
        let text = "Storage does not answer. Nothing was changed by half; try again shortly.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let title = match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => "Not now",
            _ => "That did not work",
        };
        let page = RefusalPage { title, text: &self.text, back: routes::SIGN_IN };
        show(self.status, &page)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<InstallationError> for Refusal {
    fn from(error: InstallationError) -> Self {
        Self::unavailable(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::{Choice, HomePage};
    use crate::sign_in::SignInPage;

    const HOSTILE: &str = "\"><script>alert(1)</script><a href='";

    /// Every page, with the worst that people, organizations and issuers can be called.
    fn pages() -> Vec<(&'static str, String)> {
        let text = || HOSTILE.to_owned();
        let choice = |chosen| Choice { id: text(), name: text(), chosen };
        let home = HomePage {
            csrf: "token".to_owned(),
            name: text(),
            email: Some(text()),
            organization: text(),
            role: "viewer",
            until: text(),
            organizations: vec![choice(true), choice(false)],
        };
        let sign_in =
            SignInPage { csrf: "token".to_owned(), issuer: Some(text()), problem: Some(HOSTILE) };
        let refusal = RefusalPage { title: HOSTILE, text: HOSTILE, back: "/console" };
        vec![
            ("home", home.render().expect("a page")),
            ("sign-in", sign_in.render().expect("a page")),
            ("refusal", refusal.render().expect("a page")),
        ]
    }

    #[test]
    fn what_something_is_called_is_never_markup() {
        for (name, html) in pages() {
            assert!(html.contains("alert(1)"), "{name} shows it");
            assert!(!html.contains("<script") && !html.contains("href='"), "{name}: {html}");
        }
    }

    #[test]
    fn every_form_has_its_token_and_no_page_needs_a_script_or_a_style_of_its_own() {
        for (name, html) in pages() {
            for form in html.split("<form").skip(1) {
                let form = form.split("</form>").next().unwrap_or_default();
                assert!(form.contains("method=\"post\""), "{name}");
                assert!(form.contains("name=\"csrf\" value=\"token\""), "{name}: {form}");
            }
            for word in ["<style", " style=", " onclick=", "javascript:", "http://", "https://"] {
                assert!(!html.contains(word), "{name}: {word}");
            }
        }
    }
}
