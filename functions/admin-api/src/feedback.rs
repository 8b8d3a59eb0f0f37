//! The page on which a client rates a session. It needs no key: whoever has the
//! link may; it is signed, and nothing is read before its signature was checked. A
//! page without a script; what is written can be changed until the link closes.

mod page;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use carillon_domain::booking::link::Link;
use carillon_domain::booking::{Booking, Feedback, State as BookingState};
use carillon_runtime::Context;
use carillon_runtime::booking::FEEDBACK_KEY;
use carillon_store::{Leased, StoreError};
use jiff::Timestamp;

use self::page::{Closed, Form};

const STYLE: &str = include_str!("../assets/feedback.css");
/// Bytes of a form: a comment, encoded.
const FORM_LIMIT: usize = 16 * 1024;
/// Longest comment, in characters.
const LONGEST: usize = 1_000;
/// One look or answer each two seconds, twenty at once.
const INTERVAL: i64 = 2_000_000;
const BURST: u32 = 20;
/// Rounds against others who change the booking.
const ROUNDS: usize = 8;

pub fn router() -> Router<Arc<Context>> {
    Router::new()
        .route("/feedback/style.css", get(style))
        .route("/feedback/{token}", get(show).post(answer))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

async fn show(State(ctx): State<Arc<Context>>, Path(token): Path<String>) -> Response {
    match open(&ctx, &token).await {
        Ok((booking, with_whom)) => {
            let form = Form::of(&booking, &with_whom);
            page::answer(&ctx, StatusCode::OK, &form)
        }
        Err(closed) => closed.into_response(&ctx),
    }
}

async fn answer(
    State(ctx): State<Arc<Context>>,
    Path(token): Path<String>,
    body: Bytes,
) -> Response {
    let (mut booking, with_whom) = match open(&ctx, &token).await {
        Ok(open) => open,
        Err(closed) => return closed.into_response(&ctx),
    };
    let now = ctx.clock.now();
    let given = match read(&body, now) {
        Ok(given) => given,
        Err((problem, comment)) => {
            let form = Form { problem: Some(problem), comment, ..Form::of(&booking, &with_whom) };
            return page::answer(&ctx, StatusCode::UNPROCESSABLE_ENTITY, &form);
        }
    };
    for _ in 0..ROUNDS {
        booking.feedback = Some(given.clone());
        booking.updated_at = now;
        match ctx.store.save_booking(&mut booking).await {
            // The same address again, so that reloading it sends nothing.
            Ok(true) => {
                let path = format!("/feedback/{token}");
                return page::with_headers(&ctx, Redirect::to(&path).into_response());
            }
            Ok(false) => {}
            Err(error) => return Shut::from(error).into_response(&ctx),
        }
        match ctx.store.booking(booking.org, booking.id).await {
            Ok(Some(there)) => booking = there,
            Ok(None) => return Shut::Unknown.into_response(&ctx),
            Err(error) => return Shut::from(error).into_response(&ctx),
        }
    }
    Shut::Later.into_response(&ctx)
}

/// Why there is no form.
enum Shut {
    /// Not one of our links, or of a booking that is gone.
    Unknown,
    Cancelled,
    NotYet,
    Over,
    TooOften,
    Later,
}

impl From<StoreError> for Shut {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "no page for feedback");
        Self::Later
    }
}

/// The booking that a link leads to, and whom it was with.
async fn open(ctx: &Context, token: &str) -> Result<(Booking, String), Shut> {
    let key = ctx.derived_key(FEEDBACK_KEY).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "no page for feedback");
        Shut::Later
    })?;
    let Some(link) = Link::read(token, &key) else {
        ctx.counters.add("forged_feedback_links", 1);
        return Err(Shut::Unknown);
    };
    let now = ctx.clock.now();
    if now >= link.open_until {
        return Err(Shut::Over);
    }
    let who = format!("feedback-{}", link.booking);
    let asked = ctx.store.lease_requests(link.org, &who, 1, INTERVAL, BURST, now).await?;
    if !matches!(asked, Leased::Granted) {
        return Err(Shut::TooOften);
    }
    let booking = ctx.store.booking(link.org, link.booking).await?.ok_or(Shut::Unknown)?;
    if matches!(booking.state, BookingState::Cancelled { .. }) {
        return Err(Shut::Cancelled);
    }
    // One that was completed earlier has been.
    if now < booking.starts_at.min(booking.ends_at()) {
        return Err(Shut::NotYet);
    }
    let with_whom = match booking.coach_name.as_str() {
        "" => ctx.store.organization(link.org).await?.map(|o| o.name).unwrap_or_default(),
        coach => coach.to_owned(),
    };
    Ok((booking, with_whom))
}

/// What was sent, or what is wrong with it, with the comment to show again.
fn read(body: &[u8], now: Timestamp) -> Result<Feedback, (&'static str, String)> {
    let (mut rating, mut comment) = (None, String::new());
    for (name, value) in form_urlencoded::parse(body) {
        match name.as_ref() {
            "rating" => rating = value.parse::<u8>().ok().filter(|n| (1..=5).contains(n)),
            "comment" => value.replace("\r\n", "\n").trim().clone_into(&mut comment),
            _ => {}
        }
    }
    let Some(rating) = rating else {
        return Err(("Choose a rating from 1 to 5, then send it again.", comment));
    };
    let is_plain = !comment.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if comment.chars().count() > LONGEST || !is_plain {
        return Err(("The comment is too long, or cannot be read; shorten it.", comment));
    }
    let comment = Some(comment).filter(|comment| !comment.is_empty());
    Ok(Feedback { rating, comment, at: now })
}

impl Shut {
    fn into_response(self, ctx: &Context) -> Response {
        let (status, title, text) = match self {
            Self::Unknown => (
                StatusCode::NOT_FOUND,
                "This link leads nowhere",
                "It may have been cut off on its way. Open it again from the message you got.",
            ),
            Self::Cancelled => (
                StatusCode::GONE,
                "This session was cancelled",
                "There is nothing to rate. If that is wrong, answer the message you got.",
            ),
            Self::NotYet => (
                StatusCode::CONFLICT,
                "This session has not begun yet",
                "Come back to this link after it.",
            ),
            Self::Over => (
                StatusCode::GONE,
                "This link is closed",
                "A session can be rated for 30 days. If you want to tell us something, answer the \
                 message you got.",
            ),
            Self::TooOften => (
                StatusCode::TOO_MANY_REQUESTS,
                "That was too fast",
                "Wait a minute, then open the link again.",
            ),
            Self::Later => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not now",
                "Nothing was changed by half. Try again shortly.",
            ),
        };
        page::answer(ctx, status, &Closed { title, text })
    }
}
