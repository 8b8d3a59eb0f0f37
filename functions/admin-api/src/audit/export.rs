//! `GET /v1/audit-log/export`: the same as CSV, page by page as it is read. Cells
//! that a spreadsheet would run are made harmless.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use carillon_domain::OrgId;
use carillon_domain::audit::{Entry, Side};
use carillon_runtime::Context;
use futures::stream;
use serde_json::Value;

use super::list::{Filter, Place, walk};
use crate::answers::CsvStream;
use crate::auth::Caller;
use crate::extract::Params;
use crate::imports::harmless;
use crate::problem::Problem;

/// Entries read at a time.
const PIECE: usize = 200;
/// Lines of one file. A Lambda's answer has at most 6 MB, a line about 300 bytes.
const MOST: usize = 10_000;

const HEADER: [&str; 14] = [
    "id",
    "at",
    "actor",
    "role",
    "action",
    "resource_type",
    "resource_id",
    "outcome",
    "status",
    "code",
    "client",
    "request_id",
    "before",
    "after",
];

struct Walk {
    ctx: Arc<Context>,
    org: OrgId,
    filter: Filter,
    /// `None`: at the end.
    place: Option<Place>,
    is_first: bool,
    lines: usize,
}

/// `GET /v1/audit-log/export`: the same as a file for spreadsheets.
pub async fn export(
    State(ctx): State<Arc<Context>>,
    caller: Caller,
    Params { query: filter, .. }: Params<Filter>,
) -> Result<CsvStream, Problem> {
    let place = Some(filter.start(ctx.clock.now()));
    let mut walk = Walk { ctx, org: caller.org, filter, place, is_first: true, lines: 0 };
    // The first piece decides the status; what breaks later breaks the answer off.
    let first = walk.piece().await?;
    let rest = stream::try_unfold(walk, async |mut walk| {
        if walk.place.is_none() {
            return Ok(None);
        }
        match walk.piece().await {
            Ok(piece) => Ok(Some((piece, walk))),
            Err(_) => Err(std::io::Error::other("the table does not answer")),
        }
    });
    let first = stream::once(async { Ok::<_, std::io::Error>(first) });
    let body = Body::from_stream(futures::StreamExt::chain(first, rest));
    Ok(CsvStream { name: "audit-log.csv", body })
}

impl Walk {
    async fn piece(&mut self) -> Result<Bytes, Problem> {
        let Some(place) = self.place.take() else { return Ok(Bytes::new()) };
        let (entries, next) = walk(&self.ctx, self.org, &self.filter, place, PIECE).await?;
        self.place = next;
        let mut writer = csv::Writer::from_writer(Vec::new());
        if std::mem::take(&mut self.is_first) {
            write(&mut writer, HEADER.map(str::to_owned));
        }
        self.lines += entries.len();
        let last = entries.last().map(|entry| entry.at);
        for entry in entries {
            write(&mut writer, line(entry));
        }
        if self.lines >= MOST && self.place.take().is_some() {
            let mut cut = HEADER.map(|_| String::new());
            cut[0] = "more".to_owned();
            cut[1] = last.map(|at| at.to_string()).unwrap_or_default();
            cut[4] = "There is more: ask again with this time as “to”.".to_owned();
            write(&mut writer, cut);
        }
        Ok(writer.into_inner().unwrap_or_default().into())
    }
}

fn write(writer: &mut csv::Writer<Vec<u8>>, cells: [String; HEADER.len()]) {
    // Memory does not fail, and all lines have as many cells.
    let _ = writer.write_record(cells.map(|cell| harmless(&cell)));
}

fn line(e: Entry) -> [String; HEADER.len()] {
    let json = |side: Side| side.map(|side| Value::Object(side).to_string()).unwrap_or_default();
    [
        e.id.to_string(),
        e.at.to_string(),
        e.actor,
        e.role.as_str().to_owned(),
        e.action,
        e.resource_type,
        e.resource_id.unwrap_or_default(),
        e.outcome.as_str().to_owned(),
        e.status.map(|status| status.to_string()).unwrap_or_default(),
        e.code.unwrap_or_default(),
        e.client.unwrap_or_default(),
        e.request_id,
        json(e.before),
        json(e.after),
    ]
}
