//! Freezing a page: which lines become which messages, and why others do not.

use std::collections::{BTreeMap, HashSet};

use carillon_domain::campaign::{cause, read_frozen};
use carillon_domain::content::TemplateContent;
use carillon_domain::import::{DUPLICATE, Entry, Import, Kind, Page, Rejected};
use carillon_domain::personal::{self, About};
use carillon_domain::rows::{self, CorruptChunk, Row};
use carillon_domain::template::{Template, TemplateError};
use carillon_domain::{AddressKey, AddressSecret, ContactId, MessageId, PhoneNumber, segments};
use carillon_runtime::Context;
use carillon_runtime::context::InstallationError;
use carillon_store::StoreError;
use serde_json::{Map, Value};

/// Of a reason that is kept with a page.
const DETAIL_CHARACTERS: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Chunk(#[from] CorruptChunk),
    #[error("the text that was taken with the file cannot be read any more")]
    Template(#[from] TemplateError),
    /// A frozen line no longer reads as it did.
    #[error("line {line} of the file does not read as it did when its page was frozen")]
    Changed { line: u32 },
}

/// The text, read once; and the pieces of the file, read one at a time and
/// kept for the next page.
pub struct Reader {
    pub text: Text,
    chunk: Option<(u32, Vec<Row>)>,
}

/// What is said, with all that the template says of its variables.
#[derive(Clone)]
pub struct Text {
    template: Template,
    content: TemplateContent,
}

impl Reader {
    pub async fn new(ctx: &Context, import: &Import) -> Result<Self, FreezeError> {
        let template = Template::parse(&import.body)?;
        let stored = match (&import.kind, &import.template) {
            (Kind::File { .. }, Some(of)) => {
                ctx.store.template_version(import.org, of.id, of.version).await?
            }
            (Kind::File { .. } | Kind::Step(_), _) => None,
        };
        // The text that was taken with the file is the one that counts.
        let is_same = |content: &TemplateContent| {
            content.source(None).is_ok_and(|(_, source)| source == import.body)
        };
        let content = stored.map(|t| t.content).filter(is_same);
        let content = content.unwrap_or_else(|| TemplateContent::text(import.body.as_str()));
        Ok(Self { text: Text { template, content }, chunk: None })
    }

    async fn chunk(
        &mut self,
        ctx: &Context,
        import: &Import,
        number: u32,
    ) -> Result<&[Row], FreezeError> {
        if self.chunk.as_ref().is_none_or(|(kept, _)| *kept != number) {
            let text = ctx.store.import_chunk(import.org, import.id, number).await?;
            let rows = rows::read_chunk(&text).collect::<Result<Vec<_>, _>>()?;
            self.chunk = Some((number, rows));
        }
        Ok(self.chunk.as_ref().map(|(_, rows)| rows.as_slice()).unwrap_or_default())
    }

    /// The rows of the page that begins at the import's cursor.
    pub async fn rows(
        &mut self,
        ctx: &Context,
        import: &Import,
        page: &Page,
    ) -> Result<Vec<Row>, FreezeError> {
        let from = usize::try_from(import.progress.record).unwrap_or(0);
        let same = page.next_chunk == import.progress.chunk;
        let chunk = self.chunk(ctx, import, import.progress.chunk).await?;
        let to = if same { usize::try_from(page.next_record).unwrap_or(0) } else { chunk.len() };
        Ok(chunk.get(from..to).unwrap_or_default().to_vec())
    }
}

impl Text {
    /// For a row of a file: nothing is known of its person but what stands there.
    fn write(&self, given: &Map<String, Value>) -> Result<personal::Written, personal::Unwritten> {
        let language = self.content.translations().and_then(|t| t.language.as_deref());
        let said = (&self.content, &self.template, language);
        personal::fill(said, &BTreeMap::new(), given, &About::default())
    }
}

/// What a row becomes.
pub enum Outcome {
    Recipient(Recipient),
    Rejected { code: &'static str, detail: String },
}

/// Whom a message is for, and what it says.
pub struct Recipient {
    pub to: PhoneNumber,
    pub contact: Option<ContactId>,
    /// The contact's own.
    pub zone: Option<String>,
    pub variables: Map<String, Value>,
    pub body: String,
}

/// Reads one row: the same answer for the same row, now and after a crash.
pub fn read(import: &Import, text: &Text, row: &Row) -> Outcome {
    let said = match &import.kind {
        Kind::File { mapping, default_country, .. } => {
            let recipient = match mapping.recipient(&row.cells, *default_country) {
                Ok(recipient) => recipient,
                Err(error) => {
                    return Outcome::Rejected { code: error.code(), detail: error.to_string() };
                }
            };
            match text.write(&recipient.variables) {
                Ok(written) => (recipient.to, None, None, written.variables, Some(written.body)),
                Err(error) => {
                    return Outcome::Rejected { code: error.code(), detail: error.to_string() };
                }
            }
        }
        Kind::Step(_) => match read_frozen(&row.cells) {
            Some(f) => (f.to, Some(f.contact), f.zone, f.variables, f.body),
            None => {
                let detail = "the person was forgotten".to_owned();
                return Outcome::Rejected { code: "forgotten", detail };
            }
        },
    };
    let (to, contact, zone, variables, written) = said;
    let body = match written.map_or_else(|| text.template.render(&variables), Ok) {
        Ok(body) => body,
        Err(error) => return Outcome::Rejected { code: error.code(), detail: error.to_string() },
    };
    if body.trim().is_empty() {
        let detail = "the text is empty for this row; give its variables a value".to_owned();
        return Outcome::Rejected { code: "empty_body", detail };
    }
    let counted = segments::count(&body);
    if counted.segments > import.max_segments {
        let detail = format!(
            "the text has {} segments, {} are allowed; shorten the text or this row's values",
            counted.segments, import.max_segments
        );
        return Outcome::Rejected { code: "too_many_segments", detail };
    }
    Outcome::Recipient(Recipient { to, contact, zone, variables, body })
}

/// The page that begins at the import's cursor. A page never spans two pieces.
pub async fn build(
    ctx: &Context,
    import: &Import,
    reader: &mut Reader,
) -> Result<Page, FreezeError> {
    let secret = ctx.address_secret().await?;
    let (chunk, from) = (import.progress.chunk, import.progress.record);
    let text = reader.text.clone();
    let rows = reader.chunk(ctx, import, chunk).await?;
    let start = usize::try_from(from).unwrap_or(0);
    let end = (start + ctx.config.tuning.page_size).min(rows.len());
    let mut page = Page::default();
    let mut seen = HashSet::new();
    for row in rows.get(start..end).unwrap_or_default() {
        match read(import, &text, row) {
            Outcome::Recipient(recipient) => {
                let message = message_id(&secret, import, &recipient.to, row.line);
                if seen.insert(message) {
                    page.entries.push(Entry { line: row.line, message });
                } else {
                    let detail = "an earlier line has the same number".to_owned();
                    let code = DUPLICATE.to_owned();
                    page.rejected.push(Rejected { line: row.line, code, detail });
                }
            }
            Outcome::Rejected { code, detail } => {
                // A page of them must fit a row, whatever columns are called.
                let detail = detail.chars().take(DETAIL_CHARACTERS).collect();
                page.rejected.push(Rejected { line: row.line, code: code.to_owned(), detail });
            }
        }
    }
    (page.next_chunk, page.next_record) = if end == rows.len() {
        (chunk + 1, 0)
    } else {
        (chunk, u32::try_from(end).unwrap_or(u32::MAX))
    };
    Ok(page)
}

/// One message a number and file, whichever line it stands on; of a step, one a
/// registration, whichever source it is in. `line` is the registration's number.
pub fn message_id(
    secret: &AddressSecret,
    import: &Import,
    to: &PhoneNumber,
    line: u32,
) -> MessageId {
    let address = AddressKey::new(secret, import.org, to.as_str());
    let ms = |at: jiff::Timestamp| u64::try_from(at.as_millisecond()).unwrap_or(0);
    match &import.kind {
        Kind::File { .. } => {
            let at = ms(import.created_at);
            MessageId::new(address, at, &[b"import", import.id.as_bytes()])
        }
        Kind::Step(of) => {
            let cause = cause(of.campaign, of.step, of.revision, line);
            MessageId::new(address, ms(of.started_at), &[&cause])
        }
    }
}
