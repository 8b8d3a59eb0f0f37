//! `Idempotency-Key` on what is no message: done once, answered as at first.

use carillon_domain::{OrgId, ids, keyed_hash};
use carillon_local::engines::fault::{Operation, Verdict};
use carillon_store::Once;
use carillon_tests::{Answer, World, with_json};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

fn template(key: &str) -> Value {
    json!({"key": key, "channel": "sms", "body": "Hi"})
}

#[tokio::test]
async fn fifty_at_once_under_one_key_make_one_of_each() {
    let world = World::start().await;
    for (path, body) in [
        ("/v1/templates", template("notice")),
        ("/v1/sequences", json!({"name": "Reminders", "channel": "sms"})),
        ("/v1/tags", json!({"name": "CryptoCloud"})),
        ("/v1/api-keys", json!({"name": "CRM", "role": "viewer"})),
        ("/v1/members", json!({"email": "ada@example.com", "role": "viewer"})),
        ("/v1/organizations", json!({"name": "Coaching"})),
    ] {
        let count = world.get(path).await.ok(200)["data"].as_array().map_or(0, Vec::len);
        let mut requests = JoinSet::new();
        for _ in 0..50 {
            let request = world.request(Method::POST, path).header("idempotency-key", "once");
            requests.spawn(Answer::to(with_json(request, &body)));
        }
        let mut first = Vec::new();
        let mut replayed = Vec::new();
        for answer in requests.join_all().await {
            if answer.status == 409 {
                assert_eq!(answer.refusal().1, "idempotency_key_in_use", "{path}");
                assert_eq!(answer.header("retry-after"), Some("1"));
            } else if answer.header("idempotency-replayed").is_some() {
                replayed.push(answer.ok(201));
            } else {
                first.push(answer.ok(201));
            }
        }
        assert_eq!(first.len(), 1, "{path}");
        let again = world.post_once(path, "once", &body).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{path}");
        assert_eq!(again.header("content-type"), Some("application/json"));
        replayed.push(again.ok(201));
        assert!(replayed.iter().all(|answer| *answer == first[0]), "{path}");
        let list = world.get(path).await.ok(200)["data"].as_array().map_or(0, Vec::len);
        assert_eq!(list, count + 1, "{path}");
    }
}

#[tokio::test]
async fn another_request_under_the_key_is_a_conflict_and_a_refusal_frees_it() {
    let world = World::start().await;
    let wrong = json!({"key": "Bad Key", "channel": "sms", "body": "Hi"});
    assert_eq!(world.post_once("/v1/templates", "k", &wrong).await.status, 422);
    let made = world.post_once("/v1/templates", "k", &template("a")).await.ok(201);
    let other = world.post_once("/v1/templates", "k", &template("b")).await.refusal();
    assert_eq!(other, (409, "idempotency_key_reused".to_owned()));
    let again = world.post_once("/v1/templates", "k", &template("a")).await.ok(201);
    assert_eq!(made, again);
    // The key of another kind of request is another key.
    let key = json!({"name": "CRM", "role": "viewer"});
    assert_eq!(world.post_once("/v1/api-keys", "k", &key).await.status, 201);
    for bad in ["", &"k".repeat(256)] {
        let refused = world.post_once("/v1/templates", bad, &template("c")).await.refusal();
        assert_eq!(refused, (422, "invalid_idempotency_key".to_owned()));
    }
    let first = world.post("/v1/templates", &template("c")).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
}

#[tokio::test]
async fn an_answer_is_given_again_for_a_day() {
    let world = World::start().await;
    let body = json!({"to": carillon_tests::people::mobile(1), "channel": "sms"});
    let first = world.post_once("/v1/suppressions", "k", &body).await;
    assert_eq!(first.status, 201);
    world.skip(23 * 60 + 59);
    let again = world.post_once("/v1/suppressions", "k", &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    world.skip(2);
    let anew = world.post_once("/v1/suppressions", "k", &body).await;
    assert_eq!((anew.status, anew.header("idempotency-replayed")), (200, None), "it is there");
}

/// The claim of a request that was cut off.
#[tokio::test]
async fn a_request_that_was_cut_off_blocks_its_key_for_a_minute() {
    let world = World::start().await;
    let ctx = &world.stack.ctx;
    let body = template("notice");
    let key = ctx.derived_key("idempotent request").await.expect("a key");
    let hash = keyed_hash(&key, &[b"/v1/templates", body.to_string().as_bytes()]);
    let cut_off = Once {
        org: world.stack.org,
        scope: "POST /v1/templates".to_owned(),
        key: "k".to_owned(),
        request_hash: ids::encode(&hash[..20]),
        token: "cut off".to_owned(),
    };
    let until = world.now() + SignedDuration::from_secs(60);
    ctx.store.claim_once(&cut_off, world.now(), until).await.expect("a claim");
    let busy = world.post_once("/v1/templates", "k", &body).await;
    assert_eq!(busy.refusal(), (409, "idempotency_key_in_use".to_owned()));
    assert_eq!(busy.header("retry-after"), Some("1"));
    let other = world.post_once("/v1/templates", "k", &template("other")).await.refusal();
    assert_eq!(other, (409, "idempotency_key_reused".to_owned()));
    world.skip(1);
    let other = world.post_once("/v1/templates", "k", &template("other")).await.refusal();
    assert_eq!(other, (409, "idempotency_key_reused".to_owned()));
    let done = world.post_once("/v1/templates", "k", &body).await;
    assert_eq!((done.status, done.header("idempotency-replayed")), (201, None));
}

/// It took effect, and its answer was not kept.
#[tokio::test]
async fn the_repeat_of_a_request_whose_answer_was_lost_finds_what_it_had_made() {
    let world = World::start().await;
    for (path, body) in [
        ("/v1/templates", template("notice")),
        ("/v1/api-keys", json!({"name": "CRM", "role": "viewer"})),
    ] {
        let count = world.get(path).await.ok(200)["data"].as_array().map_or(0, Vec::len);
        world.stack.engines.faults().set(|operation: &Operation<'_>| {
            let is_answer = operation.body["Item"]["st"]["S"] == "done";
            if is_answer { Verdict::FailBefore } else { Verdict::Pass }
        });
        let first = world.post_once(path, "k", &body).await.ok(201);
        world.stack.engines.faults().set(|_: &Operation<'_>| Verdict::Pass);
        assert_eq!(world.post_once(path, "k", &body).await.status, 409, "{path}");
        world.skip(1);
        let again = world.post_once(path, "k", &body).await.ok(201);
        assert_eq!(again["id"], first["id"], "{path}");
        assert_eq!(again["secret"], first["secret"], "{path}");
        let list = world.get(path).await.ok(200)["data"].as_array().map_or(0, Vec::len);
        assert_eq!(list, count + 1, "{path}");
    }
}

#[tokio::test]
async fn keys_of_two_organizations_do_not_meet_and_secrets_are_not_stored_to_be_repeated() {
    let world = World::start().await;
    let second = OrgId::from_hash(&[b"second"]);
    carillon_tests::callers::add(
        &world.stack.ctx,
        second,
        "crl_second",
        carillon_domain::Role::Admin,
    )
    .await;
    let body = json!({"name": "CRM", "role": "viewer"});
    let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let writes = std::sync::Arc::clone(&seen);
    world.stack.engines.faults().set(move |operation: &Operation<'_>| {
        if operation.is_write() {
            writes.lock().expect("no panic").push_str(&operation.body.to_string());
        }
        Verdict::Pass
    });
    let first = world.post_once("/v1/api-keys", "k", &body).await.ok(201);
    let request = world.request_by("crl_second", Method::POST, "/v1/api-keys");
    let request = request.header("idempotency-key", "k");
    let other = Answer::to(with_json(request, &body)).await;
    assert_eq!(other.header("idempotency-replayed"), None);
    assert_ne!(other.ok(201)["secret"], first["secret"]);
    let written = seen.lock().expect("no panic").clone();
    let secret = first["secret"].as_str().expect("a secret");
    assert!(written.contains("idem/") && !written.contains(secret));
}
