//! Statistics are what a recount of the messages would give.

use std::collections::BTreeMap;

use carillon_tests::people::{INVALID, mobile};
use carillon_tests::{Setup, World, shows};
use serde_json::{Value, json};

/// Counts messages as the list shows them.
async fn recount(world: &World) -> Value {
    let mut status: BTreeMap<String, i64> = BTreeMap::new();
    let mut errors: BTreeMap<(String, String), i64> = BTreeMap::new();
    let (mut sent, mut opted_out, mut micros) = (0, 0, 0_i64);
    for message in world.list("limit=200").await {
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
        let is = text("/status").expect("a status").to_owned();
        let stopped = is == "received" && message["decisions"] != json!([]);
        opted_out += i64::from(stopped);
        sent += i64::from(message["sent_at"].is_string());
        if let (Some(code), Some(reason)) = (text("/error/code"), text("/error/reason")) {
            *errors.entry((code.to_owned(), reason.to_owned())).or_default() += 1;
        }
        if let Some(amount) = text("/price/amount") {
            let money = carillon_domain::integration::Money {
                amount: amount.to_owned(),
                currency: "USD".to_owned(),
            };
            micros += i64::try_from(money.micros().expect("an amount")).expect("small");
        }
        *status.entry(if stopped { "opted_out".to_owned() } else { is }).or_default() += 1;
    }
    let of = |names: &[&str]| names.iter().filter_map(|n| status.get(*n)).sum::<i64>();
    let mut by_error: Vec<_> = errors.into_iter().collect();
    by_error.sort_by_key(|((code, _), count)| (-count, code.clone()));
    let cost = carillon_domain::integration::Money::from_micros(
        u64::try_from(micros).expect("positive"),
        "USD",
    );
    json!({
        "total_sent": sent,
        "total_delivered": of(&["delivered", "read"]),
        "total_failed": of(&["failed"]),
        "total_suppressed": of(&["suppressed"]),
        "total_cancelled": of(&["cancelled"]),
        "total_unknown": of(&["unknown"]),
        "total_pending": of(&["pending", "queued", "sending"]),
        "total_replied": of(&["received"]),
        "total_opted_out": opted_out,
        "cost": {"amount": cost.amount, "currency": "USD"},
        "by_error": by_error.into_iter().map(|((code, reason), count)| {
            json!({"code": code, "reason": reason, "count": count})
        }).collect::<Vec<_>>(),
    })
}

/// Everything that can become of a message.
pub async fn a_mixed_run(world: &World) {
    let prices = json!({"+61": {"amount": "0.0515", "currency": "USD"}});
    world.set_up_twilio(json!({"price_table": prices, "look_up": false})).await;
    let (away, silent) = (mobile(20), mobile(21));
    world
        .providers(json!({"stop_blocks": false, "numbers": {
            away.as_str(): {"final": "undelivered"}, silent.as_str(): {"silent": true},
        }}))
        .await;
    let mut file = String::from("phone\n");
    for n in 0..13 {
        file.push_str(&format!("{}\n", mobile(n)));
    }
    world.import(file.as_bytes(), "Hi", &[]).await;
    for number in [&away, &silent, &mobile(22), INVALID, INVALID] {
        world.send(number, "Hi", json!({})).await;
    }
    world.advance(2).await;
    world.person_writes(&mobile(1), "thanks").await;
    world.person_writes(&mobile(2), "STOP").await;
    world.send(&mobile(2), "not any more", json!({})).await;
    let later = json!({"scheduled_for": world.in_minutes(600)});
    world.send(&mobile(3), "waits", later.clone()).await;
    let cancelled = world.send(&mobile(4), "never", later).await;
    let _ = world.post(&format!("/v1/messages/{cancelled}/cancel"), &json!({})).await.ok(200);
    world.settle().await;
    world
        .providers(json!({"fail_next": [
            {"kind": "close_before"}, {"kind": "http_503_json", "times": 2},
        ]}))
        .await;
    world.send(&mobile(5), "unknown", json!({})).await;
    world.settle().await;
    world.send(&mobile(6), "in the end", json!({})).await;
    world.advance(10).await;
}

#[tokio::test]
async fn statistics_equal_a_recount_of_the_messages() {
    let world = World::start().await;
    a_mixed_run(&world).await;
    let expected = recount(&world).await;
    shows(
        &expected,
        &json!({
            "total_sent": 17, "total_delivered": 15, "total_failed": 3, "total_suppressed": 1,
            "total_cancelled": 1, "total_unknown": 1, "total_pending": 1, "total_replied": 1,
            "total_opted_out": 1,
            "by_error": [
                {"code": "21211", "reason": "invalid_address", "count": 2},
                {"code": "30003", "reason": "unreachable", "count": 1},
            ],
        }),
    );
    let stats = world.get("/v1/stats").await.ok(200);
    shows(&stats, &expected);
    let day = json!([{"date": "2026-11-21", "sent": 17, "delivered": 15, "failed": 3}]);
    shows(&stats["by_day"], &day);
    shows(&stats["by_month"], &json!({"2026-11": {"sent": 17, "delivered": 15, "failed": 3}}));
    assert_eq!(stats["delivery_rate"], json!(0.8824));
}

#[tokio::test]
async fn statistics_are_exact_however_often_the_stream_comes() {
    let world = World::with(Setup { repeat_stream: true, ..Setup::default() }).await;
    a_mixed_run(&world).await;
    let expected = recount(&world).await;
    let once = world.get("/v1/stats").await.ok(200);
    shows(&once, &expected);
    let again = world.feed_again().await;
    assert!(again > 5, "{again} events");
    assert_eq!(world.get("/v1/stats").await.ok(200), once);
}

#[tokio::test]
async fn a_day_counts_what_was_sent_on_it() {
    let world = World::start().await;
    let sent = world.send(&mobile(1), "today", json!({})).await;
    world.settle().await;
    world.skip(24 * 60);
    world.tick().await;
    world.send(&mobile(1), "tomorrow", json!({})).await;
    world.settle().await;
    shows(&world.message(&sent).await, &json!({"status": "delivered"}));
    for (query, days) in [
        ("", vec![("2026-11-21", 1), ("2026-11-22", 1)]),
        ("?from=2026-11-22", vec![("2026-11-22", 1)]),
        ("?to=2026-11-21", vec![("2026-11-21", 1)]),
        ("?from=2026-11-21T10:00:00Z&to=2026-11-21", vec![("2026-11-21", 1)]),
        ("?to=2026-11-20", vec![]),
        ("?channel=voice", vec![]),
        ("?channel=sms&from=2026-11-23", vec![]),
    ] {
        let stats = world.get(&format!("/v1/stats{query}")).await.ok(200);
        let found: Vec<_> = stats["by_day"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|d| (d["date"].as_str().unwrap_or_default(), d["sent"].as_i64().unwrap_or(0)))
            .collect();
        assert_eq!(found, days, "{query}");
    }
}
