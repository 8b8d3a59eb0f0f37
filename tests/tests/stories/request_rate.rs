//! How fast a key may ask, and how often an address may guess.

use std::net::SocketAddr;

use carillon_domain::Role;
use carillon_tests::{ADMIN_KEY, Answer, World, callers};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpListener;

/// Requests a second that a key may make here; four times as many at once.
const RATE: u32 = 5;

/// Another instance of the API on the same table; answers its address.
async fn another_instance(world: &World) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = world.stack.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

/// How many of so many requests by a key are served, spread over the instances.
async fn served(world: &World, key: &str, count: usize, instances: &[String]) -> u32 {
    let mut served = 0;
    for n in 0..count {
        let url = format!("{}/v1/settings", instances[n % instances.len()]);
        let answer = Answer::to(world.http().get(url).bearer_auth(key)).await;
        if answer.status == 200 {
            served += 1;
        } else {
            assert_eq!(answer.refusal(), (429, "rate_limited".to_owned()));
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    served
}

async fn limited() -> World {
    let world = World::start().await;
    let rate = json!({"api_requests_per_second": RATE});
    let _ = world.patch("/v1/settings", &rate).await.ok(200);
    for key in ["crl_busy", "crl_calm"] {
        callers::add(&world.stack.ctx, world.stack.org, key, Role::Viewer).await;
    }
    world
}

#[tokio::test]
async fn a_key_that_asks_too_fast_waits_and_others_do_not() {
    let world = limited().await;
    let here = [world.url.clone()];
    // The first of a second is free.
    assert_eq!(served(&world, "crl_busy", 60, &here).await, 1 + 4 * RATE);
    assert_eq!(served(&world, "crl_calm", 10, &here).await, 10);
    for _ in 0..3 {
        world.stack.ctx.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(served(&world, "crl_busy", 30, &here).await, 1 + RATE);
    }
    world.skip(1);
    assert_eq!(served(&world, "crl_busy", 60, &here).await, 1 + 4 * RATE);
    for (rate, code) in [(0, "out_of_range"), (1_001, "out_of_range")] {
        let patch = json!({"api_requests_per_second": rate});
        let refused = world.patch("/v1/settings", &patch).await.refusal();
        assert_eq!(refused, (422, code.to_owned()));
    }
}

#[tokio::test]
async fn several_instances_serve_no_more_than_one() {
    let world = limited().await;
    let mut instances = vec![world.url.clone()];
    for _ in 0..3 {
        instances.push(another_instance(&world).await);
    }
    let served = served(&world, "crl_busy", 200, &instances).await;
    let free = u32::try_from(instances.len()).expect("few");
    assert!(served <= 4 * RATE + free, "{served}");
    // What an instance leased and did not use is lost to the others.
    assert!(served >= 2 * RATE, "{served}");
}

#[tokio::test]
async fn an_address_that_guesses_keys_waits_for_the_next_minute() {
    let world = World::start().await;
    callers::add(&world.stack.ctx, world.stack.org, "crl_new", Role::Viewer).await;
    let ask =
        async |key: &str| Answer::to(world.request_by(key, Method::GET, "/v1/settings")).await;
    let most = world.stack.ctx.config.failed_keys_per_minute;
    for n in 0..most {
        assert_eq!(ask(&format!("crl_{n}")).await.status, 401, "{n}");
    }
    let refused = ask("crl_guess").await;
    assert_eq!(refused.refusal(), (429, "too_many_failures".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(ask("crl_new").await.status, 429, "a guess that is right is not told");
    assert_eq!(ask(ADMIN_KEY).await.status, 200, "who was let in before is not shut out");
    world.skip(1);
    assert_eq!(ask("crl_guess").await.status, 401);
    assert_eq!(ask("crl_new").await.status, 200);
}
