//! Workshops, bookings and people in the console.

use carillon_domain::Role;
use carillon_tests::browser::csrf;
use carillon_tests::{World, people};
use serde_json::{Value, json};

use super::{hidden, of, reader, shows};

fn id(made: &Value) -> &str {
    made["id"].as_str().expect("an id")
}

/// A workshop in three days with a sequence of two steps and three people, one of whom has no number.
async fn workshop(world: &World) -> String {
    let template = json!({"key": "doors", "name": "Doors", "body": "Hi {{ name }}, doors open."});
    let template = world.post("/v1/templates", &template).await.ok(201);
    let step = |time: &str, label: &str| {
        let variables = json!({"name": "{{ contact.first_name }}"});
        json!({"template": id(&template), "send_time": time, "label": label, "variables": variables})
    };
    let sequence = json!({"name": "Two", "channel": "sms", "steps": [step("09:00", "Morning"), step("10:00", "Soon")]});
    let sequence = world.post("/v1/sequences", &sequence).await.ok(201);
    let tag = json!({"name": "Crypto", "sequences": {"sms": id(&sequence)}});
    let tag = world.post("/v1/tags", &tag).await.ok(201);
    let mut contacts = Vec::new();
    for (n, name) in ["Ada Lovelace", "Grace Hopper", "Nobody Reachable"].into_iter().enumerate() {
        let phone = (n < 2).then(|| people::mobile(u32::try_from(n).expect("small")));
        let contact =
            world.post("/v1/contacts", &json!({"name": name, "phone": phone})).await.ok(201);
        contacts.push(id(&contact).to_owned());
    }
    let workshop = json!({
        "title": "Crypto for beginners", "tag_id": id(&tag), "starts_at": world.in_minutes(3 * 24 * 60 + 180),
    });
    let workshop = world.post("/v1/workshops", &workshop).await.ok(201);
    let path = format!("/v1/workshops/{}/registrations", id(&workshop));
    let answer = world.post(&path, &json!({"contact_ids": contacts})).await;
    assert!(answer.status < 300, "{}", answer.text);
    id(&workshop).to_owned()
}

#[tokio::test]
async fn a_sequence_is_run_behind_a_look_and_only_once() {
    let world = World::start().await;
    let id = workshop(&world).await;
    let browser = reader(&world, Role::Manager).await;
    let path = format!("/console/workshops/{id}");
    let page = browser.open(&path).await;
    shows(
        &page,
        200,
        &["Crypto for beginners", "2 / 3", "Nobody Reachable", "has no number", "Run SMS sequence"],
    );
    let token = csrf(&page);
    let run = format!("{path}/run-sequence");
    let look = [("csrf", token.as_str()), ("channel", "sms")];
    let page = browser.send(&run, &look).await;
    shows(
        &page,
        200,
        &["Before it is sent", "<dd id=\"scheduled\">4</dd>", "has no number", "Morning"],
    );
    assert!(world.list("").await.is_empty(), "nothing is planned by looking");
    let once = hidden(&page, "once");
    let sure = [&look[..], &[("sure", "yes"), ("once", once.as_str())]].concat();
    let first = browser.send(&run, &sure).await;
    let again = browser.send(&run, &sure).await;
    assert_eq!((first.status, again.status), (303, 303), "{}", first.text);
    for _ in 0..3 {
        world.tick().await;
    }
    let page = browser.open(&path).await;
    shows(&page, 200, &["Morning", "Soon", "2 waiting", "SMS sequence of 2 steps"]);
    world.advance(1).await;
    assert_eq!(world.list("").await.len(), 4, "two people, two steps");
}

#[tokio::test]
async fn what_is_sent_when_is_on_the_workshops_clock_with_the_readers_on_hover() {
    let world = World::start().await;
    let id = workshop(&world).await;
    let change = json!({"time_zone": "Asia/Kolkata", "starts_at": "2026-11-24T13:30:00Z"});
    let _ = world.patch(&format!("/v1/workshops/{id}"), &change).await.ok(200);
    let run = json!({"channel": "sms"});
    let _ = world.post(&format!("/v1/workshops/{id}/run-sequence"), &run).await.ok(202);
    for _ in 0..3 {
        world.tick().await;
    }
    let browser = reader(&world, Role::Viewer).await;
    browser.set_cookie("carillon_zone", "Europe/London");
    let page = browser.open(&format!("/console/workshops/{id}")).await;
    // 09:00 in Kolkata, where the workshop is.
    shows(
        &page,
        200,
        &[
            "Tue 24 Nov, 19:00 Kolkata",
            ">Tue 24 Nov, 09:00</time>",
            "title=\"Tuesday 24 November 2026, 03:30:00 London\"",
        ],
    );
}

#[tokio::test]
async fn a_viewer_looks_at_events_and_another_organization_does_not() {
    let world = World::start().await;
    let id = workshop(&world).await;
    let viewer = reader(&world, Role::Viewer).await;
    let path = format!("/console/workshops/{id}");
    let page = viewer.open(&path).await;
    shows(&page, 200, &["2 / 3"]);
    for word in ["/run-sequence", "/send-now", "/registrations"] {
        assert!(!page.text.contains(word), "{word}");
    }
    let token = csrf(&viewer.open("/console").await);
    let run = [("csrf", token.as_str()), ("channel", "sms")];
    assert_eq!(viewer.send(&format!("{path}/run-sequence"), &run).await.status, 403);
    let other = of(&world, carillon_domain::OrgId::from_bytes([9; 10]), Role::Admin).await;
    assert_eq!(other.open(&path).await.status, 404);
    let contact = world.get("/v1/contacts").await.ok(200)["data"][0].clone();
    let contact = format!("/console/contacts/{}", contact["id"].as_str().expect("an id"));
    assert_eq!(viewer.open(&contact).await.status, 200);
    assert_eq!(other.open(&contact).await.status, 404);
}

#[tokio::test]
async fn a_contact_is_made_found_changed_and_booked() {
    let world = World::start().await;
    let browser = reader(&world, Role::Manager).await;
    let token = csrf(&browser.open("/console/contacts").await);
    let ada = [
        ("csrf", token.as_str()),
        ("name", "Ada Lovelace"),
        ("phone", "+61491570006"),
        ("email", "ada@example.com"),
    ];
    let made = browser.send("/console/contacts", &ada).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let path =
        made.header("location").expect("a way").split('?').next().expect("a path").to_owned();
    let page = browser.send("/console/contacts", &ada).await;
    shows(&page, 409, &["value=\"Ada Lovelace\""]);
    let wrong = [("csrf", token.as_str()), ("name", "Eve"), ("phone", "12")];
    shows(
        &browser.send("/console/contacts", &wrong).await,
        422,
        &["id=\"wrong-phone\"", "value=\"Eve\""],
    );
    shows(&browser.open("/console/contacts?q=love").await, 200, &["Ada Lovelace", "+61491570006"]);
    world.send("+61491570006", "Hello Ada", json!({})).await;
    world.settle().await;
    let page = browser.open(&path).await;
    shows(&page, 200, &["Hello Ada", "Delivered"]);
    let tag = hidden(&page, "tag").replace("&#34;", "\"");
    let changed =
        [("csrf", token.as_str()), ("tag", &tag), ("name", "Ada King"), ("phone", "+61491570006")];
    assert_eq!(browser.send(&path, &changed).await.status, 303);
    shows(&browser.send(&path, &changed).await, 412, &["Somebody else has changed this contact"]);
    shows(&browser.open(&path).await, 200, &["Ada King"]);
    let booking = [
        ("csrf", token.as_str()),
        ("client", "+61491570006"),
        ("at", "2026-11-24T10:00"),
        ("minutes", "45"),
        ("coach_name", "Grace"),
    ];
    let booked = browser.send("/console/bookings", &booking).await;
    assert_eq!(booked.status, 303, "{}", booked.text);
    let page = browser.arrive(booked).await;
    shows(
        &page,
        200,
        &["Ada King", "Grace", "Confirmed", "Confirmation by SMS", "Reminder by SMS"],
    );
    let mut none = booking;
    none[1].1 = "+61491570999";
    let page = browser.send("/console/bookings", &none).await;
    assert_eq!(page.status, 422, "{}", page.text);
    shows(&page, 422, &["value=\"+61491570999\"", "value=\"45\""]);
}

#[tokio::test]
async fn a_sequence_is_drawn_on_its_days_and_changed_step_by_step() {
    let world = World::start().await;
    let _ = workshop(&world).await;
    let browser = reader(&world, Role::Manager).await;
    let sequence = world.get("/v1/sequences").await.ok(200)["data"][0].clone();
    let path = format!("/console/sequences/{}", id(&sequence));
    let page = browser.open(&path).await;
    shows(&page, 200, &["On the day, 09:00", "Morning", "Doors"]);
    let (token, tag) = (csrf(&page), hidden(&page, "tag").replace("&#34;", "\""));
    let step = &sequence["steps"][0];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (step_id, template) = (text(&step["id"]), text(&step["template"]));
    let fields = [
        ("csrf", token.as_str()),
        ("tag", &tag),
        ("name", "One"),
        ("id.0", &step_id),
        ("template.0", &template),
        ("day.0", "-1"),
        ("time.0", "18:30"),
        ("label.0", "The day before"),
        ("template.1", ""),
    ];
    let saved = browser.send(&path, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    shows(&browser.open(&path).await, 200, &["The day before, 18:30"]);
    let kept = world.get(&format!("/v1/sequences/{}", id(&sequence))).await.ok(200);
    carillon_tests::shows(
        &kept,
        &json!({"name": "One", "steps": [{"id": step_id, "day": -1, "variables": {"name": "{{ contact.first_name }}"}}]}),
    );
    let mut wrong = fields;
    wrong[6].1 = "noonish";
    let stale = browser.send(&path, &wrong).await;
    assert!([412, 422].contains(&stale.status), "{}", stale.text);
}
