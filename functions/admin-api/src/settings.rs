//! `/v1/settings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use carillon_domain::Country;
use carillon_domain::settings::{Settings, UnknownPolicy};
use carillon_runtime::Context;
use carillon_store::Role;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::extract;
use crate::problem::{FieldError, Problem};

/// `GET /v1/settings`
pub async fn read(State(ctx): State<Arc<Context>>, caller: Caller) -> Result<Json<Value>, Problem> {
    Ok(Json(json!(ctx.store.settings(caller.org).await?)))
}

/// Absent leaves a field, `null` clears it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    time_zone: Option<String>,
    #[serde(default, deserialize_with = "present")]
    default_country: Option<Option<String>>,
    max_attempts: Option<u16>,
    max_segments: Option<u16>,
    unknown_policy: Option<UnknownPolicy>,
}

fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// `PATCH /v1/settings`
pub async fn update(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    extract::Json { value: patch, .. }: extract::Json<Patch>,
) -> Result<Json<Value>, Problem> {
    caller.require(Role::Admin)?;
    let mut settings = ctx.store.settings(caller.org).await?;
    let wrong = patch.apply(&mut settings);
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    ctx.store.put_settings(caller.org, &settings).await?;
    Ok(Json(json!(settings)))
}

impl Patch {
    fn apply(self, settings: &mut Settings) -> Vec<FieldError> {
        let mut wrong = Vec::new();
        if let Some(zone) = self.time_zone {
            if TimeZone::get(&zone).is_err() {
                let detail = "Name an IANA time zone, such as Australia/Sydney.";
                wrong.push(FieldError::new("time_zone", "unknown_time_zone", detail));
            }
            settings.time_zone = zone;
        }
        match self.default_country {
            None => {}
            Some(None) => settings.default_country = None,
            Some(Some(code)) => match Country::parse(&code) {
                Ok(country) => settings.default_country = Some(country),
                Err(error) => {
                    wrong.push(FieldError::new(
                        "default_country",
                        "unknown_country",
                        error.to_string(),
                    ));
                }
            },
        }
        for (field, value, most, target) in [
            ("max_attempts", self.max_attempts, 10, &mut settings.max_attempts),
            ("max_segments", self.max_segments, 10, &mut settings.max_segments),
        ] {
            match value {
                Some(value) if (1..=most).contains(&value) => *target = value,
                Some(_) => {
                    let detail = format!("A number from 1 to {most}.");
                    wrong.push(FieldError::new(field, "out_of_range", detail));
                }
                None => {}
            }
        }
        settings.unknown_policy = self.unknown_policy.unwrap_or(settings.unknown_policy);
        wrong
    }
}
