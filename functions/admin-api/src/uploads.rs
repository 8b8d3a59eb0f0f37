//! `/v1/uploads`: where a file that is too large for a request is put. What it is
//! for, the request says that names it afterwards.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use carillon_domain::UploadId;
use carillon_runtime::files::upload_key;
use carillon_runtime::{Context, random};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::Created;
use crate::auth::Caller;
use crate::extract::Json;
use crate::problem::Problem;

/// Largest file that is taken, in bytes.
pub const LARGEST: u64 = 512 * 1024 * 1024;
/// How long the address is good.
const VALID: Duration = Duration::from_secs(3_600);

/// A file to come.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewUpload", example = example())]
pub struct New {
    /// Bytes of the file, exactly.
    #[schemars(range(min = 1, max = LARGEST))]
    size: u64,
}

fn example() -> Value {
    json!({"size": 52_428_800})
}

/// Where the file goes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Upload {
    pub id: UploadId,
    /// Put the file there as it is: one request with this method and no key.
    pub url: String,
    pub method: &'static str,
    pub size: u64,
    /// Until when the address is good. The file is kept for a week.
    pub expires_at: Timestamp,
}

/// `POST /v1/uploads`: an address to put a large file at.
pub async fn create(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Json { value, .. }: Json<New>,
) -> Result<Created<Upload>, Problem> {
    if !(1..=LARGEST).contains(&value.size) {
        let most = LARGEST / (1024 * 1024);
        let detail = format!("A file has 1 byte to {most} MB; split a larger one.");
        return Err(Problem::field("size", "file_too_large", detail));
    }
    let id = UploadId::from_bytes(random::bytes());
    let now = ctx.clock.now();
    let key = upload_key(caller.org, id);
    let url = ctx.files()?.put_url(&key, value.size, (now, VALID)).await?;
    let expires_at = now + SignedDuration::try_from(VALID).unwrap_or(SignedDuration::ZERO);
    Ok(Created(Upload { id, url, method: "PUT", size: value.size, expires_at }))
}
