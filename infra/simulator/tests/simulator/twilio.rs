//! The Messages API on the wire.

use carillon_simulator::{
    DEFAULT_ACCOUNT_SID, DEFAULT_API_KEY_SECRET, DEFAULT_API_KEY_SID, DEFAULT_AUTH_TOKEN,
    DEFAULT_FROM, Options, Simulator,
};
use serde_json::{Value, json};

use crate::support::{client, create, encode, get, messages_path, read, send, simulator, until};

const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_created_message_has_twilios_shape() {
    let instant: jiff::Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    let simulator = Simulator::start(Options {
        clock: std::sync::Arc::new(move || instant),
        ..Options::default()
    })
    .await
    .unwrap();
    let answer = send(&simulator, "+919800000001", "Doors open at 9.", &[]).await;
    assert_eq!(answer.status, 201);
    let document = answer.json();
    let sid = document["sid"].as_str().unwrap().to_owned();
    assert_eq!(sid.len(), 34);
    assert!(sid.starts_with("SM"));
    let uri = messages_path(&format!("/{sid}"));
    assert_eq!(
        document,
        json!({
            "account_sid": DEFAULT_ACCOUNT_SID,
            "api_version": "2010-04-01",
            "body": "Doors open at 9.",
            "date_created": "Sat, 21 Nov 2026 00:00:00 +0000",
            "date_sent": null,
            "date_updated": "Sat, 21 Nov 2026 00:00:00 +0000",
            "direction": "outbound-api",
            "error_code": null,
            "error_message": null,
            "from": DEFAULT_FROM,
            "messaging_service_sid": null,
            "num_media": "0",
            "num_segments": "1",
            "price": null,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {"media": format!("{uri}/Media.json")},
            "to": "+919800000001",
            "uri": format!("{uri}.json"),
        })
    );
}

#[tokio::test]
async fn a_service_picks_the_sender_later() {
    let simulator = simulator().await;
    let pairs = [("To", "+919800000001"), ("MessagingServiceSid", SERVICE), ("Body", "Hi")];
    let created = read(create(&simulator, &pairs)).await.unwrap().json();
    assert_eq!(created["status"], "accepted");
    assert_eq!(created["from"], Value::Null);
    assert_eq!(created["num_segments"], "0");
    assert_eq!(created["messaging_service_sid"], SERVICE);
    let path = messages_path(&format!("/{}.json", created["sid"].as_str().unwrap()));
    let later = until("delivered", async || {
        let now = get(&simulator, &path).await.json();
        (now["status"] == "delivered").then_some(now)
    })
    .await;
    assert_eq!(later["from"], DEFAULT_FROM);
    assert_eq!(later["num_segments"], "1");
    assert_eq!(later["price"], "-0.00750");
    assert!(later["date_sent"].is_string());
}

#[tokio::test]
async fn documented_test_numbers_fail_as_documented() {
    let simulator = simulator().await;
    for (to, from, code) in [
        ("+15005550001", DEFAULT_FROM, 21_211),
        ("+15005550002", DEFAULT_FROM, 21_612),
        ("+15005550003", DEFAULT_FROM, 21_408),
        ("+15005550004", DEFAULT_FROM, 21_610),
        ("+15005550009", DEFAULT_FROM, 21_614),
        ("+15558675310", "+15005550001", 21_212),
        ("+15558675310", "+15005550007", 21_606),
        ("+15558675310", "+15005550008", 21_611),
    ] {
        let pairs = [("To", to), ("From", from), ("Body", "Hi")];
        let answer = read(create(&simulator, &pairs)).await.unwrap();
        let document = answer.json();
        assert_eq!(answer.status, 400, "{to} {from}");
        assert_eq!(document["code"], code, "{to} {from}");
        assert_eq!(document["status"], 400);
        assert_eq!(document["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
        assert!(!document["message"].as_str().unwrap().is_empty());
    }
    let received = simulator.received().await.unwrap();
    assert_eq!(received.len(), 8);
    assert!(received.iter().all(|message| !message.accepted));
    assert_eq!(received[0].code, Some(21_211));
    assert_eq!(received[0].status, "refused");
}

#[tokio::test]
async fn credentials_open_their_own_account_only() {
    let simulator = simulator().await;
    let other = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let key = "SKaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (account, user, password, status) in [
        (DEFAULT_ACCOUNT_SID, DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, 200),
        (DEFAULT_ACCOUNT_SID, DEFAULT_ACCOUNT_SID, "wrong", 401),
        (DEFAULT_ACCOUNT_SID, DEFAULT_API_KEY_SID, DEFAULT_API_KEY_SECRET, 200),
        (DEFAULT_ACCOUNT_SID, DEFAULT_API_KEY_SID, "wrong", 401),
        (DEFAULT_ACCOUNT_SID, key, "any secret", 200),
        (DEFAULT_ACCOUNT_SID, other, "any secret", 401),
        (other, other, "any secret", 200),
        (other, other, "", 401),
        (other, key, "any secret", 200),
        ("ACshort", "ACshort", "any secret", 401),
    ] {
        for path in [".json", "/Balance.json", "/Messages.json"] {
            let url = format!("{}/2010-04-01/Accounts/{account}{path}", simulator.url());
            let request = client().get(url).basic_auth(user, Some(password));
            let answer = read(request).await.unwrap();
            assert_eq!(answer.status, status, "{account}{path} {user} {password}");
            if status == 401 {
                assert_eq!(answer.json()["code"], 20_003);
            }
        }
    }
    let bare = client().get(format!("{}{}", simulator.url(), messages_path(".json")));
    assert_eq!(read(bare).await.unwrap().status, 401);
    simulator.configure(json!({"twilio_auth": "configured"})).await.unwrap();
    let url = format!("{}/2010-04-01/Accounts/{other}.json", simulator.url());
    let request = client().get(url).basic_auth(other, Some("any secret"));
    assert_eq!(read(request).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_refused_caller_is_on_record() {
    let simulator = simulator().await;
    let request = client()
        .post(format!("{}{}", simulator.url(), messages_path(".json")))
        .basic_auth(DEFAULT_ACCOUNT_SID, Some("wrong"))
        .body(encode(&[("To", "+15558675310"), ("From", DEFAULT_FROM), ("Body", "Hi")]));
    assert_eq!(read(request).await.unwrap().status, 401);
    let received = simulator.received().await.unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].accepted, received[0].code), (false, Some(20_003)));
    assert!(!received[0].request.to_string().contains("wrong"));
}

#[tokio::test]
async fn account_and_balance_can_be_asked() {
    let simulator = simulator().await;
    let base = format!("/2010-04-01/Accounts/{DEFAULT_ACCOUNT_SID}");
    let account = get(&simulator, &format!("{base}.json")).await.json();
    assert_eq!(account["status"], "active");
    assert_eq!(account["sid"], DEFAULT_ACCOUNT_SID);
    assert_eq!(account["type"], "Full");
    assert_eq!(
        get(&simulator, &format!("{base}/Balance.json")).await.json(),
        json!({"account_sid": DEFAULT_ACCOUNT_SID, "balance": "100.00", "currency": "USD"})
    );
    let unknown = get(&simulator, &messages_path("/SM00.json")).await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!(20_404)));
    let nowhere = get(&simulator, "/2010-04-01/Elsewhere.json").await;
    assert_eq!((nowhere.status, &nowhere.json()["code"]), (404, &json!(20_404)));
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let instant: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let simulator = Simulator::start(Options {
        clock: std::sync::Arc::new(move || instant),
        ..Options::default()
    })
    .await
    .unwrap();
    for body in ["1", "2", "3", "4", "5"] {
        assert_eq!(send(&simulator, "+15558675310", body, &[]).await.status, 201);
    }
    send(&simulator, "+15558675311", "other", &[]).await;
    send(&simulator, "+15005550001", "refused", &[]).await;
    let list = async |query: &str| {
        let answer = get(&simulator, &messages_path(&format!(".json?{query}"))).await;
        assert_eq!(answer.status, 200, "{query}");
        answer.json()
    };
    let bodies = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().unwrap();
        let bodies = messages.iter().map(|message| message["body"].as_str().unwrap().to_owned());
        bodies.collect()
    };
    assert_eq!(bodies(&list("").await), ["other", "5", "4", "3", "2", "1"]);
    let mut page = list("To=%2B15558675310&PageSize=2").await;
    let mut seen = vec![bodies(&page)];
    assert_eq!((&page["page"], &page["start"], &page["end"]), (&json!(0), &json!(0), &json!(1)));
    while let Some(next) = page["next_page_uri"].as_str() {
        page = get(&simulator, next).await.json();
        seen.push(bodies(&page));
    }
    assert_eq!(seen, [vec!["5", "4"], vec!["3", "2"], vec!["1"]]);
    assert_eq!(page["page"], 2);
    for (query, count) in [
        ("To=%2B15558675319", 0),
        ("From=%2B15005550006", 6),
        ("From=%2B15005550005", 0),
        ("DateSent=2026-11-21", 6),
        ("DateSent=2026-11-20", 0),
        ("DateSent%3E=2026-11-21T12:00:00Z", 6),
        ("DateSent%3E=2026-11-21T12:01:00Z", 0),
        ("DateSent%3C=2026-11-20", 0),
        ("To=%2B15558675311&DateSent%3E=2026-11-21T11:59:00Z", 1),
    ] {
        assert_eq!(bodies(&list(query).await).len(), count, "{query}");
    }
    let bad = get(&simulator, &messages_path(".json?DateSent=soon")).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn another_account_does_not_see_the_message() {
    let simulator = simulator().await;
    let sid = send(&simulator, "+15558675310", "Hi", &[]).await.json()["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let url = format!("{}/2010-04-01/Accounts/{other}/Messages/{sid}.json", simulator.url());
    let request = client().get(url).basic_auth(other, Some("x"));
    assert_eq!(read(request).await.unwrap().status, 404);
}
