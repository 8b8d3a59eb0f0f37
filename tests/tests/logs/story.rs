//! The story, and the words in it that nobody may read in a log.

use carillon_local::engines::fault::{NoFaults, Operation, Verdict};
use carillon_runtime::telemetry;
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FAST2SMS_KEY};
use carillon_tests::people::{INVALID, indian};
use carillon_tests::{ADMIN_KEY, Answer, World, callback, with_json};
use reqwest::Method;
use serde_json::json;

/// A person and her words; names that no code and no crate has.
const NUMBER: &str = "+61491570006";
const NAME: &str = "Zephyrine";
const BODY: &str = "quetzalcoatl";
const FILE_NUMBER: &str = "+61491570156";
const FILE_NAME: &str = "Bartholomea";
const BAD_CELL: &str = "0491 nought nought";
const INBOUND: &str = "perihelion";
const WRONG_KEY: &str = "crl_wrong_and_still_nobodys_business";
const EMAIL: &str = "zephyrine@example.org";
const NEW_TOKEN: &str = "fedcba9876543210fedcba9876543210";
const ONCE: &str = "order-of-zephyrine-17";

pub const SECRETS: [(&str, &str); 17] = [
    ("a number", "491570006"),
    ("a number of a file", "491570156"),
    ("an Indian number", "9800000001"),
    ("a name", NAME),
    ("a name of a file", FILE_NAME),
    ("a text", BODY),
    ("a rejected cell", BAD_CELL),
    ("what a person wrote", INBOUND),
    ("the admin key", ADMIN_KEY),
    ("a wrong key", WRONG_KEY),
    ("an e-mail address", EMAIL),
    ("Twilio's token", DEFAULT_AUTH_TOKEN),
    ("Twilio's next token", NEW_TOKEN),
    ("Twilio's account", DEFAULT_ACCOUNT_SID),
    ("Fast2SMS's key", DEFAULT_FAST2SMS_KEY),
    ("an idempotency key", ONCE),
    ("what a spreadsheet would run", "HYPERLINK"),
];

#[tokio::test]
#[ignore = "told by the test of this program, in a process of its own"]
async fn told() {
    telemetry::start();
    let world = World::start().await;
    accounts(&world).await;
    sends(&world).await;
    files(&world).await;
    callbacks(&world).await;
    people(&world).await;
    mistakes(&world).await;
    failures(&world).await;
    world.stack.ctx.counters.flush(world.stack.ctx.clock.now());
}

async fn accounts(world: &World) {
    let key = json!({"credentials": {"api_key": DEFAULT_FAST2SMS_KEY}, "settings": {}});
    let made = world.put("/v1/integrations/fast2sms", &key).await.ok(200);
    let reports = made["callback_urls"]["status"].as_str().expect("an address");
    world.providers(json!({"fast2sms_webhook_url": reports})).await;
    for name in ["twilio", "fast2sms"] {
        let _ = world.post(&format!("/v1/integrations/{name}/test"), &json!({})).await.ok(200);
    }
    // One that the provider does not know, tried and taken back.
    world.set_up_twilio(json!({})).await;
    let wrong = json!({
        "credentials": {"account_sid": DEFAULT_ACCOUNT_SID, "auth_token": NEW_TOKEN},
        "settings": {"from": "+15005550006"},
    });
    let _ = world.put("/v1/integrations/twilio", &wrong).await.ok(200);
    let _ = world.post("/v1/integrations/twilio/test", &json!({})).await;
    world.set_up_twilio(json!({})).await;
}

async fn sends(world: &World) {
    let text = format!("Hi {{{{ name }}}}, {BODY}");
    let more = json!({"variables": {"name": NAME}});
    world.send(NUMBER, &text, more.clone()).await;
    world.send(INVALID, &text, more.clone()).await;
    world
        .send(&indian(1), &text, json!({"variables": {"name": NAME}, "integration": "fast2sms"}))
        .await;
    world.settle().await;
    let body = json!({"channel": "sms", "to": NUMBER, "body": BODY});
    for _ in 0..2 {
        let _ = world.post_once("/v1/messages", ONCE, &body).await.ok(202);
    }
    let _ = world.post("/v1/messages/preview", &body).await.ok(200);
    let later = json!({"scheduled_for": "2026-11-21T09:30:00Z"});
    let id = world.send(NUMBER, BODY, later).await;
    let _ = world.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await.ok(200);
    let template = json!({"key": "hello", "channel": "sms", "body": text});
    let _ = world.post("/v1/templates", &template).await.ok(201);
    let query = format!("to={}&limit=1", NUMBER.replace('+', "%2B"));
    let _ = world.get(&format!("/v1/messages?{query}")).await.ok(200);
    // The provider has a bad time.
    world
        .providers(json!({"fail_next": [{"match": {}, "kind": "http_503_json", "times": 2}]}))
        .await;
    world.send(NUMBER, BODY, json!({})).await;
    world.advance(3).await;
}

async fn files(world: &World) {
    let file = format!(
        "phone,name\n{FILE_NUMBER},{FILE_NAME}\n{BAD_CELL},{NAME}\n{NUMBER},=HYPERLINK(1)\n\
         {FILE_NUMBER},{NAME}\n"
    );
    let import = world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
    world.advance(2).await;
    let _ = world.get(&format!("/v1/imports/{import}/rejected")).await;
    let fields = [("channel", "sms"), ("body", "Hi {{ nobody }}")];
    assert_eq!(world.upload(file.as_bytes(), &fields).await.status, 422);
}

async fn callbacks(world: &World) {
    let received = world.received().await;
    let sent = received.iter().find(|r| r.accepted && r.to == NUMBER).expect("it was sent");
    let url = sent.reference.clone().expect("a callback address");
    let sid = sent.provider_message_id.clone().expect("a sid");
    let failed = callback::status(&sid, "failed");
    assert_eq!(world.call_back(&url, &failed, Some(NEW_TOKEN)).await.status, 403);
    assert_eq!(world.call_back_signed(&url, &failed).await.status, 200);
    // Signed, and without what a receipt has.
    let odd = vec![("Body".to_owned(), BODY.to_owned()), ("From".to_owned(), NUMBER.to_owned())];
    assert_eq!(world.call_back_signed(&url, &odd).await.status, 400);
    let json = json!({"From": NUMBER, "Body": BODY}).to_string();
    assert_eq!(world.call_back_json(&url, &json, DEFAULT_AUTH_TOKEN).await.status, 400);
    world.settle().await;
}

async fn people(world: &World) {
    world.person_writes(NUMBER, INBOUND).await;
    world.person_writes(NUMBER, "STOP").await;
    world.send(NUMBER, BODY, json!({})).await;
    world.settle().await;
    world.person_writes(NUMBER, "START").await;
    let member = json!({"email": EMAIL, "role": "viewer"});
    let _ = world.post("/v1/members", &member).await.ok(201);
    let suppression = json!({"channel": "sms", "to": FILE_NUMBER, "reason": "manual"});
    let _ = world.post("/v1/suppressions", &suppression).await;
    let _ = world.get(&format!("/v1/suppressions?to={}", NUMBER.replace('+', "%2B"))).await;
}

/// What a client gets wrong.
async fn mistakes(world: &World) {
    let by_wrong_key = world.request_by(WRONG_KEY, Method::GET, "/v1/messages");
    assert_eq!(Answer::to(by_wrong_key).await.status, 401);
    for body in [
        json!({"channel": "sms", "to": BAD_CELL, "body": BODY}),
        json!({"channel": "sms", "to": NUMBER, "body": [BODY]}),
        json!({"channel": "sms", "to": NUMBER, NAME: BODY}),
        json!({"channel": "sms", "to": NUMBER, "body": "{{ quetzalcoatl"}),
    ] {
        let answer = world.post("/v1/messages", &body).await;
        assert!((400..500).contains(&answer.status), "{}", answer.text);
    }
    let cut = format!("{{\"to\": \"{NUMBER}\", \"body\": \"{BODY}");
    let request = world.request(Method::POST, "/v1/messages");
    let request = request.header("content-type", "application/json").body(cut);
    assert_eq!(Answer::to(request).await.status, 400);
    let credentials = json!({"credentials": {"auth_token": NEW_TOKEN, "password": WRONG_KEY}});
    assert_eq!(world.put("/v1/integrations/twilio", &credentials).await.status, 422);
    let lost = format!("/v1/{NUMBER}/{NAME}");
    assert_eq!(
        Answer::to(with_json(world.request(Method::POST, &lost), &json!({}))).await.status,
        404
    );
}

/// What goes wrong on our side: the table, a queue and KMS refuse for a while; a body that nobody can read.
async fn failures(world: &World) {
    let faults = world.stack.engines.faults();
    faults.set(
        |operation: &Operation<'_>| {
            if operation.name == "PutItem" { Verdict::ServerError } else { Verdict::Pass }
        },
    );
    let body = json!({"channel": "sms", "to": NUMBER, "body": BODY});
    let refused = world.post("/v1/messages", &body).await;
    assert!(refused.status >= 500, "{}", refused.text);
    faults.set(NoFaults);
    for name in ["UpdateItem", "SendMessageBatch", "Decrypt", "Query", "BatchGetItem"] {
        world.send(NUMBER, BODY, json!({})).await;
        let file = format!("phone,name\n{FILE_NUMBER},{FILE_NAME} {name}\n");
        world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
        faults.set(
            move |operation: &Operation<'_>| {
                if operation.name == name { Verdict::ServerError } else { Verdict::Pass }
            },
        );
        let _ = world.post("/v1/messages", &body).await;
        let _ = world.stack.tick().await;
        let _ = world.stack.settle().await;
        faults.set(NoFaults);
        world.advance(3).await;
    }
    let queue = &world.stack.ctx.config.queues.sms_transactional;
    let odd = json!({"v": 1, "to": NUMBER, "body": BODY, "type": NAME}).to_string();
    let client = world.stack.engines.sqs();
    client.send_message().queue_url(queue).message_body(odd).send().await.expect("it is queued");
    let _ = world.stack.settle().await;
}
