//! Amazon SES's `SendEmail` (API v2), as much as notices to members need: the request's signature is checked, the
//! sender must be the verified one, and a mail is on disk before it is answered.
//!
//! Source: SES API v2 reference (`SendEmail`, "Common errors"), AWS Signature Version 4.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{app::Shared, error::Result, random};

/// The one sender that is verified.
pub const MAIL_FROM: &str = "notices@carillon.example";
/// Credentials of an AWS account that is not there: they open only the simulator.
pub const MAIL_KEY_ID: &str = "AKIASIMULATOR0000000";
/// Secret of [`MAIL_KEY_ID`].
pub const MAIL_SECRET_KEY: &str = "simulated-secret-key";

const PATH: &str = "/v2/email/outbound-emails";

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route(PATH, post(send)).route("/sim/mails", get(list))
}

/// A mail that was taken.
#[derive(Clone, Serialize)]
pub struct Mail {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// By the simulator's clock.
    pub at: jiff::Timestamp,
}

/// Without what is personal.
impl std::fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    from_email_address: String,
    destination: Destination,
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Destination {
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Simple {
    subject: Text,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    text: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Text {
    data: String,
    #[serde(default, rename = "Charset")]
    _charset: Option<String>,
}

async fn send(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Result<Response> {
    if !is_signed(&headers, &body) {
        let why = "The request signature we calculated does not match the signature you provided.";
        return Ok(refused(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", why));
    }
    let Ok(request) = serde_json::from_slice::<Request>(&body) else {
        let why = "The body is not what SendEmail takes.";
        return Ok(refused(StatusCode::BAD_REQUEST, "BadRequestException", why));
    };
    if request.from_email_address != MAIL_FROM {
        let why = "Email address is not verified.";
        return Ok(refused(StatusCode::BAD_REQUEST, "MessageRejected", why));
    }
    let [to] = &request.destination.to_addresses[..] else {
        let why = "One address at a time is simulated.";
        return Ok(refused(StatusCode::BAD_REQUEST, "BadRequestException", why));
    };
    let (id, at_ms) = (random::hex32()?, app.now_ms());
    let answer = json!({"MessageId": id});
    let (to, simple) = (to.clone(), request.content.simple);
    app.database
        .call(move |state| {
            state.connection.execute(
                "INSERT INTO mail (id, to_address, subject, text, at_ms) VALUES (?, ?, ?, ?, ?)",
                params![id, to, simple.subject.data, simple.body.text.data, at_ms],
            )?;
            Ok(())
        })
        .await?;
    Ok(Json(answer).into_response())
}

fn refused(status: StatusCode, kind: &'static str, message: &str) -> Response {
    (status, [("x-amzn-errortype", kind)], Json(json!({"message": message}))).into_response()
}

async fn list(State(app): State<Shared>) -> Result<Response> {
    let mails = mails(&app).await?;
    Ok(Json(json!({"mails": mails})).into_response())
}

/// Newest last.
pub(crate) async fn mails(app: &crate::app::App) -> Result<Vec<Mail>> {
    app.database.call(|state| Ok(select(&state.connection)?)).await
}

fn select(connection: &Connection) -> rusqlite::Result<Vec<Mail>> {
    let mut rows = connection
        .prepare_cached("SELECT id, to_address, subject, text, at_ms FROM mail ORDER BY seq")?;
    let mails = rows.query_map([], |row| {
        Ok(Mail {
            id: row.get(0)?,
            to: row.get(1)?,
            subject: row.get(2)?,
            text: row.get(3)?,
            at: jiff::Timestamp::from_millisecond(row.get(4)?).unwrap_or_default(),
        })
    })?;
    mails.collect()
}

/// The request is signed again with the same signer, and must come to the same.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(authorization), Some(date), Some(host)) =
        (said("authorization"), said("x-amz-date"), said("host"))
    else {
        return false;
    };
    // Credential=<key>/<date>/<region>/ses/aws4_request
    let Some(scope) = authorization.split("Credential=").nth(1) else { return false };
    let mut scope = scope.split(',').next().unwrap_or_default().split('/').skip(2);
    let (Some(region), Some("ses")) = (scope.next(), scope.next()) else { return false };
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    let Ok(at) = at else { return false };
    let identity = Credentials::new(MAIL_KEY_ID, MAIL_SECRET_KEY, None, None, "simulator").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("ses")
        .time(at.timestamp().into())
        .settings(SigningSettings::default())
        .build();
    let (Ok(params), Some(kind)) = (params, said("content-type")) else { return false };
    let url = format!("http://{host}{PATH}");
    let signed = [("content-type", kind)].into_iter();
    let request = SignableRequest::new("POST", url, signed, SignableBody::Bytes(body));
    let Ok(again) = request.and_then(|request| sign(request, &params.into())) else {
        return false;
    };
    let (headers, _) = again.into_parts().0.into_parts();
    headers.iter().any(|h| h.name() == "authorization" && h.value() == authorization)
}
