//! Callbacks to make and made, as rows. The courier carries them.
//!
//! They are written in the transaction that accepts the message, so a simulator that is killed makes
//! them later; whoever is called may be called twice.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use crate::{
    database::State,
    error::{Error, Result},
    message::Plan,
    settings::{Callbacks, Order, Outcome},
};

/// A repeat, or a status that was overtaken, comes this long after the last one.
const LATE_MS: i64 = 20;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Twilio's status: a signed form.
    Status,
    /// Twilio's inbound message: a signed form.
    Inbound,
    /// Fast2SMS's delivery report: JSON, unsigned.
    Report,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Inbound => "inbound",
            Self::Report => "report",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "inbound" => Self::Inbound,
            "report" => Self::Report,
            _ => Self::Status,
        }
    }
}

/// Which status is told when, in the order of telling. `swap` is the coin of [`Order::Shuffled`].
pub(crate) fn timetable(plan: &Plan, settings: &Callbacks, swap: bool) -> Vec<(&'static str, i64)> {
    let mut entries = Vec::new();
    if let Some(sent) = plan.sent_ms {
        entries.push(("sent", sent));
    }
    if plan.outcome != Outcome::Sent {
        entries.push((plan.outcome.name(), plan.final_ms));
    }
    let swapped = match settings.order {
        Order::Normal => false,
        Order::Shuffled => swap,
        Order::Reversed => true,
    };
    if swapped && entries.len() == 2 {
        // Never before it is so: the other one is late instead.
        entries.swap(0, 1);
        entries[1].1 = entries[0].1 + LATE_MS;
    }
    entries.retain(|(status, _)| !settings.lose.iter().any(|lost| lost == status));
    if settings.duplicate {
        let latest = entries.iter().map(|(_, at)| *at).max().unwrap_or_default();
        let repeats: Vec<_> =
            entries.iter().map(|(status, _)| (*status, latest + LATE_MS)).collect();
        entries.extend(repeats);
    }
    entries
}

pub(crate) struct New<'a> {
    pub message: i64,
    pub kind: Kind,
    pub status: &'a str,
    pub account: &'a str,
    pub url: &'a str,
    /// JSON: a list of pairs for a form, else the body.
    pub content: String,
    pub wrong_signature: bool,
    pub due_ms: i64,
    pub after: Option<i64>,
}

pub(crate) fn insert(connection: &Connection, new: &New<'_>) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO callback (message, kind, status, account, url, content, wrong_signature,
             due_ms, first_ms, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)",
        )?
        .execute(params![
            new.message,
            new.kind.name(),
            new.status,
            new.account,
            new.url,
            new.content,
            new.wrong_signature,
            new.due_ms,
            new.after,
        ])?;
    Ok(connection.last_insert_rowid())
}

/// One to carry now.
#[derive(Clone)]
pub(crate) struct Due {
    pub id: i64,
    pub kind: Kind,
    pub url: String,
    pub content: String,
    pub wrong_signature: bool,
    pub attempts: u32,
    pub first_ms: i64,
    /// The account's auth token, if it is known.
    pub token: Option<String>,
}

const DUE: &str = "SELECT id, kind, url, content, wrong_signature, attempts, first_ms,
     (SELECT auth_token FROM account WHERE sid = callback.account) FROM callback";

fn read(row: &Row<'_>) -> rusqlite::Result<Due> {
    Ok(Due {
        id: row.get(0)?,
        kind: Kind::parse(row.get_ref(1)?.as_str()?),
        url: row.get(2)?,
        content: row.get(3)?,
        wrong_signature: row.get(4)?,
        attempts: row.get(5)?,
        first_ms: row.get(6)?,
        token: row.get(7)?,
    })
}

/// Up to `limit` callbacks that are due, marked as in flight, and when the next one will be.
///
/// One that comes after another waits until that was tried once: in order as long as the other side
/// answers, and not held up by it for ever when it does not.
pub(crate) fn take(
    state: &mut State,
    now_ms: i64,
    limit: usize,
) -> Result<(Vec<Due>, Option<i64>)> {
    if state.settings.callbacks.hold {
        return Ok((Vec::new(), None));
    }
    let taken = pending(state, now_ms, limit, &HashSet::new())?;
    let next = state
        .connection
        .prepare_cached("SELECT min(due_ms) FROM callback WHERE state = 'pending' AND due_ms > ?1")?
        .query_row([now_ms], |row| row.get(0))?;
    Ok((taken, next))
}

/// All that wait, whatever their time and the hold, except those `tried` already.
pub(crate) fn take_all(state: &mut State, tried: &HashSet<i64>) -> Result<Vec<Due>> {
    pending(state, i64::MAX, usize::MAX / 2, tried)
}

fn pending(
    state: &mut State,
    until_ms: i64,
    limit: usize,
    tried: &HashSet<i64>,
) -> Result<Vec<Due>> {
    let mut statement = state.connection.prepare_cached(&format!(
        "{DUE} WHERE state = 'pending' AND due_ms <= ?1
         AND NOT EXISTS (SELECT 1 FROM callback AS before WHERE before.id = callback.after
                         AND before.state = 'pending' AND before.attempts = 0)
         ORDER BY due_ms, id LIMIT ?2"
    ))?;
    let most = i64::try_from(limit.saturating_add(state.in_flight.len())).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![until_ms, most], read)?;
    let mut taken = Vec::new();
    for due in rows {
        let due = due?;
        let free = !state.in_flight.contains(&due.id) && !tried.contains(&due.id);
        if free && taken.len() < limit {
            taken.push(due);
        }
    }
    state.in_flight.extend(taken.iter().map(|due| due.id));
    Ok(taken)
}

/// One by its id, whatever its time, marked as in flight.
pub(crate) fn take_one(state: &mut State, id: i64) -> Result<Option<Due>> {
    let due = state
        .connection
        .prepare_cached(&format!("{DUE} WHERE state = 'pending' AND id = ?1"))?
        .query_row([id], read)
        .optional()?;
    state.in_flight.extend(due.iter().map(|due| due.id));
    Ok(due)
}

/// What came of carrying one.
#[derive(Clone)]
pub(crate) enum Carried {
    Answered { status: u16, body: String },
    Unreachable { problem: String },
}

/// Writes down what came of it, and when it is tried again, if at all.
pub(crate) fn record(state: &mut State, due: &Due, carried: &Carried, now_ms: i64) -> Result<()> {
    state.in_flight.remove(&due.id);
    let attempts = due.attempts + 1;
    let first_ms = if due.attempts == 0 { now_ms } else { due.first_ms };
    let (status, answer, problem, again) = match carried {
        Carried::Answered { status, body } => {
            let again = *status == 429 || *status >= 500;
            (Some(*status), Some(body), None, again)
        }
        Carried::Unreachable { problem } => (None, None, Some(problem), true),
    };
    let next_ms = now_ms + pause_ms(attempts);
    let window = i64::try_from(state.settings.callbacks.retry_for_ms).unwrap_or(i64::MAX / 2);
    let word = match (again, next_ms <= first_ms + window) {
        (false, _) => "answered",
        (true, true) => "pending",
        (true, false) => "given_up",
    };
    state
        .connection
        .prepare_cached(
            "UPDATE callback SET state = ?2, attempts = ?3, first_ms = ?4, due_ms = ?5,
             answer_status = ?6, answer = ?7, problem = ?8, done_ms = ?9 WHERE id = ?1",
        )?
        .execute(params![
            due.id, word, attempts, first_ms, next_ms, status, answer, problem, now_ms
        ])?;
    Ok(())
}

/// A quarter of a second, doubling, at most five.
fn pause_ms(attempts: u32) -> i64 {
    (250_i64 << attempts.saturating_sub(1).min(5)).min(5_000)
}

/// After a restart all that waits is tried at once, with the whole time for retries before it.
pub(crate) fn wake_after_restart(connection: &Connection, now_ms: i64) -> Result<()> {
    connection.execute(
        "UPDATE callback SET first_ms = ?1, due_ms = min(due_ms, ?1) WHERE state = 'pending'",
        [now_ms],
    )?;
    Ok(())
}

/// A callback as `/sim/messages` and `/sim/callbacks` show it.
#[derive(Clone, Serialize)]
pub struct Made {
    pub id: i64,
    /// The message's `seq`.
    pub message: i64,
    /// `status`, `inbound` or `report`.
    pub kind: String,
    pub status: String,
    pub url: String,
    /// `pending`, `answered` or `given_up`.
    pub state: String,
    pub attempts: u32,
    /// HTTP status of the last answer.
    pub answer_status: Option<u16>,
    /// Its body, cut.
    pub answer: Option<String>,
    /// Why the last attempt had no answer.
    pub problem: Option<String>,
}

/// Callbacks by a condition in SQL; `rest` is everything after `FROM callback`.
pub(crate) fn select(
    connection: &Connection,
    rest: &str,
    values: &[(&str, &dyn rusqlite::ToSql)],
) -> Result<Vec<Made>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, message, kind, status, url, state, attempts, answer_status, answer, problem
         FROM callback {rest}"
    ))?;
    let rows = statement.query_map(values, |row| {
        Ok(Made {
            id: row.get(0)?,
            message: row.get(1)?,
            kind: row.get(2)?,
            status: row.get(3)?,
            url: row.get(4)?,
            state: row.get(5)?,
            attempts: row.get(6)?,
            answer_status: row.get(7)?,
            answer: row.get(8)?,
            problem: row.get(9)?,
        })
    })?;
    rows.collect::<rusqlite::Result<_>>().map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timetables() {
        let normal = Callbacks::default();
        let with = |change: fn(&mut Callbacks)| {
            let mut settings = Callbacks::default();
            change(&mut settings);
            settings
        };
        let reversed = with(|settings| settings.order = Order::Reversed);
        let shuffled = with(|settings| settings.order = Order::Shuffled);
        let doubled = with(|settings| settings.duplicate = true);
        let lossy = with(|settings| settings.lose = vec!["sent".to_owned()]);
        for (outcome, settings, swap, expected) in [
            (Outcome::Delivered, &normal, true, vec![("sent", 1050), ("delivered", 1100)]),
            (Outcome::Failed, &normal, false, vec![("failed", 1100)]),
            (Outcome::Sent, &normal, false, vec![("sent", 1050)]),
            (Outcome::Delivered, &reversed, false, vec![("delivered", 1100), ("sent", 1120)]),
            (Outcome::Delivered, &shuffled, false, vec![("sent", 1050), ("delivered", 1100)]),
            (Outcome::Delivered, &shuffled, true, vec![("delivered", 1100), ("sent", 1120)]),
            (
                Outcome::Delivered,
                &doubled,
                false,
                vec![("sent", 1050), ("delivered", 1100), ("sent", 1120), ("delivered", 1120)],
            ),
            (Outcome::Delivered, &lossy, false, vec![("delivered", 1100)]),
        ] {
            let plan = Plan::new(1000, 100, outcome, None);
            assert_eq!(timetable(&plan, settings, swap), expected, "{outcome:?} {settings:?}");
        }
    }

    #[test]
    fn retries_slow_down() {
        let pauses: Vec<_> = (1..=7).map(pause_ms).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000]);
    }
}
