//! Who is in a segment: how many, and the first of them. Of very many only a part is looked at.

use serde::Deserialize;

use super::Segment;
use crate::api::{self, Listed, Problem};
use crate::contacts::Contact;
use crate::desk::Desk;
use crate::figures;

/// People on one page.
const ROWS: &str = "10";
/// Parts that are counted when all are asked for: two hundred thousand contacts, or a tenth where each takes a look
/// at its messages.
const MOST_PARTS: usize = 20;

/// Who is in it.
pub struct Found {
    pub segment: Segment,
    pub words: String,
    pub count: Count,
    pub people: Vec<Contact>,
    pub next: Option<String>,
    /// Why nobody can be found.
    pub problem: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Count {
    pub count: i64,
    pub looked_at: i64,
    pub next_cursor: Option<String>,
}

impl Count {
    /// `120 contacts`, or `at least 120 contacts`.
    pub fn said(&self) -> String {
        let said = figures::of(self.count, "contact");
        if self.next_cursor.is_some() { format!("At least {said}") } else { said }
    }
}

pub(super) async fn found(
    desk: &Desk,
    segment: Segment,
    words: String,
    cursor: &str,
    count_all: bool,
) -> Result<Found, Problem> {
    let own = format!("/v1/segments/{}", api::segment(&segment.id));
    let preview = api::path(&format!("{own}/preview"), &[("limit", ROWS), ("cursor", cursor)]);
    let (count, people) =
        futures::join!(count(desk, &own, count_all), desk.api.get::<Listed<Contact>>(&preview));
    let mut found = Found {
        words,
        count: Count::default(),
        people: Vec::new(),
        next: None,
        problem: None,
        segment,
    };
    match count.and_then(|count| Ok((count, people?))) {
        Ok((count, people)) => {
            let here = format!("/console/segments/{}", api::segment(&found.segment.id));
            found.next = people.next_cursor.map(|next| api::path(&here, &[("cursor", &next)]));
            (found.count, found.people) = (count, people.data);
        }
        // Rules of another release, or a cursor that somebody made up.
        Err(problem) if matches!(problem.status, 400 | 409 | 422) => {
            found.problem = Some(problem.detail);
        }
        Err(problem) => return Err(problem),
    }
    Ok(found)
}

async fn count(desk: &Desk, own: &str, all: bool) -> Result<Count, Problem> {
    let mut sum = Count::default();
    for _ in 0..if all { MOST_PARTS } else { 1 } {
        let cursor = sum.next_cursor.take().unwrap_or_default();
        let path = api::path(&format!("{own}/count"), &[("cursor", &cursor)]);
        let part: Count = desk.api.get(&path).await?;
        sum.count += part.count;
        sum.looked_at += part.looked_at;
        sum.next_cursor = part.next_cursor;
        if sum.next_cursor.is_none() {
            break;
        }
    }
    Ok(sum)
}
