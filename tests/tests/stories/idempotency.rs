//! The same request twice is done once.

use std::collections::BTreeSet;

use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, shows, with_file, with_json};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again() {
    let world = World::start().await;
    let body = json!({"channel": "sms", "to": mobile(1), "body": "Once"});
    let first = world.post_once("/v1/messages", "order-1", &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, None));
    world.settle().await;
    world.skip(1);
    let again = world.post_once("/v1/messages", "order-1", &body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, Some("true")));
    assert_eq!(again.text, first.text);
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 1);
    assert_eq!(world.list("").await.len(), 1);
}

#[tokio::test]
async fn the_key_in_the_body_is_the_same_thing() {
    let world = World::start().await;
    let body =
        json!({"channel": "sms", "to": mobile(1), "body": "Once", "idempotency_key": "order-1"});
    let first = world.post("/v1/messages", &body).await.ok(202);
    let again = world.post("/v1/messages", &body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json()["id"], first["id"]);
    let differs = world.post_once("/v1/messages", "order-2", &body).await.refusal();
    assert_eq!(differs, (422, "idempotency_key_differs".to_owned()));
    world.settle().await;
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_a_conflict() {
    let world = World::start().await;
    let body = |text: &str| json!({"channel": "sms", "to": mobile(1), "body": text});
    let first = world.post_once("/v1/messages", "order-1", &body("One")).await.ok(202);
    let other = world.post_once("/v1/messages", "order-1", &body("Two")).await.refusal();
    assert_eq!(other, (409, "idempotency_key_reused".to_owned()));
    world.settle().await;
    let [received] = &world.received().await[..] else { panic!("not one message") };
    assert_eq!(received.body, "One");
    shows(&world.list("").await[0], &json!({"id": first["id"], "body": "One"}));
    for key in ["", " ", &"k".repeat(256)] {
        let refused = world.post_once("/v1/messages", key, &body("Three")).await.refusal();
        assert_eq!(refused, (422, "invalid_idempotency_key".to_owned()), "{key:?}");
    }
    let long = world.post_once("/v1/messages", &"k".repeat(255), &body("Three")).await;
    assert_eq!(long.status, 202);
}

/// Who never saw the answer asks again, maybe when the message's time is over.
#[tokio::test]
async fn a_repeat_after_the_scheduled_time_is_answered_as_at_first() {
    let world = World::start().await;
    let body = json!({
        "channel": "sms", "to": mobile(1), "body": "Once", "scheduled_for": world.in_minutes(2),
    });
    let first = world.post_once("/v1/messages", "order-1", &body).await.ok(202);
    world.advance(10).await;
    let again = world.post_once("/v1/messages", "order-1", &body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", again.text);
    assert_eq!(again.ok(202), first);
    world.advance(5).await;
    assert_eq!(world.received().await.len(), 1);
}

#[tokio::test]
async fn fifty_requests_at_once_with_one_key_make_one_message() {
    let world = World::start().await;
    let body = json!({"channel": "sms", "to": mobile(1), "body": "Once"});
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let request = world.request(Method::POST, "/v1/messages");
        let request = with_json(request.header("idempotency-key", "order-1"), &body);
        requests.spawn(Answer::to(request));
    }
    let answers = requests.join_all().await;
    let ids: BTreeSet<String> = answers.iter().map(|a| a.ok(202)["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    let first = answers.iter().filter(|a| a.header("idempotency-replayed").is_none());
    assert_eq!(first.count(), 1);
    world.advance(3).await;
    assert_eq!(world.received().await.len(), 1);
    assert_eq!(world.list("").await.len(), 1);
}

#[tokio::test]
async fn a_file_sent_twice_under_one_key_is_one_import() {
    let world = World::start().await;
    let file = format!("phone\n{}\n{}\n", mobile(1), mobile(2));
    let upload = async |file: &str| {
        let request = world.request(Method::POST, "/v1/messages/bulk");
        let request = request.header("idempotency-key", "file-1");
        let fields = [("channel", "sms"), ("body", "Hi")];
        Answer::to(with_file(request, file.as_bytes(), &fields)).await
    };
    let first = upload(&file).await;
    world.tick().await;
    let again = upload(&file).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.ok(202), first.ok(202));
    let other = upload("phone\n+61491570009\n").await.refusal();
    assert_eq!(other, (409, "idempotency_key_reused".to_owned()));
    world.advance(3).await;
    let id = first.json()["id"].as_str().expect("an id").to_owned();
    shows(&world.import_of(&id).await, &json!({"status": "completed", "accepted": 2}));
    assert_eq!(world.received().await.len(), 2);
    assert_eq!(world.list("").await.len(), 2);
}
