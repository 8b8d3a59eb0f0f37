//! Somebody of a second organization, who knows every id of the first one, tries every route
//! there is with them. He gets 404, nothing of the first organization changes, and each try
//! stands in the log of his own.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use carillon_admin_api::routes::{self, Route};
use carillon_domain::{Action, OrgId, Role};
use carillon_local::stack::TABLE;
use carillon_tests::people::mobile;
use carillon_tests::{ADMIN_KEY, Answer, World, callers, with_json};
use reqwest::Method;
use serde_json::{Value, json};

const INTRUDER: &str = "crl_intruder";

/// What stands in the table for the first organization: all rows under its keys.
async fn rows(world: &World) -> BTreeMap<(String, String), Vec<(String, AttributeValue)>> {
    let table = world.stack.engines.dynamodb();
    let own = format!("o/{}", world.stack.org.key());
    let mut found = BTreeMap::new();
    let mut from = None;
    loop {
        let scan = table.scan().table_name(TABLE).set_exclusive_start_key(from);
        let page = scan.send().await.expect("a page");
        for item in page.items() {
            let text = |name: &str| item[name].as_s().expect("a text").clone();
            let (pk, sk) = (text("pk"), text("sk"));
            if pk.starts_with(&own) {
                let mut row: Vec<_> = item.clone().into_iter().collect();
                row.sort_by(|a, b| a.0.cmp(&b.0));
                found.insert((pk, sk), row);
            }
        }
        from = page.last_evaluated_key().cloned();
        if from.is_none() {
            return found;
        }
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// An id of the first organization for each noun that has some.
async fn ids(world: &World) -> BTreeMap<&'static str, String> {
    let later = json!({"scheduled_for": world.in_minutes(30)});
    let message = world.send(&mobile(1), "Private", later).await;
    let import =
        world.import(format!("phone\n{}\nbad\n", mobile(2)).as_bytes(), "Private", &[]).await;
    let template = json!({"key": "private", "channel": "sms", "body": "Private"});
    let template = world.post("/v1/templates", &template).await.ok(201);
    let sequence = json!({
        "name": "Private", "channel": "sms",
        "steps": [{"template": "private", "send_time": "11:00", "label": "Private"}],
    });
    let sequence = world.post("/v1/sequences", &sequence).await.ok(201);
    let tag = json!({"name": "Private", "sequences": {"sms": sequence["id"]}});
    let tag = world.post("/v1/tags", &tag).await.ok(201);
    let key = world.post("/v1/api-keys", &json!({"name": "P", "role": "viewer"})).await.ok(201);
    let member = json!({"email": "ada@example.com", "role": "viewer"});
    let member = world.post("/v1/members", &member).await.ok(201);
    let contact = json!({"name": "Ada", "phone": mobile(3)});
    let contact = world.post("/v1/contacts", &contact).await.ok(201);
    let booking = json!({
        "client_id": contact["id"], "starts_at": world.in_minutes(3_000), "location": "Private",
    });
    let booking = world.post("/v1/bookings", &booking).await.ok(201);
    let segment = json!({"name": "Private", "rules": {"label": "vip"}});
    let segment = world.post("/v1/segments", &segment).await.ok(201);
    let export = world.post("/v1/contacts/export", &json!({})).await.ok(202);
    let list = world.post("/v1/lists", &json!({"name": "Private"})).await.ok(201);
    let (workshop, campaign) = world.run_workshop("Private").await;
    world.advance(1).await;
    let pack = rows(world)
        .await
        .into_keys()
        .find_map(|(pk, _)| pk.split_once("/k/").map(|(_, pack)| format!("pck_{pack}")));
    BTreeMap::from([
        ("messages", message),
        ("imports", import),
        ("templates", id(&template)),
        ("sequences", id(&sequence)),
        ("tags", id(&tag)),
        ("api-keys", id(&key)),
        ("members", id(&member)),
        ("contacts", id(&contact)),
        ("bookings", id(&booking)),
        ("lists", id(&list)),
        ("exports", id(&export)),
        ("workshops", workshop),
        ("campaigns", campaign),
        ("segments", id(&segment)),
        ("dead-letters", pack.expect("a pack")),
        ("organizations", world.stack.org.to_string()),
    ])
}

/// A body that would do something, were the id the intruder's own.
fn body(world: &World, route: &Route) -> Value {
    match (route.method.as_str(), route.path) {
        ("POST", path) if path.ends_with("/reschedule") => {
            json!({"scheduled_for": world.in_minutes(1)})
        }
        ("PATCH", "/v1/templates/{id}") => json!({"body": "Mine"}),
        ("PATCH", "/v1/bookings/{id}") => json!({"location": "Mine"}),
        ("POST", "/v1/bookings/{id}/move") => json!({"coach_name": "Mine"}),
        ("PATCH", "/v1/sequences/{id}" | "/v1/tags/{id}") => json!({"name": "Mine"}),
        ("PATCH", "/v1/contacts/{id}") => json!({"name": "Mine"}),
        ("POST", "/v1/contacts/{id}/merge") => {
            json!({"contact_id": carillon_domain::ContactId::from_hash(&[b"mine"])})
        }
        ("PATCH", "/v1/segments/{id}") => json!({"name": "Mine"}),
        ("PATCH", "/v1/lists/{id}") => json!({"name": "Mine"}),
        ("POST" | "DELETE", "/v1/lists/{id}/members") => {
            json!({"contact_ids": [carillon_domain::ContactId::from_hash(&[b"mine"])]})
        }
        ("PATCH", "/v1/workshops/{id}") => json!({"title": "Mine"}),
        (_, "/v1/workshops/{id}/registrations") => {
            json!({"contact_ids": [carillon_domain::ContactId::from_hash(&[b"mine"])]})
        }
        ("POST", "/v1/workshops/{id}/run-sequence") => json!({"channel": "sms"}),
        ("POST", "/v1/workshops/{id}/send-now") => {
            json!({"channel": "sms", "template": "private"})
        }
        (_, "/v1/contacts/{id}/labels") => json!({"labels": ["mine"]}),
        ("PATCH", "/v1/members/{id}") => json!({"role": "manager"}),
        ("PATCH", "/v1/organizations/{id}") => json!({"status": "suspended"}),
        _ => json!({}),
    }
}

async fn tries(world: &World) -> usize {
    let mut count = 0;
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/audit-log?outcome=denied&limit=200{cursor}");
        let page = Answer::to(world.request_by(INTRUDER, Method::GET, &path)).await.ok(200);
        count += page["data"].as_array().expect("entries").len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return count,
        }
    }
}

#[tokio::test]
async fn with_every_id_of_another_organization_every_route_answers_that_there_is_none() {
    let world = World::start().await;
    callers::add(&world.stack.ctx, OrgId::from_hash(&[b"intruder"]), INTRUDER, Role::Admin).await;
    let ids = ids(&world).await;
    let before = rows(&world).await;
    assert!(before.len() > 10, "there is something to find");
    let mut tried = 0;
    for route in routes::table() {
        let noun = route.path.split('/').nth(2).expect("a noun");
        if !route.path.contains("{id}") {
            continue;
        }
        let path = route.path.replace("{id}", &ids[noun]);
        let request = world.request_by(INTRUDER, route.method.clone(), &path);
        let answer = Answer::to(with_json(request, &body(&world, &route))).await;
        let expected = if route.action == Action::ManageOrganizations {
            (403, "role_too_low".to_owned())
        } else {
            (404, "not_found".to_owned())
        };
        assert_eq!(answer.refusal(), expected, "{} {path}", route.method);
        assert!(!answer.text.contains("Private"));
        tried += 1;
        assert_eq!(tries(&world).await, tried, "{} {path} is in the log", route.method);
    }
    assert!(tried > 15, "{tried} routes with an id");
    assert_eq!(rows(&world).await, before, "nothing has changed");
}

#[tokio::test]
async fn no_route_lets_anybody_act_in_another_organization_by_naming_it() {
    let world = World::start().await;
    callers::add(&world.stack.ctx, OrgId::from_hash(&[b"intruder"]), INTRUDER, Role::Admin).await;
    let ids = ids(&world).await;
    let before = rows(&world).await;
    let mut tried = 0;
    for route in routes::table() {
        let noun = route.path.split('/').nth(2).expect("a noun");
        let id = ids.get(noun).map_or("twilio", String::as_str);
        let path = route.path.replace("{id}", id).replace("{provider}", "twilio");
        let request = world.request_by(INTRUDER, route.method.clone(), &path);
        let request = request.header("carillon-organization", world.stack.org.to_string());
        let answer = Answer::to(with_json(request, &body(&world, &route))).await;
        assert_eq!(answer.refusal(), (404, "not_found".to_owned()), "{} {path}", route.method);
        tried += 1;
    }
    assert_eq!(tries(&world).await, tried, "each of them is in the log");
    assert_eq!(rows(&world).await, before, "nothing has changed");
}

/// The ids are right: whose they are gets something else than 404 from every one of these routes.
#[tokio::test]
async fn the_same_requests_of_the_owner_find_what_they_name() {
    let world = World::start().await;
    let ids = ids(&world).await;
    let mut table = routes::table();
    // What is deleted has no parts any more.
    table.sort_by_key(|route| {
        (route.method.as_str(), route.path) == ("DELETE", "/v1/workshops/{id}")
    });
    for route in table {
        let noun = route.path.split('/').nth(2).expect("a noun");
        // Who is forgotten cannot be deleted as well.
        let forgets = (route.method.as_str(), route.path) == ("DELETE", "/v1/contacts/{id}/data");
        if !route.path.contains("{id}") || noun == "dead-letters" || forgets {
            continue;
        }
        let path = route.path.replace("{id}", &ids[noun]);
        let request = world.request_by(ADMIN_KEY, route.method.clone(), &path);
        let answer = Answer::to(with_json(request, &body(&world, &route))).await;
        assert_ne!(answer.status, 404, "{} {path}: {}", route.method, answer.text);
    }
}
