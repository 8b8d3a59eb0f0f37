//! Settable failures, seen from the caller and in the record.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{client, create, get, messages_path, read, send, simulator};

const PERSON: &str = "+15558675310";
const PAIRS: [(&str, &str); 3] = [("To", PERSON), ("From", "+15005550006"), ("Body", "Hi")];

#[tokio::test]
async fn each_kind_looks_and_counts_as_it_should() {
    for (kind, status, accepted) in [
        ("http_500", Some(500), false),
        ("http_503_json", Some(503), false),
        ("http_429", Some(429), false),
        ("garbage_200", Some(200), false),
        ("close_before", None, false),
        ("close_after_accept", None, true),
    ] {
        let simulator = simulator().await;
        let rule = json!({"fail_next": [{"kind": kind, "match": {"to": PERSON}, "times": 1}]});
        simulator.configure(rule).await.unwrap();
        let other = send(&simulator, "+15558675311", "Hi", &[]).await;
        assert_eq!(other.status, 201, "{kind} strikes only its number");
        let struck = read(create(&simulator, &PAIRS)).await;
        match (status, struck) {
            (Some(status), Ok(answer)) => {
                assert_eq!(answer.status, status, "{kind}");
                let document: Option<Value> = serde_json::from_str(&answer.text).ok();
                let code = document.map(|document| document["code"].clone());
                let expected = match kind {
                    "http_503_json" => Some(json!(20_503)),
                    "http_429" => Some(json!(20_429)),
                    _ => None,
                };
                assert_eq!(code, expected, "{kind}");
            }
            (None, Err(error)) => assert!(!error.is_connect(), "{kind}: the request was sent"),
            (expected, struck) => panic!("{kind}: {expected:?}, not {:?}", struck.is_ok()),
        }
        let received = simulator.received().await.unwrap();
        assert_eq!(received.len(), 2);
        assert_eq!(received[1].accepted, accepted, "{kind}");
        assert_eq!(received[1].fault.as_deref(), Some(kind));
        assert!(simulator.settings().await.unwrap().fail_next.is_empty());
        let healed = send(&simulator, PERSON, "again", &[]).await;
        assert_eq!(healed.status, 201, "{kind} is used up");
    }
}

#[tokio::test]
async fn what_was_kept_unheard_is_found_by_look_up() {
    let simulator = simulator().await;
    let rule = json!({"fail_next": [{"kind": "close_after_accept"}]});
    simulator.configure(rule).await.unwrap();
    assert!(read(create(&simulator, &PAIRS)).await.is_err());
    let path = messages_path(".json?To=%2B15558675310&DateSent%3E=2020-01-01T00:00:00Z");
    let found = get(&simulator, &path).await.json();
    assert_eq!(found["messages"].as_array().map(Vec::len), Some(1));
    simulator.configure(json!({"look_up": false})).await.unwrap();
    let off = get(&simulator, &path).await;
    assert_eq!((off.status, &off.json()["code"]), (500, &json!(20_500)));
    let lag = json!({"look_up": true, "look_up_lag_ms": 3_600_000});
    simulator.configure(lag).await.unwrap();
    assert_eq!(get(&simulator, &path).await.json()["messages"], json!([]));
}

#[tokio::test]
async fn a_stalled_answer_never_comes() {
    let simulator = simulator().await;
    let rule = json!({"fail_next": [{"kind": "timeout_after_accept", "stall_ms": 60_000}]});
    simulator.configure(rule).await.unwrap();
    let start = Instant::now();
    let impatient = create(&simulator, &PAIRS).timeout(Duration::from_millis(300));
    let error = read(impatient).await.err().unwrap();
    assert!(error.is_timeout());
    assert!(start.elapsed() < Duration::from_secs(10));
    let stats = simulator.stats().await.unwrap();
    assert_eq!(stats.accepted_by_number[PERSON], 1);
}

#[tokio::test]
async fn a_failure_can_be_told_to_keep_the_message() {
    let simulator = simulator().await;
    let rule = json!({"fail_next": [{"kind": "http_500", "accepted": true}]});
    simulator.configure(rule).await.unwrap();
    assert_eq!(send(&simulator, PERSON, "Hi", &[]).await.status, 500);
    assert!(simulator.received().await.unwrap()[0].accepted);
}

#[tokio::test]
async fn codes_come_at_once_or_later_as_at_twilio() {
    let simulator = simulator().await;
    let rules = json!({"fail_next": [
        {"kind": "code", "code": 21614, "times": 1},
        {"kind": "code", "code": 20003, "times": 1},
        {"kind": "code", "code": 30007, "times": 1},
    ]});
    simulator.configure(rules).await.unwrap();
    let first = send(&simulator, PERSON, "1", &[]).await;
    assert_eq!((first.status, &first.json()["code"]), (400, &json!(21_614)));
    assert_eq!(send(&simulator, PERSON, "2", &[]).await.status, 401);
    let third = send(&simulator, PERSON, "3", &[]).await;
    assert_eq!(third.status, 201);
    let sid = third.json()["sid"].as_str().unwrap().to_owned();
    let path = messages_path(&format!("/{sid}.json"));
    let end = crate::support::until("it ends", async || {
        let now = get(&simulator, &path).await.json();
        now["error_code"].is_number().then_some(now)
    })
    .await;
    assert_eq!((&end["status"], &end["error_code"]), (&json!("undelivered"), &json!(30_007)));
    assert_eq!(end["error_message"], "Message filtered");
}

#[tokio::test]
async fn the_throttle_counts_every_nth() {
    let simulator = simulator().await;
    let throttle = json!({"throttle": {"every_nth": 3}});
    simulator.configure(throttle).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(send(&simulator, PERSON, "Hi", &[]).await.status);
    }
    assert_eq!(statuses, [201, 201, 429, 201, 201, 429]);
    simulator.configure(json!({"throttle": {"every_nth": null, "per_second": 0}})).await.unwrap();
    assert_eq!(send(&simulator, PERSON, "Hi", &[]).await.status, 429);
}

#[tokio::test]
async fn faults_know_their_provider() {
    let simulator = simulator().await;
    let rule = json!({"fail_next": [{"kind": "http_503_json", "match": {"provider": "fast2sms"}}]});
    simulator.configure(rule).await.unwrap();
    assert_eq!(send(&simulator, PERSON, "Hi", &[]).await.status, 201);
    let body = json!({"route": "q", "message": "Hi", "numbers": "9800000001"}).to_string();
    let request = client()
        .post(format!("{}/dev/bulkV2", simulator.url()))
        .header("authorization", "key")
        .body(body);
    let answer = read(request).await.unwrap();
    assert_eq!((answer.status, &answer.json()["return"]), (503, &json!(false)));
}

#[tokio::test]
async fn latency_is_waited() {
    let simulator = simulator().await;
    simulator.configure(json!({"latency_ms": 250})).await.unwrap();
    let start = Instant::now();
    send(&simulator, PERSON, "Hi", &[]).await;
    assert!(start.elapsed() >= Duration::from_millis(250));
}
