//! Every page, with something to show on it.

use carillon_tests::{Answer, World, people, with_file};
use serde_json::{Value, json};

/// A world in which every page has something to show; their addresses, each with a name.
pub async fn furnished() -> (World, Vec<(String, String)>) {
    let world = World::start().await;
    world
        .set_up_twilio(json!({"price_table": {"+61": {"amount": "0.0515", "currency": "USD"}}}))
        .await;
    let settings = json!({
        "time_zone": "Australia/Sydney", "default_country": "AU",
        "quiet_hours": {"start": "21:00", "end": "08:00"},
        "spend_limit_per_day": {"amount": "1.50", "currency": "USD"},
    });
    let _ = world.patch("/v1/settings", &settings).await.ok(200);
    let text =
        "Hi {{ name }}, your session with Grace begins at {{ time }}. Reply STOP to opt out.";
    let template = json!({"key": "doors_open", "name": "Doors open", "body": text, "variables": [{"key": "name"}, {"key": "time"}]});
    let template = world.post("/v1/templates", &template).await.ok(201);
    let template_path = format!("/v1/templates/{}", id(&template));
    let changed = json!({"body": "Hi {{ name }}, your class with Grace begins at {{ time }}. Bring a towel. Reply STOP to opt out."});
    let _ = world.patch(&template_path, &changed).await.ok(200);
    let now = json!({"override_quiet_hours": true});
    for n in 0..24 {
        let text = format!("Hi Ada, your class begins at {} PM. Bring a towel.", n % 12 + 1);
        world.send(&people::mobile(n), &text, now.clone()).await;
    }
    let failed = world.send(people::INVALID, "See you tomorrow", now.clone()).await;
    world.settle().await;
    world.person_writes(&people::mobile(3), "STOP").await;
    world.person_writes(&people::mobile(4), "See you there!").await;
    world.settle().await;
    let waits = json!({"scheduled_for": world.in_minutes(6 * 24 * 60)});
    let waiting = world.send(&people::mobile(40), "See you on Friday", waits).await;
    let suppressed = json!({"to": people::mobile(50), "channel": "sms"});
    let _ = world.post("/v1/suppressions", &suppressed).await.ok(201);
    let rows: String = (60..80).map(|n| format!("{},Ada {n}\n", people::mobile(n))).collect();
    let file = format!("phone,name\n{rows}nobody,Bob\n{},Ada again\n", people::mobile(60));
    let import = world.import(file.as_bytes(), "Hi {{ name }}", &[]).await;
    world.tick().await;
    let _ = world.post("/v1/integrations/twilio/test", &json!({})).await.ok(200);
    let mut pages: Vec<(String, String)> = [
        ("today", "/console"),
        ("you", "/console/you"),
        ("messages", "/console/messages"),
        ("messages-none", "/console/messages?q=nothing-like-it"),
        ("send", "/console/send"),
        ("send-template", "/console/send?template=doors_open&to=%2B61491570006"),
        ("send-whatsapp", "/console/send?channel=whatsapp"),
        ("bulk", "/console/bulk"),
        ("contact-file", "/console/contacts/import"),
        ("segments", "/console/segments"),
        ("segment-new", "/console/segments/new"),
        ("templates", "/console/templates"),
        ("template-new", "/console/templates/new"),
        ("opt-outs", "/console/opt-outs"),
        ("dead-letters", "/console/dead-letters"),
        ("statistics", "/console/statistics"),
        ("audit-log", "/console/audit-log"),
        ("settings", "/console/settings"),
        ("integrations", "/console/integrations"),
        ("members", "/console/members"),
    ]
    .map(|(name, path)| (name.to_owned(), path.to_owned()))
    .into();
    let mut add = |name: &str, path: String| pages.push((name.to_owned(), path));
    add("message-failed", format!("/console/messages/{failed}"));
    add("message-waiting", format!("/console/messages/{waiting}"));
    add("import", format!("/console/imports/{import}"));
    add("template", format!("/console/templates/{}", id(&template)));
    for (name, path) in events(&world, id(&template)).await {
        add(name, path);
    }
    (world, pages)
}

/// A workshop with its sequence and people, as far as the API has them.
async fn events(world: &World, template: &str) -> Vec<(&'static str, String)> {
    let mut ids = Vec::new();
    for n in 0..52_u32 {
        let phone = (n % 10 != 9).then(|| people::mobile(200 + n));
        let contact = json!({"name": format!("Ada Lovelace {n}"), "phone": phone, "email": format!("ada{n}@example.com"), "labels": ["autumn"]});
        let made = world.post("/v1/contacts", &contact).await.ok(201);
        ids.push(id(&made).to_owned());
    }
    let list = world.post("/v1/lists", &json!({"name": "Autumn regulars"})).await.ok(201);
    let members = json!({"contact_ids": ids[..5]});
    let _ = world.post(&format!("/v1/lists/{}/members", id(&list)), &members).await.ok(200);
    let step = |day: i64, time: &str, label: &str| {
        json!({
            "template": template, "day": day, "send_time": time, "label": label,
            "variables": {"name": "{{ contact.first_name }}", "time": "{{ workshop.local_time }}"},
        })
    };
    let steps = [
        step(-1, "18:00", "The day before"),
        step(0, "09:00", "Morning"),
        step(0, "11:00", "Soon"),
    ];
    let sequence = json!({"name": "Crypto, SMS", "channel": "sms", "steps": steps});
    let sequence = world.post("/v1/sequences", &sequence).await.ok(201);
    let tag =
        json!({"name": "CryptoCloud", "color": "#1e6b52", "sequences": {"sms": id(&sequence)}});
    let tag = world.post("/v1/tags", &tag).await.ok(201);
    let workshop = json!({"title": "Crypto for beginners", "tag_id": id(&tag), "starts_at": world.in_minutes(3 * 24 * 60), "time_zone": "Australia/Sydney"});
    let workshop = world.post("/v1/workshops", &workshop).await.ok(201);
    let path = format!("/v1/workshops/{}", id(&workshop));
    let _ = world.post(&format!("{path}/registrations"), &json!({"contact_ids": ids})).await;
    let booking = json!({
        "client_id": ids[0], "starts_at": world.in_minutes(26 * 60), "duration_minutes": 45,
        "coach_name": "Grace Hopper", "location": "Room 4",
    });
    let booking = world.post("/v1/bookings", &booking).await.ok(201);
    // A line of each kind.
    let rules = json!({"or": [
        {"label": "autumn"}, {"not": {"field": "status", "is": "client"}},
        {"field": "attributes.city", "contains": "Syd"}, {"field": "created_at", "after": "2026-11-01T00:00:00Z"},
        {"received": {"template": "doors_open"}}, {"not": {"replied": {"after": "2026-11-01T00:00:00Z"}}},
        {"registered": {"workshop_id": id(&workshop)}},
    ]});
    let segment = json!({"name": "Whom to invite again", "rules": rules});
    let segment = world.post("/v1/segments", &segment).await.ok(201);
    let deep = json!({"name": "Rules in rules", "rules": {"not": {"or": [{"label": "a"}, {"label": "b"}]}}});
    let deep = world.post("/v1/segments", &deep).await.ok(201);
    let request = world.request(reqwest::Method::POST, "/v1/contacts/import");
    let file = format!("name,phone\nAda,{}\nBob,12\n", people::mobile(900));
    let import =
        Answer::to(with_file(request, file.as_bytes(), &[("dry_run", "true")])).await.ok(202);
    let export = world.post("/v1/contacts/export", &json!({})).await.ok(202);
    world.tick().await;
    vec![
        ("segment", format!("/console/segments/{}", id(&segment))),
        ("segment-json", format!("/console/segments/{}", id(&deep))),
        ("contact-import", format!("/console/imports/{}", id(&import))),
        ("export", format!("/console/exports/{}", id(&export))),
        ("bookings", "/console/bookings".to_owned()),
        ("booking", format!("/console/bookings/{}", id(&booking))),
        ("contacts", "/console/contacts".to_owned()),
        ("contact", format!("/console/contacts/{}", ids[0])),
        ("lists", "/console/lists".to_owned()),
        ("list", format!("/console/lists/{}", id(&list))),
        ("sequences", "/console/sequences".to_owned()),
        ("sequence", format!("/console/sequences/{}", id(&sequence))),
        ("tags", "/console/tags".to_owned()),
        ("workshops", "/console/workshops".to_owned()),
        ("workshop", format!("/console/workshops/{}", id(&workshop))),
    ]
}

pub fn id(made: &Value) -> &str {
    made["id"].as_str().expect("an id")
}
