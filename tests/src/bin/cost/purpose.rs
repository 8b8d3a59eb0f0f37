//! What a write was for: by the step it happened in, the kind of row, and the state it went to.

use crate::formula::Change;
use crate::run::{Run, Step};

/// Step, kind of row, state (any when empty), purpose; the first that fits counts.
const PURPOSES: [(&str, &str, &str, &str); 18] = [
    ("upload", "f", "", "the file, in pieces"),
    ("upload", "i", "", "the import"),
    ("upload", "audit", "", "audit log: the upload, before and behind"),
    ("plan and dispatch", "p", "", "page: frozen, sealed"),
    ("plan and dispatch", "#", "", "page: its place in the time line"),
    ("plan and dispatch", "i", "", "import: lease, cursor after each page"),
    ("plan and dispatch", "m", "", "planning: the message"),
    ("plan and dispatch", "k", "new", "planning: the pack"),
    ("plan and dispatch", "k", "", "dispatch: lease of the pack"),
    ("accept", "m", "", "accept: the message, with its due time"),
    ("accept", "#", "", "accept: its place in the time line"),
    ("send", "k", "", "pack: begun, finished"),
    ("send", "ledger", "", "ledger: slots for the pack or message"),
    ("send", "cap", "", "a place among the person's messages of the day"),
    ("send", "m", "snd", "claim"),
    ("send", "m", "acc", "result"),
    ("receipts", "m", "", "receipt"),
    ("reconcile, a day later", "k", "", "pack: leased, begun, closed a day later"),
];

fn purpose(step: &Step, change: &Change) -> &'static str {
    // Side rows and counters, in one transaction.
    if step.in_transactions {
        return step.name;
    }
    let state = change.state.as_deref().unwrap_or(if change.new { "new" } else { "" });
    let fits = |(place, kind, wanted, _): &&(&str, &str, &str, &str)| {
        *place == step.name && *kind == change.kind && (wanted.is_empty() || *wanted == state)
    };
    PURPOSES.iter().find(fits).map_or("other", |(.., purpose)| purpose)
}

/// Purpose, writes and units by formula over the whole run, in the order in which they come.
pub fn by_formula(run: &Run) -> Vec<(&'static str, u32, f64)> {
    let mut found: Vec<(&'static str, u32, f64)> = Vec::new();
    for step in &run.steps {
        for change in &step.changes {
            let name = purpose(step, change);
            let units = step.factor() * change.units();
            match found.iter_mut().find(|(known, ..)| *known == name) {
                Some((_, writes, sum)) => {
                    *writes += 1;
                    *sum += units;
                }
                None => found.push((name, 1, units)),
            }
        }
    }
    found
}
