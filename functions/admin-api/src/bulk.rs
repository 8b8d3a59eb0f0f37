//! `POST /v1/messages/bulk`: takes a file. The rows are read only as far as is
//! needed to say that it is a table that can be sent to; planning is the queue
//! processor's.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::import::{Import, Kind, Progress};
use carillon_domain::rows::{self, Mapping, Table};
use carillon_domain::{Channel, Country, ImportId, ProviderName, Purpose};
use carillon_runtime::{Context, random};
use carillon_store::Remembered;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::AcceptedOnce;
use crate::auth::Caller;
use crate::extract::{self, Upload, text};
use crate::idempotency;
use crate::messages::{read_channel, read_expiry, read_text, read_time, read_word};
use crate::problem::{FieldError, Problem};
use crate::templates::purpose_of;
use crate::view;
use crate::view::counts::Counts;

/// Of idempotency keys.
const SCOPE: &str = "bulk";
/// Largest file that is taken.
const FILE_LIMIT: usize = 4 * 1024 * 1024;
/// The file and the fields around it.
pub const BODY_LIMIT: usize = FILE_LIMIT + 256 * 1024;
const MAX_ROWS: usize = 100_000;
/// A stored piece of the file; a row of the table holds at most 400 KB.
const CHUNK_BYTES: usize = 96 * 1024;

/// A CSV file of people, and what to send to them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewBulk")]
pub struct Fields {
    #[schemars(with = "Channel")]
    channel: Option<String>,
    /// The text; `{{ name }}` is a variable.
    body: Option<String>,
    /// Instead of the text: `key`, `key@version` or the id of a template.
    template: Option<String>,
    /// A JSON object of column to `to` or a variable; guessed from the header
    /// where it is absent.
    mapping: Option<String>,
    #[schemars(with = "Option<jiff::Timestamp>")]
    scheduled_for: Option<String>,
    #[schemars(with = "Option<jiff::Timestamp>")]
    expires_at: Option<String>,
    #[schemars(with = "Option<Purpose>")]
    purpose: Option<String>,
    /// Of numbers without a country code; the organization's, where it is
    /// absent.
    #[schemars(with = "Option<Country>")]
    default_country: Option<String>,
    #[schemars(with = "Option<ProviderName>")]
    integration: Option<String>,
}

/// The form, as it came.
struct Form(extract::Form<Fields>);

/// `POST /v1/messages/bulk`: sends a text to each row of a CSV file.
pub async fn upload(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    Upload(form, _): Upload<Fields>,
) -> Result<AcceptedOnce<view::import::Import>, Problem> {
    let key = idempotency::key(&headers, None)?;
    let form = Form(extract::Form::read(form, FILE_LIMIT).await?);
    let hash = form.0.hash();
    let now = ctx.clock.now();
    let (mut import, chunks) = match form.check(&ctx, &caller, now).await {
        Ok(checked) => checked,
        Err(problem) => {
            let key = key.as_deref();
            let first = idempotency::first_import(&ctx, caller.org, SCOPE, key, &hash).await?;
            let Some((id, answer)) = first else { return Err(problem) };
            return match ctx.store.import(caller.org, id).await? {
                Some(_) => Ok(AcceptedOnce::new(answer, true)),
                None => Err(problem),
            };
        }
    };
    let answer = json!(view::import::Import::of(&import, Counts::default())).to_string();
    let new = Remembered { request_hash: hash, id: import.id.to_string(), answer, at: now };
    let first = idempotency::remember(&ctx, caller.org, SCOPE, key.as_deref(), &new).await?;
    if let Some(first) = &first {
        import.id = idempotency::import_of(first)?;
        import.created_at = first.at;
    }
    ctx.store.insert_import(&import, &chunks).await?;
    let replayed = first.is_some();
    Ok(AcceptedOnce::new(first.unwrap_or(new).answer, replayed))
}

impl Form {
    async fn check(
        &self,
        ctx: &Context,
        caller: &Caller,
        now: jiff::Timestamp,
    ) -> Result<(Import, Vec<String>), Problem> {
        let fields = &self.0.fields;
        let settings = ctx.store.settings(caller.org).await?;
        let mut wrong = Vec::new();
        let channel = read_channel(text(&fields.channel), &mut wrong);
        let at = read_time("scheduled_for", text(&fields.scheduled_for), now, &mut wrong);
        let at = at.unwrap_or(now);
        let expires_at = read_expiry(text(&fields.expires_at), at, now, &mut wrong);
        let country = read_word(
            "default_country",
            text(&fields.default_country),
            |t| Country::parse(t).ok(),
            "a country such as AU",
            &mut wrong,
        );
        let purpose = read_word(
            "purpose",
            text(&fields.purpose),
            Purpose::parse,
            "transactional or promotional",
            &mut wrong,
        );
        let integration = read_word(
            "integration",
            text(&fields.integration),
            ProviderName::parse,
            "twilio or fast2sms",
            &mut wrong,
        );
        let table = self.table().map_err(|e| wrong.push(e)).ok();
        let mapping = table.as_ref().and_then(|t| self.mapping(t).map_err(|e| wrong.push(e)).ok());
        let text = read_text(
            ctx,
            caller.org,
            text(&fields.body),
            text(&fields.template),
            channel.unwrap_or(carillon_domain::Channel::Sms),
        )
        .await?
        .map_err(|e| wrong.push(e))
        .ok();
        let purpose = purpose_of(purpose, text.iter().map(|text| &text.content), &mut wrong);
        if let (Some(text), Some(mapping)) = (&text, &mapping) {
            let mut known = mapping.variables();
            let filled = text.content.variables.iter().filter(|v| v.fallback().is_some());
            known.extend(filled.map(|v| v.key.clone()));
            for name in text.parsed.missing(&known) {
                let detail = format!("The text needs “{name}”, and no column is mapped to it.");
                wrong.push(FieldError::new("mapping", "missing_variable", detail));
            }
        }
        let (Some(channel), Some(table), Some(mapping), Some(text), true) =
            (channel, table, mapping, text, wrong.is_empty())
        else {
            return Err(Problem::fields(wrong));
        };
        let chunks: Vec<String> =
            rows::chunks(&table, CHUNK_BYTES).into_iter().map(|c| c.text).collect();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let import = Import {
            org: caller.org,
            id: ImportId::from_bytes(random::bytes()),
            channel,
            purpose: purpose.unwrap_or_default(),
            body: text.source,
            template: text.template,
            rows: count(table.rows.len()),
            kind: Kind::File {
                header: table.header,
                mapping,
                default_country: country.or(settings.default_country),
            },
            integration,
            max_segments: settings.max_segments,
            scheduled_for: at,
            expires_at,
            created_by: caller.id.clone(),
            created_at: now,
            chunks: count(chunks.len()),
            progress: Progress::default(),
            failed: None,
            due: Some(now),
            generation: 0,
        };
        Ok((import, chunks))
    }

    fn table(&self) -> Result<Table, FieldError> {
        let Some(bytes) = &self.0.file else {
            let detail = "Send the CSV file in a field called “file”.";
            return Err(FieldError::new("file", "missing_file", detail));
        };
        let read = rows::decode(bytes).and_then(|text| Table::read(&text, MAX_ROWS));
        read.map_err(|e| FieldError::new("file", e.code(), e.to_string()))
    }

    fn mapping(&self, table: &Table) -> Result<Mapping, FieldError> {
        let mapping = match text(&self.0.fields.mapping) {
            None => Mapping::guess(&table.header),
            Some(json) => {
                let Ok(Value::Object(json)) = serde_json::from_str(json) else {
                    let detail = "The mapping is a JSON object of column → “to” or a variable.";
                    return Err(FieldError::new("mapping", "malformed_mapping", detail));
                };
                Mapping::from_json(&table.header, &json)
            }
        };
        mapping.map_err(|e| FieldError::new("mapping", e.code(), e.to_string()))
    }
}
