//! Caps, spend and switches: never over, whoever sends side by side; what does
//! not fit waits, and says why.

use carillon_local::poller::Mapping;
use carillon_tests::people::{INVALID, mobile};
use carillon_tests::{Setup, World, shows};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A world with these settings, and without quiet hours.
async fn world(settings: Value) -> World {
    let mut all =
        json!({"quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null});
    for (name, value) in settings.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    World::with(Setup { settings: all, ..Setup::default() }).await
}

async fn received(world: &World) -> usize {
    world.received().await.iter().filter(|r| r.accepted).count()
}

fn file(from: u32, count: u32) -> String {
    let lines = (from..from + count).map(|n| format!("{}\n", mobile(n)));
    std::iter::once("phone\n".to_owned()).chain(lines).collect()
}

/// Works off both queues with eight senders at a time.
async fn eight_senders(world: &World) {
    loop {
        let mut senders = tokio::task::JoinSet::new();
        for n in 0..8 {
            let (ctx, sqs) = (world.stack.ctx.clone(), world.stack.sqs.clone());
            let mapping = if n % 2 == 0 { Mapping::SmsBulk } else { Mapping::SmsTransactional };
            senders.spawn(async move { mapping.poll(&ctx, &sqs, 0).await.expect("it answers") });
        }
        if senders.join_all().await.iter().sum::<usize>() == 0 {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cap_an_hour_is_kept_by_eight_senders_and_the_rest_goes_the_next_hour() {
    let world = world(json!({"max_per_hour": 20})).await;
    world.import(file(0, 30).as_bytes(), "Hi", &[]).await;
    for n in 30..50 {
        world.send(&mobile(n), "Hi", json!({})).await;
    }
    assert_eq!(world.stack.tick().await.errors, 0);
    eight_senders(&world).await;
    assert_eq!(received(&world).await, 20);
    let waiting = world.list("status=pending").await;
    assert_eq!(waiting.len(), 30);
    for message in &waiting {
        shows(
            message,
            &json!({"decisions": [{
                "decision": "deferred", "reason": "max_per_hour", "until": "2026-11-21T10:00:00Z",
                "detail": "20 messages an hour are allowed",
            }]}),
        );
    }
    world.advance(59).await;
    assert_eq!(received(&world).await, 20);
    world.advance(3).await;
    assert_eq!(received(&world).await, 40, "the second hour's");
    world.advance(62).await;
    assert_eq!(received(&world).await, 50);
    assert_eq!(world.list("status=delivered").await.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cap_a_day_ends_with_the_organizations_day() {
    let zone = "Asia/Kolkata";
    let world = world(json!({"max_per_day": 7, "time_zone": zone})).await;
    world.import(file(0, 12).as_bytes(), "Hi", &[]).await;
    assert_eq!(world.stack.tick().await.errors, 0);
    eight_senders(&world).await;
    assert_eq!(received(&world).await, 7);
    // 14:30 in Kolkata: midnight there is 18:30 in UTC.
    let until = json!({"decisions": [{"reason": "max_per_day", "until": "2026-11-21T18:30:00Z"}]});
    for message in world.list("status=pending").await {
        shows(&message, &until);
    }
    world.skip(9 * 60 + 29);
    world.tick().await;
    assert_eq!(received(&world).await, 7);
    world.advance(3).await;
    assert_eq!(received(&world).await, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn spend_a_day_is_counted_in_parts_and_never_over() {
    let limit = json!({"amount": "0.50", "currency": "USD"});
    let world = world(json!({"spend_limit_per_day": limit})).await;
    let price = json!({"+61": {"amount": "0.05", "currency": "USD"}});
    world.set_up_twilio(json!({"price_table": price})).await;
    // Two parts each: five of them fit.
    world.import(file(0, 9).as_bytes(), &"long ".repeat(40), &[]).await;
    assert_eq!(world.stack.tick().await.errors, 0);
    eight_senders(&world).await;
    assert_eq!(received(&world).await, 5);
    let waiting = world.list("status=pending").await;
    assert_eq!(waiting.len(), 4);
    let why = json!({"reason": "spend_limit_per_day", "detail": "0.50 USD may be spent a day"});
    shows(&waiting[0], &json!({"decisions": [why]}));
    // What costs nothing by the table is not held up.
    let free = world.send("+14155550123", "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&free).await, &json!({"status": "delivered"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_person_gets_no_more_than_their_messages_of_a_day() {
    let world = world(json!({"max_per_contact_per_day": 2})).await;
    let mut sent = Vec::new();
    for n in 0..6 {
        sent.push(world.send(&mobile(1), &format!("Hi {n}"), json!({})).await);
    }
    world.send(&mobile(2), "Hi", json!({})).await;
    eight_senders(&world).await;
    assert_eq!(world.accepted_for(&mobile(1)).await.len(), 2);
    assert_eq!(world.accepted_for(&mobile(2)).await.len(), 1);
    let waiting = world.list("status=pending").await;
    assert_eq!(waiting.len(), 4);
    for message in &waiting {
        shows(message, &json!({"decisions": [{"decision": "deferred", "reason": "contact_cap"}]}));
    }
}

#[tokio::test]
async fn who_was_refused_for_good_takes_nobodys_place() {
    let world = world(json!({"max_per_contact_per_day": 1, "max_per_hour": 1})).await;
    let failed = world.send(INVALID, "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&failed).await, &json!({"status": "failed"}));
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    let ledger = world.stack.ctx.store.ledger(world.stack.org).await.expect("a ledger");
    assert_eq!(ledger.periods.hour_messages, 1);
    assert!(ledger.holdings.is_empty(), "{ledger:?}");
}

#[tokio::test]
async fn a_sender_that_was_cut_off_leaves_no_place_unused_once_its_pack_has_run_again() {
    let world = world(json!({"max_per_hour": 3})).await;
    world.import(file(0, 3).as_bytes(), "Hi", &[]).await;
    assert_eq!(world.stack.tick().await.errors, 0);
    // Reserved for three; cut off at the first claim.
    let faults = world.stack.engines.faults();
    faults.set(move |operation: &carillon_local::engines::Operation<'_>| {
        use carillon_local::engines::Verdict;
        match operation.name {
            "PutItem" if operation.number > 12 => Verdict::HangBefore,
            _ => Verdict::Pass,
        }
    });
    let (ctx, sqs) = (world.stack.ctx.clone(), world.stack.sqs.clone());
    let poll = tokio::spawn(async move { Mapping::SmsBulk.poll(&ctx, &sqs, 0).await });
    tokio::time::timeout(std::time::Duration::from_millis(300), poll)
        .await
        .expect_err("it hangs where it is cut off");
    faults.set(|_: &carillon_local::engines::Operation<'_>| carillon_local::engines::Verdict::Pass);
    world.advance(6).await;
    assert_eq!(received(&world).await, 3, "none of the three places was lost");
}

#[tokio::test]
async fn nothing_goes_while_sending_is_switched_off() {
    let world = world(json!({})).await;
    let patch = |on: bool| json!({"sending_enabled": on});
    let _ = world.patch("/v1/settings", &patch(false)).await.ok(200);
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.import(file(2, 4).as_bytes(), "Hi", &[]).await;
    world.advance(12).await;
    assert!(world.received().await.is_empty());
    for message in world.list("status=pending").await {
        let why = json!([{"decision": "deferred", "reason": "sending_disabled"}]);
        shows(&message, &json!({"decisions": why}));
    }
    let _ = world.patch("/v1/settings", &patch(true)).await.ok(200);
    world.advance(6).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    assert_eq!(received(&world).await, 5);
}

#[tokio::test]
async fn an_account_that_is_switched_off_makes_its_messages_wait() {
    let world = world(json!({})).await;
    let off = json!({"enabled": false});
    let mut account = json!({
        "credentials": {
            "account_sid": carillon_simulator::DEFAULT_ACCOUNT_SID,
            "auth_token": carillon_simulator::DEFAULT_AUTH_TOKEN,
        },
        "settings": {"from": carillon_simulator::DEFAULT_FROM, "rate_per_second": 1000},
    });
    account["enabled"] = off["enabled"].clone();
    let path = "/v1/integrations/twilio";
    shows(&world.put(path, &account).await.ok(200), &json!({"status": "disabled"}));
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "pending", "decisions": [{"reason": "integration_disabled"}]}),
    );
    assert!(world.received().await.is_empty());
    account["enabled"] = json!(true);
    let _ = world.put(path, &account).await.ok(200);
    world.advance(6).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn what_cannot_go_before_it_expires_fails_at_once() {
    let world = world(json!({"max_per_hour": 1})).await;
    world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    let ends = (world.now() + SignedDuration::from_mins(30)).to_string();
    let id = world.send(&mobile(2), "Hi", json!({"expires_at": ends})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({
            "status": "failed", "error": {"reason": "expired"},
            "decisions": [{"decision": "deferred"}, {"decision": "expired"}],
        }),
    );
}
