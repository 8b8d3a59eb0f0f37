//! Members are told of trouble, by a message or a call, at most once an hour of each kind.

use carillon_local::stack::TABLE;
use carillon_tests::people::mobile;
use carillon_tests::workshops::MOMENTS;
use carillon_tests::{World, shows};
use jiff::Timestamp;
use serde_json::{Value, json};

async fn told(world: &World, who: u32) -> Vec<String> {
    world.accepted_for(&mobile(who)).await.into_iter().map(|m| m.body).collect()
}

async fn notify(world: &World, entries: Value) {
    let _ = world.patch("/v1/settings", &json!({"notify": entries})).await.ok(200);
}

#[tokio::test]
async fn an_account_that_sends_nothing_any_more_is_told_of_once_an_hour() {
    let world = World::start().await;
    let all = json!([
        {"by": "sms", "to": mobile(50)},
        {"by": "sms", "to": mobile(51), "about": ["spend"]},
    ]);
    notify(&world, all).await;
    let refuse = |number: String| json!({"numbers": {number: {"refuse": 20003}}});
    for n in 1..4 {
        world.providers(refuse(mobile(n))).await;
        let _ = world.send(&mobile(n), "Hi", json!({})).await;
        world.settle().await;
    }
    let said = told(&world, 50).await;
    let [text] = &said[..] else { panic!("not one message: {said:?}") };
    assert!(text.starts_with("My organization: the account with twilio"), "{text}");
    assert!(text.contains("misconfigured"), "{text}");
    assert!(told(&world, 51).await.is_empty(), "only of spend");
    let sent = world.list("direction=outbound").await;
    let message = sent.iter().find(|m| m["to"] == mobile(50)).expect("the message");
    shows(message, &json!({"created_by": "trouble", "purpose": "transactional"}));
    world.skip(61);
    world.providers(refuse(mobile(4))).await;
    let _ = world.send(&mobile(4), "Hi", json!({})).await;
    world.settle().await;
    assert_eq!(told(&world, 50).await.len(), 2);
}

#[tokio::test]
async fn a_spend_limit_is_told_of_when_it_is_nearly_and_when_it_is_used_up() {
    let world = World::start().await;
    let limit = json!({"spend_limit_per_day": {"amount": "0.50", "currency": "USD"}});
    let _ = world.patch("/v1/settings", &limit).await.ok(200);
    let price = json!({"+61": {"amount": "0.05", "currency": "USD"}});
    world.set_up_twilio(json!({"price_table": price})).await;
    notify(&world, json!([{"by": "sms", "to": "+14155550123", "about": ["spend"]}])).await;
    let mut said = Vec::new();
    for n in 0..12 {
        let _ = world.send(&mobile(n), "Hi", json!({})).await;
        world.settle().await;
        said.push(world.accepted_for("+14155550123").await.len());
    }
    // The eighth makes it 80 %; the tenth uses it up.
    assert_eq!(said, [0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2]);
}

/// The tests have no internet: an address that cannot be reached is called once.
#[tokio::test]
async fn an_address_is_called_once_an_hour_and_what_fails_is_counted() {
    let world = World::start().await;
    let hook = json!([{"by": "webhook", "url": "https://trouble.invalid/hook"}]);
    notify(&world, hook).await;
    for n in 1..3 {
        let number = mobile(n);
        world.providers(json!({"numbers": {number.as_str(): {"refuse": 20003}}})).await;
        let _ = world.send(&number, "Hi", json!({})).await;
        world.settle().await;
    }
    assert_eq!(world.counted("trouble_not_told"), 1);
}

#[tokio::test]
async fn a_mail_tells_of_trouble_once_an_hour() {
    let world = World::start().await;
    notify(&world, json!([{"by": "email", "to": "Ada@Example.com"}])).await;
    let refuse = |number: String| json!({"numbers": {number: {"refuse": 20003}}});
    for n in 1..4 {
        world.providers(refuse(mobile(n))).await;
        let _ = world.send(&mobile(n), "Hi", json!({})).await;
        world.settle().await;
    }
    let mails = world.simulator.mails().await.expect("mails");
    let [mail] = &mails[..] else { panic!("not one mail: {mails:?}") };
    assert_eq!(mail.to, "ada@example.com");
    assert_eq!(mail.subject, "My organization: an account needs attention");
    assert!(mail.text.contains("misconfigured"), "{}", mail.text);
    assert!(mail.text.contains("/console"), "{}", mail.text);
    assert_eq!(world.counted("trouble_told"), 1);
    world.skip(61);
    world.providers(refuse(mobile(4))).await;
    let _ = world.send(&mobile(4), "Hi", json!({})).await;
    world.settle().await;
    assert_eq!(world.simulator.mails().await.expect("mails").len(), 2);
}

#[tokio::test]
async fn where_nothing_sends_mail_the_setting_says_so() {
    let mut world = World::start().await;
    let table = carillon_local::stack::TABLE;
    world.move_to(table).await;
    let mail = json!({"notify": [{"by": "email", "to": "ada@example.com"}]});
    let (status, code, field) = world.patch("/v1/settings", &mail).await.problem();
    assert_eq!(
        (status, code.as_str(), field.as_deref()),
        (422, "channel_not_available", Some("notify[0].by"))
    );
}

#[tokio::test]
async fn a_campaign_is_finished_once_nothing_of_it_waits_and_that_is_told_once() {
    let world = World::start().await;
    notify(&world, json!([{"by": "sms", "to": mobile(50), "about": ["campaign_finished"]}])).await;
    let (workshop, _) = world.full_workshop(8, 1).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    let path = format!("/v1/campaigns/{}", run["campaign_id"].as_str().expect("an id"));
    world.tick().await;
    let to = async |at: Timestamp| {
        world.stack.ctx.clock.advance(at.duration_since(world.now()));
        world.advance(2).await;
    };
    for moment in MOMENTS {
        shows(&world.get(&path).await.ok(200), &json!({"status": "running", "completed_at": null}));
        to(moment.parse().expect("a time")).await;
    }
    // The last step was sent; that is looked at a little later.
    shows(&world.get(&path).await.ok(200), &json!({"status": "completed", "completed_at": null}));
    world.advance(5).await;
    let done = world.get(&path).await.ok(200);
    let at: Timestamp = done["completed_at"].as_str().and_then(|t| t.parse().ok()).expect("a time");
    assert!(at.duration_since(MOMENTS[2].parse().expect("a time")).as_mins() <= 6, "{at}");
    shows(&done, &json!({"status": "completed", "counts": {"audience": 21, "delivered": 21}}));
    let expected = "My organization: The campaign \"Crypto, Reminders\" is finished: 21 delivered.";
    assert_eq!(told(&world, 50).await, [expected]);

    for _ in 0..30 {
        world.skip(6 * 60);
        world.tick().await;
    }
    assert_eq!(told(&world, 50).await.len(), 1, "once");
    assert_eq!(world.get(&path).await.ok(200)["completed_at"], done["completed_at"]);
}

#[tokio::test]
async fn what_waits_keeps_a_campaign_from_being_finished() {
    let world = World::start().await;
    notify(&world, json!([{"by": "sms", "to": mobile(50), "about": ["campaign_finished"]}])).await;
    let (workshop, _) = world.full_workshop(2, 0).await;
    let run = world.run_sequence(&workshop).await.ok(202);
    let path = format!("/v1/campaigns/{}", run["campaign_id"].as_str().expect("an id"));
    world.tick().await;
    let _ = world.post(&format!("{path}/pause"), &json!({})).await.ok(200);
    let last: Timestamp = MOMENTS[2].parse().expect("a time");
    world.stack.ctx.clock.advance(last.duration_since(world.now()));
    world.advance(8).await;
    shows(&world.get(&path).await.ok(200), &json!({"status": "paused", "completed_at": null}));
    // A workshop that is moved begins it again.
    let moved = json!({"starts_at": "2026-11-23T08:00:00Z"});
    let _ = world.patch(&format!("/v1/workshops/{workshop}"), &moved).await.ok(200);
    let _ = world.post(&format!("{path}/resume"), &json!({})).await.ok(200);
    world.advance(20).await;
    shows(&world.get(&path).await.ok(200), &json!({"status": "running", "completed_at": null}));
    assert!(told(&world, 50).await.is_empty());
    let day = jiff::SignedDuration::from_hours(24);
    world.stack.ctx.clock.advance((last + day).duration_since(world.now()));
    world.advance(8).await;
    shows(&world.get(&path).await.ok(200), &json!({"status": "completed"}));
    assert_eq!(told(&world, 50).await.len(), 1);
}

/// The release before cannot read a word that it does not know, and must still send.
#[tokio::test]
async fn what_the_release_before_does_not_know_stands_where_it_does_not_look() {
    let world = World::start().await;
    let told = json!([{"by": "sms", "to": mobile(50), "about": ["spend", "campaign_finished"]}]);
    notify(&world, told.clone()).await;
    assert_eq!(world.get("/v1/settings").await.ok(200)["notify"], told);
    let all = world.stack.engines.dynamodb().scan().table_name(TABLE).send().await;
    let rows = all.expect("the table answers").items.unwrap_or_default();
    let stored = rows.iter().find_map(|row| row.get("j")?.as_s().ok()).expect("the settings");
    let stored: Value = serde_json::from_str(stored).expect("JSON");
    let expected = json!([{
        "by": "sms", "to": mobile(50), "about": ["spend"], "also": ["campaign_finished"],
    }]);
    assert_eq!(stored["notify"], expected);
}
