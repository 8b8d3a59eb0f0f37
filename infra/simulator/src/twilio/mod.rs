//! Twilio's Messages API and webhooks.
//!
//! Source: Twilio's OpenAPI `twilio_api_v2010`, its error dictionary, "Test credentials", "Outbound
//! message status in status callbacks".

mod account;
mod check;
mod create;
mod document;
mod inbound;
mod list;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::HeaderMap;
pub(crate) use inbound::receive as receive_inbound;
pub use inbound::{Inbound, InboundAnswer};

use crate::{app::Shared, error::Result};

const API: &str = "2010-04-01";

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", get(list::list).post(create::create))
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}", get(list::fetch))
        .route("/2010-04-01/Accounts/{account}/Balance.json", get(account::balance))
        .route("/2010-04-01/Accounts/{account}", get(account::fetch))
        .route("/2010-04-01/{*rest}", get(not_found).post(not_found))
}

async fn not_found(
    State(_): State<Shared>,
    Path(rest): Path<String>,
    _headers: HeaderMap,
) -> Result<Response> {
    Ok(document::reply(&document::Refusal::not_found(&format!("/{API}/{rest}"))).into_response())
}

/// Credentials first, as Twilio does: an unknown message of another's account is not confirmed.
async fn admitted(app: &Shared, account: &str, headers: &HeaderMap) -> Result<bool> {
    let basic = crate::account::basic(headers);
    let account = account.to_owned();
    app.database.call(move |state| crate::account::admits(state, &account, basic.as_ref())).await
}
