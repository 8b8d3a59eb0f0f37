//! `CARILLON_SEED=demo`: what somebody finds who starts it for the first time.

use carillon_local::demo;
use carillon_tests::{ADMIN_KEY, Setup, World, shows};
use serde_json::{Value, json};

async fn seed(world: &World) {
    let router = world.stack.router();
    demo::seed(router, ADMIN_KEY.to_owned(), world.now()).await.expect("the API takes it");
    world.tick().await;
    world.settle().await;
}

async fn all(world: &World, path: &str) -> Vec<Value> {
    let page = world.get(path).await.ok(200);
    page["data"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn the_demo_has_a_workshop_today_whose_sequence_is_run_at_a_click() {
    let world = World::start().await;
    seed(&world).await;
    let workshops = all(&world, "/v1/workshops").await;
    assert_eq!(workshops.len(), 1);
    let path = format!("/v1/workshops/{}", workshops[0]["id"].as_str().expect("an id"));
    let recipients = world.get(&format!("{path}/recipients?channel=sms")).await.ok(200);
    shows(&recipients, &json!({"total": 52, "reachable": 47}));
    let failed = all(&world, "/v1/messages?status=failed").await;
    assert_eq!(failed.len(), 1, "there is one to look into");

    let run = json!({"channel": "sms"});
    let run = world.post(&format!("{path}/run-sequence"), &run).await.ok(202);
    shows(&run, &json!({"scheduled": 141}));
    world.tick().await;
    world.advance(4).await;
    let checkpoints = world.get(&format!("{path}/checkpoints?channel=sms")).await.ok(200);
    assert_eq!(checkpoints["data"][0]["counts"]["delivered"], 47, "{checkpoints}");
}

#[tokio::test]
async fn another_start_adds_nothing_and_another_day_its_workshop() {
    let world = World::start().await;
    seed(&world).await;
    let lists = [
        "/v1/contacts?limit=200",
        "/v1/tags",
        "/v1/sequences",
        "/v1/bookings",
        "/v1/lists",
        "/v1/segments",
        "/v1/suppressions",
        "/v1/consents",
        "/v1/templates?limit=200",
        "/v1/messages?limit=200",
    ];
    let mut before = Vec::new();
    for list in lists {
        before.push(all(&world, list).await.len());
    }
    assert_eq!(before[0], 52);
    let own = json!({"default_country": "NZ"});
    let _ = world.patch("/v1/settings", &own).await.ok(200);
    assert!(before.iter().all(|count| *count > 0), "something of every kind: {before:?}");
    seed(&world).await;
    let settings = world.get("/v1/settings").await.ok(200);
    assert_eq!(settings["default_country"], "NZ", "what somebody has set stays");
    for (list, before) in lists.into_iter().zip(before) {
        assert_eq!(all(&world, list).await.len(), before, "{list}");
    }
    assert_eq!(all(&world, "/v1/workshops").await.len(), 1);
    world.skip(26 * 60);
    seed(&world).await;
    assert_eq!(all(&world, "/v1/workshops").await.len(), 2);
    assert_eq!(all(&world, "/v1/contacts?limit=200").await.len(), 52);
}

#[tokio::test]
async fn another_start_in_sydneys_morning_finds_the_days_workshop() {
    // 06:00 in Sydney, and the day before in UTC.
    let start = "2026-11-21T19:00:00Z".parse().expect("a time");
    let world = World::with(Setup { start: Some(start), ..Setup::default() }).await;
    seed(&world).await;
    world.skip(10);
    seed(&world).await;
    assert_eq!(all(&world, "/v1/workshops").await.len(), 1);
}
