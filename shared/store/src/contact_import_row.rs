//! An import of contacts as a row, and what was refused of its pages.

use carillon_domain::contact::import::{ContactImport, Progress, Upload};
use carillon_domain::import::Rejected;
use carillon_domain::rows::stream::{Characters, Head, Place};
use carillon_domain::{Country, ImportId, Lane, OrgId, UploadId, WorkshopId};
use serde_json::json;

use crate::attributes::{Item, Reader, Writer, ms, s};
use crate::{Result, keys};

/// Version of these row shapes.
const VERSION: u8 = 1;

pub fn write(i: &ContactImport) -> Item {
    let mut w = Writer::new(&keys::contact_import(i.org, i.id));
    w.number("v", VERSION).number("ver", i.version).number("gn", i.generation);
    w.text("en", json!([i.head.characters, i.head.separator]).to_string());
    w.text("hd", json!(i.head.header).to_string()).text("mp", json!(i.mapping).to_string());
    w.number("ib", i.head.place.byte).number("il", i.head.place.line);
    w.some("dc", i.default_country, |c| s(c.as_str()));
    if !i.labels.is_empty() {
        w.text("lb", json!(i.labels).to_string());
    }
    w.some("ws", i.workshop, |id| s(id.key()));
    if i.dry_run {
        w.number("dry", 1);
    }
    w.some("up", i.upload.as_ref(), |u| s(json!([u.id, u.size]).to_string()));
    w.number("fc", i.chunks).number("rw", i.rows);
    for (name, value) in counts(&i.progress) {
        w.number(name, value);
    }
    w.some("er", i.failed.as_ref(), s).some("dn", i.done_at, ms);
    w.text("by", &i.created_by).time("ca", i.created_at);
    if let Some(due) = i.due {
        w.text("due", keys::due_partition(Lane::Bulk, keys::due_shard(i.id.as_bytes())));
        w.text("due_at", keys::due_at(due, i.generation));
    }
    w.done()
}

const fn counts(p: &Progress) -> [(&'static str, u32); 8] {
    [
        ("cp", p.pages),
        ("cc", p.chunk),
        ("cr", p.record),
        ("nc", p.created),
        ("nu", p.updated),
        ("ns", p.unchanged),
        ("nd", p.duplicates),
        ("nr", p.rejected),
    ]
}

pub fn read(item: &Item) -> Result<ContactImport> {
    let r = Reader::new("import of contacts", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix(keys::CONTACT_IMPORT).ok_or_else(|| r.corrupt("pk"))?;
    let (characters, separator): (Characters, u8) = r.json("en")?.ok_or_else(|| r.corrupt("en"))?;
    let upload: Option<(UploadId, u64)> = r.json("up")?;
    Ok(ContactImport {
        org,
        id: ImportId::from_key(id)?,
        head: Head {
            characters,
            separator,
            header: r.json("hd")?.ok_or_else(|| r.corrupt("hd"))?,
            place: Place { byte: r.number("ib")?, line: r.number("il")? },
        },
        mapping: r.json("mp")?.ok_or_else(|| r.corrupt("mp"))?,
        default_country: r.maybe_parsed("dc", |t| Country::parse(t).ok())?,
        labels: r.json("lb")?.unwrap_or_default(),
        workshop: r.maybe_parsed("ws", |key| WorkshopId::from_key(key).ok())?,
        dry_run: r.maybe_number::<u8>("dry")? == Some(1),
        upload: upload.map(|(id, size)| Upload { id, size }),
        chunks: r.number("fc")?,
        rows: r.number("rw")?,
        progress: Progress {
            pages: r.number("cp")?,
            chunk: r.number("cc")?,
            record: r.number("cr")?,
            created: r.number("nc")?,
            updated: r.number("nu")?,
            unchanged: r.number("ns")?,
            duplicates: r.number("nd")?,
            rejected: r.number("nr")?,
        },
        failed: r.maybe_text("er").map(str::to_owned),
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        done_at: r.maybe_time("dn")?,
        due: r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at),
        generation: r.number("gn")?,
        version: r.number("ver")?,
    })
}

/// The refused rows of a page, all of one piece of the file.
pub fn write_page(org: OrgId, id: ImportId, page: u32, chunk: u32, rejected: &[Rejected]) -> Item {
    let mut w = Writer::new(&keys::contact_import_page(org, id, page));
    let rows: Vec<_> = rejected.iter().map(|r| json!([r.line, r.code, r.detail])).collect();
    w.number("cc", chunk).text("rj", json!(rows).to_string());
    w.done()
}

/// The piece, and the refused rows.
pub fn read_page(item: &Item) -> Result<(u32, Vec<Rejected>)> {
    let r = Reader::new("page of an import", item);
    let rows: Vec<(u32, String, String)> = r.json("rj")?.ok_or_else(|| r.corrupt("rj"))?;
    let rows = rows.into_iter().map(|(line, code, detail)| Rejected { line, code, detail });
    Ok((r.number("cc")?, rows.collect()))
}
