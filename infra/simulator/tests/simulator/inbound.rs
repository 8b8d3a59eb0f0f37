//! People who answer: the webhook, and the provider's own block.

use carillon_simulator::{DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Inbound};
use serde_json::json;

use crate::support::{Webhook, create, get, post_json, read, send, simulator};

const PERSON: &str = "+15558675310";

#[tokio::test]
async fn stop_blocks_until_start() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    let url = webhook.url("/webhooks/twilio/inbound");
    simulator.configure(json!({"twilio_inbound_url": url})).await.unwrap();
    let service = [
        ("To", PERSON),
        ("MessagingServiceSid", "MG0123456789abcdef0123456789abcdef"),
        ("Body", "Hi"),
    ];
    for (word, status) in [("hello", 201), (" Stop ", 400), ("HELP", 400), ("unstop", 201)] {
        let said = json!({"from": PERSON, "to": DEFAULT_FROM, "body": word});
        let answer = post_json(&simulator, "/sim/inbound", said).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["answer_status"], 204);
        let answer = send(&simulator, PERSON, "Hi", &[]).await;
        assert_eq!(answer.status, status, "after {word}");
        let by_service = read(create(&simulator, &service)).await.unwrap();
        assert_eq!(by_service.status, status, "by service after {word}");
        if status == 400 {
            assert_eq!(answer.json()["code"], 21_610);
            let blocks = get(&simulator, "/sim/blocks").await.json();
            assert_eq!(blocks["blocks"][0]["number"], PERSON);
        }
        let other = send(&simulator, "+15558675311", "Hi", &[]).await;
        assert_eq!(other.status, 201, "others are not blocked");
    }
    webhook.with_calls(|calls| {
        assert_eq!(calls.len(), 4);
        assert!(calls.iter().all(|call| call.signed_by(DEFAULT_AUTH_TOKEN, &url)));
        let call = &calls[1];
        assert_eq!(call.field("Body").as_deref(), Some(" Stop "));
        assert_eq!(call.field("SmsStatus").as_deref(), Some("received"));
        assert_eq!(call.field("FromCity").as_deref(), Some(""));
        assert_eq!(call.field("OptOutType"), None);
    });
}

#[tokio::test]
async fn the_block_can_be_switched_off() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    simulator.configure(json!({"stop_blocks": false, "opt_out_type": true})).await.unwrap();
    let answer = simulator
        .inbound(Inbound {
            from: PERSON.to_owned(),
            to: DEFAULT_FROM.to_owned(),
            body: "STOP".to_owned(),
            url: Some(webhook.url("/in")),
            ..Inbound::default()
        })
        .await
        .unwrap();
    assert_eq!(answer.answer_status, Some(204));
    assert_eq!(send(&simulator, PERSON, "Hi", &[]).await.status, 201);
    webhook.with_calls(|calls| {
        assert_eq!(calls[0].field("OptOutType").as_deref(), Some("STOP"));
        assert_eq!(calls[0].field("MessageSid"), Some(answer.message_sid));
    });
}

#[tokio::test]
async fn an_inbound_message_needs_somewhere_to_go() {
    let simulator = simulator().await;
    let said = json!({"from": PERSON, "to": DEFAULT_FROM, "body": "Hi"});
    let answer = post_json(&simulator, "/sim/inbound", said).await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].as_str().unwrap().contains("twilio_inbound_url"));
    assert_eq!(simulator.received().await.unwrap().len(), 0);
}

#[tokio::test]
async fn inbound_messages_are_listed_apart() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    let said = json!({"from": PERSON, "to": DEFAULT_FROM, "body": "Hi", "url": webhook.url("/in")});
    post_json(&simulator, "/sim/inbound", said).await;
    send(&simulator, PERSON, "Hello", &[]).await;
    for (direction, count) in [("outbound", 1), ("inbound", 1), ("all", 2)] {
        let found = get(&simulator, &format!("/sim/messages?direction={direction}")).await.json();
        assert_eq!(found["total"], count, "{direction}");
    }
}
