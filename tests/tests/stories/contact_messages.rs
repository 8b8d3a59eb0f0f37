//! Messages to people who are known, and what there was with them.

use carillon_tests::people::mobile;
use carillon_tests::{Setup, World, shows};
use serde_json::{Value, json};

async fn add(world: &World, contact: Value) -> String {
    let made = world.post("/v1/contacts", &contact).await.ok(201);
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_message_to_a_contact_goes_to_its_number_and_knows_its_name() {
    let world = World::start().await;
    let ada = add(
        &world,
        json!({"name": "Ada Lovelace", "phone": mobile(1), "attributes": {"city": "Sydney"}}),
    )
    .await;
    let send = json!({
        "channel": "sms", "contact_id": ada,
        "body": "Hi {{ first_name }} of {{ contact.attributes.city }}",
    });
    let preview = world.post("/v1/messages/preview", &send).await.ok(200);
    shows(&preview, &json!({"to": mobile(1), "body": "Hi Ada of Sydney"}));
    let sent = world.post("/v1/messages", &send).await.ok(202);
    shows(&sent, &json!({"to": mobile(1), "contact_id": ada, "body": "Hi Ada of Sydney"}));
    world.settle().await;
    assert_eq!(world.received().await.len(), 1);
    // Without the id, by the number.
    let _ = world.send(&mobile(1), "Again", json!({})).await;
    let _ = world.send(&mobile(2), "Somebody else", json!({})).await;
    assert_eq!(world.list(&format!("contact_id={ada}")).await.len(), 2);
}

#[tokio::test]
async fn a_message_needs_a_contact_with_a_number() {
    let world = World::start().await;
    let silent = add(&world, json!({"name": "Eve"})).await;
    let ada = add(&world, json!({"name": "Ada", "phone": mobile(1)})).await;
    let landline = add(&world, json!({"name": "Shop", "phone": "+61292611111"})).await;
    for (more, code, field) in [
        (json!({"contact_id": silent}), "contact_without_phone", "contact_id"),
        (json!({"contact_id": landline}), "landline_phone_number", "contact_id"),
        (json!({"contact_id": "con_x"}), "unknown_contact", "contact_id"),
        (json!({"contact_id": ada, "to": mobile(1)}), "to_and_contact", "to"),
    ] {
        let mut body = json!({"channel": "sms", "body": "Hi"});
        for (name, value) in more.as_object().expect("fields") {
            body[name] = value.clone();
        }
        for path in ["/v1/messages", "/v1/messages/preview"] {
            let refused = world.post(path, &body).await.problem();
            assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{path} {body}");
        }
    }
}

#[tokio::test]
async fn quiet_hours_are_those_of_the_contacts_own_zone() {
    // 09:00 UTC: evening in Sydney, where the number is; morning in London.
    let settings = json!({
        "quiet_hours": {"start": "19:00", "end": "08:00", "channels": ["sms"]},
        "max_per_contact_per_day": null, "max_per_hour": null,
    });
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let here = add(&world, json!({"phone": mobile(1)})).await;
    let abroad = add(&world, json!({"phone": mobile(2), "time_zone": "Europe/London"})).await;
    let mut ids = Vec::new();
    for (contact, decision) in [(&here, "deferred"), (&abroad, "send")] {
        let send = json!({"channel": "sms", "contact_id": contact, "body": "Hi"});
        let preview = world.post("/v1/messages/preview", &send).await.ok(200);
        assert_eq!(preview["decision"], decision, "{preview}");
        let sent = world.post("/v1/messages", &send).await.ok(202);
        ids.push(sent["id"].as_str().expect("an id").to_owned());
    }
    world.settle().await;
    assert_eq!(world.message(&ids[0]).await["decisions"][0]["reason"], "quiet_hours");
    shows(&world.message(&ids[1]).await, &json!({"status": "delivered", "decisions": []}));
}

#[tokio::test]
async fn a_timeline_tells_all_there_was_newest_first() {
    let world = World::start().await;
    let ada = add(&world, json!({"name": "Ada", "phone": mobile(1)})).await;
    for n in 0..3 {
        world.advance(1).await;
        let _ = world.send(&mobile(1), &format!("Message {n}"), json!({})).await;
    }
    world.advance(1).await;
    let consent = json!({"to": mobile(1), "channel": "sms", "purpose": "promotional",
        "status": "granted", "source": "form", "text": "Yes"});
    let _ = world.post("/v1/consents", &consent).await.ok(201);
    world.advance(1).await;
    let suppression = json!({"to": mobile(1), "channel": "sms"});
    assert!(world.post("/v1/suppressions", &suppression).await.status < 300);
    let told = [
        "suppression",
        "consent",
        "message Message 2",
        "message Message 1",
        "message Message 0",
        "created",
    ];
    for limit in [1, 2, 4, 50] {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        for _ in 0..20 {
            let path = format!("/v1/contacts/{ada}/timeline?limit={limit}{cursor}");
            let page = world.get(&path).await.ok(200);
            for entry in page["data"].as_array().expect("entries") {
                let body = entry["message"]["body"].as_str().unwrap_or_default();
                let kind = entry["type"].as_str().expect("a type");
                entries.push(format!("{kind} {body}").trim().to_owned());
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(entries, told, "pages of {limit}");
    }
}

#[tokio::test]
async fn a_contact_is_handed_out_and_forgotten() {
    let world = World::start().await;
    let file = format!("name,phone\nAda,{}\nBob,{}\n", mobile(1), mobile(2));
    let request = world.request(reqwest::Method::POST, "/v1/contacts/import");
    let request = carillon_tests::with_file(request, file.as_bytes(), &[]);
    let import = carillon_tests::Answer::to(request).await.ok(202);
    world.tick().await;
    let found = world.get("/v1/contacts?q=ada").await.ok(200);
    let ada = found["data"][0]["id"].as_str().expect("an id").to_owned();
    let list = world.post("/v1/lists", &json!({"name": "Some"})).await.ok(201);
    let list = format!("/v1/lists/{}", list["id"].as_str().expect("an id"));
    let members = json!({"contact_ids": [ada]});
    let _ = world.post(&format!("{list}/members"), &members).await.ok(200);
    let _ = world.send(&mobile(1), "Secret", json!({})).await;
    world.settle().await;
    let path = format!("/v1/contacts/{ada}/data");
    let data = world.get(&path).await.ok(200);
    shows(&data, &json!({"contact": {"name": "Ada", "phone": mobile(1)}}));
    assert_eq!(data["messages"][0]["body"], "Secret");
    assert_eq!(data["lists"].as_array().map(Vec::len), Some(1));

    let erase = world.request(reqwest::Method::DELETE, &path);
    let erased = carillon_tests::Answer::to(erase).await.ok(202);
    assert_eq!(erased["numbers"].as_array().map(Vec::len), Some(1));
    assert_eq!(world.get(&path).await.status, 404);
    world.advance(8).await;
    assert!(world.list("").await.iter().all(|m| m["body"] != "Secret"));
    assert_eq!(world.get(&list).await.ok(200)["count"], 0);
    let left = world.get("/v1/contacts").await.ok(200);
    assert_eq!(left["data"].as_array().map(Vec::len), Some(1), "Bob stays");
    // The lines of the file say nothing of the person any more.
    let id = import["id"].as_str().expect("an id").parse().expect("an id");
    let (store, org) = (&world.stack.ctx.store, world.stack.org);
    let lines = store.contact_import_chunk(org, id, 0).await.expect("read").expect("kept");
    assert!(!lines.contains("Ada") && lines.contains("Bob"), "{lines}");
}
