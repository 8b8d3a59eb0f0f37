//! Being signed in: how long, what a form must carry, and how it ends.

use carillon_local::options::People;
use carillon_tests::browser::{Browser, csrf};
use carillon_tests::{ADMIN_KEY, Setup, World};
use http::Method;
use serde_json::json;

const ADA: &str = "person-ada";
const HOUR: i64 = 60;

async fn world() -> World {
    World::with(Setup { people: People::BuiltIn, ..Setup::default() }).await
}

async fn signed_in(world: &World) -> Browser {
    let browser = Browser::new(world);
    assert_eq!(browser.sign_in_as(ADA).await.0.status, 303);
    assert!(is_in(&browser).await);
    browser
}

async fn is_in(browser: &Browser) -> bool {
    let page = browser.open("/console").await;
    assert!([200, 303].contains(&page.status), "{}", page.text);
    page.status == 200
}

#[tokio::test]
async fn a_session_ends_after_eight_hours_of_rest() {
    let world = world().await;
    let browser = signed_in(&world).await;
    for _ in 0..3 {
        world.skip(7 * HOUR + 59);
        assert!(is_in(&browser).await, "what is done keeps it open");
    }
    world.skip(8 * HOUR);
    assert!(!is_in(&browser).await);
}

#[tokio::test]
async fn a_session_ends_after_a_week_whatever_is_done() {
    let world = world().await;
    let browser = signed_in(&world).await;
    for _ in 0..28 {
        assert!(is_in(&browser).await);
        world.skip(6 * HOUR);
    }
    assert!(!is_in(&browser).await);
}

#[tokio::test]
async fn who_signs_out_is_out_for_good() {
    let world = world().await;
    let browser = signed_in(&world).await;
    let other = signed_in(&world).await;
    let cookie = browser.cookie("carillon_session").expect("a session");
    let token = csrf(&browser.open("/console").await);
    assert_eq!(browser.send("/console/sign-out", &[("csrf", &token)]).await.status, 303);
    assert!(browser.cookie("carillon_session").is_none());
    browser.set_cookie("carillon_session", &cookie);
    assert!(!is_in(&browser).await, "its cookie opens nothing any more");
    assert!(is_in(&other).await, "another browser is another session");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_this_person_only() {
    let world = world().await;
    let browsers = [signed_in(&world).await, signed_in(&world).await, signed_in(&world).await];
    let mary = Browser::new(&world);
    assert_eq!(mary.sign_in_as("person-mary").await.0.status, 303);
    let key = Browser::new(&world);
    assert_eq!(key.sign_in_with_key(ADMIN_KEY).await.status, 303);
    let token = csrf(&browsers[0].open("/console").await);
    let answer = browsers[0].send("/console/sign-out/everywhere", &[("csrf", &token)]).await;
    assert_eq!(answer.status, 303);
    for browser in &browsers {
        assert!(!is_in(browser).await);
    }
    assert!(is_in(&mary).await && is_in(&key).await);
    world.skip(1);
    let again = signed_in(&world).await;
    assert!(is_in(&again).await);
}

#[tokio::test]
async fn every_form_needs_its_token() {
    let world = world().await;
    let browser = signed_in(&world).await;
    let other = signed_in(&world).await;
    let foreign = csrf(&other.open("/console").await);
    let posts: Vec<_> = carillon_console::routes::table()
        .into_iter()
        .filter(|(method, _)| *method != Method::GET)
        .collect();
    assert!(posts.len() >= 4, "{posts:?}");
    for (method, path) in posts {
        assert_eq!(method, Method::POST, "{path}: forms are sent by POST");
        let forged: [&[(&str, &str)]; 4] =
            [&[], &[("csrf", "")], &[("csrf", "made-up")], &[("csrf", &foreign)]];
        for fields in forged {
            let answer = browser.send(path, fields).await;
            assert_eq!(answer.status, 403, "{path} {fields:?}: {}", answer.text);
        }
    }
    assert!(is_in(&browser).await, "nothing was done");
    // A browser without any cookie has no token at all.
    let answer = Browser::new(&world).send("/console/sign-in/key", &[("key", ADMIN_KEY)]).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_session_goes_with_its_membership_and_its_key() {
    let world = world().await;
    let browser = signed_in(&world).await;
    let members = world.get("/v1/members").await.ok(200);
    let ada = members["data"].as_array().expect("a list").iter().find(|m| m["status"] == "active");
    let id = ada.expect("Ada")["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/members/{id}");
    assert_eq!(world.patch(&path, &json!({"role": "viewer"})).await.status, 200);
    let page = browser.open("/console/you").await;
    assert!(page.text.contains("<dd id=\"role\">Viewer</dd>"), "{}", page.text);
    assert_eq!(carillon_tests::Answer::to(world.request(Method::DELETE, &path)).await.status, 204);
    assert!(!is_in(&browser).await);

    let made = world.post("/v1/api-keys", &json!({"name": "till", "role": "viewer"})).await.ok(201);
    let by_key = Browser::new(&world);
    let secret = made["key"].as_str().or(made["secret"].as_str()).expect("a key");
    assert_eq!(by_key.sign_in_with_key(secret).await.status, 303);
    assert!(is_in(&by_key).await);
    let path = format!("/v1/api-keys/{}", made["id"].as_str().expect("an id"));
    let gone = carillon_tests::Answer::to(world.request(Method::DELETE, &path)).await;
    assert!([200, 204].contains(&gone.status), "{}", gone.text);
    assert!(!is_in(&by_key).await);
}

#[tokio::test]
async fn cookies_that_nobody_gave_open_nothing() {
    let world = world().await;
    for value in ["", "x", "../../key", &"0".repeat(52), &"z".repeat(5_000)] {
        let browser = Browser::new(&world);
        browser.set_cookie("carillon_session", value);
        assert!(!is_in(&browser).await, "{value}");
    }
}
