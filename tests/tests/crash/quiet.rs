//! Lets a run come to its end: the clock goes from one thing that is due to the
//! next, minute by minute where something is, and over the rest at once.

use carillon_store::Item;
use carillon_store::keys::read_due_at;
use jiff::{SignedDuration, Timestamp};

use crate::stage::Stage;

/// Looks at what is due before it counts as never quiet.
const LOOKS: usize = 500;
/// And days.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Whether it came to an end.
pub async fn reach(stage: &Stage) -> bool {
    let clock = &stage.stack.ctx.clock;
    let started = clock.now();
    for _ in 0..LOOKS {
        stage.settle().await;
        let now = clock.now();
        if now > started + LONGEST {
            return false;
        }
        let look_ahead = stage.stack.ctx.config.tuning.look_ahead();
        let due = rows(stage).await.iter().filter_map(due_at).min();
        let due = due.map(|due| minute_after(now, due - look_ahead));
        let queued = stage.stack.engines.queues().next_change();
        match (due, queued) {
            (None, None) => return true,
            (due, Some(queued)) if due.is_none_or(|due| queued < due) => {
                clock.sleep_until(queued).await;
            }
            (Some(due), _) => {
                clock.sleep_until(due).await;
                stage.fire().await;
            }
            (None, Some(_)) => {}
        }
    }
    false
}

/// All rows of the table, as they are now.
pub async fn rows(stage: &Stage) -> Vec<Item> {
    let mut rows = Vec::new();
    let mut start = None;
    loop {
        let scan = stage.reader().scan().table_name(carillon_local::stack::TABLE);
        let answer = scan.consistent_read(true).set_exclusive_start_key(start).send().await;
        let answer = answer.expect("the engine answers");
        rows.extend(answer.items.unwrap_or_default());
        start = answer.last_evaluated_key;
        if start.is_none() {
            return rows;
        }
    }
}

/// When the row is due, if it waits.
pub fn due_at(row: &Item) -> Option<Timestamp> {
    let text = row.get("due_at")?.as_s().ok()?;
    read_due_at(text).map(|(at, _)| at)
}

/// The first firing of the schedule that sees what is due then.
fn minute_after(now: Timestamp, due: Timestamp) -> Timestamp {
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let next = (minute(due) + i64::from(due.as_second() % 60 != 0)).max(minute(now) + 1);
    Timestamp::from_second(next * 60).expect("in range")
}
