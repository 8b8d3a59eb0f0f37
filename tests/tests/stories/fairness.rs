//! A campaign of one organization keeps nobody else's messages waiting.
//!
//! Virtual time, with four senders at the bulk lane: the clock moves on to the
//! next of them who sleeps, again and again, and in between somebody else sends.

use std::sync::Arc;

use carillon_domain::settings::Settings;
use carillon_domain::{OrgId, Role};
use carillon_local::poller::Mapping;
use carillon_runtime::Clock;
use carillon_runtime::clock::Steps;
use carillon_runtime::config::Tuning;
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM};
use carillon_tests::people::mobile;
use carillon_tests::{Answer, Setup, World, callers, with_json};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

const OTHER_KEY: &str = "crl_somebody_else";
const SENDERS: usize = 4;
const LONGEST: SignedDuration = SignedDuration::from_secs(1);

struct Busy {
    world: Arc<World>,
    clock: Arc<Steps>,
    senders: JoinSet<()>,
}

impl Busy {
    /// A campaign of `messages` at `rate` parts a second, with four senders on it.
    async fn start(messages: usize, rate: u32) -> Self {
        let start = "2026-11-21T09:00:00Z".parse().expect("a time");
        let (clock, steps) = Clock::stepped(start);
        let setup = Setup { clock: Some(clock), tuning: Tuning::default(), ..Setup::default() };
        let world = World::with(setup).await;
        world.set_up_twilio(json!({"rate_per_second": rate})).await;
        second_organization(&world).await;
        let mut file = "phone\n".to_owned();
        for n in 0..messages {
            file.push_str(&format!("+61412{n:06}\n"));
        }
        world.import(file.as_bytes(), "Our new timetable is out.", &[]).await;
        assert_eq!(world.stack.tick().await.errors, 0);
        let mut busy = Self { world: Arc::new(world), clock: steps, senders: JoinSet::new() };
        for _ in 0..SENDERS {
            busy.senders.spawn(work(Arc::clone(&busy.world)));
        }
        busy.step().await;
        busy
    }

    /// Lets the senders go on until all of them sleep, then moves the clock.
    async fn step(&self) {
        while self.clock.asleep() < SENDERS {
            tokio::task::yield_now().await;
        }
        self.clock.step();
    }

    /// How long after `from` the provider has the message to this number.
    async fn arrives(&self, to: &str, from: Timestamp) -> SignedDuration {
        let world = &self.world;
        let polled = Mapping::SmsTransactional.poll(&world.stack.ctx, &world.stack.sqs, 0).await;
        polled.expect("the queue answers");
        let taken = world.accepted_for(to).await;
        assert_eq!(taken.len(), 1, "it is with the provider");
        let at: Timestamp = taken[0].at.parse().expect("a time");
        at.duration_since(from)
    }
}

/// A poller of the bulk lane.
async fn work(world: Arc<World>) {
    let (ctx, sqs) = (&world.stack.ctx, &world.stack.sqs);
    loop {
        if Mapping::SmsBulk.poll(ctx, sqs, 0).await.expect("the queue answers") == 0 {
            ctx.clock.sleep_until(ctx.clock.now() + LONGEST).await;
        }
    }
}

async fn second_organization(world: &World) {
    let id = OrgId::from_hash(&[b"somebody else"]);
    callers::add(&world.stack.ctx, id, OTHER_KEY, Role::SuperAdmin).await;
    let store = &world.stack.ctx.store;
    let settings = Settings { quiet_hours: None, ..Settings::default() };
    store.put_settings(id, &settings).await.expect("the table answers");
    let twilio = json!({
        "credentials": {"account_sid": DEFAULT_ACCOUNT_SID, "auth_token": DEFAULT_AUTH_TOKEN},
        "settings": {"from": DEFAULT_FROM, "rate_per_second": 10},
    });
    let request = world.request_by(OTHER_KEY, Method::PUT, "/v1/integrations/twilio");
    let _ = Answer::to(with_json(request, &twilio)).await.ok(200);
}

/// `rounds` single messages of the other organization, each a few steps of the
/// campaign after the one before.
async fn singles_arrive(busy: &Busy, rounds: u32) {
    for n in 0..rounds {
        for _ in 0..5 {
            busy.step().await;
        }
        let (to, from) = (mobile(n), busy.world.now());
        let body = json!({"channel": "sms", "to": to, "body": "Your code is 1234."});
        let request = busy.world.request_by(OTHER_KEY, Method::POST, "/v1/messages");
        let _ = Answer::to(with_json(request, &body)).await.ok(202);
        let took = busy.arrives(&to, from).await;
        assert!(took <= LONGEST, "single {n} took {took:#}");
    }
}

#[tokio::test]
async fn singles_of_one_organization_do_not_wait_for_a_campaign_of_another() {
    // Thirty seconds of it: the senders are busy all along.
    let mut busy = Busy::start(600, 20).await;
    singles_arrive(&busy, 10).await;
    let sent = busy.world.received().await.len();
    assert!((11..600).contains(&sent), "the campaign is under way: {sent}");
    busy.senders.shutdown().await;
}

#[tokio::test]
async fn what_is_due_at_the_same_minute_as_a_campaign_goes_first() {
    let mut busy = Busy::start(600, 20).await;
    let due = busy.world.in_minutes(1);
    let body = json!({
        "channel": "sms", "to": mobile(1), "body": "Your class begins.", "scheduled_for": due,
    });
    let request = busy.world.request_by(OTHER_KEY, Method::POST, "/v1/messages");
    let _ = Answer::to(with_json(request, &body)).await.ok(202);
    assert_eq!(busy.world.stack.tick().await.errors, 0);
    let due: Timestamp = due.parse().expect("a time");
    while busy.world.now() < due {
        busy.step().await;
    }
    let took = busy.arrives(&mobile(1), due).await;
    assert!(took <= LONGEST, "it took {took:#}");
    busy.senders.shutdown().await;
}

/// Takes minutes: `cargo test -- --ignored full_`.
#[tokio::test]
#[ignore = "a hundred thousand messages"]
async fn full_singles_do_not_wait_for_a_campaign_of_a_hundred_thousand() {
    let mut busy = Busy::start(100_000, 1_000).await;
    singles_arrive(&busy, 50).await;
    let sent = busy.world.received().await.len();
    assert!(sent < 100_000, "the campaign is under way: {sent}");
    busy.senders.shutdown().await;
}
