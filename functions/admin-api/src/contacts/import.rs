//! `POST /v1/contacts/import`: takes a file of people. The file comes with the
//! request, or was uploaded before; it is read only as far as is needed to say
//! what its columns are. The rest is the queue processor's.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use carillon_domain::contact::fields;
use carillon_domain::contact::import::{ContactImport, Mapping, Progress, Upload as Uploaded};
use carillon_domain::import::Rejected;
use carillon_domain::rows::stream::{self, Characters, Head, Place};
use carillon_domain::rows::{self, Table};
use carillon_domain::{Country, ImportId, UploadId, WorkshopId};
use carillon_runtime::files::upload_key;
use carillon_runtime::{Context, random};
use carillon_store::Remembered;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::AcceptedOnce;
use crate::auth::Caller;
use crate::extract::{self, Upload, text};
use crate::imports::{harmless, not_kept};
use crate::messages::read_word;
use crate::problem::{FieldError, Problem};
use crate::{idempotency, view};

/// Of idempotency keys.
const SCOPE: &str = "contact import";
/// Largest file that comes with the request.
const FILE_LIMIT: usize = 4 * 1024 * 1024;
/// The file and the fields around it.
pub const BODY_LIMIT: usize = FILE_LIMIT + 256 * 1024;
const MAX_ROWS: usize = 1_000_000;
/// A stored piece of the file; a row of the table holds at most 400 KB.
const CHUNK_BYTES: usize = 96 * 1024;
/// Pages of refused rows read at a time.
const PAGES: i32 = 50;
/// Bytes of a report; a Lambda's answer has at most 6 MB.
const REPORT: usize = 5 * 1024 * 1024;

/// A CSV file of people, in the field `file` or uploaded before.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewContactImport")]
pub struct Fields {
    /// Instead of `file`: what was put at the address of `POST /v1/uploads`. For
    /// files over 4 MB.
    #[schemars(with = "Option<UploadId>")]
    upload: Option<String>,
    /// A JSON object of column to `name`, `first_name`, `last_name`, `phone`,
    /// `email`, `external_id`, `status`, `score`, `time_zone`, `language`,
    /// `labels`, `attributes.…`, or null; guessed from the header where it is
    /// absent.
    mapping: Option<String>,
    /// Of numbers without a country code; the organization's, where it is
    /// absent.
    #[schemars(with = "Option<Country>")]
    default_country: Option<String>,
    /// For each contact of the file, separated by commas.
    labels: Option<String>,
    /// Each contact of the file is registered for this workshop, those without a
    /// number too.
    #[schemars(with = "Option<WorkshopId>")]
    workshop_id: Option<String>,
    /// `true`: nothing is stored but the report.
    dry_run: Option<bool>,
}

/// The form, as it came.
struct Form(extract::Form<Fields>);

/// What the file is, as far as it was read.
struct File {
    head: Head,
    upload: Option<Uploaded>,
    chunks: Vec<String>,
    rows: usize,
}

/// `POST /v1/contacts/import`: makes contacts of the rows of a CSV file, and
/// updates those that are there: by external id, then by number, then by email
/// address. The same file again changes nothing.
pub async fn upload(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    headers: HeaderMap,
    Upload(form, _): Upload<Fields>,
) -> Result<AcceptedOnce<view::import::ContactImport>, Problem> {
    let key = idempotency::key(&headers, None)?;
    let form = Form(extract::Form::read(form, FILE_LIMIT).await?);
    let (hash, now) = (form.0.hash(), ctx.clock.now());
    let (mut import, chunks) = match form.check(&ctx, &caller, now).await {
        Ok(checked) => checked,
        Err(problem) => {
            // Its workshop or its upload may be gone since it was taken.
            let key = key.as_deref();
            let first = idempotency::first_import(&ctx, caller.org, SCOPE, key, &hash).await?;
            let Some((id, answer)) = first else { return Err(problem) };
            return match ctx.store.contact_import(caller.org, id).await? {
                Some(_) => Ok(AcceptedOnce::new(answer, true)),
                None => Err(problem),
            };
        }
    };
    let answer = json!(view::import::ContactImport::of(&import)).to_string();
    let new = Remembered { request_hash: hash, id: import.id.to_string(), answer, at: now };
    let first = idempotency::remember(&ctx, caller.org, SCOPE, key.as_deref(), &new).await?;
    if let Some(first) = &first {
        import.id = idempotency::import_of(first)?;
        import.created_at = first.at;
    }
    if ctx.store.contact_import(caller.org, import.id).await?.is_none() {
        for (number, text) in (0..).zip(&chunks) {
            let of = (import.org, import.id);
            ctx.store.put_contact_import_chunk(of, number, text, now).await?;
        }
        ctx.store.insert_contact_import(&import).await?;
    }
    let replayed = first.is_some();
    Ok(AcceptedOnce::new(first.unwrap_or(new).answer, replayed))
}

impl Form {
    async fn check(
        &self,
        ctx: &Context,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(ContactImport, Vec<String>), Problem> {
        let fields = &self.0.fields;
        let settings = ctx.store.settings(caller.org).await?;
        let mut wrong = Vec::new();
        let country = read_word(
            "default_country",
            text(&fields.default_country),
            |t| Country::parse(t).ok(),
            "a country such as AU",
            &mut wrong,
        );
        let labels = text(&fields.labels).unwrap_or_default();
        let labels = labels.split(',').filter(|label| !label.trim().is_empty());
        let labels = fields::labels(labels)
            .map_err(|e| wrong.push(FieldError::new("labels", e.code(), e.to_string())))
            .unwrap_or_default();
        let workshop = self.workshop(ctx, caller).await?.map_err(|e| wrong.push(e)).ok();
        let file = self.file(ctx, caller, now).await?.map_err(|e| wrong.push(e)).ok();
        let mapping = file
            .as_ref()
            .and_then(|file| self.mapping(&file.head.header).map_err(|e| wrong.push(e)).ok());
        let (Some(file), Some(mapping), true) = (file, mapping, wrong.is_empty()) else {
            return Err(Problem::fields(wrong));
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let import = ContactImport {
            org: caller.org,
            id: ImportId::from_bytes(random::bytes()),
            head: file.head,
            mapping,
            default_country: country.or(settings.default_country),
            labels,
            workshop: workshop.flatten(),
            dry_run: fields.dry_run.unwrap_or(false),
            upload: file.upload,
            chunks: count(file.chunks.len()),
            rows: count(file.rows),
            progress: Progress::default(),
            failed: None,
            created_by: caller.id.clone(),
            created_at: now,
            done_at: None,
            due: Some(now),
            generation: 0,
            version: 1,
        };
        Ok((import, file.chunks))
    }

    /// # Errors
    /// Outer: storage. Inner: there is no such workshop.
    async fn workshop(
        &self,
        ctx: &Context,
        caller: &Caller,
    ) -> Result<Result<Option<WorkshopId>, FieldError>, Problem> {
        let Some(text) = text(&self.0.fields.workshop_id) else { return Ok(Ok(None)) };
        if let Ok(id) = text.parse() {
            let workshop = ctx.store.workshop(caller.org, id).await?;
            if workshop.is_some_and(|w| w.deleted_at.is_none()) {
                return Ok(Ok(Some(id)));
            }
        }
        let detail =
            "There is no such workshop in this organization; GET /v1/workshops lists them.";
        Ok(Err(FieldError::new("workshop_id", "unknown_workshop", detail)))
    }

    /// The file of the request, whole; or the beginning of the one that was
    /// uploaded.
    ///
    /// # Errors
    /// Outer: storage. Inner: the field that is wrong.
    async fn file(
        &self,
        ctx: &Context,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Result<File, FieldError>, Problem> {
        let of_file = |e: rows::FileError| FieldError::new("file", e.code(), e.to_string());
        let refused = |code: &str, detail: &str| Ok(Err(FieldError::new("upload", code, detail)));
        match (&self.0.file, text(&self.0.fields.upload)) {
            (Some(_), Some(_)) => refused("two_files", "Send a file or name an upload, not both."),
            (None, None) => {
                let detail = "Send the CSV file in a field called “file”, or name an “upload”.";
                Ok(Err(FieldError::new("file", "missing_file", detail)))
            }
            (Some(bytes), None) => {
                let read = rows::decode(bytes).and_then(|text| Table::read(&text, MAX_ROWS));
                Ok(read.map(whole).map_err(of_file))
            }
            (None, Some(id)) => {
                let unknown = "Nothing was put at the address of this upload; put the file there \
                               first. It is kept for a week.";
                let Ok(id) = id.parse::<UploadId>() else {
                    return refused("unknown_upload", unknown);
                };
                let key = upload_key(caller.org, id);
                let len = stream::HEAD_BYTES as u64;
                let Some(part) = ctx.files()?.range(&key, 0, len, now).await? else {
                    return refused("unknown_upload", unknown);
                };
                let head = match stream::head(&part.bytes) {
                    Ok(head) => head,
                    Err(e) => return Ok(Err(of_file(e))),
                };
                let upload = Some(Uploaded { id, size: part.size });
                Ok(Ok(File { head, upload, chunks: Vec::new(), rows: 0 }))
            }
        }
    }

    fn mapping(&self, header: &[String]) -> Result<Mapping, FieldError> {
        let mapping = match text(&self.0.fields.mapping) {
            None => Mapping::guess(header),
            Some(json) => {
                let Ok(Value::Object(json)) = serde_json::from_str(json) else {
                    let detail = "The mapping is a JSON object of column → field of a contact.";
                    return Err(FieldError::new("mapping", "malformed_mapping", detail));
                };
                Mapping::from_json(header, &json)
            }
        };
        mapping.map_err(|e| FieldError::new("mapping", e.code(), e.to_string()))
    }
}

/// A file that is all there.
fn whole(table: Table) -> File {
    let chunks = rows::chunks(&table, CHUNK_BYTES).into_iter().map(|chunk| chunk.text).collect();
    let head = Head {
        characters: Characters::Utf8,
        separator: b',',
        header: table.header,
        place: Place::default(),
    };
    File { head, upload: None, chunks, rows: table.rows.len() }
}

/// The refused rows as they were, with their line and why. A report that gets
/// too long ends with a line that says so.
///
/// # Errors
/// 404 when there is no such import, or its lines are not kept any more.
pub async fn rejected(ctx: &Context, caller: &Caller, id: ImportId) -> Result<String, Problem> {
    let import = ctx.store.contact_import(caller.org, id).await?;
    let import = import.ok_or_else(|| Problem::not_found("import"))?;
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let broken = |_| Problem::not_found("report");
    let mut head = vec!["line".to_owned(), "reason".to_owned(), "detail".to_owned()];
    head.extend(import.head.header.iter().map(|name| harmless(name)));
    writer.write_record(&head).map_err(broken)?;
    let mut next = 0;
    'all: loop {
        let pages = ctx.store.refused(import.org, import.id, next, PAGES).await?;
        let Some((last, ..)) = pages.last() else { break };
        next = last + 1;
        // Pages of one piece stand together: each piece is read once.
        let mut pieces: BTreeMap<u32, Vec<Rejected>> = BTreeMap::new();
        for (_, chunk, rows) in pages {
            pieces.entry(chunk).or_default().extend(rows);
        }
        for (chunk, refused) in pieces {
            let text = ctx.store.contact_import_chunk(import.org, import.id, chunk).await?;
            let text = text.ok_or_else(not_kept)?;
            let refused: BTreeMap<u32, Rejected> =
                refused.into_iter().map(|r| (r.line, r)).collect();
            for row in rows::read_chunk(&text).flatten() {
                let Some(r) = refused.get(&row.line) else { continue };
                let mut record = vec![row.line.to_string(), r.code.clone(), r.detail.clone()];
                record.extend(row.cells.iter().map(|cell| harmless(cell)));
                writer.write_record(&record).map_err(broken)?;
            }
            if writer.get_ref().len() > REPORT {
                let more = ["", "too_many", "There are more; correct these and import again."];
                writer.write_record(more).map_err(broken)?;
                break 'all;
            }
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    Ok(String::from_utf8(bytes).unwrap_or_default())
}
