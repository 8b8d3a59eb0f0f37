//! The installation's own account with Twilio: for organizations that have none and may use it.

use carillon_domain::{OrgId, Role};
use carillon_runtime::config::InstallationAccount;
use carillon_simulator::{DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN, DEFAULT_FROM, Inbound};
use carillon_tests::people::mobile;
use carillon_tests::{Answer, Setup, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};

const SECOND: &str = "crl_second";

async fn world() -> World {
    let account = InstallationAccount {
        account_sid: DEFAULT_ACCOUNT_SID.to_owned(),
        auth_token: DEFAULT_AUTH_TOKEN.to_owned().into(),
        phone_number: Some(DEFAULT_FROM.to_owned()),
        messaging_service_sid: None,
    };
    let setup = Setup { twilio: false, installation_account: Some(account), ..Setup::default() };
    let world = World::with(setup).await;
    world.providers(json!({"stop_blocks": false})).await;
    world
}

async fn allow(world: &World, org: OrgId, may: bool) {
    let patch = json!({"installation_account": may});
    let shown = world.patch(&format!("/v1/organizations/{org}"), &patch).await.ok(200);
    assert_eq!(shown["installation_account"], may);
}

async fn second(world: &World) -> OrgId {
    let org = OrgId::from_hash(&[b"second"]);
    callers::add(&world.stack.ctx, org, SECOND, Role::Admin).await;
    let plain = json!({
        "quiet_hours": null, "max_per_contact_per_day": null, "max_per_hour": null,
    });
    let settings = serde_json::from_value(plain).expect("settings");
    world.stack.ctx.store.put_settings(org, &settings).await.expect("the table answers");
    org
}

async fn by_second(world: &World, method: Method, path: &str, body: &Value) -> Value {
    let answer = Answer::to(with_json(world.request_by(SECOND, method, path), body)).await;
    assert!(answer.status < 300, "{}", answer.text);
    answer.json()
}

async fn sent_by_second(world: &World, to: &str) -> String {
    let body = json!({"channel": "sms", "to": to, "body": "Hi from the second"});
    let sent = by_second(world, Method::POST, "/v1/messages", &body).await;
    world.advance(1).await;
    sent["id"].as_str().expect("an id").to_owned()
}

async fn status(world: &World, id: &str) -> Value {
    by_second(world, Method::GET, &format!("/v1/messages/{id}"), &json!({})).await["status"].clone()
}

#[tokio::test]
async fn who_has_no_account_sends_with_the_installations_once_that_is_allowed() {
    let world = world().await;
    let org = second(&world).await;
    let refused = sent_by_second(&world, &mobile(1)).await;
    assert_eq!(status(&world, &refused).await, "failed");
    assert!(world.received().await.is_empty(), "not allowed");
    allow(&world, org, true).await;
    let id = sent_by_second(&world, &mobile(1)).await;
    assert_eq!(status(&world, &id).await, "delivered", "with its receipts");
    assert_eq!(world.received().await[0].from.as_deref(), Some(DEFAULT_FROM));
    allow(&world, org, false).await;
    let refused = sent_by_second(&world, &mobile(1)).await;
    assert_eq!(status(&world, &refused).await, "failed");
}

#[tokio::test]
async fn an_account_of_ones_own_goes_instead() {
    let world = world().await;
    allow(&world, world.stack.org, true).await;
    world.set_up_twilio(json!({"from": "+15005550010"})).await;
    let _ = world.send(&mobile(1), "Hi", json!({})).await;
    world.advance(1).await;
    assert_eq!(world.received().await[0].from.as_deref(), Some("+15005550010"));
    // Switched off, it is not replaced by somebody else's.
    let off = json!({"enabled": false, "settings": {"from": "+15005550010"}});
    let _ = world.put("/v1/integrations/twilio", &off).await.ok(200);
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "pending"}));
}

#[tokio::test]
async fn who_writes_back_writes_to_the_organization_that_wrote_last_and_stops_all() {
    let world = world().await;
    let (first, org) = (world.stack.org, second(&world).await);
    allow(&world, first, true).await;
    allow(&world, org, true).await;
    let _ = world.patch("/v1/settings", &json!({"stop_text": "First: no more."})).await.ok(200);
    let text = json!({"stop_text": "Second: no more."});
    let _ = by_second(&world, Method::PATCH, "/v1/settings", &text).await;
    let _ = world.send(&mobile(1), "Hi from the first", json!({})).await;
    world.advance(1).await;
    let _ = sent_by_second(&world, &mobile(1)).await;
    world.person_writes(&mobile(1), "Hello").await;
    let inbound = async |path: &str| {
        let list = by_second(&world, Method::GET, path, &json!({})).await;
        list["data"].as_array().expect("a list").len()
    };
    assert_eq!(inbound("/v1/messages?direction=inbound").await, 1);
    assert!(world.list("direction=inbound").await.is_empty(), "nobody reads another's mail");

    world.skip(1);
    world.person_writes(&mobile(1), "STOP").await;
    world.advance(1).await;
    let bodies: Vec<_> = world.accepted_for(&mobile(1)).await.into_iter().map(|m| m.body).collect();
    assert_eq!(bodies[2..], ["Second: no more."], "one confirmation");
    let id = world.send(&mobile(1), "Hi again", json!({})).await;
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "suppressed"}));
    let id = sent_by_second(&world, &mobile(1)).await;
    assert_eq!(status(&world, &id).await, "suppressed");

    world.person_writes(&mobile(1), "START").await;
    let id = sent_by_second(&world, &mobile(1)).await;
    assert_eq!(status(&world, &id).await, "delivered");
    let id = world.send(&mobile(1), "Hi again", json!({})).await;
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "suppressed"}));
}

#[tokio::test]
async fn a_stranger_and_a_forger_reach_nobody() {
    let world = world().await;
    allow(&world, world.stack.org, true).await;
    world.person_writes(&mobile(7), "Hello?").await;
    assert_eq!(world.counted("callbacks_without_address"), 1);
    let _ = world.send(&mobile(1), "Hi", json!({})).await;
    world.advance(1).await;
    let inbound = Inbound {
        from: mobile(1),
        to: DEFAULT_FROM.to_owned(),
        body: "STOP".to_owned(),
        wrong_signature: true,
        ..Inbound::default()
    };
    let answer = world.simulator.inbound(inbound).await.expect("the simulator runs");
    assert_eq!(answer.answer_status, Some(403));
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    world.advance(1).await;
    shows(&world.message(&id).await, &json!({"status": "delivered"}));
}
