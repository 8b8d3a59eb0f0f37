//! Somebody signed in, at work: the API in his name, and what all his pages have around them.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::response::Response;
use carillon_admin_api::auth::Caller;
use carillon_admin_api::client::Peer;
use carillon_domain::ids;
use carillon_domain::settings::Settings;
use carillon_runtime::{Context, random};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lambda_http::request::RequestContext;

use crate::api::{Api, From, Problem};
use crate::frame::Frame;
use crate::looks::Looks;
use crate::signed_in::SignedIn;
use crate::when::Times;

/// What the console works with.
#[derive(Clone)]
pub struct Console {
    pub ctx: Arc<Context>,
    /// The API, inside this program.
    pub api: Router,
}

impl FromRef<Console> for Arc<Context> {
    fn from_ref(console: &Console) -> Self {
        Self::clone(&console.ctx)
    }
}

/// A handler that takes this needs somebody to be signed in.
pub struct Desk {
    pub me: SignedIn,
    pub api: Api,
    pub now: Timestamp,
    pub looks: Looks,
    /// Whether a script asks for a part of the page.
    pub is_live: bool,
    /// Path and query.
    pub here: String,
    simulated: bool,
}

impl FromRequestParts<Console> for Desk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let me = SignedIn::from_request_parts(parts, console).await?;
        let caller = Caller {
            org: me.organization.id,
            role: me.role,
            home: me.organization.id,
            id: me.id.clone(),
        };
        let from = From {
            peer: parts.extensions.get::<Peer>().copied(),
            gateway: parts.extensions.get::<RequestContext>().cloned(),
        };
        let OriginalUri(uri) =
            OriginalUri::from_request_parts(parts, console).await.unwrap_or_else(never);
        let urls = &console.ctx.config.provider_urls;
        Ok(Self {
            me,
            api: Api { router: console.api.clone(), caller, from },
            now: console.ctx.clock.now(),
            looks: Looks::read(&parts.headers),
            is_live: parts.headers.contains_key("hx-request"),
            here: uri.path_and_query().map_or("/console", |path| path.as_str()).to_owned(),
            simulated: urls.values().any(|url| url.starts_with("http://127.0.0.1")),
        })
    }
}

fn never<T>(never: Infallible) -> T {
    match never {}
}

impl Desk {
    /// What stands around a page with this title.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub async fn frame(&self, title: &str) -> Result<Frame, Problem> {
        let settings: Settings = self.api.get("/v1/settings").await?;
        Ok(self.frame_of(title, &settings))
    }

    pub fn frame_of(&self, title: &str, settings: &Settings) -> Frame {
        let org_zone = TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
        let times = Times::new(self.now, org_zone, self.looks.zone.clone());
        let paused = !settings.sending_enabled;
        Frame::new(self, title, times, paused, self.simulated)
    }

    /// A key for a form, so that it is done once however often it is sent.
    pub fn once(&self) -> String {
        ids::encode(&random::bytes::<16>())
    }
}
