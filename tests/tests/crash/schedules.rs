//! Random schedules: faults by chance, and a platform that does what it may. SQS
//! delivers three times, late or never; the schedule fires twice, side by side,
//! or not for ten minutes; two senders work at a time; receipts come twice and
//! in any order; the stream repeats itself. A seed tells all of it.

use std::sync::Arc;

use aws_lambda_events::dynamodb::Event;
use carillon_local::poller::{Mapping, event};
use carillon_local::stack::TABLE;
use carillon_runtime::config::Tuning;
use carillon_tests::people::mobile;
use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use crate::dice::{Dice, Draw};
use crate::invariants;
use crate::plot::Plot;
use crate::point::Step;
use crate::quiet;
use crate::run::Outcome;
use crate::stage::{Setting, Stage};
use crate::story::Allowed;
use crate::theatre::Theatre;

/// Minutes in which people do something.
const MINUTES: u32 = 12;
/// Rounds of deliveries in a minute.
const ROUNDS: u32 = 60;
/// What a provider may be to blame for in the end; 21610 is its own list of people
/// who wrote STOP, which may be ahead of ours.
const ALLOWED: Allowed = Allowed {
    failures: &["20429", "20503", "not_sent", "not_connected", "21610"],
    copies: 1,
    attempts: 4,
    unknown: true,
};

/// What becomes of one body on a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Once,
    Thrice,
    /// Seconds later, behind others.
    Later(i32),
    Never,
}

/// A run by a seed.
pub async fn run(theatre: &Arc<Theatre>, seed: u64) -> Outcome {
    let mut draw = Draw::new(seed);
    let faults = draw.below(16);
    let plot = Plot::new(None, Some(Dice::new(seed, faults)));
    let in_flight = usize::try_from(1 + draw.below(5)).expect("few");
    let tuning = Tuning { calls_in_flight: in_flight, ..Setting::default().tuning };
    let setting = Setting { tuning, ..Setting::default() };
    let attempts = if draw.chance(50) { 1 } else { 3 };
    let stage = Stage::set(theatre, Arc::clone(&plot), &setting, attempts).await;
    let orders = ["normal", "shuffled", "reversed"];
    let order = orders[usize::try_from(draw.below(3)).expect("few")];
    stage.providers(json!({"callbacks": {"duplicate": draw.chance(30), "order": order}})).await;
    plot.arm(stage.stack.engines.queues());
    let mut told = Told::default();
    for minute in 0..MINUTES {
        told.something(&stage, &mut draw, minute).await;
        schedule(&stage, &mut draw).await;
        for _ in 0..ROUNDS {
            if !platform(&stage, &mut draw).await {
                break;
            }
        }
    }
    let is_quiet = quiet::reach(&stage).await;
    plot.disarm();
    let found = invariants::check(&stage, &ALLOWED, is_quiet).await;
    Outcome { found, counts: plot.counts(), struck: true }
}

/// What people did so far.
#[derive(Default)]
struct Told {
    people: u32,
    ids: Vec<String>,
}

impl Told {
    async fn something(&mut self, stage: &Stage, draw: &mut Draw, minute: u32) {
        if minute == 0 {
            let count = 7 + draw.below(6);
            let mut people: Vec<u32> = (0..count).map(|n| self.people + n).collect();
            self.people += count;
            if draw.chance(50) {
                people.push(people[usize::try_from(draw.below(count)).expect("few")]);
            }
            stage.bulk(&people, &[]).await;
        }
        match draw.below(8) {
            0 | 1 => {
                self.people += 1;
                let later =
                    json!({"scheduled_for": stage.in_minutes(i64::from(draw.below(9)) + 1)});
                let more = if draw.chance(50) { json!({}) } else { later };
                self.ids.extend(stage.send(self.people, more).await);
            }
            2 => {
                let person = draw.below(self.people);
                for message in stage.list(&format!("to=%2B{}", &mobile(person)[1..])).await {
                    self.ids.extend(message["id"].as_str().map(str::to_owned));
                }
                self.request(stage, draw, "cancel", None).await;
            }
            3 => {
                let at = json!({"scheduled_for": stage.in_minutes(i64::from(draw.below(6)) + 1)});
                self.request(stage, draw, "reschedule", Some(&at)).await;
            }
            4 => stage.person_writes(draw.below(self.people), "STOP").await,
            5 => stage.person_writes(draw.below(self.people), "Thanks").await,
            _ => {}
        }
    }

    /// Of one of the messages that are known.
    async fn request(
        &self,
        stage: &Stage,
        draw: &mut Draw,
        what: &str,
        body: Option<&serde_json::Value>,
    ) {
        let place = draw.below(u32::try_from(self.ids.len()).expect("few"));
        let Some(id) = self.ids.get(usize::try_from(place).expect("few")) else { return };
        stage.ask(Method::POST, &format!("/v1/messages/{id}/{what}"), body).await;
    }
}

/// A minute passes, or ten; the schedule fires, or twice, or not at all.
async fn schedule(stage: &Stage, draw: &mut Draw) {
    let clock = &stage.stack.ctx.clock;
    if draw.chance(8) {
        clock.advance(SignedDuration::from_mins(10));
        return;
    }
    clock.advance(SignedDuration::from_mins(1));
    match draw.below(10) {
        0 => {}
        1 => {
            stage.fire().await;
            stage.fire().await;
        }
        2 | 3 => {
            futures::join!(stage.fire(), stage.fire());
        }
        _ => stage.fire().await,
    }
}

/// One round of everything that the platform does; false when there was nothing.
async fn platform(stage: &Stage, draw: &mut Draw) -> bool {
    let mut any = false;
    let mut order = Mapping::ALL;
    order.rotate_left(usize::try_from(draw.below(3)).expect("few"));
    for mapping in order {
        let (first, second) = (delivery(mapping, draw), delivery(mapping, draw));
        any |= if draw.chance(40) {
            let (one, other) =
                futures::join!(deliver(stage, mapping, first), deliver(stage, mapping, second));
            one | other
        } else {
            deliver(stage, mapping, first).await
        };
    }
    if draw.chance(70) {
        any |= feed(stage, draw.chance(30)).await;
    }
    if draw.chance(60) {
        any |= stage.callbacks().await > 0;
    }
    any
}

/// A callback is known to its queue alone: that one does not lose anything.
fn delivery(mapping: Mapping, draw: &mut Draw) -> Delivery {
    match draw.below(100) {
        0..15 => Delivery::Thrice,
        15..30 => Delivery::Later(i32::try_from(1 + draw.below(90)).expect("few")),
        30..37 if mapping != Mapping::Receive => Delivery::Never,
        _ => Delivery::Once,
    }
}

async fn deliver(stage: &Stage, mapping: Mapping, delivery: Delivery) -> bool {
    let step = if mapping == Mapping::Receive { Step::Receiver } else { Step::Sender };
    let stack = stage.stack.clone();
    let work = async move {
        let url = mapping.url(&stack.ctx).to_owned();
        let receive = stack.sqs.receive_message().queue_url(&url).max_number_of_messages(1);
        let received = receive.wait_time_seconds(0).send().await?;
        let Some(message) = received.messages().first() else { return anyhow::Ok(false) };
        let handle = message.receipt_handle().unwrap_or_default();
        let times = match delivery {
            Delivery::Once => 1,
            Delivery::Thrice => 3,
            Delivery::Never => 0,
            Delivery::Later(seconds) => {
                let change = stack.sqs.change_message_visibility().queue_url(&url);
                change.receipt_handle(handle).visibility_timeout(seconds).send().await?;
                return Ok(true);
            }
        };
        let mut done = true;
        for _ in 0..times {
            let answer = mapping.invoke(&stack.ctx, event(received.messages())?).await;
            done = answer.batch_item_failures.is_empty();
        }
        if done {
            stack.sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await?;
        }
        Ok(true)
    };
    stage.step(step, work).await.is_none_or(|done| done.unwrap_or(true))
}

/// The stream's records, or the same ones twice.
async fn feed(stage: &Stage, twice: bool) -> bool {
    if twice {
        let stack = stage.stack.clone();
        let work = async move {
            let tables = stack.engines.tables();
            let cursor = tables.stream_cursor(TABLE).await?;
            let records = tables.read_stream(TABLE, cursor, 100).await?;
            let records: Vec<_> = records.into_iter().map(|record| record.event).collect();
            let event: Event = serde_json::from_value(json!({"Records": records}))?;
            anyhow::Ok(carillon_rollup::handle(&stack.ctx, event).await?)
        };
        // Once more by the usual way, whatever came of it.
        let _ = stage.step(Step::Rollup, work).await;
    }
    stage.feed().await > 0
}
