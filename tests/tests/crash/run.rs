//! Runs a story once, whole or cut at a point; and all of them, on all cores.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use carillon_runtime::config::variable;
use futures::FutureExt;
use jiff::SignedDuration;

use crate::invariants::{self, Found};
use crate::plot::{Counts, Plot};
use crate::point::{Fault, Point};
use crate::quiet;
use crate::report::Line;
use crate::stage::Stage;
use crate::story::Story;
use crate::theatre::Theatre;

/// How long a step stands still: longer than any lease.
const STILL: SignedDuration = SignedDuration::from_mins(20);

/// Runs after which it says how far it is.
const PROGRESS: usize = 500;
const STACK: usize = 64 * 1024 * 1024;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    pub found: Found,
    pub counts: Counts,
    /// Whether the point was reached.
    pub struck: bool,
}

/// One run. Without a point nothing goes wrong.
pub async fn once(theatre: &Arc<Theatre>, story: &Story, point: Option<Point>) -> Outcome {
    let attempts = point.as_ref().map_or(1, |point| point.attempts);
    let stalls = point.as_ref().is_some_and(|point| point.fault.is_stall());
    let plot = Plot::new(point, None);
    let stage = Stage::set(theatre, Arc::clone(&plot), &story.setting, attempts).await;
    plot.arm(stage.stack.engines.queues());
    (story.tell)(stage.clone()).await;
    let mut is_quiet = true;
    if stalls {
        // Everyone else goes on meanwhile; then who stood still does.
        for _ in 0..4 {
            stage.stack.ctx.clock.advance(STILL / 4);
            stage.tick().await;
        }
        stage.release().await;
    }
    is_quiet &= quiet::reach(&stage).await;
    plot.disarm();
    let found = invariants::check(&stage, &story.allowed, is_quiet).await;
    Outcome { found, counts: plot.counts(), struck: plot.struck() }
}

/// Which points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All that fail, lose an answer or are cut off.
    Crashes,
    /// Those that come to the same as one of these, tried all the same.
    Equals,
    /// Steps that stand still.
    Stalls,
}

/// Every point of a story, from what a whole run does.
pub fn points(counts: &Counts, kind: Kind) -> Vec<Point> {
    let mut points = Vec::new();
    for (place, count) in counts {
        let point = |nth, fault, attempts| Point { place: place.clone(), nth, fault, attempts };
        for nth in 1..=*count {
            if kind == Kind::Stalls {
                points.extend(Fault::stalls(place.kind).iter().map(|f| point(nth, *f, 1)));
                continue;
            }
            for fault in Fault::of(place.kind) {
                for attempts in [1, 3] {
                    let point = point(nth, *fault, attempts);
                    let counts = attempts == 1 || point.is_absorbed();
                    if counts && point.equals_another() == (kind == Kind::Equals) {
                        points.push(point);
                    }
                }
            }
        }
    }
    points
}

/// All stories, cut at every point of each; one line of the table a story.
pub fn all(stories: &[Story], kind: Kind) -> Vec<Line> {
    let whole = side_by_side(stories, async |theatre, story| once(theatre, story, None).await);
    let mut lines = Vec::new();
    let mut work = Vec::new();
    for (place, (story, whole)) in stories.iter().zip(&whole).enumerate() {
        let operations = whole.counts.values().map(|n| usize::try_from(*n).expect("few")).sum();
        let mut line = Line::new(story.name, operations);
        for violation in &whole.found.violations {
            line.violations.push(format!("with no fault at all: {violation:?}"));
        }
        lines.push(line);
        let tried = points(&whole.counts, kind).into_iter().step_by(story.every);
        work.extend(tried.map(|point| (place, point)));
    }
    // For a first look at a long story.
    if let Some(every) = variable("CARILLON_CRASH_EVERY").and_then(|n| n.parse::<usize>().ok()) {
        work = work.into_iter().step_by(every.max(1)).collect();
    }
    let outcomes = side_by_side(&work, async |theatre, (place, point)| {
        safely(theatre, &stories[*place], Some(point.clone())).await
    });
    for ((place, point), outcome) in work.iter().zip(&outcomes) {
        lines[*place].add(&point.to_string(), outcome);
    }
    lines
}

/// Does `work` for each item, on all cores, each with a theatre of its own.
pub fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    work: impl AsyncFn(&Arc<Theatre>, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            // Futures of a test build are large.
            let thread = std::thread::Builder::new().stack_size(STACK);
            let spawned = thread.spawn_scoped(scope, || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let theatre = Arc::new(Theatre::open().await);
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(place) else { return };
                        if place > 0 && place.is_multiple_of(PROGRESS) {
                            println!("{place} of {}", items.len());
                        }
                        let result = work(&theatre, item).await;
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
                    }
                });
            });
            spawned.expect("a thread");
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A run that panics is a violation, with its point.
pub async fn safely(
    theatre: &Arc<Theatre>,
    story: &Story,
    point: Option<Point>,
) -> Result<Outcome, String> {
    caught(once(theatre, story, point)).await
}

/// `Err` is what it panicked with.
pub async fn caught(run: impl Future<Output = Outcome>) -> Result<Outcome, String> {
    AssertUnwindSafe(run).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
    })
}
