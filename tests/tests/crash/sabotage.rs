//! Whether the suite would notice: one mechanism of safety after the other is
//! taken away, and a violation must be found.

use carillon_store::Mechanism;

use crate::run::{Kind, once, points, safely, side_by_side};
use crate::story::{self, Story};

/// Runs between two looks at what was found.
const BATCH: usize = 32;
/// A prime larger than any count of points.
const STRIDE: usize = 7_919;

/// Where its absence shows, and whether it takes steps that stand still.
const fn shows_in(mechanism: Mechanism) -> (&'static str, Kind) {
    match mechanism {
        Mechanism::Claim | Mechanism::Token | Mechanism::SettleKey => ("single now", Kind::Crashes),
        Mechanism::LeaseCheck => ("single now", Kind::Stalls),
        Mechanism::PackBeforeCursor | Mechanism::Condition | Mechanism::FinishRule => {
            ("bulk", Kind::Crashes)
        }
        Mechanism::OptOutGate => ("STOP during a bulk", Kind::Crashes),
    }
}

/// Tries points until something is wrong; answers what, and after how many.
pub fn first_violation(mechanism: Mechanism) -> Option<(String, usize)> {
    let (name, kind) = shows_in(mechanism);
    let mut story = story::named(name);
    story.setting.without = Some(mechanism);
    let story: &Story = &story;
    let whole = side_by_side(&[()], async |theatre, ()| once(theatre, story, None).await);
    let whole = whole.first().expect("one run");
    if let Some(violation) = whole.found.violations.first() {
        return Some((format!("with no fault at all: {violation:?}"), 0));
    }
    let mut points = points(&whole.counts, kind);
    // Far apart ones first, always in the same order.
    let count = points.len();
    points = (0..count).map(|n| points[n * STRIDE % count].clone()).collect();
    let mut tried = 0;
    for batch in points.chunks(BATCH) {
        let found = side_by_side(batch, async |theatre, point| {
            safely(theatre, story, Some(point.clone())).await
        });
        for (point, outcome) in batch.iter().zip(found) {
            tried += 1;
            let what = match outcome {
                Ok(outcome) => outcome.found.violations.first().map(|v| format!("{v:?}")),
                Err(panic) => Some(panic),
            };
            if let Some(what) = what {
                return Some((format!("{point}: {what}"), tried));
            }
        }
    }
    None
}
