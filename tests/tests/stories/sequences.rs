//! Sequences and tags: what is sent when around a workshop, and what is in use.

use carillon_tests::{Answer, World, shows};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

async fn template(world: &World, key: &str, body: &str) -> String {
    let new = json!({"key": key, "channel": "sms", "body": body});
    id(&world.post("/v1/templates", &new).await.ok(201))
}

async fn delete(world: &World, path: &str) -> Answer {
    Answer::to(world.request(Method::DELETE, path)).await
}

#[tokio::test]
async fn a_sequence_is_made_changed_and_deleted() {
    let world = World::start().await;
    let morning = template(&world, "morning", "Hi {{ name }}, today at {{ workshop.time }}").await;
    let soon = template(&world, "soon", "Soon!").await;
    let new = json!({
        "name": " Crypto, SMS ", "description": "Three texts", "channel": "sms",
        "steps": [
            {"template": "soon", "offset": "-PT60M", "order": 20},
            {
                "template": morning, "send_time": "11:00:00", "day": -1, "label": "Morning",
                "order": 10, "variables": {"name": "{{ contact.first_name | default('there') }}"},
            },
        ],
    });
    let made = world.post("/v1/sequences", &new).await.ok(201);
    let expected = json!({
        "name": "Crypto, SMS", "description": "Three texts", "channel": "sms",
        "steps": [
            {
                "template": morning, "send_time": "11:00", "offset": null, "day": -1,
                "label": "Morning", "order": 10,
                "variables": {"name": "{{ contact.first_name | default('there') }}"},
            },
            {
                "template": soon, "send_time": null, "offset": "-PT1H", "day": 0, "label": null,
                "order": 20, "variables": {},
            },
        ],
    });
    shows(&made, &expected);
    let path = format!("/v1/sequences/{}", id(&made));
    assert_eq!(world.get(&path).await.ok(200), made);
    let list = world.get("/v1/sequences").await.ok(200);
    assert_eq!(list, json!({"data": [made], "next_cursor": null}));

    // A step that carries its id stays itself, wherever it is moved to.
    let first = made["steps"][0].clone();
    let steps = json!({"steps": [
        {"template": "soon", "offset": "PT30M"},
        {"id": first["id"], "template": morning, "send_time": "09:00",
         "variables": {"name": "you"}},
    ]});
    let changed = world.patch(&path, &steps).await.ok(200);
    shows(
        &changed,
        &json!({"steps": [{"offset": "PT30M", "order": 1}, {
            "id": first["id"], "send_time": "09:00", "day": 0, "label": null, "order": 2,
        }]}),
    );
    assert_ne!(changed["steps"][0]["id"], made["steps"][1]["id"], "another step");
    let cleared = world.patch(&path, &json!({"description": null})).await.ok(200);
    shows(&cleared, &json!({"description": null, "name": "Crypto, SMS"}));
    assert_eq!(delete(&world, &path).await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
    assert_eq!(delete(&world, &path).await.status, 404);
    // Its name is free.
    let _ = world.post("/v1/sequences", &new).await.ok(201);
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted_and_says_by_whom() {
    let world = World::start().await;
    let text = template(&world, "morning", "Hi").await;
    let other = template(&world, "evening", "Hi").await;
    let steps = |template: &str| json!([{"template": template, "send_time": "11:00"}]);
    let new = json!({"name": "Reminders", "channel": "sms", "steps": steps(&text)});
    let sequence = id(&world.post("/v1/sequences", &new).await.ok(201));
    let new = json!({"name": "CryptoCloud", "sequences": {"sms": sequence}});
    let tag = id(&world.post("/v1/tags", &new).await.ok(201));

    let refused = delete(&world, &format!("/v1/templates/{text}")).await;
    assert!(refused.text.contains("Reminders") && refused.text.contains(&sequence));
    assert_eq!(refused.refusal(), (409, "template_in_use".to_owned()));
    let refused = delete(&world, &format!("/v1/sequences/{sequence}")).await;
    assert!(refused.text.contains("CryptoCloud") && refused.text.contains(&tag));
    assert_eq!(refused.refusal(), (409, "sequence_in_use".to_owned()));

    let workshop = world.workshop(&tag).await;
    let tag_path = format!("/v1/tags/{tag}");
    let refused = delete(&world, &tag_path).await;
    assert!(refused.text.contains("1 workshop has it"), "{}", refused.text);
    assert_eq!(refused.refusal(), (409, "tag_in_use".to_owned()));
    assert_eq!(delete(&world, &format!("/v1/workshops/{workshop}")).await.status, 204);

    // Taken out there, it is free; what came instead is in use.
    let path = format!("/v1/sequences/{sequence}");
    let _ = world.patch(&path, &json!({"steps": steps(&other)})).await.ok(200);
    assert_eq!(delete(&world, &format!("/v1/templates/{text}")).await.status, 204);
    assert_eq!(delete(&world, &format!("/v1/templates/{other}")).await.status, 409);
    let _ = world.patch(&format!("/v1/tags/{tag}"), &json!({"sequences": {}})).await.ok(200);
    assert_eq!(delete(&world, &path).await.status, 204);
    assert_eq!(delete(&world, &format!("/v1/templates/{other}")).await.status, 204);
    assert_eq!(delete(&world, &format!("/v1/tags/{tag}")).await.status, 204);
}

/// Whichever comes first, a sequence never has a template that is gone.
#[tokio::test]
async fn a_template_is_never_deleted_while_a_sequence_begins_to_use_it() {
    let world = World::start().await;
    for round in 0..10 {
        let text = template(&world, &format!("text_{round}"), "Hi").await;
        let mut requests = JoinSet::new();
        for n in 0..3 {
            let new = json!({
                "name": format!("{round}/{n}"), "channel": "sms",
                "steps": [{"template": text, "send_time": "11:00"}],
            });
            let request = world.request(Method::POST, "/v1/sequences");
            requests.spawn(Answer::to(carillon_tests::with_json(request, &new)));
        }
        let path = format!("/v1/templates/{text}");
        requests.spawn(Answer::to(world.request(Method::DELETE, &path)));
        let answers = requests.join_all().await;
        let made = answers.iter().filter(|a| a.status == 201).count();
        let deleted = answers.iter().filter(|a| a.status == 204).count();
        let refused = answers.iter().filter(|a| [409, 422].contains(&a.status)).count();
        assert_eq!(made + deleted + refused, 4, "{round}");
        assert!(made == 0 || deleted == 0, "{round}: {made} made, {deleted} deleted");
        assert_eq!(world.get(&path).await.status, if deleted == 1 { 404 } else { 200 });
    }
}

#[tokio::test]
async fn a_tag_has_a_sequence_for_each_channel() {
    let world = World::start().await;
    let sequence = async |name: &str, channel: &str| {
        let new = json!({"name": name, "channel": channel});
        id(&world.post("/v1/sequences", &new).await.ok(201))
    };
    let (sms, whatsapp) = (sequence("S", "sms").await, sequence("W", "whatsapp").await);
    let new = json!({
        "name": "CryptoCloud", "color": "#1E6B52", "description": "Fridays",
        "sequences": {"sms": sms, "whatsapp": whatsapp},
    });
    let made = world.post("/v1/tags", &new).await.ok(201);
    shows(
        &made,
        &json!({
            "name": "CryptoCloud", "color": "#1e6b52", "description": "Fridays",
            "sequences": {"sms": sms, "whatsapp": whatsapp},
        }),
    );
    let path = format!("/v1/tags/{}", id(&made));
    assert_eq!(world.get(&path).await.ok(200), made);
    let patch = json!({"sequences": {"whatsapp": whatsapp}, "color": null});
    let changed = world.patch(&path, &patch).await.ok(200);
    shows(&changed, &json!({"color": null, "sequences": {"whatsapp": whatsapp}}));
    assert_eq!(changed["sequences"].get("sms"), None);
    let list = world.get("/v1/tags").await.ok(200);
    assert_eq!(list, json!({"data": [changed], "next_cursor": null}));
    assert_eq!(delete(&world, &path).await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
}

#[tokio::test]
async fn two_do_not_have_one_name() {
    let world = World::start().await;
    for (path, code, field) in [
        ("/v1/sequences", "sequence_name_taken", "channel"),
        ("/v1/tags", "tag_name_taken", "color"),
    ] {
        let new = |name: &str| match field {
            "channel" => json!({"name": name, "channel": "sms"}),
            _ => json!({"name": name}),
        };
        let first = id(&world.post(path, &new("Reminders")).await.ok(201));
        let second = id(&world.post(path, &new("Other")).await.ok(201));
        let again = world.post(path, &new("REMINDERS")).await.refusal();
        assert_eq!(again, (409, code.to_owned()), "{path}");
        let renamed = world.patch(&format!("{path}/{second}"), &json!({"name": "Reminders"})).await;
        assert_eq!(renamed.refusal(), (409, code.to_owned()), "{path}");
        // Its own name in another case, and a name that was given up.
        let _ =
            world.patch(&format!("{path}/{first}"), &json!({"name": "reminders"})).await.ok(200);
        let _ = world.patch(&format!("{path}/{first}"), &json!({"name": "First"})).await.ok(200);
        let _ =
            world.patch(&format!("{path}/{second}"), &json!({"name": "Reminders"})).await.ok(200);
    }
}

#[tokio::test]
async fn what_makes_no_sequence_is_refused_and_nothing_is_made() {
    let world = World::start().await;
    let _ = template(&world, "plain", "Hi").await;
    let _ = template(&world, "needy", "Hi {{ name }}").await;
    let call = json!({"key": "call", "kind": "voice", "body": "Hello"});
    let _ = world.post("/v1/templates", &call).await.ok(201);
    let at = |more: Value| {
        let mut step = json!({"template": "plain", "send_time": "11:00"});
        for (name, value) in more.as_object().expect("an object") {
            step[name] = value.clone();
        }
        json!({"name": "S", "channel": "sms", "steps": [step]})
    };
    let many: Vec<_> =
        (0..31).map(|_| json!({"template": "plain", "send_time": "11:00"})).collect();
    let two = |orders: [u16; 2]| {
        let step = |order| json!({"template": "plain", "send_time": "11:00", "order": order});
        json!({"name": "S", "channel": "sms", "steps": orders.map(step)})
    };
    for (body, code, field) in [
        (json!({"channel": "sms"}), "missing_field", "name"),
        (json!({"name": "", "channel": "sms"}), "invalid_name", "name"),
        (json!({"name": "S"}), "missing_field", "channel"),
        (json!({"name": "S", "channel": "fax"}), "unknown_channel", "channel"),
        (json!({"name": "S", "channel": "sms", "steps": many}), "too_many_steps", "steps"),
        (
            json!({"name": "S", "channel": "sms", "description": "x".repeat(501)}),
            "invalid_value",
            "description",
        ),
        (json!({"name": "S", "channel": "sms", "colour": 1}), "unknown_field", "colour"),
        (at(json!({"template": null})), "missing_field", "steps[0].template"),
        (at(json!({"template": "nothing"})), "unknown_template", "steps[0].template"),
        (at(json!({"template": "plain@1"})), "unknown_template", "steps[0].template"),
        (at(json!({"template": "tpl_0000000000000000"})), "unknown_template", "steps[0].template"),
        (at(json!({"template": "call"})), "wrong_channel", "steps[0].template"),
        (at(json!({"template": "needy"})), "missing_variable", "steps[0].variables.name"),
        (
            at(json!({"template": "needy", "variables": {"name": "{{ contact.nam }}"}})),
            "unknown_variable",
            "steps[0].variables.name",
        ),
        (
            at(json!({"template": "needy", "variables": {"name": "{{ booking.time }}"}})),
            "unknown_variable",
            "steps[0].variables.name",
        ),
        (
            at(json!({"template": "needy", "variables": {"name": "{{ contact.name"}})),
            "invalid_template",
            "steps[0].variables.name",
        ),
        (at(json!({"variables": {"shoe": "x"}})), "unknown_variable", "steps[0].variables.shoe"),
        (
            at(json!({"template": "needy", "variables": {"name": "x".repeat(501)}})),
            "invalid_value",
            "steps[0].variables.name",
        ),
        (at(json!({"send_time": null})), "missing_time", "steps[0].send_time"),
        (at(json!({"offset": "PT1H"})), "time_and_offset", "steps[0].send_time"),
        (at(json!({"send_time": "25:00"})), "invalid_time_of_day", "steps[0].send_time"),
        (at(json!({"send_time": null, "offset": "-P1D"})), "invalid_offset", "steps[0].offset"),
        (
            at(json!({"send_time": null, "offset": "PT1H", "day": 1})),
            "invalid_offset",
            "steps[0].day",
        ),
        (at(json!({"day": 366})), "out_of_range", "steps[0].day"),
        (at(json!({"order": 0})), "out_of_range", "steps[0].order"),
        (at(json!({"order": 100_000})), "out_of_range", "steps[0].order"),
        (two([7, 7]), "duplicate_order", "steps[1].order"),
        (at(json!({"label": "x".repeat(101)})), "invalid_value", "steps[0].label"),
        (at(json!({"id": "stp_0000000000000000"})), "unknown_step", "steps[0].id"),
        (at(json!({"id": "first"})), "unknown_step", "steps[0].id"),
        (at(json!({"colour": 1})), "unknown_field", "colour"),
    ] {
        let refused = world.post("/v1/sequences", &body).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{body}");
    }
    assert_eq!(world.get("/v1/sequences").await.ok(200)["data"], json!([]));
    let made = world.post("/v1/sequences", &at(json!({}))).await.ok(201);
    let path = format!("/v1/sequences/{}", id(&made));
    let step = &made["steps"][0]["id"];
    let twice = json!([
        {"id": step, "template": "plain", "send_time": "11:00"},
        {"id": step, "template": "plain", "send_time": "12:00"},
    ]);
    for (patch, code) in [
        (json!({"channel": "voice"}), "channel_is_fixed"),
        (json!({"steps": twice}), "duplicate_step"),
        (json!({"name": null}), "missing_field"),
    ] {
        let answer = world.patch(&path, &patch).await;
        if code == "missing_field" {
            // A name is not cleared: `null` leaves it.
            let _ = answer.ok(200);
            continue;
        }
        assert_eq!(answer.refusal(), (422, code.to_owned()), "{patch}");
    }
    assert_eq!(world.get(&path).await.ok(200)["steps"], made["steps"]);
}

#[tokio::test]
async fn what_makes_no_tag_is_refused_and_nothing_is_made() {
    let world = World::start().await;
    let sequence = json!({"name": "S", "channel": "sms"});
    let sequence = id(&world.post("/v1/sequences", &sequence).await.ok(201));
    for (body, code, field) in [
        (json!({}), "missing_field", "name"),
        (json!({"name": " "}), "invalid_name", "name"),
        (json!({"name": "T", "color": "red"}), "invalid_color", "color"),
        (json!({"name": "T", "color": "#12345é"}), "invalid_color", "color"),
        (json!({"name": "T", "sequences": {"fax": sequence}}), "unknown_channel", "sequences.fax"),
        (json!({"name": "T", "sequences": {"sms": "x"}}), "unknown_sequence", "sequences.sms"),
        (
            json!({"name": "T", "sequences": {"sms": "seq_0000000000000000"}}),
            "unknown_sequence",
            "sequences.sms",
        ),
        (
            json!({"name": "T", "sequences": {"voice": sequence}}),
            "wrong_channel",
            "sequences.voice",
        ),
        (json!({"name": "T", "steps": []}), "unknown_field", "steps"),
    ] {
        let refused = world.post("/v1/tags", &body).await.problem();
        assert_eq!(refused, (422, code.to_owned(), Some(field.to_owned())), "{body}");
    }
    assert_eq!(world.get("/v1/tags").await.ok(200)["data"], json!([]));
}
