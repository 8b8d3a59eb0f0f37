//! The audit log: what was done and what was refused, by whom, to what.

use carillon_admin_api::routes;
use carillon_domain::{OrgId, Role};
use carillon_local::engines::fault::{Operation, Verdict};
use carillon_tests::people::mobile;
use carillon_tests::{ADMIN_KEY, Answer, World, callers, shows, with_json};
use reqwest::Method;
use serde_json::{Value, json};

/// The log for a query, newest first, walked to its end.
async fn log(world: &World, key: &str, query: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/audit-log?{query}{cursor}");
        let page = Answer::to(world.request_by(key, Method::GET, &path)).await.ok(200);
        all.extend(page["data"].as_array().expect("a list").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

async fn one(world: &World, query: &str) -> Value {
    let mut found = log(world, ADMIN_KEY, query).await;
    assert_eq!(found.len(), 1, "{query}: {found:?}");
    found.remove(0)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Fails the writes of rows of the audit log that stand for a beginning (`#0`)
/// or an end (`#1`).
fn audit_fails(world: &World, which: &'static str) {
    world.stack.engines.faults().set(move |operation: &Operation<'_>| {
        let row = &operation.body["Item"];
        let is_audit = row["pk"]["S"].as_str().is_some_and(|pk| pk.contains("/audit/"));
        let is_that = row["sk"]["S"].as_str().is_some_and(|sk| sk.ends_with(which));
        if is_audit && is_that { Verdict::FailBefore } else { Verdict::Pass }
    });
}

fn nothing_fails(world: &World) {
    world.stack.engines.faults().set(|_: &Operation<'_>| Verdict::Pass);
}

#[tokio::test]
async fn each_change_is_told_with_what_was_before_and_after() {
    let world = World::start().await;
    let template = json!({"key": "notice", "channel": "sms", "body": "One"});
    let made = world.post("/v1/templates", &template).await.ok(201);
    let id = text(&made["id"]);
    let created = one(&world, "action=template.create").await;
    shows(
        &created,
        &json!({
            "role": "super_admin", "action": "template.create", "outcome": "done", "status": 201,
            "code": null, "client": "127.0.0.1", "before": null,
            "resource": {"type": "template", "id": id},
            "after": {"key": "notice", "body": "One", "version": 1},
        }),
    );
    assert!(text(&created["id"]).starts_with("aud_"));
    assert!(text(&created["actor"]).starts_with("key_"));

    world.skip(1);
    let changed = world.patch(&format!("/v1/templates/{id}"), &json!({"body": "Two"})).await;
    let updated = one(&world, "action=template.update").await;
    assert_eq!(updated["request_id"].as_str(), changed.header("x-request-id"));
    assert_eq!(updated["before"], json!({"body": "One", "version": 1}));
    assert_eq!(updated["after"], json!({"body": "Two", "version": 2}));
    assert_eq!(updated["at"], json!(world.now()));

    let _ = world.patch("/v1/settings", &json!({"max_per_day": 7})).await.ok(200);
    let settings = one(&world, "action=settings.update").await;
    assert_eq!(settings["before"], json!({"max_per_day": null}));
    assert_eq!(settings["after"], json!({"max_per_day": 7}));

    let wrong = world.patch("/v1/settings", &json!({"max_attempts": 0})).await;
    let rejected = one(&world, "outcome=rejected").await;
    shows(
        &rejected,
        &json!({"action": "settings.update", "status": 422, "code": "out_of_range", "after": null}),
    );
    assert_eq!(rejected["request_id"].as_str(), wrong.header("x-request-id"));
}

#[tokio::test]
async fn what_is_in_the_log_gives_nobody_and_no_secret_away() {
    let world = World::start().await;
    let number = mobile(7);
    let key = world.post("/v1/api-keys", &json!({"name": "CRM", "role": "viewer"})).await.ok(201);
    let suppression = json!({"to": number, "channel": "sms"});
    let _ = world.post("/v1/suppressions", &suppression).await.ok(201);
    let lift = format!("/v1/suppressions?to={}&channel=sms", number.replace('+', "%2B"));
    assert_eq!(Answer::to(world.request(Method::DELETE, &lift)).await.status, 204);
    let member = json!({"email": "ada.lovelace@example.com", "role": "viewer"});
    let _ = world.post("/v1/members", &member).await.ok(201);
    let org = world.post("/v1/organizations", &json!({"name": "Coaching"})).await.ok(201);
    let later = json!({"scheduled_for": world.in_minutes(5)});
    let id = world.send(&number, "A secret body", later).await;
    let _ = world.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await.ok(200);
    let nowhere = world.get(&format!("/v1/messages/{}", number.replace('+', "%2B"))).await;
    assert_eq!(nowhere.status, 404);

    let file = world.get("/v1/audit-log/export").await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let all = log(&world, ADMIN_KEY, "").await;
    let lines = file.text.lines().count();
    assert_eq!(lines, all.len() + 1, "a header, and a line each");
    for action in [
        "integration.update",
        "api_key.create",
        "suppression.create",
        "suppression.delete",
        "member.create",
        "organization.create",
        "message.cancel",
        "message.read",
    ] {
        assert!(all.iter().any(|e| e["action"] == action), "{action}");
        assert!(file.text.contains(action), "{action}");
    }
    let secrets = [text(&key["secret"]), text(&org["admin_key"])];
    let shown = serde_json::to_string(&all).expect("JSON") + &file.text;
    for hidden in [
        &number[1..],
        "lovelace",
        "A secret body",
        &secrets[0],
        &secrets[1],
        carillon_simulator::DEFAULT_AUTH_TOKEN,
    ] {
        assert!(!shown.contains(hidden), "{hidden}");
    }
    let lifted = all.iter().find(|e| e["action"] == "suppression.delete").expect("lifted");
    assert_eq!(lifted["before"]["channel"], "sms");
}

/// Two organizations on one stack: with the second's key every route is tried
/// with the first's ids.
#[tokio::test]
async fn each_try_with_anothers_ids_is_denied_and_told() {
    let world = World::start().await;
    let template = json!({"key": "notice", "channel": "sms", "body": "One"});
    let template = text(&world.post("/v1/templates", &template).await.ok(201)["id"]);
    let later = json!({"scheduled_for": world.in_minutes(5)});
    let message = world.send(&mobile(1), "Hi", later).await;
    let import = world.import(format!("phone\n{}\n", mobile(2)).as_bytes(), "Hi", &[]).await;
    let key = json!({"name": "CRM", "role": "viewer"});
    let key = text(&world.post("/v1/api-keys", &key).await.ok(201)["id"]);
    let member = json!({"email": "ada@example.com", "role": "viewer"});
    let member = text(&world.post("/v1/members", &member).await.ok(201)["id"]);
    let ids = [
        ("messages", message.as_str()),
        ("imports", &import),
        ("templates", &template),
        ("api-keys", &key),
        ("members", &member),
        ("dead-letters", "pck_0000000000000000"),
    ];
    let second = OrgId::from_hash(&[b"second"]);
    callers::add(&world.stack.ctx, second, "crl_second", Role::Admin).await;
    let before = (world.message(&message).await, log(&world, ADMIN_KEY, "").await.len());
    let mut tried = Vec::new();
    for route in routes::table() {
        let Some((_, id)) = ids.iter().find(|(name, _)| {
            route.path.starts_with(&format!("/v1/{name}/")) && route.path.contains("{id}")
        }) else {
            continue;
        };
        let path = route.path.replace("{id}", id);
        let request = world.request_by("crl_second", route.method.clone(), &path);
        let body = match (route.method.as_str(), route.path) {
            (_, path) if path.ends_with("reschedule") => {
                json!({"scheduled_for": world.in_minutes(9)})
            }
            ("PATCH", path) if path.contains("members") => json!({"role": "admin"}),
            ("PATCH", _) => json!({"body": "Taken over"}),
            _ => json!({}),
        };
        let answer = Answer::to(with_json(request, &body)).await;
        assert_eq!(answer.refusal(), (404, "not_found".to_owned()), "{} {path}", route.method);
        tried.push((answer.header("x-request-id").expect("an id").to_owned(), (*id).to_owned()));
    }
    assert!(tried.len() >= 12, "{tried:?}");
    let told = log(&world, "crl_second", "outcome=denied").await;
    for (request, id) in &tried {
        let entry = told.iter().find(|e| e["request_id"] == json!(request));
        let entry = entry.unwrap_or_else(|| panic!("{id} is not told"));
        shows(entry, &json!({"status": 404, "code": "not_found", "resource": {"id": id}}));
    }
    assert_eq!(told.len(), tried.len());
    let after = (world.message(&message).await, log(&world, ADMIN_KEY, "").await.len());
    assert_eq!(before, after, "nothing changed, and the first's log tells nothing");

    world.skip(1);
    // Named in the header, in a body, and as an id of an organization.
    let first = world.stack.org.to_string();
    let request = world.request_by("crl_second", Method::GET, "/v1/messages");
    let answer = Answer::to(request.header("carillon-organization", &first)).await;
    assert_eq!(answer.status, 404);
    let send = json!({"channel": "sms", "to": mobile(1), "template": template});
    let request = world.request_by("crl_second", Method::POST, "/v1/messages");
    let refused = Answer::to(with_json(request, &send)).await.refusal();
    assert_eq!(refused, (422, "unknown_template".to_owned()));
    let path = format!("/v1/organizations/{first}");
    let request = world.request_by("crl_second", Method::GET, &path);
    assert_eq!(Answer::to(request).await.refusal(), (403, "role_too_low".to_owned()));
    let more = log(&world, "crl_second", "outcome=denied").await;
    let actions: Vec<_> = more[..3].iter().filter_map(|e| e["action"].as_str()).collect();
    assert_eq!(actions.len(), 3);
    for action in ["organization.read", "message.create", "message.list"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
}

#[tokio::test]
async fn a_message_sent_is_told_by_its_own_row_only() {
    let world = World::start().await;
    callers::add(&world.stack.ctx, world.stack.org, "crl_viewer", Role::Viewer).await;
    let id = world.send(&mobile(1), "Hi", json!({})).await;
    assert!(log(&world, ADMIN_KEY, "action=message.create").await.is_empty());
    assert!(text(&world.message(&id).await["created_by"]).starts_with("key_"));
    let send = json!({"channel": "sms", "to": mobile(1), "body": "Hi"});
    let request = world.request_by("crl_viewer", Method::POST, "/v1/messages");
    assert_eq!(Answer::to(with_json(request, &send)).await.status, 403);
    let refused = one(&world, "action=message.create").await;
    shows(&refused, &json!({"outcome": "denied", "code": "role_too_low", "role": "viewer"}));
    let request = world.request_by("crl_viewer", Method::GET, "/v1/audit-log");
    assert_eq!(Answer::to(request).await.refusal(), (403, "role_too_low".to_owned()));
}

#[tokio::test]
async fn the_log_is_filtered_and_walked() {
    let world = World::start().await;
    let actor = callers::add(&world.stack.ctx, world.stack.org, "crl_other", Role::Manager).await;
    for n in 0..5 {
        let body = json!({"key": format!("t{n}"), "channel": "sms", "body": "Hi"});
        let key = if n % 2 == 0 { ADMIN_KEY } else { "crl_other" };
        let request = world.request_by(key, Method::POST, "/v1/templates");
        let _ = Answer::to(with_json(request, &body)).await.ok(201);
        world.skip(1);
    }
    // A month and a half later.
    world.skip(45 * 24 * 60);
    let _ = world.patch("/v1/settings", &json!({"max_per_day": 7})).await.ok(200);
    let by_other = format!("actor={actor}&action=template.create");
    for (query, count) in [
        ("action=template.create", 5),
        ("resource_type=template", 5),
        ("resource_type=settings", 1),
        (&by_other, 2),
        ("action=template.create&to=2026-11-21T09:02:00Z", 2),
        ("action=template.create&from=2026-11-21T09:02:00Z", 3),
        ("from=2027-01-01&action=template.create", 0),
        ("outcome=failed", 0),
        ("resource_id=tpl_0000000000000000", 0),
    ] {
        let whole = log(&world, ADMIN_KEY, query).await;
        assert_eq!(whole.len(), count, "{query}");
        for limit in [1, 2, 3] {
            let walked = log(&world, ADMIN_KEY, &format!("{query}&limit={limit}")).await;
            assert_eq!(walked, whole, "{query} by {limit}");
        }
    }
    let whole = log(&world, ADMIN_KEY, "").await;
    let times: Vec<_> = whole.iter().map(|e| text(&e["at"])).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let refused = world.get("/v1/audit-log?colour=red").await.refusal();
    assert_eq!(refused, (400, "unknown_parameter".to_owned()));
}

#[tokio::test]
async fn a_change_that_cannot_be_noted_is_not_made() {
    let world = World::start().await;
    audit_fails(&world, "#0");
    let refused = world.patch("/v1/settings", &json!({"max_per_day": 7})).await.refusal();
    assert_eq!(refused, (503, "temporarily_unavailable".to_owned()));
    nothing_fails(&world);
    assert!(world.get("/v1/settings").await.ok(200)["max_per_day"].is_null());
}

#[tokio::test]
async fn a_change_whose_end_is_lost_is_told_as_begun() {
    let world = World::start().await;
    audit_fails(&world, "#1");
    let _ = world.patch("/v1/settings", &json!({"max_per_day": 7})).await.ok(200);
    nothing_fails(&world);
    let begun = one(&world, "action=settings.update").await;
    shows(&begun, &json!({"outcome": "begun", "status": null, "after": null}));
    assert_eq!(world.counted("audit_end_lost"), 1);
}

#[tokio::test]
async fn a_denial_that_cannot_be_noted_tells_nothing() {
    let world = World::start().await;
    audit_fails(&world, "#1");
    let answer = world.get("/v1/templates/tpl_0000000000000000").await;
    assert_eq!(answer.refusal().0, 503);
    nothing_fails(&world);
}

#[tokio::test]
async fn a_key_that_is_used_from_a_new_address_is_told_once() {
    let world = World::start().await;
    let from = |address: &str| {
        #[expect(clippy::disallowed_methods, reason = "a client at another address")]
        let builder = reqwest::Client::builder();
        let address: std::net::IpAddr = address.parse().expect("an address");
        builder.no_proxy().local_address(address).build().expect("a client")
    };
    let url = format!("{}/v1/settings", world.url);
    for _ in 0..2 {
        for address in ["127.0.0.2", "127.0.0.3"] {
            let request = from(address).get(&url).bearer_auth(ADMIN_KEY);
            // What the client claims of itself is not believed.
            let answer = Answer::to(request.header("x-forwarded-for", "203.0.113.9")).await;
            assert_eq!(answer.status, 200);
        }
    }
    let told = log(&world, ADMIN_KEY, "action=api_key.new_address").await;
    let mut clients: Vec<_> = told.iter().filter_map(|e| e["client"].as_str()).collect();
    clients.sort_unstable();
    assert_eq!(clients, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
    shows(&told[0], &json!({"outcome": "done", "resource": {"type": "api_key"}}));
    assert_eq!(told[0]["resource"]["id"], told[0]["actor"]);
}
