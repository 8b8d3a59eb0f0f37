//! Keys, members, organizations: who is let in, made and shut out by the API itself.

use carillon_domain::{OrgId, Role};
use carillon_tests::people::mobile;
use carillon_tests::{Answer, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};

async fn by(world: &World, key: &str, method: Method, path: &str, body: &Value) -> Answer {
    Answer::to(with_json(world.request_by(key, method, path), body)).await
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_revoked() {
    let world = World::start().await;
    let new = json!({"name": " CRM ", "role": "manager", "expires_at": world.in_minutes(60)});
    let made = world.post("/v1/api-keys", &new).await.ok(201);
    let (secret, id) = (text(&made["secret"]), text(&made["id"]));
    assert!(secret.starts_with("crl_") && secret.len() == 56, "256 bits in base32");
    assert_eq!(made["prefix"], secret[..10]);
    shows(&made, &json!({"name": "CRM", "role": "manager", "last_used_at": null}));

    let send = json!({"channel": "sms", "to": mobile(1), "body": "Hi"});
    let sent = by(&world, &secret, Method::POST, "/v1/messages", &send).await.ok(202);
    assert_eq!(sent["created_by"], made["id"]);
    let refused = by(&world, &secret, Method::GET, "/v1/api-keys", &json!({})).await;
    assert_eq!(refused.refusal(), (403, "role_too_low".to_owned()));

    let list = world.get("/v1/api-keys").await;
    assert!(!list.text.contains(&secret), "shown once");
    let path = format!("/v1/api-keys/{id}");
    let shown = world.get(&path).await.ok(200);
    assert_eq!(shown["last_used_at"], json!(world.now()));
    assert!(shown.get("secret").is_none());

    assert_eq!(world.request(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
    let refused = by(&world, &secret, Method::GET, "/v1/messages", &json!({})).await;
    assert_eq!(refused.refusal(), (401, "key_revoked".to_owned()));
    assert!(!world.get(&path).await.ok(200)["revoked_at"].is_null(), "it stays listed");
}

#[tokio::test]
async fn a_key_opens_nothing_after_its_time() {
    let world = World::start().await;
    let new = json!({"name": "Short", "role": "viewer", "expires_at": world.in_minutes(2)});
    let made = world.post("/v1/api-keys", &new).await.ok(201);
    let secret = text(&made["secret"]);
    assert_eq!(by(&world, &secret, Method::GET, "/v1/stats", &json!({})).await.status, 200);
    world.advance(3).await;
    let refused = by(&world, &secret, Method::GET, "/v1/stats", &json!({})).await;
    assert_eq!(refused.refusal(), (401, "key_expired".to_owned()));
}

#[tokio::test]
async fn the_same_request_for_a_key_makes_one_key_whose_secret_is_the_same() {
    let world = World::start().await;
    let new = json!({"name": "CRM", "role": "viewer"});
    let first = world.post_once("/v1/api-keys", "once", &new).await.ok(201);
    let again = world.post_once("/v1/api-keys", "once", &new).await.ok(201);
    assert_eq!(first, again);
    let list = world.get("/v1/api-keys").await.ok(200);
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2), "the installation's, and this");
}

#[tokio::test]
async fn nobody_gives_or_takes_more_than_he_has() {
    let world = World::start().await;
    callers::add(&world.stack.ctx, world.stack.org, "crl_admin", Role::Admin).await;
    let new = json!({"name": "Up", "role": "super_admin"});
    let refused = by(&world, "crl_admin", Method::POST, "/v1/api-keys", &new).await;
    assert_eq!(refused.refusal(), (422, "role_too_high".to_owned()));
    let member = json!({"email": "up@example.com", "role": "super_admin"});
    let refused = by(&world, "crl_admin", Method::POST, "/v1/members", &member).await;
    assert_eq!(refused.refusal(), (422, "role_too_high".to_owned()));
    let above = world.post("/v1/members", &member).await.ok(201);
    let path = format!("/v1/members/{}", text(&above["id"]));
    for (method, body) in [(Method::PATCH, json!({"role": "viewer"})), (Method::DELETE, json!({}))]
    {
        let refused = by(&world, "crl_admin", method, &path, &body).await;
        assert_eq!(refused.refusal(), (403, "role_too_low".to_owned()));
    }
    let keys = world.get("/v1/api-keys").await.ok(200);
    let first = keys["data"].as_array().expect("keys").iter().find(|k| k["role"] == "super_admin");
    let path = format!("/v1/api-keys/{}", text(&first.expect("the installation's")["id"]));
    let refused = by(&world, "crl_admin", Method::DELETE, &path, &json!({})).await;
    assert_eq!(refused.refusal(), (403, "role_too_low".to_owned()));
}

#[tokio::test]
async fn a_member_is_invited_changed_and_removed() {
    let world = World::start().await;
    let new = json!({"email": "Ada@Example.com", "name": "Ada", "role": "viewer"});
    let made = world.post("/v1/members", &new).await.ok(201);
    shows(&made, &json!({"email": "ada@example.com", "status": "invited", "role": "viewer"}));
    let again = json!({"email": "ada@example.com", "role": "admin"});
    let again = world.post("/v1/members", &again).await;
    assert_eq!(again.refusal(), (409, "already_a_member".to_owned()));
    let path = format!("/v1/members/{}", text(&made["id"]));
    let changed = world.patch(&path, &json!({"role": "manager"})).await.ok(200);
    shows(&changed, &json!({"role": "manager", "name": "Ada"}));
    let list = world.get("/v1/members").await.ok(200);
    assert_eq!(list["data"], json!([changed]));
    assert_eq!(world.request(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
    assert_eq!(world.get(&path).await.refusal(), (404, "not_found".to_owned()));
    let _ = world.post("/v1/members", &new).await.ok(201);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_or_a_member_is_said() {
    let world = World::start().await;
    for (path, body, code) in [
        ("/v1/api-keys", json!({"name": "", "role": "viewer"}), "invalid_name"),
        ("/v1/api-keys", json!({"name": "a", "role": "owner"}), "unknown_role"),
        ("/v1/api-keys", json!({"name": "a"}), "missing_field"),
        ("/v1/api-keys", json!({"name": "a", "role": "viewer", "x": 1}), "unknown_field"),
        (
            "/v1/api-keys",
            json!({"name": "a", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}),
            "time_in_past",
        ),
        (
            "/v1/api-keys",
            json!({"name": "a", "role": "viewer", "expires_at": "tomorrow"}),
            "invalid_time",
        ),
        ("/v1/members", json!({"email": "ada", "role": "viewer"}), "invalid_email"),
        ("/v1/organizations", json!({"name": "a\nb"}), "invalid_name"),
        ("/v1/organizations", json!({"name": "a", "time_zone": "Mars"}), "unknown_time_zone"),
    ] {
        let refused = world.post(path, &body).await;
        assert_eq!(refused.refusal(), (422, code.to_owned()), "{path} {body}");
    }
}

#[tokio::test]
async fn an_organization_is_made_with_the_key_of_its_admin() {
    let world = World::start().await;
    let new = json!({"name": "Coaching", "time_zone": "Australia/Sydney"});
    let made = world.post_once("/v1/organizations", "coaching", &new).await.ok(201);
    assert_eq!(world.post_once("/v1/organizations", "coaching", &new).await.ok(201), made);
    shows(&made, &json!({"name": "Coaching", "status": "active"}));
    let key = text(&made["admin_key"]);
    let settings = by(&world, &key, Method::GET, "/v1/settings", &json!({})).await.ok(200);
    shows(&settings, &json!({"time_zone": "Australia/Sydney", "quiet_hours": {"start": "21:00"}}));
    let refused = by(&world, &key, Method::GET, "/v1/organizations", &json!({})).await;
    assert_eq!(refused.refusal(), (403, "role_too_low".to_owned()));
    let list = world.get("/v1/organizations").await.ok(200);
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2));
    let path = format!("/v1/organizations/{}", text(&made["id"]));
    let shown = world.get(&path).await.ok(200);
    assert!(shown.get("admin_key").is_none(), "shown once");
    let renamed = world.patch(&path, &json!({"name": "Coaching Ltd"})).await.ok(200);
    shows(&renamed, &json!({"name": "Coaching Ltd", "status": "active"}));
}

#[tokio::test]
async fn a_suspended_organization_is_let_in_no_more_and_sends_nothing_until_it_is_active() {
    let world = World::start().await;
    callers::add(&world.stack.ctx, world.stack.org, "crl_admin", Role::Admin).await;
    let path = format!("/v1/organizations/{}", world.stack.org);
    let own = world.patch(&path, &json!({"status": "suspended"})).await;
    assert_eq!(own.refusal(), (422, "own_organization".to_owned()));

    let elsewhere = OrgId::from_hash(&[b"operator"]);
    callers::add(&world.stack.ctx, elsewhere, "crl_operator", Role::SuperAdmin).await;
    let later = world.send(&mobile(1), "Hi", json!({"scheduled_for": world.in_minutes(2)})).await;
    let suspend = json!({"status": "suspended"});
    let shown = by(&world, "crl_operator", Method::PATCH, &path, &suspend).await.ok(200);
    shows(&shown, &json!({"status": "suspended"}));
    let refused = by(&world, "crl_admin", Method::GET, "/v1/messages", &json!({})).await;
    assert_eq!(refused.refusal(), (403, "organization_suspended".to_owned()));
    for _ in 0..5 {
        world.advance(1).await;
    }
    assert_eq!(world.received().await.len(), 0);
    let held = world.message(&later).await;
    let decisions = held["decisions"].as_array().expect("decisions");
    assert!(decisions.iter().any(|d| d["reason"] == "organization_suspended"), "{held}");

    let active = json!({"status": "active"});
    let _ = by(&world, "crl_operator", Method::PATCH, &path, &active).await.ok(200);
    for _ in 0..20 {
        world.advance(1).await;
    }
    assert_eq!(world.received().await.len(), 1);
    shows(&world.message(&later).await, &json!({"status": "delivered"}));
}

#[tokio::test]
async fn only_who_manages_organizations_acts_in_another() {
    let world = World::start().await;
    let second = OrgId::from_hash(&[b"second"]);
    callers::add(&world.stack.ctx, second, "crl_second", Role::Admin).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    let ask = async |key: &str, org: &str| {
        let request = world.request_by(key, Method::GET, &format!("/v1/messages/{id}"));
        Answer::to(request.header("carillon-organization", org)).await
    };
    let (first, second) = (world.stack.org.to_string(), second.to_string());
    assert_eq!(ask("crl_second", &first).await.refusal(), (404, "not_found".to_owned()));
    assert_eq!(ask("crl_second", &second).await.status, 404, "its own, without the message");
    assert_eq!(ask(carillon_tests::ADMIN_KEY, &second).await.status, 404);
    assert_eq!(ask(carillon_tests::ADMIN_KEY, &first).await.status, 200);
    for nonsense in ["org_x", "", "org_00000000000000000"] {
        let refused = ask(carillon_tests::ADMIN_KEY, nonsense).await;
        assert_eq!(refused.refusal(), (404, "not_found".to_owned()), "{nonsense}");
    }
}
