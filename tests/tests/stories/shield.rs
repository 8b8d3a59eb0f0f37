//! What is around every request: headers of the answers, scripts of other
//! origins, requests that are too large.

use carillon_tests::{ADMIN_KEY, Answer, Setup, World};
use reqwest::Method;
use serde_json::json;

const HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

#[tokio::test]
async fn every_answer_has_the_headers_that_bind_a_browser() {
    let world = World::start().await;
    let plain = |path: &str| world.http().get(format!("{}{path}", world.url));
    for (what, request) in [
        ("an answer", world.request(Method::GET, "/v1/settings")),
        ("no key", plain("/v1/settings")),
        ("no route", plain("/v1/nothing")),
        ("no method", world.request(Method::DELETE, "/v1/messages")),
        ("no JSON", world.request(Method::POST, "/v1/messages").body("{")),
        ("open to all", plain("/healthz")),
    ] {
        let answer = Answer::to(request).await;
        for (name, value) in HEADERS {
            assert_eq!(answer.header(name), Some(value), "{what}: {name}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), None, "{what}");
    }
}

#[tokio::test]
async fn a_request_id_is_ours_alone() {
    let world = World::start().await;
    let request = world.request(Method::GET, "/v1/settings").header("x-request-id", "req_mine");
    let answer = Answer::to(request).await;
    let id = answer.header("x-request-id").expect("an id");
    assert!(id.starts_with("req_") && id.len() == 20, "{id}");
}

#[tokio::test]
async fn a_script_of_another_origin_gets_in_where_it_is_named() {
    let named = "https://console.example";
    let setup = Setup { cors_origins: vec![named.to_owned()], ..Setup::default() };
    let world = World::with(setup).await;
    let preflight = async |origin: &str| {
        let url = format!("{}/v1/messages", world.url);
        let request = world.http().request(Method::OPTIONS, url).header("origin", origin);
        Answer::to(request.header("access-control-request-method", "POST")).await
    };
    let asked = preflight(named).await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.header("access-control-allow-origin"), Some(named));
    let headers = asked.header("access-control-allow-headers").expect("headers");
    assert!(headers.contains("authorization") && headers.contains("idempotency-key"));
    let get = |origin: &str| world.request(Method::GET, "/v1/settings").header("origin", origin);
    let answer = Answer::to(get(named)).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(named));
    assert!(answer.header("access-control-expose-headers").expect("headers").contains("etag"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    for other in ["https://evil.example", "http://console.example", "null", ""] {
        assert_eq!(preflight(other).await.refusal().0, 405, "{other}");
        let answer = Answer::to(get(other)).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{other}");
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}

#[tokio::test]
async fn what_is_too_large_around_the_body_is_turned_away() {
    let world = World::start().await;
    let get = |path: &str| world.request_by(ADMIN_KEY, Method::GET, path);
    let mut many = get("/v1/settings");
    for n in 0..70 {
        many = many.header(format!("x-{n}"), "1");
    }
    let refused = Answer::to(many).await.refusal();
    assert_eq!(refused, (431, "headers_too_large".to_owned()));
    let long = get("/v1/settings").header("x-long", "a".repeat(20_000));
    assert_eq!(Answer::to(long).await.refusal().0, 431);
    let path = format!("/v1/messages?q={}", "a".repeat(9_000));
    assert_eq!(Answer::to(get(&path)).await.refusal(), (414, "uri_too_long".to_owned()));
    let path = format!("/v1/messages?q={}", "a".repeat(1_001));
    assert_eq!(Answer::to(get(&path)).await.refusal(), (400, "malformed_query".to_owned()));
    let name = "n".repeat(33_000);
    let refused = world.post("/v1/messages", &json!({name: 1})).await.refusal();
    assert_eq!(refused, (400, "json_text_too_long".to_owned()));
}
