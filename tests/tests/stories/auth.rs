//! Who may ask, and what the answer to anything else looks like.

use carillon_domain::Role;
use carillon_tests::people::mobile;
use carillon_tests::{ADMIN_KEY, Answer, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_word_before_the_key_is_read_as_people_write_it() {
    let world = World::start().await;
    for word in ["Bearer", "bearer", "BEARER"] {
        let request = world.http().get(format!("{}/v1/settings", world.url));
        let request = request.header("authorization", format!("{word} {ADMIN_KEY}"));
        assert_eq!(Answer::to(request).await.status, 200, "{word}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document_too() {
    let world = World::start().await;
    for (method, path, status, code) in [
        (Method::GET, "/v1/nothing", 404, "no_such_route"),
        (Method::GET, "/", 404, "no_such_route"),
        (Method::POST, "/v1/messages/a/b/c", 404, "no_such_route"),
        (Method::DELETE, "/v1/messages", 405, "method_not_allowed"),
        (Method::PUT, "/v1/messages", 405, "method_not_allowed"),
        (Method::POST, "/v1/stats", 405, "method_not_allowed"),
        (Method::GET, "/v1/messages/msg_0", 404, "not_found"),
        (Method::GET, "/v1/messages/%20", 404, "not_found"),
        (Method::GET, "/v1/messages/%FF", 404, "not_found"),
        (Method::POST, "/v1/messages/nothing/cancel", 404, "not_found"),
        (Method::GET, "/v1/imports/msg_0", 404, "not_found"),
        (Method::GET, "/v1/templates/tpl_0", 404, "not_found"),
        (Method::GET, "/v1/integrations/pigeon", 404, "not_found"),
    ] {
        let answer = Answer::to(world.request(method.clone(), path)).await;
        assert_eq!(answer.refusal(), (status, code.to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn an_id_that_was_never_given_is_not_found() {
    let world = World::start().await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    // The same number at another time.
    let other = format!("{}{}", &id[..id.len() - 1], if id.ends_with('0') { '1' } else { '0' });
    for path in ["", "/cancel", "/retry"] {
        let path = format!("/v1/messages/{other}{path}");
        let method = if path.ends_with(&other) { Method::GET } else { Method::POST };
        let answer = Answer::to(world.request(method, &path)).await;
        assert_eq!(answer.refusal(), (404, "not_found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_problem_document_has_its_form() {
    let world = World::start().await;
    let answer = world.post("/v1/messages", &json!({"channel": "sms", "to": "12"})).await;
    let document = answer.ok(422);
    shows(
        &document,
        &json!({
            "title": "Unprocessable Entity", "status": 422, "code": "invalid_phone_number",
            "errors": [
                {"field": "to", "code": "invalid_phone_number"},
                {"field": "body", "code": "missing_field"},
            ],
        }),
    );
    let (_, _, field) = answer.problem();
    assert_eq!(field.as_deref(), Some("to"));
    let id = document["request_id"].as_str().expect("an id");
    assert!(id.starts_with("req_"));
    let next = world.get("/v1/settings").await;
    assert_ne!(next.header("x-request-id"), Some(id), "each request has its own");
}

#[tokio::test]
async fn a_role_may_do_what_is_its_own() {
    let world = World::start().await;
    for role in [Role::Viewer, Role::Manager] {
        let secret = format!("crl_{}", role.as_str());
        callers::add(&world.stack.ctx, world.stack.org, &secret, role).await;
    }
    let message = json!({"channel": "sms", "to": mobile(1), "body": "Hi"});
    let template = json!({"key": "a", "channel": "sms", "body": "Hi"});
    let integration = json!({"settings": {"from": "+15005550006"}});
    for (method, path, body, viewer, manager) in [
        (Method::GET, "/v1/messages", json!({}), 200, 200),
        (Method::GET, "/v1/stats", json!({}), 200, 200),
        (Method::GET, "/v1/integrations/twilio", json!({}), 200, 200),
        (Method::POST, "/v1/messages", message, 403, 202),
        (Method::POST, "/v1/templates", template, 403, 201),
        (Method::PUT, "/v1/integrations/twilio", integration, 403, 403),
        (Method::POST, "/v1/integrations/twilio/test", json!({}), 403, 403),
        (Method::PATCH, "/v1/settings", json!({"max_attempts": 1}), 403, 403),
    ] {
        for (key, expected) in [("crl_viewer", viewer), ("crl_manager", manager)] {
            let request = world.request_by(key, method.clone(), path);
            let answer = Answer::to(with_json(request, &body)).await;
            assert_eq!(answer.status, expected, "{key} {method} {path}: {}", answer.text);
            if expected == 403 {
                assert_eq!(answer.refusal(), (403, "role_too_low".to_owned()));
            }
        }
    }
}

#[tokio::test]
async fn whether_it_is_well_needs_no_key() {
    let world = World::start().await;
    let request = world.http().get(format!("{}/healthz", world.url));
    shows(&Answer::to(request).await.ok(200), &json!({"status": "ok"}));
}
