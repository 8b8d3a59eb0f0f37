//! An organization's accounts with its providers.

use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_API_KEY_SECRET, DEFAULT_API_KEY_SID};
use carillon_simulator::{DEFAULT_AUTH_TOKEN, DEFAULT_FROM};
use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, shows};
use serde_json::{Value, json};

const PATH: &str = "/v1/integrations/twilio";

fn twilio() -> Value {
    json!({
        "credentials": {"account_sid": DEFAULT_ACCOUNT_SID, "auth_token": DEFAULT_AUTH_TOKEN},
        "settings": {"from": DEFAULT_FROM},
    })
}

async fn without_twilio() -> World {
    World::with(Setup { twilio: false, ..Setup::default() }).await
}

#[tokio::test]
async fn secrets_are_written_and_never_read_back() {
    let world = without_twilio().await;
    shows(
        &world.get(PATH).await.ok(200),
        &json!({
            "provider": "twilio", "channel": "sms", "configured": false, "enabled": false,
            "status": "not_configured", "credentials": {}, "settings": {},
            "callback_urls": {"inbound": format!("{}/webhooks/twilio/inbound", world.url)},
        }),
    );
    let masked = json!({"account_sid": "••••ffee", "auth_token": "••••beef"});
    let put = world.put(PATH, &twilio()).await.ok(200);
    shows(&put, &json!({"configured": true, "enabled": true, "status": "untested"}));
    let shown = world.get(PATH).await;
    shows(&shown.ok(200), &json!({"credentials": masked, "settings": {"from": DEFAULT_FROM}}));
    for text in [put.to_string(), shown.text] {
        assert!(!text.contains(DEFAULT_AUTH_TOKEN) && !text.contains(DEFAULT_ACCOUNT_SID));
    }
    let tested = world.post(&format!("{PATH}/test"), &json!({})).await;
    assert!(!tested.text.contains(DEFAULT_AUTH_TOKEN));
    let item = world.stack.ctx.store.integrations(world.stack.org).await.expect("the store");
    let stored = format!("{:?}", item[0].credentials);
    assert!(!stored.contains(DEFAULT_AUTH_TOKEN), "encrypted in the table");
}

#[tokio::test]
async fn a_masked_secret_sent_back_stays_as_it_was() {
    let world = World::start().await;
    let shown = world.get(PATH).await.ok(200);
    let back = json!({"credentials": shown["credentials"], "settings": {"from": "+15005550006"}});
    shows(&world.put(PATH, &back).await.ok(200), &json!({"credentials": shown["credentials"]}));
    // Nor need they be sent at all.
    let _ = world.put(PATH, &json!({"settings": {"from": DEFAULT_FROM}})).await.ok(200);
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    // Sent with the account, and its callback verified by the token.
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn an_api_key_sends_and_the_auth_token_verifies() {
    let world = without_twilio().await;
    let integration = json!({
        "credentials": {
            "account_sid": DEFAULT_ACCOUNT_SID, "api_key_sid": DEFAULT_API_KEY_SID,
            "api_key_secret": DEFAULT_API_KEY_SECRET, "auth_token": DEFAULT_AUTH_TOKEN,
        },
        "settings": {"messaging_service_sid": format!("MG{}", "0".repeat(32))},
    });
    let _ = world.put(PATH, &integration).await.ok(200);
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
    let received = world.received().await.pop().expect("it was sent");
    assert_eq!((received.from, received.messaging_service_sid.is_some()), (None, true));
}

#[tokio::test]
async fn a_test_asks_the_provider_and_is_remembered() {
    let world = World::start().await;
    let tested = world.post(&format!("{PATH}/test"), &json!({})).await.ok(200);
    shows(
        &tested,
        &json!({
            "ok": true, "error": null, "balance": {"amount": "100.00", "currency": "USD"},
            "tested_at": world.now().to_string(),
        }),
    );
    shows(
        &world.get(PATH).await.ok(200),
        &json!({"status": "working", "last_error": null, "balance": {"amount": "100.00"}}),
    );
    assert!(world.received().await.is_empty());

    let mut wrong = twilio();
    wrong["credentials"]["auth_token"] = json!("0".repeat(32));
    let _ = world.put(PATH, &wrong).await.ok(200);
    let failed = world.post(&format!("{PATH}/test"), &json!({})).await.ok(200);
    shows(&failed, &json!({"ok": false, "error": {"code": "20003", "reason": "misconfigured"}}));
    let shown = world.get(PATH).await.ok(200);
    shows(&shown, &json!({"status": "failing"}));
    assert!(shown["last_error"].as_str().is_some_and(|e| e.starts_with("20003")), "{shown}");

    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.settle().await;
    shows(
        &world.message(&id).await,
        &json!({"status": "failed", "error": {"code": "20003", "reason": "misconfigured"}}),
    );
}

#[tokio::test]
async fn what_is_not_set_up_cannot_be_tested() {
    let world = without_twilio().await;
    let refused = world.post(&format!("{PATH}/test"), &json!({})).await.refusal();
    assert_eq!(refused, (409, "not_configured".to_owned()));
}

#[tokio::test]
async fn wrong_accounts_are_refused_field_by_field() {
    let world = without_twilio().await;
    let change = |pointer: &str, name: &str, value: Value| {
        let mut body = twilio();
        body.pointer_mut(pointer).expect("it is there")[name] = value;
        body
    };
    let price = |value: Value| change("/settings", "price_table", value);
    for (body, code, field) in [
        (change("", "colour", json!("red")), "unknown_field", "colour"),
        (change("/credentials", "api_key", json!("x")), "unknown_field", "credentials.api_key"),
        (change("/settings", "route", json!("q")), "unknown_field", "settings.route"),
        (
            change("/credentials", "account_sid", json!("SK1")),
            "invalid_value",
            "credentials.account_sid",
        ),
        (
            change("/credentials", "account_sid", Value::Null),
            "invalid_value",
            "credentials.account_sid",
        ),
        (
            change("/credentials", "auth_token", json!("")),
            "invalid_value",
            "credentials.auth_token",
        ),
        (
            change("/credentials", "auth_token", json!("••••beef")),
            "invalid_value",
            "credentials.auth_token",
        ),
        (change("/settings", "from", json!("+1")), "invalid_value", "settings.from"),
        (change("/settings", "from", Value::Null), "invalid_value", "settings.from"),
        (
            change("/settings", "rate_per_second", json!(0)),
            "out_of_range",
            "settings.rate_per_second",
        ),
        (change("/settings", "rate_per_second", json!("fast")), "invalid_value", "settings"),
        (
            price(json!({"61": {"amount": "1", "currency": "USD"}})),
            "invalid_price",
            "settings.price_table",
        ),
        (
            price(json!({"+61": {"amount": "-1", "currency": "USD"}})),
            "invalid_price",
            "settings.price_table",
        ),
        (
            price(json!({"+61": {"amount": "1", "currency": "dollars"}})),
            "invalid_price",
            "settings.price_table",
        ),
    ] {
        let refused = world.put(PATH, &body).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{body}");
        shows(&world.get(PATH).await.ok(200), &json!({"configured": false}));
    }
}

#[tokio::test]
async fn the_price_table_prices_messages() {
    let world = World::start().await;
    let prices = json!({
        "+61": {"amount": "0.0515", "currency": "USD"},
        "+61491": {"amount": "0.06", "currency": "USD"},
    });
    world.set_up_twilio(json!({"price_table": prices})).await;
    for (text, amount) in [("Hi".to_owned(), "0.06"), ("a".repeat(161), "0.12")] {
        let id = world.send(&mobile(1), &text, json!({})).await;
        world.settle().await;
        let price = json!({"price": {"amount": amount, "currency": "USD"}});
        shows(&world.message(&id).await, &price);
    }
    let stats = world.get("/v1/stats").await.ok(200);
    shows(&stats, &json!({"cost": {"amount": "0.18", "currency": "USD"}}));
}
