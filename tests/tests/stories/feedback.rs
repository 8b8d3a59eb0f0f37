//! The page on which a client rates a session.

use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, shows};
use serde_json::{Value, json};

use crate::bookings::{book, client, path};

const HOUR: i64 = 60;

/// A session that is over, and the link its client got.
async fn asked(world: &World) -> (Value, String) {
    let client = client(world, Some(&mobile(1))).await;
    let booking = book(world, &client, &world.in_minutes(3 * HOUR), json!({})).await;
    world.skip(5 * HOUR);
    world.advance(90).await;
    let sent = world.accepted_for(&mobile(1)).await.pop().expect("a text").body;
    let at = sent.find(&format!("{}/feedback/", world.url)).expect("a link");
    let link = sent[at..].split_whitespace().next().expect("a link").to_owned();
    (booking, link)
}

async fn open(world: &World, link: &str) -> Answer {
    Answer::to(world.http().get(link)).await
}

async fn send(world: &World, link: &str, form: &[(&str, &str)]) -> Answer {
    let body: String = form
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "+")))
        .collect::<Vec<_>>()
        .join("&");
    let request = world.http().post(link);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    Answer::to(request).await
}

#[tokio::test]
async fn a_client_rates_a_session_and_changes_his_mind() {
    let world = World::start().await;
    let (booking, link) = asked(&world).await;
    let page = open(&world, &link).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Grace") && page.text.contains("<form method=\"post\""));
    assert!(!page.text.contains("<script"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let style = open(&world, &format!("{}/feedback/style.css", world.url)).await;
    assert_eq!(style.status, 200);

    let saved = send(&world, &link, &[("rating", "4"), ("comment", "Very good")]).await;
    assert_eq!(saved.status, 200, "the page again");
    assert!(saved.text.contains("role=\"status\""), "{}", saved.text);
    let shown = world.get(&path(&booking)).await.ok(200);
    shows(&shown["feedback"], &json!({"rating": 4, "comment": "Very good"}));
    let _ = send(&world, &link, &[("rating", "2"), ("comment", "")]).await;
    let shown = world.get(&path(&booking)).await.ok(200);
    shows(&shown["feedback"], &json!({"rating": 2, "comment": null}));
    let page = open(&world, &link).await;
    assert!(page.text.contains("value=\"2\" required checked"), "{}", page.text);
}

#[tokio::test]
async fn what_is_wrong_with_an_answer_is_said_on_the_page() {
    let world = World::start().await;
    let (booking, link) = asked(&world).await;
    let long = "x".repeat(1_001);
    for form in [
        vec![("comment", "no rating")],
        vec![("rating", "6")],
        vec![("rating", "0")],
        vec![("rating", "good")],
        vec![("rating", "4"), ("comment", long.as_str())],
    ] {
        let page = send(&world, &link, &form).await;
        assert_eq!(page.status, 422, "{form:?}");
        assert!(page.text.contains("role=\"alert\""), "{}", page.text);
    }
    assert_eq!(world.get(&path(&booking)).await.ok(200)["feedback"], Value::Null);
}

#[tokio::test]
async fn a_link_that_was_changed_or_has_closed_opens_nothing() {
    let world = World::start().await;
    let (booking, link) = asked(&world).await;
    let token = link.rsplit('/').next().expect("a token").to_owned();
    for place in [0, 10, token.len() - 1] {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("a text");
        let changed = format!("{}/feedback/{changed}", world.url);
        assert_eq!(open(&world, &changed).await.status, 404, "at {place}");
        let sent = send(&world, &changed, &[("rating", "5")]).await;
        assert_eq!(sent.status, 404, "at {place}");
    }
    for nonsense in ["x", "%00", "..%2f", &"A".repeat(500)] {
        let page = open(&world, &format!("{}/feedback/{nonsense}", world.url)).await;
        assert_eq!(page.status, 404, "{nonsense}");
    }
    assert!(world.counted("forged_feedback_links") >= 6);
    world.skip(31 * 24 * HOUR);
    assert_eq!(open(&world, &link).await.status, 410);
    assert_eq!(send(&world, &link, &[("rating", "5")]).await.status, 410);
    assert_eq!(world.get(&path(&booking)).await.ok(200)["feedback"], Value::Null);
}

#[tokio::test]
async fn who_asks_too_fast_waits() {
    let world = World::start().await;
    let (_, link) = asked(&world).await;
    let mut last = 0;
    for _ in 0..25 {
        last = open(&world, &link).await.status;
    }
    assert_eq!(last, 429);
    world.skip(2);
    assert_eq!(open(&world, &link).await.status, 200);
}

#[tokio::test]
async fn a_page_of_ones_own_gets_the_token() {
    let world = World::start().await;
    let own = json!({"feedback_url": "https://coaching.example.com/rate?lang=en"});
    let _ = world.patch("/v1/settings", &own).await.ok(200);
    let client = client(&world, Some(&mobile(1))).await;
    let _ = book(&world, &client, &world.in_minutes(3 * HOUR), json!({})).await;
    world.skip(5 * HOUR);
    world.advance(90).await;
    let sent = world.accepted_for(&mobile(1)).await.pop().expect("a text").body;
    assert!(sent.contains("https://coaching.example.com/rate?lang=en&token="), "{sent}");
}
