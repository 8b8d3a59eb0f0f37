//! Messages, newest first, by filters that stand in the address.

use askama::Template;
use axum::body::Body;
use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde::Deserialize;

use crate::api::{self, Api, Listed, Problem};
use crate::desk::Desk;
use crate::frame::Frame;
use crate::message::Message;
use crate::page::{self, Refusal};
use crate::status::Status;

/// On one page.
const ROWS: usize = 25;
/// So often in a row the page looks further back by itself where little fits.
const ROUNDS: u8 = 10;
/// Read at a time for a file.
const OF_FILE: &str = "200";
/// Messages in a file; and pieces that are looked through for them.
const MOST: usize = 20_000;
const MOST_PIECES: usize = 1_000;
/// The last line of a file that was cut.
const NOT_ALL: &str = "\"not all of them: ask for a shorter time\"\r\n";
const STATUSES: [&str; 11] = [
    "pending",
    "queued",
    "sending",
    "unknown",
    "sent",
    "delivered",
    "read",
    "failed",
    "cancelled",
    "suppressed",
    "received",
];

/// As the API has them, with two days instead of times.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub q: String,
    pub status: String,
    pub direction: String,
    pub channel: String,
    pub from: String,
    pub to: String,
    pub error_code: String,
    pub import_id: String,
    pub template: String,
    pub contact_id: String,
    pub campaign_id: String,
    pub workshop_id: String,
    pub booking_id: String,
    pub cursor: String,
    /// How often the page has looked further back by itself.
    pub round: u8,
}

/// The messages behind those of a page.
pub struct Next {
    pub path: String,
    /// So few fit that the page looks there without being asked.
    pub by_itself: bool,
}

impl Filter {
    fn pairs(&self) -> [(&'static str, &str); 13] {
        [
            ("q", &self.q),
            ("status", &self.status),
            ("direction", &self.direction),
            ("channel", &self.channel),
            ("from", &self.from),
            ("to", &self.to),
            ("error_code", &self.error_code),
            ("import_id", &self.import_id),
            ("template", &self.template),
            ("contact_id", &self.contact_id),
            ("campaign_id", &self.campaign_id),
            ("workshop_id", &self.workshop_id),
            ("booking_id", &self.booking_id),
        ]
    }

    /// This is not the beginning of the list.
    pub fn goes_on(&self) -> bool {
        !self.cursor.is_empty()
    }

    pub fn is_set(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// Those that have no field of their own on the page.
    pub fn hidden(&self) -> Vec<(&'static str, &str)> {
        let shown = ["q", "status", "direction", "from", "to"];
        let rest = self.pairs().into_iter().filter(|(name, _)| !shown.contains(name));
        rest.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// What the API is asked, and what another page's address says.
    pub fn path(&self, path: &str, more: &[(&str, &str)]) -> String {
        api::path(path, &[&self.pairs()[..], more].concat())
    }
}

#[derive(Template)]
#[template(path = "messages.html")]
pub struct MessagesPage {
    pub frame: Frame,
    pub filter: Filter,
    pub statuses: Vec<(&'static str, String)>,
    /// What else the list is of, in words.
    pub about: Option<String>,
    pub messages: Vec<Message>,
    pub next: Option<Next>,
    pub export: String,
    pub problem: Option<String>,
}

/// `GET /console/messages`
pub async fn page(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    let limit = ROWS.to_string();
    let asked = filter.path("/v1/messages", &[("limit", &limit), ("cursor", &filter.cursor)]);
    let found = desk.api.get::<Listed<Message>>(&asked);
    let (frame, found) = futures::join!(desk.frame("Messages"), found);
    let frame = frame?;
    let (messages, next, problem) = match found {
        Ok(found) => (found.data, found.next_cursor, None),
        Err(problem) if problem.status == 400 => (Vec::new(), None, Some(problem.detail)),
        Err(problem) => return Err(problem.into()),
    };
    let by_itself = messages.len() < ROWS && filter.round < ROUNDS;
    let next = next.map(|cursor| {
        let round = if by_itself { filter.round + 1 } else { 0 }.to_string();
        let more = [("cursor", &*cursor), ("round", &*round)];
        Next { path: filter.path("/console/messages", &more), by_itself }
    });
    let page = MessagesPage {
        frame,
        statuses: statuses(),
        about: about(&filter),
        messages,
        next,
        export: filter.path("/console/messages/export", &[]),
        problem,
        filter,
    };
    Ok(page::ok(&page))
}

fn statuses() -> Vec<(&'static str, String)> {
    STATUSES.map(|name| (name, Status(name.to_owned()).word())).into()
}

fn about(filter: &Filter) -> Option<String> {
    let hidden = filter.hidden();
    let said = hidden.iter().map(|(name, value)| {
        format!("{}: {value}", crate::status::words(name.trim_end_matches("_id")))
    });
    let said = said.collect::<Vec<_>>().join(" · ");
    Some(said).filter(|said| !said.is_empty())
}

/// `GET /console/messages/export`: the same list as a file for spreadsheets, made while it is read.
pub async fn export(desk: Desk, Query(filter): Query<Filter>) -> Result<Response, Refusal> {
    let first = filter.path("/v1/messages", &[("limit", OF_FILE)]);
    // The first piece decides whether there is a file.
    let Piece { text: head, messages, next } = piece(&desk.api, &filter, &first, true).await?;
    let begin = Some((desk.api, filter, next, 1, messages));
    let rest = stream::unfold(begin, async |state| {
        let (api, filter, next, pieces, messages) = state?;
        let path = next?;
        let is_full = messages >= MOST || pieces >= MOST_PIECES;
        match if is_full { None } else { piece(&api, &filter, &path, false).await.ok() } {
            Some(Piece { text, messages: more, next }) => {
                Some((text, Some((api, filter, next, pieces + 1, messages + more))))
            }
            None => Some((NOT_ALL.to_owned(), None)),
        }
    });
    let text = futures::StreamExt::chain(stream::iter([head]), rest);
    let body = futures::StreamExt::map(text, Ok::<_, std::convert::Infallible>);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"messages.csv\""),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Lines of the file, how many messages they are, and where the rest is.
struct Piece {
    text: String,
    messages: usize,
    next: Option<String>,
}

async fn piece(api: &Api, filter: &Filter, path: &str, with_head: bool) -> Result<Piece, Problem> {
    let found: Listed<Message> = api.get(path).await?;
    let mut text = String::new();
    if with_head {
        text.push_str("id,direction,channel,number,status,text,segments,scheduled_for,sent_at,delivered_at,price,currency,error\r\n");
    }
    for m in &found.data {
        let time = |at: &Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let price = m.price.as_ref();
        let cells = [
            m.id.clone(),
            m.direction.clone(),
            m.channel.clone(),
            m.person().to_owned(),
            m.status.0.clone(),
            m.body.clone(),
            m.segments.to_string(),
            m.scheduled_for.to_string(),
            time(&m.sent_at),
            time(&m.delivered_at),
            price.map(|p| p.amount.clone()).unwrap_or_default(),
            price.map(|p| p.currency.clone()).unwrap_or_default(),
            m.error.as_ref().map(|e| e.code.clone()).unwrap_or_default(),
        ];
        text.push_str(&cells.map(|cell| quoted(&cell)).join(","));
        text.push_str("\r\n");
    }
    let next = found
        .next_cursor
        .map(|cursor| filter.path("/v1/messages", &[("limit", OF_FILE), ("cursor", &cursor)]));
    Ok(Piece { text, messages: found.data.len(), next })
}

/// A cell that no spreadsheet takes for a formula.
fn quoted(cell: &str) -> String {
    let is_number = cell.strip_prefix('+').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
impl MessagesPage {
    pub fn sample() -> Self {
        let text = || crate::page::tests::HOSTILE.to_owned();
        Self {
            frame: Frame::sample(),
            filter: Filter { q: text(), from: text(), import_id: text(), ..Filter::default() },
            statuses: statuses(),
            about: Some(text()),
            messages: vec![Message::sample()],
            next: Some(Next { path: text(), by_itself: true }),
            export: text(),
            problem: Some(text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, text) in [
            ("Hi \"Ada\"", "\"Hi \"\"Ada\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("+61491570006", "\"+61491570006\""),
            ("+1+cmd", "\"'+1+cmd\""),
        ] {
            assert_eq!(quoted(cell), text);
        }
    }
}
