//! What every handler has, and how an [`Answer`] becomes a response.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Json,
    response::{Html, IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use crate::{
    clock::{self, Clock},
    courier::Courier,
    database::Database,
    error::{Error, Result},
    fault::Answer,
    random, server,
};

pub(crate) struct App {
    pub database: Database,
    pub courier: Courier,
    pub clock: Clock,
    pub run_id: String,
    pub file: Option<PathBuf>,
}

pub(crate) type Shared = Arc<App>;

/// An answer and how long the caller waits for it.
pub(crate) struct Verdict {
    pub answer: Answer,
    pub latency_ms: u64,
}

impl App {
    pub fn now_ms(&self) -> i64 {
        (self.clock)().as_millisecond()
    }
}

impl Verdict {
    /// The latency comes after acceptance, so that a caller killed in between has been heard.
    pub async fn respond(self) -> Response {
        if self.latency_ms > 0 {
            clock::wait_ms(self.latency_ms).await;
        }
        match self.answer {
            Answer::Json(status, document) => (code(status), Json(document)).into_response(),
            Answer::Html(status, page) => (code(status), Html(page)).into_response(),
            Answer::Hangup => server::hang_up(),
            Answer::Stall(milliseconds) => {
                clock::wait_ms(milliseconds).await;
                server::hang_up()
            }
        }
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn latency(state: &crate::database::State) -> Result<u64> {
    let span = state.settings.latency_ms;
    random::between(span.0, span.1)
}

/// Trouble of the simulator itself, in no provider's format.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Control(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(error = %self, "the simulator failed");
        }
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}
