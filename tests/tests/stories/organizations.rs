//! Nobody sees, changes or is told of what is another organization's.

use carillon_domain::{OrgId, Role};
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN};
use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, callback, callers, shows, with_file, with_json};
use reqwest::Method;
use serde_json::{Value, json};

const OTHER_KEY: &str = "crl_other_organization";

async fn second_organization(world: &World) -> OrgId {
    let id = OrgId::from_hash(&[b"second organization"]);
    callers::add(&world.stack.ctx, id, OTHER_KEY, Role::Admin).await;
    id
}

async fn other(world: &World, method: Method, path: &str, body: &Value) -> Answer {
    Answer::to(with_json(world.request_by(OTHER_KEY, method, path), body)).await
}

#[tokio::test]
async fn ids_of_one_organization_are_not_found_by_another() {
    let world = World::start().await;
    second_organization(&world).await;
    let later = json!({"scheduled_for": world.in_minutes(30)});
    let message = world.send(&mobile(1), "Private", later).await;
    let file = format!("phone\n{}\nbad\n", mobile(2));
    let import = world.import(file.as_bytes(), "Private", &[]).await;
    let template = json!({"key": "private", "channel": "sms", "body": "Private"});
    let template = world.post("/v1/templates", &template).await.ok(201);
    let template = template["id"].as_str().expect("an id");
    world.advance(1).await;
    let before = world.message(&message).await;

    let soon = json!({"scheduled_for": world.in_minutes(1)});
    for (method, path, body) in [
        (Method::GET, format!("/v1/messages/{message}"), json!({})),
        (Method::POST, format!("/v1/messages/{message}/cancel"), json!({})),
        (Method::POST, format!("/v1/messages/{message}/retry"), json!({})),
        (Method::POST, format!("/v1/messages/{message}/reschedule"), soon),
        (Method::GET, format!("/v1/imports/{import}"), json!({})),
        (Method::GET, format!("/v1/imports/{import}/rejected"), json!({})),
        (Method::GET, format!("/v1/templates/{template}"), json!({})),
        (Method::PATCH, format!("/v1/templates/{template}"), json!({"body": "Mine"})),
    ] {
        let answer = other(&world, method.clone(), &path, &body).await;
        assert_eq!(answer.refusal(), (404, "not_found".to_owned()), "{method} {path}");
        assert!(!answer.text.contains("Private"));
    }
    assert_eq!(world.message(&message).await, before);

    let one = mobile(1).replace('+', "%2B");
    for path in ["/v1/messages", &format!("/v1/messages?to={one}"), "/v1/templates"] {
        let list = other(&world, Method::GET, path, &json!({})).await.ok(200);
        assert_eq!(list["data"], json!([]), "{path}");
    }
    for template in ["private", template] {
        let send = json!({"channel": "sms", "to": mobile(1), "template": template});
        let refused = other(&world, Method::POST, "/v1/messages", &send).await.refusal();
        assert_eq!(refused, (422, "unknown_template".to_owned()));
    }
    let stats = other(&world, Method::GET, "/v1/stats", &json!({})).await.ok(200);
    shows(&stats, &json!({"total_sent": 0, "total_pending": 0, "by_day": []}));
    let twilio = other(&world, Method::GET, "/v1/integrations/twilio", &json!({})).await.ok(200);
    shows(&twilio, &json!({"configured": false}));
}

#[tokio::test]
async fn keys_templates_and_files_of_the_same_name_do_not_meet() {
    let world = World::start().await;
    second_organization(&world).await;
    let body = json!({"channel": "sms", "to": mobile(1), "body": "Same"});
    let mine = world.post_once("/v1/messages", "order-1", &body).await.ok(202);
    let request = world.request_by(OTHER_KEY, Method::POST, "/v1/messages");
    let theirs = Answer::to(with_json(request.header("idempotency-key", "order-1"), &body)).await;
    assert_eq!(theirs.header("idempotency-replayed"), None);
    assert_ne!(theirs.ok(202)["id"], mine["id"]);
    let template = |text: &str| json!({"key": "notice", "channel": "sms", "body": text});
    let _ = world.post("/v1/templates", &template("Mine")).await.ok(201);
    let answer = other(&world, Method::POST, "/v1/templates", &template("Theirs")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let file = format!("phone\n{}\n", mobile(1));
    let request = world.request_by(OTHER_KEY, Method::POST, "/v1/messages/bulk");
    let request = with_file(request, file.as_bytes(), &[("channel", "sms"), ("body", "Hi")]);
    assert_eq!(Answer::to(request).await.status, 202);
    world.advance(1).await;
    // The second organization has no provider: its messages fail, ours are sent.
    assert_eq!(world.received().await.len(), 1);
    let failed = other(&world, Method::GET, "/v1/messages?status=failed", &json!({})).await;
    assert_eq!(failed.ok(200)["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_stop_to_one_organization_is_none_to_another() {
    let world = World::start().await;
    second_organization(&world).await;
    world.providers(json!({"stop_blocks": false})).await;
    let twilio = json!({
        "credentials": {
            "account_sid": format!("AC{:0>32}", "5ec0"),
            "auth_token": "another-token-of-another-account",
        },
        "settings": {"from": "+15005550006"},
    });
    let answer = other(&world, Method::PUT, "/v1/integrations/twilio", &twilio).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.person_writes(&mobile(1), "STOP").await;
    let mine = world.send(&mobile(1), "Hi", json!({})).await;
    let send = json!({"channel": "sms", "to": mobile(1), "body": "Hi"});
    let theirs = other(&world, Method::POST, "/v1/messages", &send).await.ok(202);
    world.settle().await;
    shows(&world.message(&mine).await, &json!({"status": "suppressed"}));
    let path = format!("/v1/messages/{}", theirs["id"].as_str().expect("an id"));
    let theirs = other(&world, Method::GET, &path, &json!({})).await.ok(200);
    shows(&theirs, &json!({"status": "delivered"}));
    assert_eq!(world.received().await.len(), 1);
}

/// Whoever has an account of his own can sign, but only for himself.
#[tokio::test]
async fn a_callback_signed_by_another_organization_is_forged() {
    let world = World::start().await;
    let second = second_organization(&world).await;
    let token = "another-token-of-another-account";
    let twilio = json!({
        "credentials": {"account_sid": DEFAULT_ACCOUNT_SID, "auth_token": token},
        "settings": {"from": "+15005550006"},
    });
    let answer = other(&world, Method::PUT, "/v1/integrations/twilio", &twilio).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.providers(json!({"callbacks": {"lose": ["sent", "delivered"]}})).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    let before = world.message(&id).await;
    let received = world.received().await.pop().expect("it was sent");
    let url = received.reference.expect("an address");
    let fields = callback::status(&received.provider_message_id.expect("a sid"), "failed");
    let forged = carillon_simulator::sign(token, &url, &fields);
    assert_eq!(world.call_back(&url, &fields, Some(&forged)).await.status, 403);
    // Signed for his own organization, he does not reach our message.
    let own = url.replace(&world.stack.org.to_string(), &second.to_string());
    let signed = carillon_simulator::sign(token, &own, &fields);
    assert_eq!(world.call_back(&own, &fields, Some(&signed)).await.status, 200);
    world.settle().await;
    assert_eq!(world.message(&id).await, before);
    let fields = callback::status("SM1", "delivered");
    let right = carillon_simulator::sign(DEFAULT_AUTH_TOKEN, &url, &fields);
    assert_eq!(world.call_back(&url, &fields, Some(&right)).await.status, 200);
}
