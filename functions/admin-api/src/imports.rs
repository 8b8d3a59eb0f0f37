//! `/v1/imports/{id}`: how far a file is, and what was wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use carillon_domain::ImportId;
use carillon_domain::import::{DUPLICATE, Import, Kind, Rejected};
use carillon_domain::rows;
pub use carillon_domain::rows::harmless;
use carillon_runtime::Context;

use crate::answers::{Csv, Json};
use crate::auth::Caller;
use crate::contacts;
use crate::extract::Id;
use crate::problem::Problem;
use crate::view;
use crate::view::counts::Counts;

/// Pages read at a time.
const PAGES: i32 = 50;

/// `GET /v1/imports/{id}`: how far a file is.
pub async fn read(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<Json<view::import::AnyImport>, Problem> {
    if let Some((import, _)) = file(&ctx, &caller, id).await? {
        let messages = messages(&ctx, &import).await?;
        let shown = view::import::Import::of(&import, messages);
        return Ok(Json(view::import::AnyImport::Messages(shown)));
    }
    let import = ctx.store.contact_import(caller.org, id).await?;
    let import = import.ok_or_else(|| Problem::not_found("import"))?;
    let shown = view::import::ContactImport::of(&import);
    Ok(Json(view::import::AnyImport::Contacts(shown)))
}

/// What rollup has counted of a file's messages; those that it has not come to are
/// pending.
async fn messages(ctx: &Context, import: &Import) -> Result<Counts, Problem> {
    let mut counts = Counts::default();
    for (bucket, messages) in ctx.store.counted_in(import.org, import.id).await? {
        counts.add(bucket, messages);
    }
    counts.pending += u64::from(import.progress.accepted).saturating_sub(counts.all());
    Ok(counts)
}

/// `GET /v1/imports/{id}/rejected`: the rejected rows as they were, with their
/// line, and why.
pub async fn rejected(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Id(id): Id<ImportId>,
) -> Result<Csv, Problem> {
    let text = match file(&ctx, &caller, id).await? {
        Some((import, header)) => {
            let rejected = collect(&ctx, &import).await?;
            write(&ctx, &import, &header, rejected).await?
        }
        None => contacts::import::rejected(&ctx, &caller, id).await?,
    };
    Ok(Csv { name: format!("{id}-rejected.csv"), text })
}

/// A file and its header. What a campaign plans is not somebody's file.
async fn file(
    ctx: &Context,
    caller: &Caller,
    id: ImportId,
) -> Result<Option<(Import, Vec<String>)>, Problem> {
    let import = ctx.store.import(caller.org, id).await?;
    Ok(import.and_then(|import| match &import.kind {
        Kind::File { header, .. } => Some((import.clone(), header.clone())),
        Kind::Step(_) => None,
    }))
}

async fn collect(ctx: &Context, import: &Import) -> Result<BTreeMap<u32, Rejected>, Problem> {
    let mut rejected = BTreeMap::new();
    let mut next = 0;
    loop {
        let pages = ctx.store.pages(import.org, import.id, next, PAGES).await?;
        let Some((last, _)) = pages.last() else { return Ok(rejected) };
        next = last + 1;
        for (_, page) in pages {
            let of_page = page.rejected.into_iter().filter(|r| r.code != DUPLICATE);
            rejected.extend(of_page.map(|r| (r.line, r)));
        }
    }
}

async fn write(
    ctx: &Context,
    import: &Import,
    header: &[String],
    rejected: BTreeMap<u32, Rejected>,
) -> Result<String, Problem> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let mut head = vec!["line".to_owned(), "reason".to_owned(), "detail".to_owned()];
    head.extend(header.iter().map(|name| harmless(name)));
    let broken = |_| Problem::not_found("report");
    writer.write_record(&head).map_err(broken)?;
    for chunk in 0..import.chunks {
        let Some(text) = ctx.store.import_chunk_if_kept(import.org, import.id, chunk).await? else {
            return Err(not_kept());
        };
        for row in rows::read_chunk(&text).flatten() {
            if let Some(r) = rejected.get(&row.line) {
                let mut record = vec![row.line.to_string(), r.code.clone(), r.detail.clone()];
                record.extend(row.cells.iter().map(|cell| harmless(cell)));
                writer.write_record(&record).map_err(broken)?;
            }
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

pub fn not_kept() -> Problem {
    let detail = "The lines of this file are not kept any more; see retention.file_days in \
                  /v1/settings.";
    Problem::new(StatusCode::NOT_FOUND, "file_not_kept", detail)
}
