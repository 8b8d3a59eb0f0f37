//! Segments in the console: rules line by line, and who fits them.

use carillon_domain::{OrgId, Role};
use carillon_tests::browser::csrf;
use carillon_tests::{World, people};
use serde_json::{Value, json};

use super::{hidden, of, reader, shows};

fn tag(page: &carillon_tests::Answer) -> String {
    hidden(page, "tag").replace("&#34;", "\"")
}

async fn contacts(world: &World) {
    for (n, name, status, labels) in [
        (1, "Ada Lovelace", "lead", &["vip"][..]),
        (2, "Grace Hopper", "lead", &[]),
        (3, "Alan Turing", "client", &["vip"]),
    ] {
        let contact = json!({
            "name": name, "phone": people::mobile(n), "status": status, "labels": labels,
            "attributes": {"city": "Sydney"},
        });
        let _ = world.post("/v1/contacts", &contact).await.ok(201);
    }
}

async fn rules(world: &World) -> Value {
    world.get("/v1/segments").await.ok(200)["data"][0]["rules"].clone()
}

#[tokio::test]
async fn a_segment_is_written_line_by_line_and_shows_who_is_in_it() {
    let world = World::start().await;
    contacts(&world).await;
    let browser = reader(&world, Role::Manager).await;
    shows(&browser.open("/console/segments").await, 200, &["No segment yet", "Make the first one"]);
    let page = browser.open("/console/segments/new").await;
    shows(&page, 200, &["1. Label", "name=\"kind.0\" value=\"label\""]);
    let (token, once) = (csrf(&page), hidden(&page, "once"));
    let first = [
        ("csrf", token.as_str()),
        ("once", once.as_str()),
        ("name", "Leads without the label"),
        ("match", "all"),
        ("kind.0", "label"),
        ("not.0", "not"),
        ("value.0", "vip"),
    ];
    // Two more lines, one of which goes again: nothing is stored, and what was typed stays.
    let page =
        browser.send("/console/segments/edit", &[&first[..], &[("add", "field")]].concat()).await;
    shows(&page, 200, &["value=\"Leads without the label\"", "value=\"vip\"", "2. Field"]);
    let two = [&first[..], &[("kind.1", "replied"), ("kind.2", "field"), ("drop", "1")]].concat();
    let page = browser.send("/console/segments/edit", &two).await;
    shows(&page, 200, &["1. Label", "2. Field"]);
    assert!(!page.text.contains("3. "), "{}", page.text);
    assert_eq!(world.get("/v1/segments").await.ok(200)["data"], json!([]));
    let second = [
        ("kind.1", "field"),
        ("what.1", "status"),
        ("not.1", ""),
        ("how.1", "is"),
        ("value.1", "lead"),
    ];
    let fields = [&first[..], &second[..]].concat();
    let made = browser.send("/console/segments", &fields).await;
    let again = browser.send("/console/segments", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert_eq!(made.header("location"), again.header("location"), "made once");
    let stored = json!({"and": [{"not": {"label": "vip"}}, {"field": "status", "is": "lead"}]});
    assert_eq!(rules(&world).await, stored);
    let page = browser.arrive(made).await;
    shows(
        &page,
        200,
        &["<b>1 contact</b>", "Grace Hopper", "not labelled “vip” and status is “lead”"],
    );
    assert!(!page.text.contains("Ada Lovelace"), "{}", page.text);
    let list = browser.open("/console/segments").await;
    shows(&list, 200, &["Leads without the label", "not labelled “vip” and status is “lead”"]);
}

#[tokio::test]
async fn a_segment_is_changed_by_whoever_saw_it_last_and_removed() {
    let world = World::start().await;
    contacts(&world).await;
    let vip = json!({"name": "Friends", "rules": {"label": "vip"}});
    let made = world.post("/v1/segments", &vip).await.ok(201);
    let path = format!("/console/segments/{}", made["id"].as_str().expect("an id"));
    let browser = reader(&world, Role::Manager).await;
    let page = browser.open(&path).await;
    shows(&page, 200, &["<b>2 contacts</b>", "Ada Lovelace", "Alan Turing"]);
    let (token, tag) = (csrf(&page), tag(&page));
    let mut fields = [
        ("csrf", token.as_str()),
        ("tag", tag.as_str()),
        ("name", "Friends and leads"),
        ("match", "any"),
        ("kind.0", "label"),
        ("value.0", "vip"),
        ("kind.1", "attribute"),
        ("what.1", "city"),
        ("how.1", "contains"),
        ("value.1", "Perth"),
        ("kind.2", "registered"),
        ("not.2", "not"),
        ("what.2", ""),
    ];
    assert_eq!(browser.send(&path, &fields).await.status, 303);
    assert_eq!(
        rules(&world).await,
        json!({"or": [{"label": "vip"}, {"field": "attributes.city", "contains": "Perth"}, {"not": {"registered": {}}}]})
    );
    let page = browser.open(&path).await;
    shows(&page, 200, &["<b>3 contacts</b>", "value=\"Perth\"", "Friends and leads"]);
    fields[2].1 = "Mine";
    let page = browser.send(&path, &fields).await;
    shows(&page, 412, &["Somebody else has changed this segment", "value=\"Mine\""]);
    let removed = browser.send(&format!("{path}/remove"), &[("csrf", &token)]).await;
    shows(&browser.arrive(removed).await, 200, &["No segment yet", "Removed."]);
    assert_eq!(browser.open(&path).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_stands_at_its_line() {
    let world = World::start().await;
    let browser = reader(&world, Role::Manager).await;
    let token = csrf(&browser.open("/console/segments/new").await);
    let send = async |fields: &[(&str, &str)]| {
        browser.send("/console/segments", &[&[("csrf", token.as_str())], fields].concat()).await
    };
    let wrong = [
        ("name", "Keen ones"),
        ("kind.0", "label"),
        ("value.0", "vip"),
        ("kind.1", "field"),
        ("what.1", "score"),
        ("how.1", "above"),
        ("value.1", "many"),
    ];
    let page = send(&wrong).await;
    shows(&page, 422, &["id=\"wrong-rule.1\"", "value=\"many\"", "value=\"Keen ones\""]);
    assert!(!page.text.contains("id=\"wrong-rule.0\""), "{}", page.text);
    shows(&send(&[("name", "Nobody")]).await, 422, &["id=\"wrong-rules\"", "Add a rule"]);
    let unnamed = send(&[("name", ""), ("kind.0", "replied")]).await;
    shows(&unnamed, 422, &["id=\"wrong-name\""]);
}

#[tokio::test]
async fn rules_in_each_other_are_written_as_json() {
    let world = World::start().await;
    contacts(&world).await;
    let browser = reader(&world, Role::Manager).await;
    let page = browser.open("/console/segments/new").await;
    let token = csrf(&page);
    let lines = [("csrf", token.as_str()), ("kind.0", "label"), ("value.0", "vip"), ("as", "json")];
    let page = browser.send("/console/segments/edit", &lines).await;
    shows(&page, 200, &["name=\"rules\"", "&#34;label&#34;: &#34;vip&#34;"]);
    let deep = r#"{"or": [{"label": "none"}, {"and": [{"label": "vip"}, {"field": "status", "is": "client"}]}]}"#;
    let form = [("csrf", token.as_str()), ("name", "Deep"), ("rules", deep)];
    let page =
        browser.send("/console/segments/edit", &[&form[..], &[("as", "rows")]].concat()).await;
    shows(&page, 200, &["Lines cannot say these rules", "name=\"rules\""]);
    let made = browser.send("/console/segments", &form).await;
    let page = browser.arrive(made).await;
    shows(&page, 200, &["<b>1 contact</b>", "Alan Turing", "name=\"rules\""]);
    let broken = [("csrf", token.as_str()), ("name", "Broken"), ("rules", "{\"label\": ")];
    let page = browser.send("/console/segments", &broken).await;
    shows(&page, 422, &["This is no JSON", "value=\"Broken\""]);
    let unknown = [("csrf", token.as_str()), ("name", "Odd"), ("rules", "{\"colour\": \"red\"}")];
    let page = browser.send("/console/segments", &unknown).await;
    shows(&page, 422, &["There is no such rule", "(rules.colour)"]);
}

#[tokio::test]
async fn a_viewer_looks_at_a_segment_and_another_organization_does_not() {
    let world = World::start().await;
    contacts(&world).await;
    let vip = json!({"name": "Friends", "rules": {"label": "vip"}});
    let made = world.post("/v1/segments", &vip).await.ok(201);
    let path = format!("/console/segments/{}", made["id"].as_str().expect("an id"));
    let viewer = reader(&world, Role::Viewer).await;
    let page = viewer.open(&path).await;
    shows(&page, 200, &["<b>2 contacts</b>", "labelled “vip”"]);
    for word in ["/remove", "/console/segments/edit", "id=\"save\""] {
        assert!(!page.text.contains(word), "{word}");
    }
    let token = csrf(&page);
    assert_eq!(viewer.open("/console/segments/new").await.status, 403);
    let form = [("csrf", token.as_str()), ("kind.0", "label"), ("value.0", "x")];
    for act in ["/console/segments/edit", &path, &format!("{path}/remove")] {
        assert_eq!(viewer.send(act, &form).await.status, 403, "{act}");
    }
    let other = of(&world, OrgId::from_bytes([9; 10]), Role::Admin).await;
    let token = csrf(&other.open("/console").await);
    assert_eq!(other.open(&path).await.status, 404);
    let form = [("csrf", token.as_str()), ("name", "Mine"), ("kind.0", "label"), ("value.0", "x")];
    for act in [&path, &format!("{path}/remove")] {
        assert_eq!(other.send(act, &form).await.status, 404, "{act}");
    }
    assert_eq!(rules(&world).await, json!({"label": "vip"}));
}
