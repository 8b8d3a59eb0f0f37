//! An import and its pages as rows.

use carillon_domain::import::{Entry, Import, Kind, Page, Progress, Rejected, StepOf};
use carillon_domain::{
    CampaignId, Channel, Country, ImportId, Lane, MessageId, OrgId, ProviderName, Purpose, StepId,
    WorkshopId,
};
use serde_json::json;

use crate::attributes::{Item, Reader, Writer, n, s};
use crate::{Result, keys};

/// Version of these row shapes.
const VERSION: u8 = 1;
/// Of a step's source. The release before does not know such, and would plan it
/// as a file: it must not read it.
const STEP_VERSION: u8 = 3;
/// An entry of a page: line (4 bytes), then the message's id.
const ENTRY_BYTES: usize = 4 + MessageId::BYTES;

pub fn write(import: &Import) -> Item {
    let mut w = Writer::new(&keys::import(import.org, import.id));
    let version = match import.kind {
        Kind::File { .. } => VERSION,
        Kind::Step(_) => STEP_VERSION,
    };
    w.number("v", version).number("ver", 1).number("gn", import.generation);
    w.text("ch", import.channel.as_str()).text("pu", import.purpose.as_str());
    w.text("b", &import.body);
    w.some("tp", import.template.as_ref(), |t| s(json!([t.id, t.key, t.version]).to_string()));
    match &import.kind {
        Kind::File { header, mapping, default_country } => {
            w.text("hd", json!(header).to_string()).text("mp", json!(mapping).to_string());
            w.some("dc", *default_country, |c| s(c.as_str()));
        }
        Kind::Step(of) => {
            w.text("cm", of.campaign.key()).text("st", of.step.key());
            w.text("ws", of.workshop.key()).number("rv", of.revision).time("cs", of.started_at);
        }
    }
    w.some("int", import.integration, |p| s(p.as_str()));
    w.number("mx", import.max_segments).time("sf", import.scheduled_for);
    w.some("ex", import.expires_at, |t| n(t.as_millisecond()));
    w.text("by", &import.created_by).time("ca", import.created_at);
    w.number("fc", import.chunks).number("rw", import.rows);
    for (name, value) in progress(&import.progress) {
        w.number(name, value);
    }
    w.some("er", import.failed.as_ref(), s);
    if let Some(due) = import.due {
        w.text("due", keys::due_partition(Lane::Bulk, keys::due_shard(import.id.as_bytes())));
        w.text("due_at", keys::due_at(due, import.generation));
    }
    w.done()
}

/// Attribute names of the cursor and the counts.
pub fn progress(p: &Progress) -> [(&'static str, u64); 7] {
    [
        ("cp", p.pages.into()),
        ("cc", p.chunk.into()),
        ("cr", p.record.into()),
        ("na", p.accepted.into()),
        ("nd", p.duplicates.into()),
        ("nr", p.rejected.into()),
        ("np", p.parts),
    ]
}

pub fn read(item: &Item) -> Result<Import> {
    let r = Reader::new("import", item);
    if r.number::<u8>("v")? > STEP_VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let (org, rest) = r.parsed("pk", keys::read_org)?;
    let id = rest.strip_prefix("src/").ok_or_else(|| r.corrupt("pk"))?;
    Ok(Import {
        org,
        id: ImportId::from_key(id)?,
        channel: r.parsed("ch", Channel::parse)?,
        purpose: r.parsed("pu", Purpose::parse)?,
        body: r.text("b")?.to_owned(),
        template: r.json("tp")?.map(|(id, key, version)| carillon_domain::message::TemplateRef {
            id,
            key,
            version,
        }),
        kind: read_kind(&r)?,
        integration: r.maybe_parsed("int", ProviderName::parse)?,
        max_segments: r.number("mx")?,
        scheduled_for: r.time("sf")?,
        expires_at: r.maybe_time("ex")?,
        created_by: r.text("by")?.to_owned(),
        created_at: r.time("ca")?,
        chunks: r.number("fc")?,
        rows: r.number("rw")?,
        progress: Progress {
            pages: r.number("cp")?,
            chunk: r.number("cc")?,
            record: r.number("cr")?,
            accepted: r.number("na")?,
            duplicates: r.number("nd")?,
            rejected: r.number("nr")?,
            // The release before this one has none.
            parts: r.maybe_number("np")?.unwrap_or(0),
        },
        failed: r.maybe_text("er").map(str::to_owned),
        due: r.maybe_parsed("due_at", keys::read_due_at)?.map(|(at, _)| at),
        generation: r.number("gn")?,
    })
}

fn read_kind(r: &Reader<'_>) -> Result<Kind> {
    let Some(campaign) = r.maybe_parsed("cm", |key| CampaignId::from_key(key).ok())? else {
        return Ok(Kind::File {
            header: r.json("hd")?.ok_or_else(|| r.corrupt("hd"))?,
            mapping: r.json("mp")?.ok_or_else(|| r.corrupt("mp"))?,
            default_country: r.maybe_parsed("dc", |t| Country::parse(t).ok())?,
        });
    };
    Ok(Kind::Step(StepOf {
        campaign,
        step: r.parsed("st", |key| StepId::from_key(key).ok())?,
        workshop: r.parsed("ws", |key| WorkshopId::from_key(key).ok())?,
        revision: r.number("rv")?,
        started_at: r.time("cs")?,
    }))
}

pub fn write_page(org: OrgId, id: ImportId, number: u32, page: &Page) -> Item {
    let mut w = Writer::new(&keys::page(org, id, number));
    w.number("v", VERSION).number("nc", page.next_chunk).number("nx", page.next_record);
    let mut bytes = Vec::with_capacity(page.entries.len() * ENTRY_BYTES);
    for entry in &page.entries {
        bytes.extend(entry.line.to_be_bytes());
        bytes.extend(entry.message.as_bytes());
    }
    if !bytes.is_empty() {
        w.bytes("e", bytes);
    }
    if !page.rejected.is_empty() {
        let rejected: Vec<_> =
            page.rejected.iter().map(|r| json!([r.line, r.code, r.detail])).collect();
        w.text("rj", json!(rejected).to_string());
    }
    w.some("se", page.sealed.as_ref(), |doubles| s(json!(doubles).to_string()));
    w.done()
}

pub fn read_page(item: &Item) -> Result<Page> {
    let r = Reader::new("page", item);
    if r.number::<u8>("v")? > VERSION + 1 {
        return Err(r.corrupt("v"));
    }
    let mut entries = Vec::new();
    for chunk in r.bytes("e").unwrap_or_default().chunks(ENTRY_BYTES) {
        let (line, id) = chunk.split_at_checked(4).ok_or_else(|| r.corrupt("e"))?;
        entries.push(Entry {
            line: u32::from_be_bytes(line.try_into().map_err(|_| r.corrupt("e"))?),
            message: MessageId::from_bytes(id.try_into().map_err(|_| r.corrupt("e"))?),
        });
    }
    let rejected: Vec<(u32, String, String)> = r.json("rj")?.unwrap_or_default();
    Ok(Page {
        entries,
        rejected: rejected
            .into_iter()
            .map(|(line, code, detail)| Rejected { line, code, detail })
            .collect(),
        next_chunk: r.number("nc")?,
        next_record: r.number("nx")?,
        sealed: r.json("se")?,
    })
}

/// A piece of the file.
pub fn write_chunk(org: OrgId, id: ImportId, number: u32, text: &str) -> Item {
    let mut w = Writer::new(&keys::import_chunk(org, id, number));
    w.text("b", text);
    w.done()
}

pub fn seen(p: &Progress) -> [(String, aws_sdk_dynamodb::types::AttributeValue); 3] {
    [
        (":scp".to_owned(), n(p.pages)),
        (":scc".to_owned(), n(p.chunk)),
        (":scr".to_owned(), n(p.record)),
    ]
}
