//! The OpenAPI document is what the API does: every route is in it, every
//! example is taken, every answer looks as it says, and every refusal that it
//! names can be had.

mod attempts;
mod checked;

use std::collections::BTreeSet;

use carillon_admin_api::routes;
use carillon_tests::{Answer, World};
use reqwest::Method;
use serde_json::{Value, json};

use self::attempts::Prepared;
use self::checked::Document;

#[tokio::test]
async fn the_document_and_its_page_are_open_to_everybody() {
    let world = World::start().await;
    for (path, kind) in [
        ("/openapi.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/style.css", "text/css; charset=utf-8"),
    ] {
        let answer = Answer::to(world.http().get(format!("{}{path}", world.url))).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!answer.text.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn every_route_is_in_the_document_with_a_sentence_about_it() {
    let document = Document::of(&World::start().await).await;
    let said: BTreeSet<(String, String)> =
        document.operations().map(|o| (o.method.to_string(), o.path)).collect();
    for route in routes::table() {
        let route = (route.method.to_string(), route.path.to_owned());
        assert!(said.contains(&route), "{route:?} is not in the document");
    }
    let mut ids = BTreeSet::new();
    for operation in document.operations() {
        let what = format!("{} {}", operation.method, operation.path);
        assert_ne!(operation.value["summary"], "", "{what} has no doc comment to quote");
        let id = operation.value["operationId"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id), "{what} has the id of another");
        for (status, answer) in operation.value["responses"].as_object().expect("answers") {
            let bodies = document.resolved(answer)["content"].as_object();
            for (_, body) in bodies.into_iter().flatten() {
                let says_nothing = [json!(true), json!({}), Value::Null];
                assert!(!says_nothing.contains(&body["schema"]), "{what} {status} is untyped");
            }
        }
    }
}

#[tokio::test]
async fn every_example_is_taken_and_answered_as_the_document_says() {
    let world = World::start().await;
    let document = Document::of(&world).await;
    let mut examples = 0;
    for operation in document.operations().filter(|o| o.needs_key()) {
        for body in operation.bodies() {
            let prepared = Prepared::new(&world, &operation).await;
            let answer = prepared.with(&world, &operation, body.as_ref()).await;
            let what = format!("{} {} {body:?}", operation.method, operation.path);
            let expected = attempts::outcome(&operation);
            assert_eq!(answer.status / 100, expected / 100, "{what}: {}", answer.text);
            document.check(&operation, &answer, &what);
            examples += usize::from(body.is_some());
        }
    }
    assert!(examples >= 15, "{examples} examples");
}

#[tokio::test]
async fn every_refusal_that_the_document_names_can_be_had() {
    let world = World::start().await;
    let document = Document::of(&world).await;
    // Whose organization is suspended may do nothing of all this.
    let suspended = json!({"name": "Suspended"});
    let suspended = world.post("/v1/organizations", &suspended).await.ok(201);
    let path = format!("/v1/organizations/{}", suspended["id"].as_str().expect("an id"));
    let _ = world.patch(&path, &json!({"status": "suspended"})).await.ok(200);
    let nobody = suspended["admin_key"].as_str().expect("a secret");
    for operation in document.operations().filter(|o| o.needs_key()) {
        let statuses = operation.value["responses"].as_object().expect("answers").keys();
        for status in statuses.filter_map(|s| s.parse::<u16>().ok()).filter(|s| *s >= 400) {
            let prepared = Prepared::new(&world, &operation).await;
            let Some(request) = prepared.refused(&world, &operation, status, nobody) else {
                continue;
            };
            let answer = Answer::to(request).await;
            let what = format!("{} {} for {status}", operation.method, operation.path);
            assert_eq!(answer.status, status, "{what}: {}", answer.text);
            document.check(&operation, &answer, &what);
        }
    }
}

#[tokio::test]
async fn what_is_not_an_address_or_not_a_method_is_a_problem_document_too() {
    let world = World::start().await;
    let nowhere = world.get("/v1/nothing").await.refusal();
    assert_eq!(nowhere, (404, "no_such_route".to_owned()));
    let put = Answer::to(world.request(Method::PUT, "/v1/messages")).await;
    assert_eq!(put.refusal(), (405, "method_not_allowed".to_owned()));
    assert_eq!(put.header("allow"), Some("GET,HEAD,POST"));
}
