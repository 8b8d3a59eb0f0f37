//! Status callbacks: signed, in the order that was set, tried again.

use carillon_simulator::{DEFAULT_AUTH_TOKEN, DEFAULT_FROM};
use serde_json::json;

use crate::support::{
    Webhook, client, create, encode, post_json, read, send, simulator, started, until,
};

const PERSON: &str = "+15558675310";

#[tokio::test]
async fn sent_and_delivered_come_signed() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    let url = webhook.url("/webhooks/twilio/status?message=msg_1&attempt=1");
    let created = send(&simulator, PERSON, "नमस्ते", &[("StatusCallback", &url)]).await;
    let sid = created.json()["sid"].as_str().unwrap().to_owned();
    assert_eq!(webhook.statuses(2).await, ["sent", "delivered"]);
    webhook.with_calls(|calls| {
        for call in calls {
            assert_eq!(call.path, "/webhooks/twilio/status?message=msg_1&attempt=1");
            assert!(call.signed_by(DEFAULT_AUTH_TOKEN, &url));
            for (name, value) in [
                ("MessageSid", sid.as_str()),
                ("SmsSid", sid.as_str()),
                ("To", PERSON),
                ("From", DEFAULT_FROM),
                ("ApiVersion", "2010-04-01"),
            ] {
                assert_eq!(call.field(name).as_deref(), Some(value));
            }
            assert_eq!(call.field("ErrorCode"), None);
        }
        assert_eq!(calls[0].field("RawDlrDoneDate"), None);
        assert_eq!(calls[1].field("RawDlrDoneDate").map(|date| date.len()), Some(10));
    });
    let made = until("both are recorded", async || {
        let made = simulator.received().await.unwrap().remove(0).callbacks;
        made.iter().all(|made| made.state == "answered").then_some(made)
    })
    .await;
    let answers: Vec<_> = made.iter().map(|made| (made.answer_status, made.attempts)).collect();
    assert_eq!(answers, [(Some(204), 1), (Some(204), 1)]);
}

#[tokio::test]
async fn the_end_can_be_set_for_a_number() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    simulator
        .configure(json!({"numbers": {
            "+15558675311": {"final": "undelivered", "error_code": 30005},
            "+15558675312": {"final": "failed", "error_code": 30001},
            "+15558675313": {"silent": true},
            "+15558675314": {"final": "sent"},
            "+15558675315": {"refuse": 21610},
        }}))
        .await
        .unwrap();
    for (to, expected) in [
        ("+15558675311", vec![("sent", None), ("undelivered", Some("30005"))]),
        ("+15558675312", vec![("failed", Some("30001"))]),
        ("+15558675313", vec![]),
        ("+15558675314", vec![("sent", None)]),
    ] {
        let url = webhook.url(&format!("/{}", &to[1..]));
        let answer = send(&simulator, to, "Hi", &[("StatusCallback", &url)]).await;
        assert_eq!(answer.status, 201, "{to}");
        let path = format!("/{}", &to[1..]);
        let told = until("all are told", async || {
            webhook.with_calls(|calls| {
                let told: Vec<_> = calls
                    .iter()
                    .filter(|call| call.path == path)
                    .map(|call| (call.field("MessageStatus").unwrap(), call.field("ErrorCode")))
                    .collect();
                (told.len() == expected.len()).then_some(told)
            })
        })
        .await;
        let told: Vec<_> =
            told.iter().map(|(status, code)| (status.as_str(), code.as_deref())).collect();
        assert_eq!(told, expected, "{to}");
    }
    let refused = send(&simulator, "+15558675315", "Hi", &[]).await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(21_610)));
    let silent = simulator.received().await.unwrap();
    assert!(silent[2].callbacks.is_empty());
}

#[tokio::test]
async fn order_repeats_and_losses_can_be_set() {
    for (settings, expected) in [
        (json!({"order": "reversed"}), vec!["delivered", "sent"]),
        (json!({"duplicate": true}), vec!["sent", "delivered", "sent", "delivered"]),
        (json!({"lose": ["sent"]}), vec!["delivered"]),
    ] {
        let (simulator, webhook) = (simulator().await, Webhook::start().await);
        simulator.configure(json!({"callbacks": settings})).await.unwrap();
        let url = webhook.url("/status");
        send(&simulator, PERSON, "Hi", &[("StatusCallback", &url)]).await;
        assert_eq!(webhook.statuses(expected.len()).await, expected, "{settings}");
    }
}

#[tokio::test]
async fn a_wrong_signature_is_wrong() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    simulator.configure(json!({"callbacks": {"wrong_signature": true}})).await.unwrap();
    let url = webhook.url("/status");
    send(&simulator, PERSON, "Hi", &[("StatusCallback", &url)]).await;
    webhook.statuses(2).await;
    webhook.with_calls(|calls| {
        assert!(!calls.iter().any(|call| call.signed_by(DEFAULT_AUTH_TOKEN, &url)));
    });
}

#[tokio::test]
async fn a_server_error_is_tried_again_and_a_refusal_is_not() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    let url = webhook.url("/status");
    simulator.configure(json!({"callbacks": {"lose": ["sent"]}})).await.unwrap();
    webhook.answer_with(500);
    send(&simulator, PERSON, "first", &[("StatusCallback", &url)]).await;
    webhook.statuses(2).await;
    webhook.answer_with(403);
    webhook.statuses(3).await;
    let made = until("it is recorded", async || {
        let made = simulator.received().await.unwrap().remove(0).callbacks.remove(0);
        (made.state == "answered").then_some(made)
    })
    .await;
    assert_eq!((made.answer_status, made.attempts), (Some(403), 3));
}

#[tokio::test]
async fn held_callbacks_wait_for_the_flush() {
    let webhook = Webhook::start().await;
    let hold = json!({"callbacks": {"hold": true, "delay_ms": 3_600_000}});
    let simulator = started(None, hold).await;
    let url = webhook.url("/status");
    send(&simulator, PERSON, "Hi", &[("StatusCallback", &url)]).await;
    assert_eq!(webhook.with_calls(<[_]>::len), 0);
    assert_eq!(simulator.flush_callbacks().await.unwrap(), 2);
    assert_eq!(webhook.statuses(2).await, ["sent", "delivered"]);
    let again = post_json(&simulator, "/sim/callbacks/flush", json!({})).await;
    assert_eq!(again.json(), json!({"tried": 0}));
}

/// An API key does not tell the auth token that signs.
#[tokio::test]
async fn callbacks_of_an_account_known_by_keys_wait_for_its_token() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    let account = "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    let url = webhook.url("/status");
    let body =
        encode(&[("To", PERSON), ("From", DEFAULT_FROM), ("Body", "Hi"), ("StatusCallback", &url)]);
    let path = format!("/2010-04-01/Accounts/{account}/Messages.json");
    let request = client()
        .post(format!("{}{path}", simulator.url()))
        .basic_auth("SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", Some("secret"))
        .body(body);
    assert_eq!(read(request).await.unwrap().status, 201);
    until("the first attempt", async || {
        let made = &simulator.received().await.unwrap()[0].callbacks;
        made[0].problem.is_some().then_some(())
    })
    .await;
    assert_eq!(webhook.with_calls(<[_]>::len), 0);
    let preset = json!({"account_sid": account, "auth_token": "the-token"});
    assert_eq!(post_json(&simulator, "/sim/accounts", preset).await.status, 200);
    webhook.statuses(2).await;
    webhook.with_calls(|calls| assert!(calls[0].signed_by("the-token", &url)));
}

#[tokio::test]
async fn without_an_address_nothing_is_called() {
    let simulator = simulator().await;
    let pairs = [("To", PERSON), ("From", DEFAULT_FROM), ("Body", "Hi")];
    assert_eq!(read(create(&simulator, &pairs)).await.unwrap().status, 201);
    assert!(simulator.received().await.unwrap()[0].callbacks.is_empty());
}
