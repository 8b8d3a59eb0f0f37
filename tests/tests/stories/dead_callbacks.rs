//! A callback that was answered 2xx and cannot be applied is not lost: the queue gives it up, the
//! list of dead letters shows it to whom it belongs, and a person redrives or drops it.

use carillon_domain::{OrgId, Role};
use carillon_local::engines::ServiceName;
use carillon_local::engines::fault::{NoFaults, Operation, Verdict};
use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};

/// Receives before the queue gives a body up, and the one that finds that.
const TRIES: i64 = 6;

/// The queue delivers again and again; visibility is three minutes.
async fn all_tries(world: &World) {
    for _ in 0..TRIES {
        world.settle().await;
        world.skip(4);
    }
    world.settle().await;
}

/// A STOP that the table did not take, however often.
async fn lost_stop(world: &World) {
    world.settle().await;
    world.stack.engines.faults().set(|operation: &Operation<'_>| {
        let refused = operation.service == ServiceName::DynamoDb && operation.is_write();
        if refused { Verdict::FailBefore } else { Verdict::Pass }
    });
    world.person_writes(&mobile(1), "STOP").await;
    all_tries(world).await;
    world.stack.engines.faults().set(NoFaults);
    assert_eq!(world.counted("receive_errors"), 5);
}

async fn raw(world: &World, body: &str) {
    let queue = &world.stack.ctx.config.queues.receive;
    let send = world.stack.sqs.send_message().queue_url(queue).message_body(body);
    let _ = send.send().await.expect("the queue takes it");
}

async fn ask(world: &World, key: &str, method: Method, path: &str) -> Answer {
    Answer::to(with_json(world.request_by(key, method, path), &json!({}))).await
}

async fn letters_of(world: &World, key: &str) -> Vec<Value> {
    let list = ask(world, key, Method::GET, "/v1/dead-letters").await.ok(200);
    list["data"].as_array().expect("a list").clone()
}

async fn letters(world: &World) -> Vec<Value> {
    letters_of(world, carillon_tests::ADMIN_KEY).await
}

fn path(letter: &Value, what: &str) -> String {
    format!("/v1/dead-letters/{}/{what}", letter["id"].as_str().expect("an id"))
}

async fn is_suppressed(world: &World) -> bool {
    let number = mobile(1).replace('+', "%2B");
    let found = world.get(&format!("/v1/suppressions?to={number}")).await.ok(200);
    !found["data"].as_array().expect("a list").is_empty()
}

#[tokio::test]
async fn a_callback_that_could_not_be_applied_is_listed_redriven_and_applied_once() {
    let world = World::start().await;
    lost_stop(&world).await;
    assert!(!is_suppressed(&world).await);
    let listed = letters(&world).await;
    let [letter] = &listed[..] else { panic!("not one letter: {listed:?}") };
    shows(
        letter,
        &json!({
            "kind": "callback", "callback": "inbound", "provider": "twilio",
            "reason": "it could not be applied, however often it was tried",
        }),
    );
    assert!(!letter.to_string().contains("STOP"), "what was written is not shown: {letter}");
    assert_eq!(world.counted("callbacks_given_up"), 1);
    assert_eq!(letters(&world).await, listed, "looking changes nothing");

    let redriven = world.post(&path(letter, "redrive"), &json!({})).await.ok(202);
    shows(&redriven, &json!({"id": letter["id"], "status": "redriven"}));
    world.settle().await;
    assert!(is_suppressed(&world).await);
    assert_eq!(world.list("status=received").await.len(), 1);
    all_tries(&world).await;
    assert!(letters(&world).await.is_empty());
    let again = world.post(&path(letter, "redrive"), &json!({})).await.refusal();
    assert_eq!(again, (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_callback_that_fails_again_after_a_redrive_is_a_dead_letter_again() {
    let world = World::start().await;
    raw(&world, "{}").await;
    all_tries(&world).await;
    let first = letters(&world).await;
    assert_eq!(first.len(), 1);
    let _ = world.post(&path(&first[0], "redrive"), &json!({})).await.ok(202);
    all_tries(&world).await;
    let second = letters(&world).await;
    shows(
        &second[0],
        &json!({"kind": "callback", "callback": null, "reason": "it cannot be read"}),
    );
    assert_eq!(second.len(), 1);
    assert_ne!(first[0]["id"], second[0]["id"]);
}

#[tokio::test]
async fn a_dropped_callback_is_never_applied() {
    let world = World::start().await;
    lost_stop(&world).await;
    let letter = letters(&world).await.remove(0);
    let dropped = world.post(&path(&letter, "drop"), &json!({})).await.ok(200);
    shows(&dropped, &json!({"id": letter["id"], "status": "dropped"}));
    all_tries(&world).await;
    assert!(letters(&world).await.is_empty());
    assert!(!is_suppressed(&world).await);
    assert!(world.list("status=received").await.is_empty());
}

#[tokio::test]
async fn a_dead_callback_is_its_organizations_and_nobodys_is_the_super_admins() {
    let world = World::start().await;
    let other = OrgId::from_hash(&[b"another"]);
    callers::add(&world.stack.ctx, other, "crl_another", Role::Admin).await;
    callers::add(&world.stack.ctx, world.stack.org, "crl_same_admin", Role::Admin).await;
    lost_stop(&world).await;
    raw(&world, &json!({"v": 9, "org": other, "what": "newer"}).to_string()).await;
    raw(&world, "nobody's").await;
    all_tries(&world).await;

    // Whoever asks first takes them up for all.
    let others = letters_of(&world, "crl_another").await;
    shows(&json!(others), &json!([{"callback": null, "reason": "it cannot be read"}]));
    let own = letters_of(&world, "crl_same_admin").await;
    shows(&json!(own), &json!([{"callback": "inbound"}]));
    let all = letters(&world).await;
    assert_eq!(all.len(), 2, "{all:?}");
    let nobodys = all.iter().find(|l| l["callback"].is_null()).expect("nobody's");
    assert_ne!(nobodys["id"], others[0]["id"]);

    for what in ["redrive", "drop"] {
        for (who, letter) in
            [("crl_another", &own[0]), ("crl_same_admin", nobodys), ("crl_same_admin", &others[0])]
        {
            let refused = ask(&world, who, Method::POST, &path(letter, what)).await.refusal();
            assert_eq!(refused, (404, "not_found".to_owned()), "{who}");
        }
    }
    let page = world.get("/v1/dead-letters?limit=1").await.ok(200);
    let cursor = page["next_cursor"].as_str().expect("there are more");
    let next = world.get(&format!("/v1/dead-letters?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!(json!([page["data"][0], next["data"][0]]), json!(all));
    let _ = world.post(&path(nobodys, "drop"), &json!({})).await.ok(200);
    assert_eq!(letters(&world).await, own);
}

/// The one call of this name fails before it takes effect.
fn fails(world: &World, name: &'static str) {
    world.stack.engines.faults().set(move |operation: &Operation<'_>| {
        if operation.name == name { Verdict::FailBefore } else { Verdict::Pass }
    });
}

#[tokio::test]
async fn cut_off_between_row_and_queue_nothing_is_lost_and_nothing_counts_twice() {
    let world = World::start().await;
    lost_stop(&world).await;
    for (call, kept) in [("PutItem", 0), ("DeleteMessage", 1)] {
        fails(&world, call);
        assert_eq!(world.get("/v1/dead-letters").await.status, 503, "{call}");
        world.stack.engines.faults().set(NoFaults);
        assert_eq!(letters(&world).await.len(), kept, "{call}: the queue hides it for a minute");
        world.skip(2);
    }
    let listed = letters(&world).await;
    assert_eq!((listed.len(), world.counted("callbacks_given_up")), (1, 1));
    for call in ["SendMessage", "DeleteItem"] {
        fails(&world, call);
        let cut_off = world.post(&path(&listed[0], "redrive"), &json!({})).await;
        assert_eq!(cut_off.status, 503, "{call}");
        world.stack.engines.faults().set(NoFaults);
        assert_eq!(letters(&world).await, listed, "{call}: it stays in sight");
    }
    let _ = world.post(&path(&listed[0], "redrive"), &json!({})).await.ok(202);
    world.settle().await;
    assert!(is_suppressed(&world).await);
    assert_eq!(world.list("status=received").await.len(), 1);
    assert!(letters(&world).await.is_empty());
}
