//! `GET …/Messages.json` and `GET …/Messages/{Sid}.json`: newest first, by page.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use jiff::{Timestamp, civil, fmt::rfc2822, tz::TimeZone};
use rusqlite::named_params;
use serde_json::json;

use super::{
    API, admitted,
    document::{self, Refusal, reply},
};
use crate::{app::Shared, clock, error::Result, message, number};

const DEFAULT_PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 1_000;
const DAY_MS: i64 = 86_400_000;

/// The list's query. Bounds in milliseconds, the upper one excluded.
struct Filter {
    to: Option<String>,
    from: Option<String>,
    least_ms: i64,
    below_ms: i64,
    page_size: i64,
    page: i64,
    /// Older than this message.
    token: Option<String>,
}

impl Filter {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let mut filter = Self {
            to: None,
            from: None,
            least_ms: i64::MIN,
            below_ms: i64::MAX,
            page_size: DEFAULT_PAGE,
            page: 0,
            token: None,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            let invalid = || Refusal::new(20_422, format!("Invalid Parameter: {name}"));
            match name.as_ref() {
                "To" => filter.to = Some(number::canonical(&value)),
                "From" => filter.from = Some(value.into_owned()),
                "DateSent" => {
                    let (start, end) = period(&value).ok_or_else(invalid)?;
                    filter.least_ms = filter.least_ms.max(start);
                    filter.below_ms = filter.below_ms.min(end);
                }
                // `DateSent>=x` reads as the name `DateSent>` and the value x.
                "DateSent>" => {
                    let (start, _) = period(&value).ok_or_else(invalid)?;
                    filter.least_ms = filter.least_ms.max(start);
                }
                "DateSent<" => {
                    let (_, end) = period(&value).ok_or_else(invalid)?;
                    filter.below_ms = filter.below_ms.min(end);
                }
                "PageSize" => {
                    let size: i64 = value.parse().map_err(|_| invalid())?;
                    filter.page_size = size.clamp(1, LARGEST_PAGE);
                }
                "Page" => {
                    let page: i64 = value.parse().map_err(|_| invalid())?;
                    filter.page = page.clamp(0, i64::MAX / LARGEST_PAGE - 1);
                }
                "PageToken" => filter.token = value.strip_prefix("PA").map(str::to_owned),
                _ => {}
            }
        }
        Ok(filter)
    }
}

/// A date is its day in GMT, a moment its second.
fn period(text: &str) -> Option<(i64, i64)> {
    let utc = |moment: civil::DateTime| {
        let zoned = moment.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp().as_millisecond())
    };
    if text.len() == 10 {
        let date: civil::Date = text.parse().ok()?;
        let start = utc(date.at(0, 0, 0, 0))?;
        return Some((start, start + DAY_MS));
    }
    let moment = match text.parse::<Timestamp>() {
        Ok(moment) => moment.as_millisecond(),
        Err(_) => match rfc2822::parse(text) {
            Ok(moment) => moment.timestamp().as_millisecond(),
            Err(_) => utc(text.parse().ok()?)?,
        },
    };
    let second = moment.div_euclid(1000) * 1000;
    Some((second, second + 1000))
}

/// A message that has not left yet has no `date_sent`; it is found by when it was made, since a
/// caller who asks whether its request arrived must find it.
const MATCHING: &str = "
    AND provider = 'twilio' AND accepted = 1 AND account = :account
    AND (:from IS NULL OR sender = :from)
    AND received_ms <= :visible
    AND seq < coalesce((SELECT older.seq FROM message AS older WHERE older.sid = :token),
                       9223372036854775807)
    AND coalesce(CASE WHEN sent_ms <= :now THEN at_ms + sent_ms - received_ms END, at_ms)
        / 1000 * 1000 >= :least
    AND coalesce(CASE WHEN sent_ms <= :now THEN at_ms + sent_ms - received_ms END, at_ms)
        / 1000 * 1000 < :below
    ORDER BY seq DESC LIMIT :limit OFFSET :offset";

pub(super) async fn list(
    State(app): State<Shared>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    if !admitted(&app, &account, &headers).await? {
        return Ok(reply(&Refusal::unauthorized()));
    }
    let query = query.unwrap_or_default();
    let filter = match Filter::parse(&query) {
        Ok(filter) => filter,
        Err(refusal) => return Ok(reply(&refusal)),
    };
    let path = format!("/{API}/Accounts/{account}/Messages.json");
    let now = clock::wall_ms();
    let (size, page) = (filter.page_size, filter.page);
    let found = app
        .database
        .call(move |state| {
            if !state.settings.look_up {
                return Ok(None);
            }
            let lag = i64::try_from(state.settings.look_up_lag_ms).unwrap_or(i64::MAX / 2);
            // A token already says where the page begins.
            let offset = if filter.token.is_some() { 0 } else { page * size };
            let values = named_params! {
                ":account": account,
                ":to": filter.to,
                ":from": filter.from,
                ":visible": now - lag,
                ":token": filter.token,
                ":now": now,
                ":least": filter.least_ms,
                ":below": filter.below_ms,
                ":limit": size + 1,
                ":offset": offset,
            };
            // Two texts, so that the one with a number goes by the index.
            let to = match filter.to {
                Some(_) => "to_number = :to",
                None => ":to IS NULL",
            };
            let rest = format!("WHERE {to} {MATCHING}");
            message::select(&state.connection, &rest, values).map(Some)
        })
        .await?;
    let Some(mut messages) = found else {
        return Ok(reply(&Refusal::broken()));
    };
    let page_rows = usize::try_from(size).unwrap_or(usize::MAX);
    let more = messages.len() > page_rows;
    messages.truncate(page_rows);
    let address = |page: i64, token: Option<&str>| {
        let kept = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !matches!(name.as_ref(), "Page" | "PageToken" | "PageSize"));
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(kept)
            .append_pair("PageSize", &size.to_string())
            .append_pair("Page", &page.to_string());
        if let Some(token) = token {
            text.append_pair("PageToken", &format!("PA{token}"));
        }
        format!("{path}?{}", text.finish())
    };
    let last = messages.last().and_then(|message| message.sid.as_deref());
    let start = page * size;
    let count = i64::try_from(messages.len()).unwrap_or_default();
    Ok(Json(json!({
        "end": start + (count - 1).max(0),
        "first_page_uri": address(0, None),
        "next_page_uri": more.then(|| address(page + 1, last)),
        "page": page,
        "page_size": size,
        "previous_page_uri": (page > 0).then(|| address(page - 1, None)),
        "start": start,
        "uri": format!("{path}?{query}"),
        "messages": messages
            .iter()
            .map(|message| document::message(message, now))
            .collect::<Vec<_>>(),
    }))
    .into_response())
}

pub(super) async fn fetch(
    State(app): State<Shared>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    if !admitted(&app, &account, &headers).await? {
        return Ok(reply(&Refusal::unauthorized()));
    }
    let path = format!("/{API}/Accounts/{account}/Messages/{file}");
    let sid = file.strip_suffix(".json").unwrap_or_default().to_owned();
    let found = app
        .database
        .call(move |state| {
            message::select(
                &state.connection,
                "WHERE provider = 'twilio' AND accepted = 1 AND account = :account AND sid = :sid",
                named_params! {":account": account, ":sid": sid},
            )
        })
        .await?;
    Ok(match found.first() {
        Some(message) => Json(document::message(message, clock::wall_ms())).into_response(),
        None => reply(&Refusal::not_found(&path)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_and_moments_are_seconds() {
        let day = 1_795_219_200_000; // 2026-11-21T00:00:00Z
        for (query, least, below) in [
            ("DateSent=2026-11-21", day, day + DAY_MS),
            ("DateSent%3E=2026-11-21", day, i64::MAX),
            ("DateSent>=2026-11-21", day, i64::MAX),
            ("DateSent<=2026-11-21", i64::MIN, day + DAY_MS),
            ("DateSent>=2026-11-21T00:00:05Z", day + 5_000, i64::MAX),
            ("DateSent>=2026-11-21T00:00:05.9Z", day + 5_000, i64::MAX),
            ("DateSent<=2026-11-21T00:00:05Z", i64::MIN, day + 6_000),
            ("DateSent>=2026-11-21%2000:00:05.000", day + 5_000, i64::MAX),
            ("DateSent>=Sat,%2021%20Nov%202026%2000:00:05%20%2B0000", day + 5_000, i64::MAX),
        ] {
            let filter = Filter::parse(query).expect(query);
            assert_eq!((filter.least_ms, filter.below_ms), (least, below), "{query}");
        }
        let soon = Filter::parse("DateSent=soon").err().map(|refusal| refusal.code);
        assert_eq!(soon, Some(20_422));
    }
}
