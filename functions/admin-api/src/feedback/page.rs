//! The pages, and what a browser may do with them: show them, and send the form.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use carillon_domain::booking::Booking;
use carillon_runtime::Context;

use super::LONGEST;

/// No script at all; style and form of our own; in nobody's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const LABELS: [&str; 5] =
    ["1 – not good at all", "2 – not so good", "3 – all right", "4 – good", "5 – very good"];

#[derive(Template)]
#[template(path = "feedback.html")]
pub struct Form<'a> {
    pub with_whom: &'a str,
    pub problem: Option<&'static str>,
    /// There is an answer already.
    pub saved: bool,
    pub choices: Vec<Choice>,
    pub comment: String,
    pub longest: usize,
}

pub struct Choice {
    pub value: u8,
    pub label: &'static str,
    pub chosen: bool,
}

#[derive(Template)]
#[template(path = "closed.html")]
pub struct Closed {
    pub title: &'static str,
    pub text: &'static str,
}

impl<'a> Form<'a> {
    /// With what was answered before.
    pub fn of(booking: &Booking, with_whom: &'a str) -> Self {
        let given = booking.feedback.as_ref();
        let choices = LABELS.into_iter().zip(1..).map(|(label, value)| Choice {
            value,
            label,
            chosen: given.is_some_and(|given| given.rating == value),
        });
        Self {
            with_whom,
            problem: None,
            saved: given.is_some(),
            choices: choices.collect(),
            comment: given.and_then(|given| given.comment.clone()).unwrap_or_default(),
            longest: LONGEST,
        }
    }
}

pub fn answer(ctx: &Context, status: StatusCode, page: &impl Template) -> Response {
    let response = match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be made");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    };
    with_headers(ctx, response)
}

pub fn with_headers(ctx: &Context, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set("content-security-policy", CONTENT_SECURITY_POLICY);
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "DENY");
    // The address is the right to rate.
    set("referrer-policy", "no-referrer");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()");
    if ctx.config.pages_url.as_ref().is_none_or(|url| url.starts_with("https:")) {
        set("strict-transport-security", "max-age=31536000");
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"></textarea><script>alert(1)</script><a href='";

    #[test]
    fn what_people_write_is_never_markup() {
        let form = Form {
            with_whom: HOSTILE,
            problem: Some(HOSTILE),
            saved: true,
            choices: Vec::new(),
            comment: HOSTILE.to_owned(),
            longest: LONGEST,
        };
        let html = form.render().expect("a page");
        assert!(html.contains("alert(1)"), "it is shown");
        assert!(!html.contains("<script") && !html.contains("href='"), "{html}");
        assert_eq!(html.matches("</textarea>").count(), 1);
        for word in ["<style", " style=", " onclick=", "javascript:", "http://", "https://"] {
            assert!(!html.contains(word), "{word}");
        }
    }
}
