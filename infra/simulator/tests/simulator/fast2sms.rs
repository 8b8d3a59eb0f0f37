//! Fast2SMS on the wire.

use carillon_simulator::{DEFAULT_FAST2SMS_KEY, Running};
use serde_json::{Value, json};

use crate::support::{Answer, Webhook, client, encode, read, simulator, until};

async fn bulk(simulator: &Running, body: Value) -> Answer {
    let request = client()
        .post(format!("{}/dev/bulkV2", simulator.url()))
        .header("authorization", DEFAULT_FAST2SMS_KEY)
        .header("content-type", "application/json")
        .body(body.to_string());
    read(request).await.unwrap()
}

async fn ask(simulator: &Running, path: &str, key: &str) -> Answer {
    let request = client().get(format!("{}{path}", simulator.url())).header("authorization", key);
    read(request).await.unwrap()
}

fn dlt(numbers: &str) -> Value {
    json!({"route": "dlt", "sender_id": "ABCDEF", "message": "112233",
        "variables_values": "Asha|21 Nov", "numbers": numbers, "udf1": "msg_1", "udf2": "1"})
}

#[tokio::test]
async fn a_send_is_answered_and_its_report_is_pushed() {
    let (simulator, webhook) = (simulator().await, Webhook::start().await);
    simulator
        .configure(json!({
            "fast2sms_webhook_url": webhook.url("/webhooks/fast2sms/secret"),
            "numbers": {"9800000002": {"final": "failed"}},
        }))
        .await
        .unwrap();
    let answer = bulk(&simulator, dlt("9800000001,9800000002")).await;
    assert_eq!(answer.status, 200);
    let id = answer.json()["request_id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 15);
    assert_eq!(
        answer.json(),
        json!({"return": true, "request_id": id, "message": ["SMS sent successfully."]})
    );
    webhook.statuses(2).await;
    let mut reports: Vec<Value> = webhook.with_calls(|calls| {
        let parsed = calls.iter().map(|call| serde_json::from_str(&call.body).unwrap());
        parsed.collect()
    });
    reports.sort_by_key(|report| report["mobile"].to_string());
    for (report, mobile, status) in
        [(&reports[0], "9800000001", "Delivered"), (&reports[1], "9800000002", "Failed")]
    {
        assert_eq!(report["request_id"], id.as_str());
        assert_eq!(report["mobile"], mobile);
        assert_eq!(report["status"], status);
        assert_eq!(report["udf1"], "msg_1");
        assert_eq!(report["udf2"], "1");
        assert!(report["delivery_timestamp"].is_i64());
    }
    let received = simulator.received().await.unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].to, "+919800000001");
    assert_eq!(received[0].wire_to, "9800000001");
    assert_eq!(received[0].reference.as_deref(), Some("msg_1"));
    assert_eq!(received[0].body, "112233|Asha|21 Nov");
}

#[tokio::test]
async fn reports_can_be_pulled() {
    let simulator = simulator().await;
    let id =
        bulk(&simulator, dlt("9800000001")).await.json()["request_id"].as_str().unwrap().to_owned();
    let path = format!("/dev/dlr/{id}");
    let report = until("delivered", async || {
        let report = ask(&simulator, &path, "key").await.json();
        let status = &report["data"][0]["delivery_status"][0]["status"];
        (status == "Delivered").then_some(report)
    })
    .await;
    assert_eq!(report["success"], true);
    assert_eq!(report["data"][0]["request_id"], id.as_str());
    assert_eq!(report["data"][0]["delivery_status"][0]["mobile"], "9800000001");
    let unknown = ask(&simulator, "/dev/dlr/none", "key").await.json();
    assert_eq!(unknown["success"], false);
    simulator.configure(json!({"look_up": false})).await.unwrap();
    assert_eq!(ask(&simulator, &path, "key").await.status, 500);
}

#[tokio::test]
async fn refusals_are_documents_with_a_code() {
    let simulator = simulator().await;
    for (body, status, code) in [
        (json!({"numbers": "9800000001"}), 400, 403),
        (dlt("12345"), 400, 411),
        (dlt(""), 400, 405),
        (json!("not an object"), 400, 403),
    ] {
        let answer = bulk(&simulator, body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
        let document = answer.json();
        assert_eq!(document["return"], false);
        assert_eq!(document["status_code"], code, "{body}");
        assert!(document["message"].is_string());
    }
    let received = simulator.received().await.unwrap();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|message| !message.accepted));
}

#[tokio::test]
async fn keys_and_the_wallet() {
    let simulator = simulator().await;
    let wallet = ask(&simulator, "/dev/wallet", "any key").await;
    assert_eq!(wallet.json(), json!({"return": true, "wallet": "500.50"}));
    let keyless = read(client().get(format!("{}/dev/wallet", simulator.url()))).await.unwrap();
    assert_eq!((keyless.status, &keyless.json()["status_code"]), (401, &json!(412)));
    simulator
        .configure(json!({"fast2sms_keys": ["right"], "fast2sms_wallet": "0.00"}))
        .await
        .unwrap();
    assert_eq!(ask(&simulator, "/dev/wallet", "wrong").await.status, 401);
    assert_eq!(bulk(&simulator, dlt("9800000001")).await.json()["status_code"], 412);
    simulator.configure(json!({"fast2sms_keys": null})).await.unwrap();
    assert_eq!(bulk(&simulator, dlt("9800000001")).await.json()["status_code"], 416);
}

#[tokio::test]
async fn forms_and_queries_are_taken_too_and_no_key_is_kept() {
    let simulator = simulator().await;
    let pairs = [("route", "q"), ("message", "Hi"), ("numbers", "9800000001")];
    let form = client()
        .post(format!("{}/dev/bulkV2", simulator.url()))
        .header("authorization", "key-in-header")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encode(&pairs));
    assert_eq!(read(form).await.unwrap().json()["return"], true);
    let query = format!("authorization=key-in-query&{}", encode(&pairs));
    let by_query = client().get(format!("{}/dev/bulkV2?{query}", simulator.url()));
    assert_eq!(read(by_query).await.unwrap().json()["return"], true);
    let old = client().post(format!("{}/dev/bulk", simulator.url()));
    assert_eq!(read(old).await.unwrap().json()["status_code"], 990);
    let all = serde_json::to_string(&simulator.received().await.unwrap()).unwrap();
    assert!(!all.contains("key-in"));
    let stats = simulator.stats().await.unwrap();
    assert_eq!(stats.duplicates.len(), 1);
    assert_eq!(stats.duplicates[0].count, 2);
}
