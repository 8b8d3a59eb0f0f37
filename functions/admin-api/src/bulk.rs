//! `POST /v1/messages/bulk`: takes a file. The rows are read only as far as is
//! needed to say that it is a table that can be sent to; planning is the queue
//! processor's.

use std::sync::Arc;

use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use carillon_domain::import::{Import, Progress};
use carillon_domain::rows::{self, Mapping, Table};
use carillon_domain::{Country, ImportId, ProviderName, Purpose};
use carillon_runtime::{Context, random};
use carillon_store::Remembered;
use serde_json::Value;

use crate::auth::Caller;
use crate::extract::body_problem;
use crate::idempotency;
use crate::messages::{read_channel, read_expiry, read_text, read_time, read_word};
use crate::problem::{FieldError, Problem};
use crate::view;

/// Of idempotency keys.
const SCOPE: &str = "bulk";
/// Largest file that is taken.
const FILE_LIMIT: usize = 4 * 1024 * 1024;
/// The file and the fields around it.
pub const BODY_LIMIT: usize = FILE_LIMIT + 256 * 1024;
const MAX_ROWS: usize = 100_000;
/// A stored piece of the file; a row of the table holds at most 400 KB.
const CHUNK_BYTES: usize = 96 * 1024;

/// The form, as it came.
#[derive(Default)]
struct Form {
    file: Option<Vec<u8>>,
    texts: std::collections::BTreeMap<String, String>,
}

const FIELDS: [&str; 9] = [
    "channel",
    "body",
    "template",
    "mapping",
    "scheduled_for",
    "expires_at",
    "purpose",
    "default_country",
    "integration",
];

pub async fn upload(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let key = idempotency::key(&headers, None)?;
    let form = Form::read(form).await?;
    let hash = form.hash();
    let now = ctx.clock.now();
    let (mut import, chunks) = match form.check(&ctx, &caller, now).await {
        Ok(checked) => checked,
        Err(problem) => {
            let first = idempotency::first(&ctx, caller.org, SCOPE, key.as_deref(), &hash).await?;
            let Some(first) = first else { return Err(problem) };
            let id = first.id.parse().map_err(|_| Problem::not_found("import"))?;
            return match ctx.store.import(caller.org, id).await? {
                Some(_) => Ok(idempotency::accepted(first.answer, true)),
                None => Err(problem),
            };
        }
    };
    let mut answer = view::import(&import).to_string();
    let mut replayed = false;
    if let Some(key) = key {
        let new = Remembered {
            request_hash: hash.clone(),
            id: import.id.to_string(),
            answer: answer.clone(),
            at: now,
        };
        if let Some(first) = ctx.store.remember(caller.org, SCOPE, &key, &new).await? {
            idempotency::check(&first, &hash)?;
            import.id = first.id.parse().map_err(|_| Problem::not_found("import"))?;
            import.created_at = first.at;
            answer = first.answer;
            replayed = true;
        }
    }
    ctx.store.insert_import(&import, &chunks).await?;
    Ok(idempotency::accepted(answer, replayed))
}

impl Form {
    async fn read(form: Result<Multipart, MultipartRejection>) -> Result<Self, Problem> {
        let mut multipart = form.map_err(|_| {
            let detail = "Send the file as multipart/form-data, in a field called “file”.";
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        })?;
        let mut form = Self::default();
        while let Some(field) =
            multipart.next_field().await.map_err(|e| body_problem(e.status()))?
        {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                form.file = Some(read_file(field).await?);
            } else if FIELDS.contains(&name.as_str()) {
                let text = field.text().await.map_err(|e| body_problem(e.status()))?;
                form.texts.insert(name, text);
            } else {
                let detail = format!(
                    "There is no field “{name}” here; known are file, {}.",
                    FIELDS.join(", ")
                );
                return Err(Problem::field(&name, "unknown_field", detail));
            }
        }
        Ok(form)
    }

    /// What makes two uploads the same request.
    fn hash(&self) -> String {
        let mut parts = vec![self.file.as_deref().unwrap_or_default()];
        for (name, text) in &self.texts {
            parts.extend([name.as_bytes(), text.as_bytes()]);
        }
        idempotency::request_hash(&parts)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    async fn check(
        &self,
        ctx: &Context,
        caller: &Caller,
        now: jiff::Timestamp,
    ) -> Result<(Import, Vec<String>), Problem> {
        let settings = ctx.store.settings(caller.org).await?;
        let mut wrong = Vec::new();
        let channel = read_channel(self.text("channel"), &mut wrong);
        let at = read_time("scheduled_for", self.text("scheduled_for"), now, &mut wrong);
        let at = at.unwrap_or(now);
        let expires_at = read_expiry(self.text("expires_at"), at, now, &mut wrong);
        let country = self.word(
            "default_country",
            |t| Country::parse(t).ok(),
            "a country such as AU",
            &mut wrong,
        );
        let purpose =
            self.word("purpose", Purpose::parse, "transactional or promotional", &mut wrong);
        let integration =
            self.word("integration", ProviderName::parse, "twilio or fast2sms", &mut wrong);
        let table = self.table().map_err(|e| wrong.push(e)).ok();
        let mapping = table.as_ref().and_then(|t| self.mapping(t).map_err(|e| wrong.push(e)).ok());
        let text = read_text(
            ctx,
            caller.org,
            self.text("body"),
            self.text("template"),
            channel.unwrap_or(carillon_domain::Channel::Sms),
        )
        .await?
        .map_err(|e| wrong.push(e))
        .ok();
        if let (Some(text), Some(mapping)) = (&text, &mapping) {
            for name in text.parsed.missing(&mapping.variables()) {
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
            header: table.header,
            mapping,
            default_country: country.or(settings.default_country),
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

    fn word<T>(
        &self,
        field: &str,
        parse: impl Fn(&str) -> Option<T>,
        known: &str,
        wrong: &mut Vec<FieldError>,
    ) -> Option<T> {
        read_word(field, self.text(field), parse, known, wrong)
    }

    fn table(&self) -> Result<Table, FieldError> {
        let Some(bytes) = &self.file else {
            let detail = "Send the CSV file in a field called “file”.";
            return Err(FieldError::new("file", "missing_file", detail));
        };
        let read = rows::decode(bytes).and_then(|text| Table::read(&text, MAX_ROWS));
        read.map_err(|e| FieldError::new("file", e.code(), e.to_string()))
    }

    fn mapping(&self, table: &Table) -> Result<Mapping, FieldError> {
        let mapping = match self.text("mapping") {
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

async fn read_file(mut field: Field<'_>) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|e| body_problem(e.status()))? {
        if bytes.len() + piece.len() > FILE_LIMIT {
            let detail = "The file is larger than 4 MB; split it and send the parts.";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", detail));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
