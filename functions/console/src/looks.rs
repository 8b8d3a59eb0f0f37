//! What a browser remembers of how its reader likes the pages: light or dark, and his time zone. Neither is a
//! secret, and neither decides anything but how things are shown.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;

use crate::cookies;
use crate::desk::{Console, Desk};
use crate::routes;
use crate::sent::Sent;

const THEME: &str = "carillon_theme";
/// Set by `console.js`, which asks the browser.
const ZONE: &str = "carillon_zone";
const YEAR: u32 = 365 * 24 * 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "Like my device",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Looks {
    pub theme: Theme,
    pub zone: Option<TimeZone>,
}

impl Looks {
    pub fn read(headers: &HeaderMap) -> Self {
        let zone = cookies::value(headers, ZONE).map(|zone| zone.replace("%2F", "/"));
        Self {
            theme: cookies::value(headers, THEME).and_then(Theme::parse).unwrap_or_default(),
            zone: zone.and_then(|zone| TimeZone::get(&zone).ok()),
        }
    }
}

/// `POST /console/looks`
pub async fn choose(State(console): State<Console>, desk: Desk, sent: Sent) -> Response {
    let theme = Theme::parse(sent.text("theme")).unwrap_or_default().as_str();
    let secure = if cookies::is_secure(&console.ctx) { "; Secure" } else { "" };
    let line = format!("{THEME}={theme}; Path=/console; SameSite=Lax; Max-Age={YEAR}{secure}");
    let cookie = HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static(""));
    let back = routes::inside(sent.text("back")).unwrap_or(routes::HOME);
    drop(desk);
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(back)).into_response()
}
