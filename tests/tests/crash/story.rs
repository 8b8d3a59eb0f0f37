//! The stories. A story says what people and providers do; the harness counts
//! what the functions do for it, and cuts it at each of these operations.
//!
//! A new one is ten lines: a function below, and its line in [`all`].

use carillon_local::poller::Mapping;
use carillon_tests::people::mobile;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::front::Interlude;
use crate::point::Step;
use crate::stage::{Setting, Stage};
use crate::{contacts, workshop};

pub struct Story {
    pub name: &'static str,
    pub tell: fn(Stage) -> BoxFuture<'static, ()>,
    pub setting: Setting,
    pub allowed: Allowed,
    /// Each n-th of its points is tried with every change of ours, all of them in a full run.
    pub every: usize,
}

/// What is no violation in this story.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// Codes of failures that the providers, or time, are to blame for.
    pub failures: &'static [&'static str],
    /// How often a provider may have one text.
    pub copies: u32,
    /// Attempts of a message when nothing of ours went wrong.
    pub attempts: usize,
    /// The providers themselves leave messages Unknown.
    pub unknown: bool,
}

impl Default for Allowed {
    fn default() -> Self {
        Self { failures: &[], copies: 1, attempts: 1, unknown: false }
    }
}

type Tell = fn(Stage) -> BoxFuture<'static, ()>;

fn story(name: &'static str, tell: Tell) -> Story {
    Story { name, tell, setting: Setting::default(), allowed: Allowed::default(), every: 1 }
}

/// One of many rows, in which most operations are like their neighbours.
fn long(name: &'static str, tell: Tell) -> Story {
    Story { every: 8, ..story(name, tell) }
}

/// All stories, short ones first.
pub fn all() -> Vec<Story> {
    let retried = Allowed { attempts: 2, ..Allowed::default() };
    // The provider knows of it before we do.
    let their_list = Allowed { failures: &["21610"], ..Allowed::default() };
    let unknown = Allowed { attempts: 2, unknown: true, ..Allowed::default() };
    let refused = Allowed { failures: &["21211"], ..retried.clone() };
    let asks_nobody = Setting { account: json!({"look_up": false}), ..Setting::default() };
    let quiet_nights = Setting { settings: json!({}), ..Setting::default() };
    vec![
        story("single now", single),
        story("scheduled", scheduled),
        story("rescheduled", rescheduled),
        story("receipt before result", receipt_first),
        Story { allowed: retried, ..story("retry after a refusal", refused_once) },
        Story { allowed: refused, ..story("retried by a person", retried_by_a_person) },
        story("no receipts", no_receipts),
        Story { allowed: unknown.clone(), ..story("found by look-up", found_by_look_up) },
        Story {
            allowed: unknown.clone(),
            setting: asks_nobody,
            ..story("held as Unknown", nobody_can_be_asked)
        },
        Story { setting: quiet_nights, ..story("deferred over the night", deferred) },
        Story { allowed: unknown, ..story("restored", restored) },
        story("redriven", redriven),
        story("booking moved", booking_moved),
        story("bulk", bulk),
        story("cancel during a bulk", cancelled),
        Story { allowed: their_list, ..story("STOP during a bulk", opted_out) },
        story("pause during a bulk", paused),
        long("run a sequence", workshop::run_sequence),
        long("late registration", workshop::late_registration),
        long("leaving", workshop::leaving),
        long("moved while it is planned", workshop::moved),
        long("campaign cancelled", workshop::cancelled),
        story("contacts from a file", contacts::imported),
        // It has the workshop's points and the file's.
        Story { every: 32, ..story("registered by a file", contacts::registered) },
    ]
}

/// The story of this name.
pub fn named(name: &str) -> Story {
    all().into_iter().find(|story| story.name == name).expect("a story of this name")
}

fn single(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.send(1, json!({})).await;
        s.settle().await;
    }
    .boxed()
}

fn scheduled(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.send(1, json!({"scheduled_for": s.in_minutes(3)})).await;
        s.minutes(4).await;
    }
    .boxed()
}

fn rescheduled(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let id = s.send(1, json!({"scheduled_for": s.in_minutes(3)})).await;
        s.minutes(1).await;
        let Some(id) = id else { return };
        let later = json!({"scheduled_for": s.in_minutes(5)});
        s.ask(Method::POST, &format!("/v1/messages/{id}/reschedule"), Some(&later)).await;
        s.minutes(3).await;
    }
    .boxed()
}

/// A client is told of a booking, of its move, and of its end, once each.
fn booking_moved(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        for (key, body) in [
            ("booking_moved", "{{ client_name }}: now {{ session_datetime }}"),
            ("booking_cancelled", "{{ client_name }}: cancelled"),
        ] {
            let template = json!({"key": key, "channel": "sms", "body": body});
            s.ask(Method::POST, "/v1/templates", Some(&template)).await;
        }
        let contact = json!({"name": "Ada", "phone": mobile(1)});
        let client = s.ask(Method::POST, "/v1/contacts", Some(&contact)).await;
        let Some((201, client)) = client else { return };
        let booking = json!({"client_id": client["id"], "starts_at": s.in_minutes(3_000)});
        let made = s.ask(Method::POST, "/v1/bookings", Some(&booking)).await;
        let Some((201, booking)) = made else { return };
        s.minutes(1).await;
        let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap_or_default());
        let to = json!({"starts_at": s.in_minutes(6_000)});
        s.ask(Method::POST, &format!("{path}/move"), Some(&to)).await;
        s.minutes(1).await;
        s.ask(Method::POST, &format!("{path}/cancel"), None).await;
        s.minutes(2).await;
    }
    .boxed()
}

/// The provider's callbacks are made, and applied, before it answers the call.
fn receipt_first(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.during(1, true, |s| {
            async move {
                s.callbacks().await;
                s.poll(Mapping::Receive).await;
            }
            .boxed()
        });
        s.send(1, json!({})).await;
        s.settle().await;
    }
    .boxed()
}

fn refused_once(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.providers(json!({"fail_next": [{"kind": "http_503_json"}]})).await;
        s.send(1, json!({})).await;
        s.settle().await;
    }
    .boxed()
}

fn retried_by_a_person(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.providers(json!({"numbers": {mobile(1): {"refuse": 21211}}})).await;
        let id = s.send(1, json!({})).await;
        s.minutes(1).await;
        s.providers(json!({"numbers": {mobile(1): null}})).await;
        let Some(id) = id else { return };
        s.ask(Method::POST, &format!("/v1/messages/{id}/retry"), None).await;
        s.settle().await;
    }
    .boxed()
}

fn no_receipts(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.silence(json!([])).await;
        s.send(1, json!({})).await;
        s.settle().await;
    }
    .boxed()
}

fn found_by_look_up(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.silence(json!([{"kind": "close_after_accept"}])).await;
        s.send(1, json!({})).await;
        s.settle().await;
    }
    .boxed()
}

fn nobody_can_be_asked(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.silence(json!([{"kind": "close_after_accept"}])).await;
        s.send(1, json!({})).await;
        s.settle().await;
    }
    .boxed()
}

/// Sent at ten in the evening where the person lives.
fn deferred(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.stack.ctx.clock.advance(SignedDuration::from_hours(2));
        s.send(1, json!({})).await;
        s.settle().await;
    }
    .boxed()
}

/// The table is a backup's copy: the original has sent to the first of three
/// people since. Nothing goes until a person says so, and then nothing twice.
fn restored(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let mut ids = Vec::new();
        for person in 1..=3 {
            let at = json!({"scheduled_for": s.in_minutes(3)});
            ids.push(s.send(person, at).await);
        }
        s.stack.ctx.clock.advance(SignedDuration::from_mins(4));
        if let Some(id) = &ids[0] {
            s.original_sent(id, 1).await;
        }
        s.restore().await;
        s.minutes(3).await;
        assert!(s.received().await.len() <= 1, "it sends before it may");
        let resume = json!({"confirm": carillon_local::stack::TABLE});
        s.ask(Method::POST, "/v1/installation/resume", Some(&resume)).await;
        s.minutes(1).await;
    }
    .boxed()
}

/// A pack of three that was given up is tried again by a person.
fn redriven(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        let at = s.in_minutes(10);
        s.bulk(&[1, 2, 3], &[("scheduled_for", &at)]).await;
        s.minutes(1).await;
        s.give_up().await;
        s.minutes(12).await;
        let letters = s.ask(Method::GET, "/v1/dead-letters", None).await;
        let letters = letters.map(|(_, answer)| answer["data"].clone()).unwrap_or_default();
        for letter in letters.as_array().into_iter().flatten() {
            let id = letter["id"].as_str().unwrap_or_default();
            s.ask(Method::POST, &format!("/v1/dead-letters/{id}/redrive"), None).await;
        }
        s.minutes(1).await;
    }
    .boxed()
}

/// Two pages of five rows, packs of three; one person stands in it twice, and
/// one row is no number.
fn bulk(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.bulk(&[1, 2, 3, 4, 5, 6, 7, 2], &[]).await;
        s.minutes(1).await;
    }
    .boxed()
}

/// While the second message is handed over, one of its pack and one of the next
/// are cancelled.
fn cancelled(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.during(2, false, |s| {
            async move {
                for person in [3, 5] {
                    for message in s.list(&format!("to=%2B{}", &mobile(person)[1..])).await {
                        let id = message["id"].as_str().unwrap_or_default();
                        s.ask(Method::POST, &format!("/v1/messages/{id}/cancel"), None).await;
                    }
                }
            }
            .boxed()
        });
        s.bulk(&[1, 2, 3, 4, 5, 6, 7], &[]).await;
        s.minutes(1).await;
    }
    .boxed()
}

/// While the second message is handed over, people of this pack and of the next
/// write STOP, and it is applied.
fn opted_out(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.during(2, false, |s| {
            async move {
                for person in [3, 5] {
                    s.person_writes(person, "STOP").await;
                }
                s.callbacks().await;
                s.poll(Mapping::Receive).await;
            }
            .boxed()
        });
        s.bulk(&[1, 2, 3, 4, 5, 6, 7], &[]).await;
        s.minutes(1).await;
    }
    .boxed()
}

/// While the second message is handed over, sending is switched off; four
/// minutes later it is switched on again.
fn paused(s: Stage) -> BoxFuture<'static, ()> {
    async move {
        s.during(2, false, |s| async move { s.switch(false).await }.boxed());
        s.bulk(&[1, 2, 3, 4, 5, 6, 7], &[]).await;
        s.minutes(4).await;
        s.switch(true).await;
        s.minutes(1).await;
    }
    .boxed()
}

impl Stage {
    fn during(
        &self,
        call: u32,
        after: bool,
        action: impl FnOnce(Stage) -> BoxFuture<'static, ()> + Send + 'static,
    ) {
        self.meanwhile(Interlude { call, after, action: Box::new(action) });
    }

    /// These faults come, and no receipt ever does.
    async fn silence(&self, faults: Value) {
        let lost = json!({"lose": ["sent", "delivered"]});
        self.providers(json!({"fail_next": faults, "callbacks": lost})).await;
    }

    /// As whoever may: nothing is sent while it is off.
    async fn switch(&self, on: bool) {
        let (store, org) = (self.stack.ctx.store.clone(), self.stack.org);
        let mut settings = store.settings(org).await.expect("outside of any step");
        settings.sending_enabled = on;
        for _ in 0..5 {
            let (store, settings) = (store.clone(), settings.clone());
            let work = async move { store.put_settings(org, &settings).await };
            if let Some(Ok(())) = self.step(Step::Api, work).await {
                return;
            }
        }
    }
}
